"""Several threads: each trace is of its own pass alone, and everything is as it was afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unetscope.errors import ForwardError, UnetscopeError
from unetscope.tracing import devices, trace
from unetscope.tracing.faults import lenient_norms
from unetscope.tracing.limits import MOST_MODULES, bounded

PATIENCE = 30
"""Seconds that a thread waits for another at most."""


class Net(nn.Module):
    """A few layers with hooks, and in between whatever a test wants."""

    def __init__(self, between: Callable[[Tensor], Any] = lambda x: x) -> None:
        super().__init__()
        self.between = between
        self.layers = nn.Sequential(*[nn.Linear(4, 4) for _ in range(8)], nn.Dropout())
        self.layers[1].register_forward_hook(lambda module, args, output: output + 1)
        self.layers[2].register_forward_pre_hook(lambda module, args: (args[0] * 2,))

    def forward(self, x: Tensor) -> Tensor:
        h = self.layers(x)
        self.between(h)
        return torch.cat([h, self.layers[2](x)], 1)


def state(model: nn.Module) -> list[Any]:
    """What a trace changes while it runs."""
    modules = [
        (sorted(vars(m)), m.training, list(m._forward_hooks), list(m._forward_pre_hooks))
        for m in model.modules()
    ]
    return [modules, torch.get_default_dtype(), torch.get_rng_state().tolist(), sys.stdout]


@pytest.fixture
def impatient() -> Iterator[None]:
    """Python changes threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(count: int, function: Callable[[int], Any]) -> list[Any]:
    """What a function returns in several threads that begin at the same time."""
    start = Barrier(count)

    def run(index: int) -> Any:
        start.wait(PATIENCE)
        return function(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_one_model_traced_by_several_threads(device: str, impatient: None) -> None:
    model, x = Net().to(device), torch.zeros(1, 4, device=device)
    before = state(model)
    alone = trace(model, (x,))
    assert together(8, lambda _: [trace(model, (x,)) for _ in range(3)]) == [[alone] * 3] * 8
    assert state(model) == before


def test_what_other_threads_run_is_not_recorded() -> None:
    entered, done, here = Event(), Event(), get_ident()

    def between(h: Tensor) -> None:
        if get_ident() == here:
            entered.set()
            assert done.wait(PATIENCE)

    model, x = Net(between), torch.zeros(1, 4)

    def other() -> Tensor:
        assert entered.wait(PATIENCE)
        try:
            return model(x) + model.layers[0](x).sum()
        finally:
            done.set()

    before = state(model)
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(other)
        record = trace(model, (x,))
        assert made.result().shape == (1, 8)
    assert made.result().requires_grad
    assert state(model) == before
    assert record == trace(Net(), (x,))


@pytest.mark.parametrize("hooked", [False, True])
def test_a_trace_within_a_trace_is_refused(hooked: bool) -> None:
    """It neither waits for itself nor writes into the record of the one outside."""
    x = torch.zeros(1, 4)
    model = Net()
    if hooked:
        model.layers[0].register_forward_hook(lambda *_: trace(nn.Linear(4, 4), (x,)) and None)
    else:
        model.between = lambda _: trace(model, (x,))
    before = state(model)
    with pytest.raises(
        ForwardError, match=r"found one of (Net|Linear) within that of Net"
    ) as caught:
        trace(model, (x,))
    assert isinstance(caught.value.__cause__, UnetscopeError)
    assert state(model) == before
    assert trace(nn.Linear(4, 4), (x,)).failure is None


def test_a_forward_that_was_kept_is_watched_no_longer() -> None:
    kept: list[Callable[[Tensor], Tensor]] = []
    model, x = Net(), torch.zeros(1, 4)
    model.between = lambda _: kept.append(model.layers[0].forward)
    record = trace(model, (x,))
    count = len(record.steps)
    assert kept[0](x).requires_grad
    assert trace(model, (x,)) == record
    assert len(record.steps) == count


def test_networks_built_by_several_threads_have_their_own_dtypes(impatient: None) -> None:
    def build(index: int) -> str:
        dtype = ("float16", "float32", "float64")[index % 3]
        built = [devices.build(Net, "meta", dtype) for _ in range(5)]
        assert {str(p.dtype) for model in built for p in model.parameters()} == {f"torch.{dtype}"}
        return dtype

    together(6, build)
    assert torch.get_default_dtype() == torch.float32


def in_another_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(PATIENCE)


def test_what_other_threads_build_and_call_is_theirs() -> None:
    def refuse() -> Exception:
        return AssertionError("counted what another thread does")

    def norm() -> nn.GroupNorm:
        return nn.GroupNorm(3, 4)

    layer = nn.Identity()
    with bounded(refuse):
        in_another_thread(lambda: [layer(0) for _ in range(MOST_MODULES + 1)])
    with lenient_norms(), pytest.raises(ValueError, match="must be divisible"):
        in_another_thread(norm)
    with lenient_norms():
        assert norm().num_groups == 1
    with devices._weights_on_meta():
        assert not in_another_thread(lambda: nn.Linear(2, 2)).weight.is_meta
        assert nn.Linear(2, 2).weight.is_meta
