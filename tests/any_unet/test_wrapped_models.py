"""Compiled, scripted, replicated, checkpointed: traced as they were written, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from unetscope.errors import ForwardError, UnetscopeError
from unetscope.record import Trace
from unetscope.tracing import trace


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        return self.b(torch.relu(self.a(x))) * scale


class Small(nn.Module):
    """A UNet of one level whose first block is called as `call` says."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.call = call or (lambda block, x: block(x))
        self.enter, self.down = Block(), nn.Conv2d(4, 4, 2, stride=2)
        self.up, self.leave = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.call(self.enter, x)
        return self.leave(torch.cat([self.up(self.down(a)), a], dim=1))


def image(device: str = "meta") -> Tensor:
    return torch.zeros(1, 4, 8, 8, device=device)


@pytest.fixture(scope="module")
def plain() -> Trace:
    return trace(Small().to("meta"), (image(),))


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    "call",
    [
        lambda block, x: block.forward(x),
        lambda block, x: block.forward(x=x, scale=1.0),
        lambda block, x: checkpoint(block, x, use_reentrant=True),
        lambda block, x: checkpoint(block, x, use_reentrant=False),
        lambda block, x: checkpoint(block.forward, x, use_reentrant=False),
    ],
    ids=["forward", "forward, named", "reentrant checkpoint", "checkpoint", "checkpointed forward"],
)
def test_every_call_is_seen(call: Any, device: str, plain: Trace) -> None:
    record = trace(Small(call).to(device), (image(device),))
    assert [step.module for step in record.steps] == [step.module for step in plain.steps]
    assert record.skips == plain.skips
    (skip,) = record.skips
    producer = record.values[skip.value].call
    assert producer is not None
    assert record.steps[producer].module == "enter"


def test_a_call_is_seen_once_where_hooks_call_others() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    called = []

    def look(module: nn.Module, args: Any) -> None:
        called.append(module)
        model[1](args[0])

    model[0].register_forward_pre_hook(look)
    record = trace(model, (torch.zeros(1, 2),))
    assert [(s.module, s.parent) for s in record.steps] == [
        ("", None),
        ("0", 0),
        ("1", 1),
        ("1", 0),
    ]


def test_a_forward_of_an_instance_s_own_stays() -> None:
    model = Small()
    first = model.enter.forward

    def twice(x: Tensor) -> Tensor:
        return first(x) * 2

    model.enter.forward = twice  # type: ignore[method-assign]
    record = trace(model, (image("cpu"),))
    assert model.enter.forward is twice
    assert "forward" not in vars(model.down)
    assert sum(op.name == "*" for op in record.ops) == 2


def test_an_error_within_a_forward_that_was_called_directly() -> None:
    def fails(block: Any, x: Tensor) -> Tensor:
        return block.a.forward(x[:, :3])

    model = Small(fails)
    with pytest.raises(ForwardError) as caught:
        trace(model, (image("cpu"),))
    failure = caught.value.trace.failure
    assert failure is not None
    assert failure.module == "enter.a"
    assert not any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    "wrap",
    [torch.compile, nn.DataParallel, lambda model: torch.compile(nn.DataParallel(model))],
    ids=["compiled", "data parallel", "both"],
)
def test_what_is_wrapped_is_traced(wrap: Any, device: str, plain: Trace) -> None:
    record = trace(wrap(Small().to(device)), (image(device),))
    assert record == plain


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_compiled_in_place_or_in_part_runs_as_written(device: str, plain: Trace) -> None:
    whole = Small().to(device)
    whole.compile()
    assert trace(whole, (image(device),)) == plain
    part = Small().to(device)
    part.enter = torch.compile(part.enter)
    record = trace(part, (image(device),))
    assert [step.module for step in record.steps][1:4] == [
        "enter",
        "enter._orig_mod",
        "enter._orig_mod.a",
    ]
    assert len(record.ops) == len(plain.ops)


def test_scripted_modules_are_refused() -> None:
    scripted = torch.jit.script(Block())
    with pytest.raises(UnetscopeError, match="the network is a ScriptModule"):
        trace(scripted, (image("cpu"),))
    model = Small()
    model.enter = scripted
    with pytest.raises(UnetscopeError, match="`enter` is a ScriptModule"):
        trace(model, (image("cpu"),))


def test_replicas_are_refused() -> None:
    model = Small()
    model.enter = nn.DataParallel(model.enter)
    model.enter.device_ids = [0, 1]
    with pytest.raises(UnetscopeError, match="`enter` is copied to 2 devices"):
        trace(model, (image("cpu"),))


def test_additive_joins_of_one_tensor_at_two_places() -> None:
    """The way by the first join keeps the resolution; it is no reason to call the second none."""

    class Twice(Small):
        def forward(self, x: Tensor) -> Tensor:
            a = self.enter(x)
            b = self.enter(self.up(self.down(a)) + a)
            return b + a

    record = trace(Twice(), (image("cpu"),))
    assert [skip.push for skip in record.skips] == [0, 0]


def test_a_residual_around_pooled_keys_is_none() -> None:
    """PVT and SegFormer: queries at full resolution, keys and values from a strided convolution."""

    class Pooled(Small):
        def forward(self, x: Tensor) -> Tensor:
            a = self.enter(x)
            keys = self.down(a).flatten(2).transpose(1, 2)
            queries = self.enter(a).flatten(2).transpose(1, 2)
            attended = nn.functional.scaled_dot_product_attention(queries, keys, keys)
            return a + attended.transpose(1, 2).reshape(a.shape)

    assert trace(Pooled(), (image("cpu"),)).skips == ()


def test_what_hooks_do_is_seen_within_the_call() -> None:
    """A weight computed by a hook, as older norms of weights do it, and a replaced output."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model[0].register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    model[0].register_forward_hook(lambda module, args, output: output + 1)
    record = trace(model, (torch.zeros(1, 2),))
    assert [(op.name, record.steps[op.step or 0].module) for op in record.ops] == [
        ("*", "0"),
        ("F.linear", "0"),
        ("+", "0"),
        ("F.relu", "1"),
    ]
    assert record.steps[1].outputs == record.ops[2].outputs
