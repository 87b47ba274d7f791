"""Shape rules of functions that join tensors or make them from numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    layout_of,
    new,
)
from unetscope.tracing.shapes.registry import shape_rule


def _layout(tensors: Sequence[Tensor]) -> Any:
    """The memory format of what they are joined to; None where it is hard to tell."""
    if tensors[0].dim() not in (4, 5):
        return torch.contiguous_format
    layouts = {layout_of(tensor) for tensor in tensors}
    return layouts.pop() if len(layouts) == 1 else None


def _joinable(tensors: Sequence[Tensor]) -> bool:
    """Whether they are several, on meta, and alike in type and rank."""
    return (
        isinstance(tensors, (list, tuple))
        and len(tensors) > 0
        and all(tensor.is_meta and tensor.numel() for tensor in tensors)
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
    layout = _layout(tensors)
    return NotImplemented if layout is None else new(shape, tensors[0].dtype, layout)


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


@shape_rule(torch.linspace, drawn_by="spans")
def _linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Any:
    dtype = dtype or torch.get_default_dtype()
    if device is None or torch.device(device).type != "meta" or not dtype.is_floating_point:
        return NotImplemented
    if not all(type(end) in (int, float) for end in (start, end)) or type(steps) is not int:
        return NotImplemented
    return new((steps,), dtype) if steps >= 0 else NotImplemented


@shape_rule(F.one_hot, drawn_by="classes")
def _one_hot(classes: Tensor, num_classes: int = -1) -> Any:
    known = classes.is_meta and classes.dtype == torch.int64 and type(num_classes) is int
    if not known or num_classes < 1 or not classes.is_contiguous():
        return NotImplemented
    return new((*classes.shape, num_classes), torch.int64)
