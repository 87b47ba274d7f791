"""Shape rules of functions that join tensors or make them from numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unetscope.tracing.shapes.registry import new, plain, shape_rule


def _joinable(tensors: Sequence[Tensor]) -> bool:
    """Whether they are several, on meta, and alike in type, rank and layout."""
    return (
        isinstance(tensors, (list, tuple))
        and len(tensors) > 0
        and all(tensor.is_meta and plain(tensor) for tensor in tensors)
        and len({(tensor.dtype, tensor.dim()) for tensor in tensors}) == 1
    )


@shape_rule(torch.cat, torch.concat, torch.concatenate, drawn_by="joins")
def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    if not _joinable(tensors) or type(dim) is not int:
        return NotImplemented
    shape = list(tensors[0].shape)
    rank = len(shape)
    if not -rank <= dim < rank:
        return NotImplemented
    shape[dim] = sum(tensor.shape[dim] for tensor in tensors)
    others = set(range(rank)) - {dim % rank}
    if any(tensor.shape[d] != shape[d] for tensor in tensors for d in others):
        return NotImplemented
    return new(shape, tensors[0].dtype)


@shape_rule(torch.hstack, drawn_by="joins")
def _hstack(tensors: Sequence[Tensor]) -> Any:
    if not _joinable(tensors) or tensors[0].dim() < 1:
        return NotImplemented
    return _cat(tensors, dim=min(1, tensors[0].dim() - 1))


@shape_rule(torch.stack, drawn_by="joins")
def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    if not _joinable(tensors) or len({t.shape for t in tensors}) > 1 or type(dim) is not int:
        return NotImplemented
    shape = list(tensors[0].shape)
    rank = len(shape) + 1
    if not -rank <= dim < rank:
        return NotImplemented
    shape.insert(dim % rank, len(tensors))
    return new(shape, tensors[0].dtype)


@shape_rule(torch.flip, Tensor.flip, drawn_by="flips")
def _flip(x: Tensor, dims: Sequence[int]) -> Any:
    if not x.is_meta or not plain(x) or len({dim % x.dim() for dim in dims}) != len(dims):
        return NotImplemented
    if not all(type(dim) is int and -x.dim() <= dim < x.dim() for dim in dims):
        return NotImplemented
    return new(x.shape, x.dtype)


@shape_rule(torch.arange, drawn_by="ranges")
def _arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Any:
    if end is None:
        start, end = 0, start
    numbers = (start, end, step)
    whole = all(type(number) is int for number in numbers)
    if device is None or torch.device(device).type != "meta":
        return NotImplemented
    if not all(type(number) in (int, float) for number in numbers):
        return NotImplemented
    dtype = dtype or (torch.int64 if whole else torch.get_default_dtype())
    # Into integers, torch first rounds the bounds.
    if not (dtype.is_floating_point or (whole and dtype in (torch.int32, torch.int64))):
        return NotImplemented
    length = (end - start) / step
    return new((math.ceil(length),), dtype) if length >= 0 else NotImplemented


@shape_rule(torch.eye, drawn_by="identities")
def _eye(
    n: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Any:
    if device is None or torch.device(device).type != "meta" or type(n) is not int or n < 0:
        return NotImplemented
    return new((n, n), dtype or torch.get_default_dtype())
