"""Lazy modules: traced with the shapes of a first run, and left as lazy as they were."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

import unetscope
from unetscope.errors import UnetscopeError
from unetscope.sources.sweeping import sweep
from unetscope.tracing import trace

DEVICES = ["meta", "cpu"]


class Net(nn.Module):
    """A UNet of one level that has no numbers of channels."""

    def __init__(self, eager_first: bool = False) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, 4, 1) if eager_first else nn.LazyConv2d(4, 1)
        self.norm = nn.LazyBatchNorm2d()
        self.down = nn.LazyConv2d(8, 2, stride=2)
        self.up = nn.LazyConvTranspose2d(4, 2, stride=2)
        self.leave = nn.LazyConv2d(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.norm(self.enter(x)).relu()
        x += 1
        return self.leave(torch.cat([self.up(self.down(a)), a], 1))


def net(device: str) -> Net:
    with torch.device(device):
        return Net()


def image(device: str = "meta") -> Tensor:
    return torch.zeros(1, 3, 8, 8, device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lazy_network_is_traced_and_stays_lazy(device: str) -> None:
    model, x = net(device), image(device)
    before, drawn = [type(module) for module in model.modules()], torch.get_rng_state()
    record = trace(model, (x,))
    assert [type(module) for module in model.modules()] == before
    assert all(map(is_lazy, model.parameters()))
    assert model.training
    assert x._version == 1
    assert torch.equal(torch.get_rng_state(), drawn)
    run = net(device)
    run(image(device))
    assert record == trace(run, (image(device),))
    assert {module.kind for module in record.modules} == {
        *("Net", "Conv2d", "BatchNorm2d", "ConvTranspose2d")
    }
    assert record.total_params == sum(p.numel() for p in run.parameters())
    assert len(record.skips) == 1


def test_lazy_modules_that_get_no_shapes_are_refused() -> None:
    model = Net()
    model.unused = nn.LazyLinear(2)
    with pytest.raises(UnetscopeError, match="unused: lazy, and `forward` does not call them"):
        trace(model, (image("cpu"),))
    with pytest.raises(UnetscopeError, match=r"enter, norm, down.*lazy.* failed: RuntimeError"):
        trace(Net(), (torch.zeros(3),))
    uncopied = Net()
    uncopied.stream = (number for number in range(3))
    with pytest.raises(UnetscopeError, match=r"lazy.* cannot be copied: .*generator") as caught:
        trace(uncopied, (image("cpu"),))
    assert caught.value.hint
    assert all(map(is_lazy, uncopied.parameters()))
    with pytest.raises(UnetscopeError, match=r"enter, norm, down.*made its tensors empty"):
        trace(Net().to("meta"), (image(),))


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with lazy networks, as a user names it."""
    module = ModuleType("lazy_networks")
    vars(module).update(Net=Net, made=Net(), partly=lambda: Net(eager_first=True))
    monkeypatch.setitem(sys.modules, "lazy_networks", module)
    return "lazy_networks"


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["Net", "made"])
def test_code_with_lazy_modules(code: str, name: str, device: str) -> None:
    named = unetscope.load(f"{code}:{name}", inputs=["1,3,8,8"], device=device)
    plain = trace(net(device), (image(device),))
    assert named.trace().modules == plain.modules
    assert named.trace().ops == plain.ops
    with pytest.raises(UnetscopeError, match="cannot be guessed"):
        unetscope.load(f"{code}:Net").trace()


def test_code_with_lazy_modules_runs_at_many_sizes(code: str) -> None:
    named = unetscope.load(f"{code}:partly")
    points: list[Any] = list(sweep(named.source, [{"height": 16, "width": 16}, {"height": 32}]))
    assert points[0].macs < points[1].macs
    assert points[0].parameters == named.trace().total_params
