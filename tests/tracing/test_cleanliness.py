"""Tracing leaves everything as it was, and keeps nothing alive."""

from __future__ import annotations

import contextlib
import gc
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from unetscope.errors import ForwardError
from unetscope.record import Trace
from unetscope.tracing import trace


class Failing(nn.Module):
    """Fails where it is told to."""

    def __init__(self, fail: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.fail = fail

    def forward(self, x: Tensor) -> Tensor:
        return self.fail(x)


def interrupt(_: Tensor) -> None:
    raise KeyboardInterrupt


def give_up(_: Tensor) -> None:
    raise RuntimeError("no more")


def net(fail: Callable[[Tensor], Any] = lambda x: x) -> nn.Module:
    """A net with every kind of state, some of it unusual."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Dropout(0.5),
        nn.Sequential(Failing(fail), nn.Conv2d(4, 4, 1)),
    )
    model[0].weight.requires_grad_(False)
    model[1].eval()
    model[0].register_forward_hook(user_hook)
    model[0].register_forward_pre_hook(user_hook)
    return model


def user_hook(*_: Any) -> None:
    pass


def state(model: nn.Module) -> list[Any]:
    """Everything that a trace must leave alone."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_forward_hooks_with_kwargs")
    hooks += ("_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called", "_backward_hooks")
    everything: list[Any] = [
        [(name, id(t), t._version, t.requires_grad, t.clone()) for name, t in tensors]
        for tensors in (model.named_parameters(), model.named_buffers())
    ]
    for module in model.modules():
        everything.append((module.training, sorted(vars(module))))
        everything.append([dict(getattr(module, name)) for name in hooks])
    everything += [torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()]
    everything += [torch.get_rng_state(), random.getstate(), _get_current_function_mode_stack()]
    everything += [F.conv2d, F.interpolate, Tensor.__add__, nn.Module.__call__]
    everything += [dict(nn.modules.module._global_forward_hooks), list(model.state_dict())]
    return everything


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@pytest.mark.parametrize(
    ("fail", "raised"),
    [
        (lambda x: x, None),
        (give_up, ForwardError),
        (lambda x: torch.cat([x, x[..., 1:]], 1), ForwardError),
        (lambda x: F.conv2d(x, torch.zeros(1, 9, 1, 1)), ForwardError),
        (interrupt, KeyboardInterrupt),
        (lambda x: exec("raise SystemExit(3)"), SystemExit),
    ],
    ids=["no error", "in a module", "in a function", "in a convolution", "Ctrl-C", "exit"],
)
def test_everything_is_as_it_was(fail: Any, raised: type[BaseException] | None) -> None:
    model = net(fail)
    x = torch.zeros(2, 3, 4, 4)
    before = state(model)
    if raised is None:
        trace(model, (x,))
    else:
        with pytest.raises(raised):
            trace(model, (x,))
    assert same(state(model), before)
    # Both fall silent afterwards: a forward pass is not watched any more.
    model[3][0].fail = lambda x: x
    assert model(x).requires_grad


def test_random_numbers_go_on_as_if_nothing_had_happened() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.randn(x.shape)

    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    trace(Noisy(), (torch.zeros(3),))
    assert torch.equal(torch.randn(3), expected)


def test_tracing_within_other_modes() -> None:
    model = net()
    with torch.device("meta"), torch.enable_grad():
        trace(model, (torch.zeros(1, 3, 4, 4, device="cpu"),))
        assert torch.get_default_device() == torch.device("meta")
        assert torch.is_grad_enabled()
    with torch.inference_mode():
        record = trace(model, (torch.zeros(1, 3, 4, 4),))
    assert record == trace(model, (torch.zeros(1, 3, 4, 4),))


def test_gradients_that_a_model_takes_itself() -> None:
    class Energy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                return torch.autograd.grad(F.silu(self.layer(x)).sum(), x)[0]

    record = trace(Energy(), (torch.zeros(1, 2),))
    on_meta = trace(Energy().to("meta"), (torch.zeros(1, 2, device="meta"),))
    assert on_meta.values[on_meta.outputs[0]].spec == record.values[record.outputs[0]].spec


