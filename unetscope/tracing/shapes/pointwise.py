"""Shape rules of element-wise functions and of reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.registry import floats, functions_and_methods, new, plain, shape_rule

_NUMBERS = (int, float)


def _broadcast(operands: Sequence[Tensor]) -> tuple[int, ...]:
    """The common shape, or () if there is none; torch's own function imports sympy."""
    rank = max(t.dim() for t in operands)
    padded = [(1,) * (rank - t.dim()) + tuple(t.shape) for t in operands]
    sizes = [set(column) - {1} or {1} for column in zip(*padded, strict=True)]
    return tuple(max(size) for size in sizes) if all(len(size) == 1 for size in sizes) else ()


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
        shape = _broadcast(operands)
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


@shape_rule(
    *(F.sigmoid, F.tanh),
    *functions_and_methods(
        "exp", "log", "sin", "cos", "tanh", "sqrt", "rsqrt", "sigmoid", "erf", "reciprocal"
    ),
    *functions_and_methods("neg", "abs", "square", "relu"),
    drawn_by="one_tensor",
)
def _unary(x: Tensor) -> Any:
    return elementwise(x.dtype, x) if floats(x) else NotImplemented


@shape_rule(F.gelu, drawn_by="gelus")
def _gelu(x: Tensor, *, approximate: str = "none") -> Any:
    return _unary(x) if approximate in ("none", "tanh") else NotImplemented


@shape_rule(F.silu, F.mish, F.relu, drawn_by="activations")
def _activation(x: Tensor, inplace: bool = False) -> Any:
    return NotImplemented if inplace else _unary(x)


@shape_rule(F.leaky_relu, drawn_by="activations_with_a_number")
def _leaky_relu(x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return NotImplemented if inplace or type(negative_slope) not in _NUMBERS else _unary(x)


@shape_rule(F.elu, drawn_by="activations_with_a_number")
def _elu(x: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    return NotImplemented if inplace or type(alpha) not in _NUMBERS else _unary(x)


@shape_rule(
    *functions_and_methods("add", "sub", "mul", "div", "true_divide", "pow"),
    Tensor.__pow__,
    drawn_by="arithmetic",
)
def _arithmetic(a: Tensor, b: Tensor | float) -> Any:
    operands = (a, b) if isinstance(b, Tensor) else (a,)
    if len(operands) == 1 and type(b) not in _NUMBERS:
        return NotImplemented
    if not all(t.is_meta and t.dtype != torch.bool for t in operands):
        return NotImplemented
    if len({t.dtype for t in operands}) > 1 and not all(t.is_contiguous() for t in operands):
        return NotImplemented  # a copy in the common type may have another layout
    dtype = torch.result_type(a, b)
    # The division and powers of integers have rules of their own, and are rare.
    return elementwise(dtype, *operands) if dtype.is_floating_point else NotImplemented


@shape_rule(Tensor.__rsub__, Tensor.__rdiv__, drawn_by="arithmetic")
def _reversed_arithmetic(b: Tensor, a: Tensor | float) -> Any:
    return NotImplemented if isinstance(a, Tensor) else _arithmetic(b, a)


@shape_rule(Tensor.__rpow__, drawn_by="arithmetic")
def _power_of_a_number(exponent: Tensor, base: Tensor | float) -> Any:
    return _reversed_arithmetic(exponent, base) if exponent.is_contiguous() else NotImplemented


@shape_rule(
    *functions_and_methods("eq", "ne", "lt", "le", "gt", "ge"),
    *(Tensor.__eq__, Tensor.__ne__),
    drawn_by="arithmetic",
)
def _comparison(a: Tensor, b: Tensor | float) -> Any:
    operands = (a, b) if isinstance(b, Tensor) else (a,)
    if len(operands) == 1 and type(b) not in _NUMBERS:
        return NotImplemented
    return elementwise(torch.bool, *operands) if floats(*operands) else NotImplemented


@shape_rule(*functions_and_methods("clamp"), drawn_by="clamps")
def _clamp(x: Tensor, min: float | None = None, max: float | None = None) -> Any:  # noqa: A002
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds or not all(type(bound) in _NUMBERS for bound in bounds):
        return NotImplemented
    return _unary(x)


@shape_rule(*functions_and_methods("lerp"), drawn_by="interpolations")
def _lerp(start: Tensor, end: Tensor, weight: Tensor | float) -> Any:
    operands = (start, end, weight) if isinstance(weight, Tensor) else (start, end)
    if len(operands) == 2 and type(weight) not in _NUMBERS:
        return NotImplemented
    return elementwise(start.dtype, *operands) if floats(*operands) else NotImplemented


@shape_rule(torch.where, drawn_by="choices")
def _where(condition: Tensor, a: Tensor, b: Tensor) -> Any:
    if condition.dtype != torch.bool or not condition.is_meta or not floats(a, b):
        return NotImplemented
    return elementwise(a.dtype, condition, a, b)


@shape_rule(torch.zeros_like, torch.ones_like, drawn_by="one_tensor")
def _like(x: Tensor) -> Any:
    return new(x.shape, x.dtype) if x.is_meta and plain(x) else NotImplemented


@shape_rule(F.softmax, torch.softmax, Tensor.softmax, drawn_by="softmaxes")
def _softmax(x: Tensor, dim: int, dtype: torch.dtype | None = None, *, _stacklevel: int = 3) -> Any:
    dtype = dtype or x.dtype
    if not floats(x) or not dtype.is_floating_point or type(dim) is not int:
        return NotImplemented
    return new(x.shape, dtype) if -x.dim() <= dim < x.dim() else NotImplemented


def _reduced(x: Tensor, dim: int | Sequence[int], keepdim: bool) -> Any:
    rank = x.dim()
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    fits = dims and all(type(d) is int and -rank <= d < rank for d in dims)
    gone = {d % rank for d in dims} if fits else set()
    if len(gone) < len(dims) or not gone or type(keepdim) is not bool:
        return NotImplemented
    if not floats(x) or not plain(x):
        return NotImplemented
    shape = [1 if d in gone else n for d, n in enumerate(x.shape) if keepdim or d not in gone]
    return new(shape, x.dtype)


@shape_rule(*functions_and_methods("mean", "sum", "amax", "amin"), drawn_by="reductions")
def _reduction(x: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Any:
    return _reduced(x, dim, keepdim)


@shape_rule(*functions_and_methods("var", "std"), drawn_by="spreads")
def _spread(
    x: Tensor, dim: int | Sequence[int], unbiased: bool = True, keepdim: bool = False
) -> Any:
    return _reduced(x, dim, keepdim) if type(unbiased) is bool else NotImplemented


@shape_rule(F.normalize, drawn_by="normalizations")
def _normalize(
    x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Any:
    known = out is None and type(p) is float and type(eps) is float and type(dim) is int
    if not known or not floats(x) or not plain(x):
        return NotImplemented
    return new(x.shape, x.dtype) if -x.dim() <= dim < x.dim() else NotImplemented
