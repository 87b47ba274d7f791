"""Shape rules of functions that move, repeat or choose elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    dim_of,
    floats,
    new,
    plain,
)
from unetscope.tracing.shapes.registry import functions_and_methods, shape_rule


def _ints(*values: Any) -> tuple[int, ...]:
    """What a function takes as one sequence or as several arguments.

    Raises:
        TypeError: it is something else than ints.
    """
    if not values:
        raise TypeError
    given = values[0] if len(values) == 1 and isinstance(values[0], Sequence) else values
    if not all(type(value) is int for value in given):
        raise TypeError(values)
    return tuple(given)


@shape_rule(*functions_and_methods("flip"), drawn_by="flips")
def _flip(x: Tensor, *dims: Any, **kwargs: Any) -> Any:
    given = _ints(*dims, *kwargs.values())
    if not x.is_meta or not plain(x) or not kwargs.keys() <= {"dims"}:
        return NotImplemented
    known = len({dim_of(x, dim) for dim in given}) == len(given)
    return new(x.shape, x.dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("roll"), drawn_by="rolls")
def _roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    by, along = _ints(shifts), () if dims is None else _ints(dims)
    fits = len(by) == len(along) > 0 or (len(by) == 1 and not along)
    known = fits and all(dim_of(x, dim) >= 0 for dim in along)
    return new(x.shape, x.dtype) if known and x.is_meta and plain(x) else NotImplemented


@shape_rule(*functions_and_methods("rot90"), drawn_by="turns")
def _rot90(x: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    first, second = (dim_of(x, dim) for dim in dims)
    if type(k) is not int or first == second or not x.is_meta or not plain(x):
        return NotImplemented
    turned = new(x.shape, x.dtype)
    return turned.transpose(first, second) if k % 2 else turned


def _repeated(x: Tensor, counts: Sequence[int]) -> Any:
    padded = (1,) * (len(counts) - x.dim()) + tuple(x.shape)
    known = x.is_meta and min(counts, default=1) >= 0
    shape = [size * count for size, count in zip(padded, counts, strict=True)]
    return new(shape, x.dtype) if known else NotImplemented


@shape_rule(Tensor.repeat, drawn_by="repetitions")
def _repeat(x: Tensor, *counts: Any) -> Any:
    return _repeated(x, _ints(*counts))


@shape_rule(torch.tile, Tensor.tile, drawn_by="repetitions")
def _tile(x: Tensor, *dims: Any) -> Any:
    counts = _ints(*dims)
    return _repeated(x, (1,) * (x.dim() - len(counts)) + counts)


@shape_rule(*functions_and_methods("tril", "triu"), drawn_by="triangles")
def _triangle(x: Tensor, diagonal: int = 0) -> Any:
    known = x.dim() > 1 and type(diagonal) is int and x.is_meta and plain(x)
    return new(x.shape, x.dtype) if known else NotImplemented


def _indexes(index: Any, x: Tensor) -> bool:
    """Whether `index` holds places in `x`; one place alone may stand for a view."""
    return (
        isinstance(index, Tensor)
        and index.is_meta
        and index.dtype == torch.int64
        and index.dim() > 0
        and plain(index)
        and plain(x)
    )


@shape_rule(*functions_and_methods("gather"), drawn_by="gatherings")
def _gather(x: Tensor, dim: int, index: Tensor) -> Any:
    dim = dim_of(x, dim)
    fits = index.dim() == x.dim() and all(
        d == dim or of <= size
        for d, (of, size) in enumerate(zip(index.shape, x.shape, strict=True))
    )
    known = fits and floats(x) and _indexes(index, x)
    return new(index.shape, x.dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("scatter_add"), drawn_by="scatterings")
def _scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Any:
    return _scatter(x, dim, index, src) if isinstance(src, Tensor) else NotImplemented


@shape_rule(*functions_and_methods("scatter"), drawn_by="scatterings")
def _scatter(x: Tensor, dim: int, index: Tensor, src: Tensor | float) -> Any:
    dim = dim_of(x, dim)
    limits = tuple(src.shape) if isinstance(src, Tensor) else tuple(index.shape)
    fits = (
        index.dim() == x.dim() == len(limits)
        and all(of <= size for of, size in zip(index.shape, limits, strict=True))
        and all(
            d == dim or of <= size
            for d, (of, size) in enumerate(zip(index.shape, x.shape, strict=True))
        )
        and (floats(x, src) if isinstance(src, Tensor) else floats(x) and type(src) in (int, float))
    )
    return new(x.shape, x.dtype) if fits and _indexes(index, x) else NotImplemented


@shape_rule(Tensor.__getitem__, drawn_by="choosings")
def _choose(x: Tensor, index: Any) -> Any:
    """By one tensor of places in one dim; slices are views, and masks depend on values."""
    along = index if isinstance(index, tuple) else (index,)
    if not _indexes(along[-1], x) or not all(
        isinstance(each, slice) and each == slice(None) for each in along[:-1]
    ):
        return NotImplemented
    dim = len(along) - 1
    if dim >= x.dim() or not floats(x):
        return NotImplemented
    return new((*x.shape[:dim], *along[-1].shape, *x.shape[dim + 1 :]), x.dtype)
