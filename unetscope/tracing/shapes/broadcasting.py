"""How torch lays out what it computes element by element, from operands of several shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unetscope.tracing.shapes.answers import new


def broadcast(operands: Sequence[Tensor]) -> tuple[int, ...]:
    """The common shape; torch's own function imports sympy.

    Raises:
        ValueError: there is none.
    """
    rank = max(t.dim() for t in operands)
    padded = [(1,) * (rank - t.dim()) + tuple(t.shape) for t in operands]
    sizes = [set(column) - {1} or {1} for column in zip(*padded, strict=True)]
    return tuple(size for (size,) in sizes)


def elementwise(dtype: torch.dtype, *operands: Tensor) -> Any:
    """The result of an element-wise kernel, laid out as `TensorIterator` does (ATen, C++).

    Dense operands of one layout keep it; else dims are ordered by the operands' strides, the first
    operand whose strides differ there deciding.
    """
    first = operands[0]
    shape: tuple[int, ...] = first.shape
    if all(t.shape == shape for t in operands):
        if all(t.is_contiguous() for t in operands):
            return new(shape, dtype)
    else:
        shape = broadcast(operands)
    rank = len(shape)
    if not rank or 0 in shape:
        return NotImplemented
    strides = [
        [0] * (rank - t.dim())
        + [
            0 if own == 1 != common else stride
            for own, common, stride in zip(t.shape, shape[-t.dim() :], t.stride(), strict=True)
        ]
        for t in operands
        if t.dim() > 0
    ]

    def further_out(a: int, b: int) -> int:
        """Positive if dim `a` varies more slowly than `b`, negative if faster."""
        for stride in strides:
            if stride[a] and stride[b] and stride[a] != stride[b]:
                return stride[a] - stride[b]
            if stride[a] and stride[a] == stride[b] and shape[a] > shape[b]:
                return 1
        return 0

    order = list(reversed(range(rank)))  # fastest first
    for i in range(1, rank):
        at = i
        for j in range(i - 1, -1, -1):
            verdict = further_out(order[j], order[at])
            if verdict > 0:
                order[j], order[at] = order[at], order[j]
                at = j
            elif verdict < 0:
                break
    result, step = [0] * rank, 1
    for dim in order:
        result[dim] = step
        step *= shape[dim]
    return torch.empty_strided(shape, result, dtype=dtype, device="meta")
