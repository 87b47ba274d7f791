"""What only a pass tells: parameters without a use, and skips out of order."""

from __future__ import annotations

import torch
from torch import nn

from unetscope.errors import Place
from unetscope.rules.traced import check_trace, never_used
from unetscope.tracing import trace


def found(traced):
    return [(finding.id, finding.message) for finding in check_trace(traced, Place("it.py"))]


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.b(self.a(x)) * self.scale


def test_unused_parameters():
    """A bare parameter that a function takes is used; a module that is not called is not."""
    traced = trace(Layers(), [torch.zeros(1, 4, 8, 8)])
    assert never_used(traced) == {"bias": 1, "c.weight": 144, "c.bias": 4}
    [(name, message)] = found(traced)
    assert name == "unused-parameters"
    assert "149 of 446 parameters: bias, c.weight, c.bias" in message


def test_a_shared_parameter_is_used_under_any_name():
    network = Layers()
    network.c.weight, network.c.bias, network.bias = network.b.weight, network.b.bias, network.scale
    assert never_used(trace(network, [torch.zeros(1, 4, 8, 8)])) == {}


class Joins(nn.Module):
    def __init__(self, order):
        super().__init__()
        self.order = order
        self.down = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))
        self.up = nn.ModuleList(nn.Conv2d(8, 4, 3, padding=1) for _ in range(2))

    def forward(self, x):
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        for layer, index in zip(self.up, self.order, strict=True):
            x = layer(torch.cat([x, skips[index]], dim=1))
        return x


def test_skip_order():
    x = torch.zeros(1, 4, 8, 8)
    assert found(trace(Joins((1, 0)), [x])) == []
    [(name, message)] = found(trace(Joins((0, 1)), [x]))
    assert name == "skip-order"
    assert message.startswith("1 of 2 joins")
