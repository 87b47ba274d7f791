"""Tensors of many layouts, drawn once and then made on whichever device is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
OTHERS = (torch.int64, torch.bool, torch.uint8, torch.complex64)
NO_NUMBERS = (True, None, "2", 3j)
LAYOUTS = (
    "permuted",
    "sliced",
    "every second",
    "expanded",
    "channels last",
    "narrow image of one channel",
)


@dataclass(frozen=True)
class Drawn:
    """A tensor that does not exist yet."""

    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    layout: str = "contiguous"

    def on(self, device: str) -> Tensor:
        """Zeros on `device`, laid out as drawn."""
        shape, rank = self.shape, len(self.shape)

        def zeros(sizes: Any) -> Tensor:
            return torch.zeros(sizes, dtype=self.dtype, device=device)

        if self.layout == "permuted" and rank > 1:
            return zeros(shape[::-1]).permute(*reversed(range(rank)))
        if self.layout == "sliced" and rank:
            return zeros((*shape[:-1], 2 * shape[-1]))[..., shape[-1] :]
        if self.layout == "every second" and rank:
            return zeros((2 * shape[0], *shape[1:]))[::2]
        if self.layout == "expanded" and rank:
            return zeros((1, *shape[1:])).expand(shape)
        if self.layout == "channels last" and rank in (4, 5):
            order = torch.channels_last if rank == 4 else torch.channels_last_3d
            return zeros(shape).contiguous(memory_format=order)
        if self.layout == "narrow image of one channel" and rank > 2:
            return zeros((shape[0], *shape[2:], shape[1])).movedim(-1, 1)
        return zeros(shape)


class Draws(Random):
    """Random tensors and settings; what most functions take comes most often."""

    def chance(self, share: float = 0.5) -> bool:
        """True in that share of all cases."""
        return self.random() < share

    def size(self, least: int = 0, most: int = 4) -> int:
        """The size of a dim; 0 is rare."""
        return self.randint(least if self.chance(0.2) else max(least, 1), most)

    def shape(self, least: int = 0, most: int = 5) -> tuple[int, ...]:
        """Any shape whose rank lies between the bounds."""
        return tuple(self.size() for _ in range(self.randint(least, most)))

    def float_type(self) -> torch.dtype:
        """Mostly float32."""
        return torch.float32 if self.chance(0.6) else self.choice(FLOATS)

    def dtype(self) -> torch.dtype:
        """Mostly floating-point."""
        return self.float_type() if self.chance(0.85) else self.choice(OTHERS)

    def layout(self) -> str:
        """Mostly torch's default."""
        return "contiguous" if self.chance(0.6) else self.choice(LAYOUTS)

    def tensor(
        self, shape: tuple[int, ...] | None = None, dtype: torch.dtype | None = None
    ) -> Drawn:
        """A tensor of any layout, of any shape and type if they are not given."""
        shape = self.shape() if shape is None else shape
        return Drawn(shape, dtype or self.dtype(), self.layout())

    def number(self) -> Any:
        """A setting of an activation or a factor, or something that is none."""
        return self.choice([2, 0.5, -1, 0, 1.5]) if self.chance(0.7) else self.choice(NO_NUMBERS)

    def dim(self, rank: int) -> Any:
        """A dim of a tensor, at times one that it has not, or none at all."""
        if rank and self.chance(0.75):
            return self.randint(-rank, rank - 1)
        return self.choice([-6, -1, 0, 5, 1.0, None, "1"])

    def setting(self, rank: int, least: int = 0, most: int = 3) -> Any:
        """Such as a stride: one number or one for each dim; at times something else."""
        if self.chance(0.1):
            return self.choice([-1, 1.5, (2, 2), [], [1, 2, 3, 4]])
        if self.chance():
            return self.randint(least, most)
        return [self.randint(least, most) for _ in range(rank)]


def on(device: str, value: Any) -> Any:
    """`value` with the tensors in it made on `device`."""
    if isinstance(value, Drawn):
        return value.on(device)
    if isinstance(value, (list, tuple)):
        return type(value)(on(device, item) for item in value)
    if isinstance(value, dict):
        return {name: on(device, item) for name, item in value.items()}
    if isinstance(value, torch.device):
        return torch.device(device)
    return value
