"""Tensors of many layouts, drawn once and then made on whichever device is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
DTYPES = (*FLOATS, torch.int64, torch.bool)
LAYOUTS = (
    "contiguous",
    "contiguous",
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


def sizes(least: int = 0, most: int = 4) -> st.SearchStrategy[int]:
    """The size of a dim."""
    return st.integers(least, most)


def shapes(least: int = 0, most: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    """Any shape whose rank lies between the bounds."""
    return st.lists(sizes(), min_size=least, max_size=most).map(tuple)


def tensors(
    shape: st.SearchStrategy[tuple[int, ...]] | tuple[int, ...],
    dtypes: tuple[torch.dtype, ...] = DTYPES,
) -> st.SearchStrategy[Drawn]:
    """Tensors of a shape, in any type and layout, most of them float32."""
    where = shape if isinstance(shape, st.SearchStrategy) else st.just(shape)
    kinds = st.one_of(st.just(torch.float32), st.sampled_from(dtypes))
    return st.builds(Drawn, where, kinds, st.sampled_from(LAYOUTS))


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
