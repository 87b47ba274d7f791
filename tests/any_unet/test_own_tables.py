"""Tables of UNets as people write them: unpadded, with lone layers and functions as blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from test_tables_agree import check, tables
from torch import Tensor, nn

from unetscope import trace
from unetscope.analysis.module_kinds import module_kinds
from unetscope.analysis.network import Network

WIDTH = 8


def convolutions(given, made, padding=1):
    first = nn.Conv2d(given, made, 3, padding=padding)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(made, made, 3, padding=padding), nn.ReLU())


def of(net, *inputs):
    return trace(net(), *inputs)


class Unpadded(nn.Module):
    """Ronneberger et al. 2015: each convolution loses the edge, and skips are cropped."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = convolutions(1, WIDTH, 0), convolutions(WIDTH, WIDTH, 0)
        self.pool, self.up = nn.MaxPool2d(2), nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2)
        self.e1, self.head = convolutions(2 * WIDTH, WIDTH, 0), nn.Conv2d(WIDTH, 2, 1)

    def forward(self, x):
        skip = self.c1(x)
        up = self.up(self.c2(self.pool(skip)))
        rows, columns = ((skip.shape[d] - up.shape[d]) // 2 for d in (2, 3))
        skip = skip[:, :, rows : rows + up.shape[2], columns : columns + up.shape[3]]
        return self.head(self.e1(torch.cat([skip, up], 1)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = (nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2))

    def forward(self, x):
        return x + self.b(F.silu(self.a(x)))


class Timed(nn.Module):
    """Two convolutions and a sum, and no shortcut."""

    def __init__(self, given=WIDTH):
        super().__init__()
        self.a, self.b = (nn.Conv2d(c, WIDTH, 3, padding=1) for c in (given, WIDTH))

    def forward(self, x, time):
        return self.b(F.silu(self.a(x) + time[:, None, None, None]))


class InTheOpen(nn.Module):
    """`forward` joins, resizes and adds; blocks are ResNets, or are not."""

    def __init__(self):
        super().__init__()
        self.stem, self.last = nn.Conv2d(3, WIDTH, 1), nn.Conv2d(WIDTH, 3, 1)
        self.d1, self.d2, self.mid = Residual(), Timed(), Residual()
        self.down, self.u2, self.u1 = nn.AvgPool2d(2), Timed(2 * WIDTH), Timed(2 * WIDTH)

    def forward(self, x, time):
        first = self.d1(self.stem(x))
        second = self.d2(self.down(first), time)
        second = second + time[:, None, None, None]
        x = self.u2(torch.cat([self.mid(second), second], 1), time)
        x = F.interpolate(x, size=first.shape[2:])
        return self.last(self.u1(torch.cat([x, first], 1), time))


def test_a_lost_edge_is_no_resampling():
    record = of(Unpadded, torch.zeros(1, 1, 60, 52))
    found = tables(record)
    check(found)
    assert found["middle"]["layers"] == ["Sequential"]
    kinds = [(each.kind, each.modules) for each in module_kinds(Network(record))]
    assert ("DownSample", ("pool",)) in kinds
    assert ("UpSample", ("up",)) in kinds
    assert not any(path.startswith(("c", "e")) for _, (path, *_) in kinds)


def test_functions_between_blocks():
    found = tables(of(InTheOpen, torch.zeros(1, 3, 9, 13), torch.zeros(1)))
    assert [row["resnets"] for row in found["encoder"]["rows"]] == [1, 0, 0]
    assert found["middle"]["layers"] == ["ResNet"]
    assert found["residuals"]["from_layers"] == [1, 0, 1]
    (steps,) = found["steps"]
    assert steps["rows"][2]["inputs"] == ["from previous", "res[0]"]


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.of_skip, self.of_signal = (nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(2))

    def forward(self, signal, skip: Tensor):
        return skip * torch.sigmoid(self.of_signal(signal) + self.of_skip(skip))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.down = nn.Conv2d(3, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, WIDTH, 2, 2)
        self.up, self.gate = nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2), Gate()
        self.dec = nn.Conv2d(2 * WIDTH, 3, 3, padding=1)

    def forward(self, x):
        skip = self.enc(x)
        x = self.up(self.down(skip))
        return self.dec(torch.cat([x, self.gate(x, skip)], 1))


def test_a_gate_is_no_resnet():
    found = tables(of(Gated, torch.zeros(1, 3, 16, 16)))
    assert {row["resnets"] for row in found["decoder"]["rows"]} == {0}


class Refined(nn.Module):
    """One UNet after the other, as in W-Net and stacked hourglasses."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Gated(), Gated()

    def forward(self, x):
        return self.second(self.first(x))


def test_unets_in_a_row_are_said_to_be_several():
    assert tables(of(Refined, torch.zeros(1, 3, 16, 16)))["parts"]["in_a_row"] == 2
    assert "in_a_row" not in tables(of(Gated, torch.zeros(1, 3, 16, 16)))["parts"]
