"""Whether two views of one memory have elements in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor


class Layout(NamedTuple):
    """Where the elements of a tensor lie in its memory, counted in elements."""

    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


def layout(tensor: Tensor) -> Layout | None:
    """The layout of a tensor; None if it has none, as sparse ones have none."""
    if tensor.layout is not torch.strided:
        return None
    try:
        return Layout(int(tensor.storage_offset()), tuple(tensor.shape), tensor.stride())
    except RuntimeError:
        return None


def apart(one: Layout | None, other: Layout | None) -> bool:
    """Whether two layouts surely have no element in common.

    Offsets are written in digits whose units are the strides, as hours, minutes and seconds are:
    then a view is a box, with a range for each digit. Where strides are no multiples of each other
    it is not decided.
    """
    if one is None or other is None:
        return False
    if 0 in one.sizes or 0 in other.sizes:
        return True
    units = sorted({1, *one.strides, *other.strides} - {0}, reverse=True)
    if any(large % small for large, small in pairwise(units)):
        return False
    first, second = _box(one, units), _box(other, units)
    if first is None or second is None:
        return False
    return any(a.stop <= b.start or b.stop <= a.start for a, b in zip(first, second, strict=True))


def _box(view: Layout, units: Sequence[int]) -> list[range] | None:
    """The range of each digit, for the units from the largest on; None if a view is no box."""
    lengths = [1] * len(units)
    rest = view.offset
    starts: list[int] = []
    for unit in units:
        starts.append(rest // unit)
        rest %= unit
    for stride, size in sorted(zip(view.strides, view.sizes, strict=True)):
        if stride == 0 or size == 1:
            continue
        place, left = units.index(stride), size
        while left > 1:
            if lengths[place] > 1:
                return None
            room = units[place - 1] // units[place] if place else starts[0] + left
            if starts[place] + left <= room:
                lengths[place], left = left, 1
            elif starts[place] == 0 and left % room == 0:
                lengths[place], left, place = room, left // room, place - 1
            else:
                return None
    return [range(start, start + length) for start, length in zip(starts, lengths, strict=True)]