class Watched(nn.Module):
    """Sees by itself which of its tensors live, after each of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.norm, self.act = nn.GroupNorm(2, 4), nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        self.seen: list[list[bool]] = []
        self.storages: list[weakref.ref[Any]] = []

        def look(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            self.storages.append(weakref.ref(storage))
            del storage
            self.seen.append([ref() is not None for ref in self.storages])
            return tensor

        h = look(self.first(x))
        h = look(self.act(self.norm(h)))
        held = [look(h * 2), look(h.transpose(2, 3).reshape(h.shape))]
        h = look(self.second(torch.cat(held, dim=1)))
        del held
        h = look(h + 1)
        try:
            look(self.second(h))
        except RuntimeError:
            h = look(h * 2)
        return look(self.norm(h))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tensors_live_as_long_as_without_the_tracer(device: str) -> None:
    model = Watched()
    gc.disable()
    try:
        with torch.no_grad():
            model(torch.zeros(2, 4, 6, 6))
        alone = model.seen
        trace(model.to(device), (torch.zeros(2, 4, 6, 6, device=device),))
    finally:
        gc.enable()
    assert model.seen == alone
    assert not any(ref() is not None for ref in model.storages)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_births_and_deaths(device: str) -> None:
    class Steps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            a = x * 2  # clock 2
            b = a + 1  # 3
            del a
            c = b.view(-1)  # 4, b's storage
            del b
            d = c * 3  # 5
            del c
            return d + d  # 6

    record = trace(Steps(), (torch.zeros(2, 2, device=device),))
    lives = [(storage.born, storage.died, storage.resident) for storage in record.storages]
    assert lives == [(0, None, True), (2, 3, False), (3, 5, False), (5, 6, False), (6, None, False)]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_nothing_outlives_the_trace(device: str) -> None:
    kept: list[weakref.ref[Tensor]] = []

    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x * 2
            kept.extend([weakref.ref(x), weakref.ref(y)])
            return y

    x = torch.zeros(3, device=device)
    model = Root()
    gc.disable()
    try:
        record = trace(model, (x,))
        del x
        assert [ref() for ref in kept] == [None, None]
    finally:
        gc.enable()
    assert record.outputs


def test_a_failing_forward_leaves_a_partial_trace() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.SiLU(), nn.Conv2d(5, 4, 1)))
    with pytest.raises(ForwardError) as caught:
        trace(model, (torch.zeros(2, 3, 8, 8),))
    record = caught.value.trace
    failure = record.failure
    assert failure is not None
    assert (failure.module, failure.op) == ("1.1", "F.conv2d") or failure.op == "torch.conv2d"
    assert [spec.shape for spec in failure.inputs] == [(2, 4, 8, 8), (4, 5, 1, 1), (4,)]
    assert "channels" in failure.message
    assert [(s.module, s.end is None) for s in record.steps] == [
        ("", True),
        ("0", False),
        ("1", True),
        ("1.0", False),
        ("1.1", True),
    ]
    assert "`1.1`" in str(caught.value)
    assert "[2, 4, 8, 8]" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def fails(model: nn.Module, *args: Any) -> Trace:
    with pytest.raises(ForwardError) as caught:
        trace(model, args)
    return caught.value.trace


def test_a_join_that_does_not_fit() -> None:
    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, x[:, :, 1:]], dim=1)

    for device in ("cpu", "meta"):
        failure = fails(Root(), torch.zeros(1, 2, 4, 4, device=device)).failure
        assert failure is not None
        assert (failure.module, failure.op) == ("", "torch.cat")
        assert [spec.shape for spec in failure.inputs] == [(1, 2, 4, 4), (1, 2, 3, 4)]


def test_an_error_of_a_module_s_own() -> None:
    failure = fails(nn.Sequential(nn.ReLU(), Failing(give_up)), torch.zeros(1)).failure
    assert failure is not None
    assert (failure.module, failure.op, failure.message) == ("1", None, "RuntimeError: no more")
    assert [spec.shape for spec in failure.inputs] == [(1,)]


def test_missing_inputs() -> None:
    failure = fails(nn.Linear(2, 2)).failure
    assert failure is not None
    assert failure.module == ""
    assert "input" in failure.message


class Catching(nn.Module):
    """Tries one module, then another."""

    def __init__(self, *children: nn.Module) -> None:
        super().__init__()
        self.children_ = nn.ModuleList(children)

    def forward(self, x: Tensor) -> Any:
        for child in self.children_[:-1]:
            try:
                return child(x)
            except RuntimeError:
                self.children_[-1](x)
        return self.children_[-1](x)


def test_a_caught_error_is_no_failure() -> None:
    record = trace(Catching(nn.Linear(3, 3), nn.Linear(2, 2)), (torch.zeros(1, 2),))
    assert record.failure is None
    ends = [(step.module, step.parent, step.end is None) for step in record.steps]
    assert ends == [
        ("", None, False),
        ("children_.0", 0, True),
        ("children_.1", 0, False),
        ("children_.1", 0, False),
    ]


def test_a_module_that_returns_nothing_while_an_error_is_handled() -> None:
    record = trace(Catching(nn.Linear(3, 3), Failing(lambda x: None)), (torch.zeros(1, 2),))
    assert [step.end is None for step in record.steps] == [False, True, False, False]
    try:
        raise ValueError("of the caller")
    except ValueError:
        record = trace(Failing(lambda x: None), (torch.zeros(1),))
    assert record.steps[0].end is not None


def test_an_error_after_a_caught_one_is_told_from_it() -> None:
    record = fails(
        Catching(Failing(give_up), nn.Identity(), Failing(give_up)).eval(), torch.zeros(1)
    )
    assert record.failure is not None
    assert record.failure.module == "children_.2"
    model = Catching(*[nn.Linear(n, 2) for n in (3, 4, 5)])
    record = fails(model, torch.zeros(1, 2))
    assert record.failure is not None
    assert record.failure.module == "children_.2"


def test_a_caught_error_keeps_no_tensor_alive() -> None:
    kept: list[weakref.ref[Tensor]] = []

    def fail(x: Tensor) -> None:
        local = x * 2
        kept.append(weakref.ref(local))
        raise RuntimeError

    def look(x: Tensor) -> Tensor:
        assert kept[0]() is None
        return x

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fails, self.looks = Failing(fail), Failing(look)

        def forward(self, x: Tensor) -> Tensor:
            with contextlib.suppress(RuntimeError):
                self.fails(x)
            return self.looks(x)

    gc.disable()
    try:
        assert trace(Root(), (torch.zeros(1),)).failure is None
    finally:
        gc.enable()
