"""Small networks with the ledgers that an expert of each architecture would write down.

The truth of each was decided from its paper or its code, and from the definition of a skip: two
ways from one tensor meet again; the long way comes back up from a lower resolution, the short way
did not go there. No ledger of a program was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

C = 4
ROOT = ""
Skips = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A network, and what is true of it.

    Attributes:
        name: what to call it.
        build: makes it, on the current device.
        inputs: the shapes of its inputs.
        skips: each pop in the order of the joins, as what made the tensor that was pushed (the
            path of a module, or else the name of a function or of an input) and the path of the
            module in whose body it is joined; those of one join in any order. None where an
            expert would not decide.
        lifo: whether the skips are used as a stack is; None where that does not matter.
        through: of some pushed tensors the modules on their short way, in order.
        classes: classes of which other joins there are some.
        why: where the truth comes from.
    """

    name: str
    build: Callable[[], nn.Module]
    inputs: tuple[tuple[int, ...], ...]
    skips: tuple[tuple[str, str], ...] | None
    lifo: bool | None
    through: Mapping[str, tuple[str, ...]]
    classes: frozenset[str]
    why: str


CASES: list[Case] = []


def case(
    skips: Skips | None,
    *inputs: tuple[int, ...],
    lifo: bool | None = True,
    through: Mapping[str, Sequence[str]] | None = None,
    classes: Iterable[str] = (),
    why: str,
) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Register what builds a network, under its own name, with its truth."""

    def register(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        CASES.append(
            Case(
                build.__name__.strip("_").replace("_", " "),
                build,
                inputs or ((1, 3, 16, 16),),
                None if skips is None else tuple(skips),
                lifo if skips else None,
                {key: tuple(value) for key, value in (through or {}).items()},
                frozenset(classes),
                why,
            )
        )
        return build

    return register


def in_root(*pushed: str) -> list[tuple[str, str]]:
    """Skips that are all joined in the network's own `forward`."""
    return [(name, ROOT) for name in pushed]


class Net(nn.Module):
    """A network whose layers are `parts` and whose `forward` is `body`."""

    def __init__(self, body: Callable[..., Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.body = body
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor, *more: Tensor) -> Any:
        return self.body(self, x, *more)


def conv(channels: int = C, out: int = C, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel, stride, kernel // 2)


def down(channels: int = C, out: int = C) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, 2, 1)


def up(channels: int = C, out: int = C) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, out, 2, 2)


def doubled(channels: int = C, out: int = C) -> nn.Sequential:
    """The two convolutions of a U-Net's level."""
    return nn.Sequential(conv(channels, out), nn.ReLU(), conv(out, out), nn.ReLU())


def bigger(x: Tensor, factor: int = 2, mode: str = "nearest") -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode=mode)


def joined(*maps: Tensor) -> Tensor:
    return torch.cat(maps, dim=1)


def many(count: int, layer: Callable[[], nn.Module]) -> nn.ModuleList:
    return nn.ModuleList(layer() for _ in range(count))


class Joining(nn.Module):
    """A decoder's level: up, join, convolve."""

    def __init__(self, channels: int = C, skip: int = C, out: int = C) -> None:
        super().__init__()
        self.up, self.conv = up(channels, channels), conv(channels + skip, out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return F.relu(self.conv(torch.cat([skip, self.up(x)], dim=1)))


class Residual(nn.Module):
    """A ResNet's block; `stride` 2 halves, with a projection beside."""

    def __init__(self, channels: int = C, out: int = C, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(channels, out, 3, stride), conv(out, out)
        self.norm1, self.norm2 = nn.BatchNorm2d(out), nn.BatchNorm2d(out)
        same = stride == 1 and channels == out
        self.beside = nn.Identity() if same else nn.Conv2d(channels, out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(h)) + self.beside(x))


class Attention(nn.Module):
    """Self-attention, or cross-attention to `context`, on tokens `(B, N, C)`."""

    def __init__(self, channels: int = C, context: int | None = None, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(channels, channels)
        self.k, self.v = (nn.Linear(context or channels, channels) for _ in range(2))
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        q, k, v = self.q(x), self.k(context), self.v(context)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        h = F.scaled_dot_product_attention(q, k, v)
        return self.out(h.transpose(1, 2).flatten(2))


class GEGLU(nn.Module):
    """A feed-forward network gated by half of its channels."""

    def __init__(self, channels: int = C) -> None:
        super().__init__()
        self.wide, self.narrow = (
            nn.Linear(channels, 4 * channels),
            nn.Linear(2 * channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        h, gate = self.wide(x).chunk(2, dim=-1)
        return self.narrow(h * F.gelu(gate))


class Block(nn.Module):
    """A transformer's block on tokens; with `context` it attends to text too."""

    def __init__(self, channels: int = C, context: int | None = None) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn, self.mlp = Attention(channels), GEGLU(channels)
        if context is not None:
            self.cross, self.norm3 = Attention(channels, context), nn.LayerNorm(channels)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        x = x + self.attn(self.norm1(x))
        if context is not None:
            x = x + self.cross(self.norm3(x), context)
        return x + self.mlp(self.norm2(x))
