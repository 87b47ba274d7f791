"""Toy UNets whose joins are written in many ways, in one, two and three dims."""

from __future__ import annotations

from collections.abc import Callable

import einops
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unetscope import load

C = 4
Join = Callable[[Tensor, Tensor], Tensor]


class Toy(nn.Module):
    """Two levels; the root joins what its decoder made, first, to what its encoder pushed."""

    def __init__(self, join: Join, *, dims: int = 2, order: tuple[int, int] = (1, 0)) -> None:
        super().__init__()
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dims - 1]
        back = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dims - 1]
        self.join, self.order = join, order
        self.enter, self.mid = conv(3, C, 3, padding=1), conv(C, C, 1)
        self.downs = nn.ModuleList(conv(C, C, 2, stride=2) for _ in range(2))
        self.ups = nn.ModuleList(back(C, C, 2, stride=2) for _ in range(2))
        self.wide = nn.ModuleList(conv(2 * C, C, 1) for _ in range(2))
        self.narrow = nn.ModuleList(conv(C, C, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        held = []
        x = self.enter(x)
        for down in self.downs:
            held.append(x)
            x = down(x)
        x = self.mid(x)
        for index, up in zip(self.order, self.ups, strict=True):
            x = up(x)
            x = self.join(x, F.interpolate(held[index], size=x.shape[2:]))
            x = (self.wide if x.shape[1] == 2 * C else self.narrow)[index](x)
        return x


def gated(x: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([x, skip * torch.sigmoid(x.mean(dim=1, keepdim=True))], dim=1)


def freed(x: Tensor, skip: Tensor) -> Tensor:
    """FreeU (2023): low frequencies of the skip are scaled, half of the backbone's channels too."""
    frequencies = torch.fft.fftshift(torch.fft.fftn(skip, dim=(-2, -1)), dim=(-2, -1))
    mask = torch.ones(frequencies.shape, device=x.device)
    mask[..., 1:3, 1:3] = 0.9
    low = torch.fft.ifftshift(frequencies * mask, dim=(-2, -1))
    x = torch.cat([x[:, : C // 2] * 1.2, x[:, C // 2 :]], dim=1)
    return torch.cat([x, torch.fft.ifftn(low, dim=(-2, -1)).real], dim=1)


JOINS: dict[str, Join] = {
    "cat": lambda x, skip: torch.cat([x, skip], dim=1),
    "cat, skip first": lambda x, skip: torch.cat((skip, x), dim=-3),
    "concat": lambda x, skip: torch.concat([x, skip], dim=1),
    "hstack": lambda x, skip: torch.hstack([x, skip]),
    "einops.pack": lambda x, skip: einops.pack([x, skip], "b * h w")[0],
    "aten": lambda x, skip: torch.ops.aten.cat([x, skip], 1),
    "+": lambda x, skip: x + skip,
    "sum": lambda x, skip: sum([x, skip]),
    "weighted sum": lambda x, skip: 0.7 * x + 0.3 * skip,
    "in place": lambda x, skip: x.add_(skip),
    "lerp": lambda x, skip: torch.lerp(x, skip, 0.3),
    "gated": gated,
    "FreeU": freed,
    "activated": lambda x, skip: torch.cat([x, F.silu(skip) * 2**-0.5], dim=1),
}


@pytest.mark.parametrize("name", JOINS)
def test_joins(traced, name):
    found = traced(lambda: Toy(JOINS[name]), [torch.zeros(1, 3, 8, 8)], real=True)
    assert found.pushed == ["downs.0", "enter"]
    assert found.pushes == [1, 0]
    assert found.tables()["steps"].data["block"] == "Toy"
    popped = [row["popped"] for row in load(found.record).tables()["stages"]]
    assert [pushes for pushes in popped if pushes] == [[1], [0]]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", ["cat", "+", "lerp"])
def test_dims(traced, dims, name):
    join = (lambda x, skip: torch.cat([x, skip], dim=1)) if name == "cat" else JOINS[name]
    found = traced(lambda: Toy(join, dims=dims), [torch.zeros(1, 3, *[8] * dims)], real=True)
    assert found.pushed == ["downs.0", "enter"]


def test_a_queue_is_no_stack(traced):
    """First in, first out: the first pop takes what the second should have."""
    found = traced(lambda: Toy(JOINS["cat"], order=(0, 1)), [torch.zeros(1, 3, 8, 8)])
    assert found.pushed == ["enter", "downs.0"]
    table = found.tables()["ledger"]
    assert table.data["out_of_order_pops"] == [0]
    verdict = found.tables()["verdict"]
    said = " ".join(str(part.value) for cell in verdict.before for part in cell.parts)
    assert "pop 0 (push 0, enter)" in said
