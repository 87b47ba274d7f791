"""Shape rules of element-wise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    floats,
    in_place,
    new,
    plain,
)
from unetscope.tracing.shapes.broadcasting import broadcast, elementwise
from unetscope.tracing.shapes.registry import functions_and_methods, shape_rule

_NUMBERS = (int, float)
_LARGE = 2**31
"""From here on, a number does not fit into every integer type."""

_UNARY = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "square"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "sigmoid"),
    *("neg", "abs", "reciprocal", "relu", "erf", "floor", "ceil", "round", "trunc", "sign"),
    *("nan_to_num", "frac"),
)


@shape_rule(F.sigmoid, F.tanh, *functions_and_methods(*_UNARY), drawn_by="one_tensor")
def _unary(x: Tensor) -> Any:
    return elementwise(x.dtype, x) if floats(x) else NotImplemented


@shape_rule(*functions_and_methods("isnan", "isinf"), drawn_by="one_tensor")
def _asked(x: Tensor) -> Any:
    return elementwise(torch.bool, x) if floats(x) else NotImplemented


def _one_type(*tensors: Tensor) -> bool:
    """Whether all are on meta and of one type, or need no copies of another layout for that."""
    return all(t.is_meta for t in tensors) and (
        len({t.dtype for t in tensors}) == 1 or all(t.is_contiguous() for t in tensors)
    )


def _of_numbers(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype in (torch.int64, torch.int32)


def _operands(a: Tensor, b: Tensor | float) -> list[Tensor] | None:
    """The tensors of two operands; None if no rule applies to them."""
    operands = [a, b] if isinstance(b, Tensor) else [a]
    if not isinstance(b, Tensor) and (
        type(b) not in _NUMBERS or not (a.dtype.is_floating_point or abs(b) < _LARGE)
    ):
        return None
    known = _one_type(*operands) and all(_of_numbers(t.dtype) for t in operands)
    return operands if known else None


def _arithmetic(a: Tensor, b: Tensor | float) -> Any:
    """Of numbers, of whatever types."""
    operands = _operands(a, b)
    return NotImplemented if operands is None else elementwise(torch.result_type(a, b), *operands)


def _with_masks(a: Tensor, b: Tensor | float) -> Any:
    """Of numbers and of masks, which are 0 or 1."""
    masks = [t for t in (a, b) if isinstance(t, Tensor) and t.dtype == torch.bool]
    if not masks or not (isinstance(b, Tensor) or type(b) is float):
        return _arithmetic(a, b)
    operands = [t for t in (a, b) if isinstance(t, Tensor)]
    known = all(t.is_contiguous() and t.is_meta for t in operands)
    dtype = torch.result_type(a, b)
    return elementwise(dtype, *operands) if known and not dtype.is_complex else NotImplemented


def _power(a: Tensor, b: Tensor | float) -> Any:
    """Of floating-point numbers: those of integers have rules of their own, and are rare."""
    return _arithmetic(a, b) if torch.result_type(a, b).is_floating_point else NotImplemented


def _division(a: Tensor, b: Tensor | float) -> Any:
    """The quotients of integers are no integers."""
    quotient = _arithmetic(a, b)
    if quotient is NotImplemented or quotient.dtype.is_floating_point:
        return quotient
    known = quotient.is_contiguous() and a.is_contiguous()
    return new(quotient.shape, torch.get_default_dtype()) if known else NotImplemented


def _rounded_division(a: Tensor, b: Tensor | float) -> Any:
    """By a number: integers cannot be divided by a tensor with zeros."""
    return NotImplemented if isinstance(b, Tensor) or b == 0 else _arithmetic(a, b)


def _reversed(b: Tensor, a: Tensor | float) -> Any:
    return NotImplemented if isinstance(a, Tensor) else _power(b, a)


def _of_tensors(a: Tensor, b: Tensor) -> Any:
    return _arithmetic(a, b) if isinstance(b, Tensor) else NotImplemented


def _comparison(a: Tensor, b: Tensor | float) -> Any:
    operands = _operands(a, b)
    return NotImplemented if operands is None else elementwise(torch.bool, *operands)


def _logic(a: Tensor, b: Tensor) -> Any:
    known = a.dtype == b.dtype == torch.bool and a.is_meta and b.is_meta
    return elementwise(torch.bool, a, b) if known else NotImplemented


_BINARY: dict[Callable[..., Any], tuple[str, ...]] = {
    _arithmetic: ("sub",),
    _with_masks: ("add", "mul"),
    _division: ("div", "true_divide"),
    _rounded_division: ("floor_divide", "__floordiv__", "__mod__"),
    _power: ("pow", "__pow__"),
    _reversed: ("__rsub__", "__rdiv__"),
    _of_tensors: ("maximum", "minimum"),
    _comparison: ("eq", "ne", "lt", "le", "gt", "ge", "__eq__", "__ne__"),
    _logic: (
        *("__and__", "__or__", "__xor__", "logical_and", "logical_or", "logical_xor"),
        *("bitwise_and", "bitwise_or", "bitwise_xor"),
    ),
}
for _rule, _names in _BINARY.items():
    _drawn_by = "logic" if _rule is _logic else "arithmetic"
    shape_rule(*functions_and_methods(*_names), drawn_by=_drawn_by)(_rule)

_WRITING: dict[Callable[..., Any], tuple[str, ...]] = {
    _unary: _UNARY,
    _arithmetic: ("add", "sub", "mul", "__iadd__", "__isub__", "__imul__"),
    _division: ("div", "__idiv__"),
    _power: ("pow",),
}
for _rule, _names in _WRITING.items():
    shape_rule(
        *functions_and_methods(*(n if n.endswith("_") else f"{n}_" for n in _names)),
        drawn_by="one_tensor" if _rule is _unary else "arithmetic",
    )(in_place(_rule))


@shape_rule(*functions_and_methods("atan2"), drawn_by="arithmetic")
def _of_floats(a: Tensor, b: Tensor) -> Any:
    known = isinstance(b, Tensor) and floats(a, b)
    return elementwise(a.dtype, a, b) if known else NotImplemented


@shape_rule(*functions_and_methods("fmod", "remainder"), drawn_by="arithmetic")
def _rest(a: Tensor, b: Tensor | float) -> Any:
    return _of_floats(a, b) if isinstance(b, Tensor) else _rounded_division(a, b)


@shape_rule(*functions_and_methods("logical_not", "bitwise_not", "__invert__"), drawn_by="masks")
def _not(x: Tensor) -> Any:
    known = x.dtype == torch.bool and x.is_meta
    return elementwise(torch.bool, x) if known else NotImplemented


@shape_rule(Tensor.__rpow__, drawn_by="arithmetic")
def _power_of_a_number(exponent: Tensor, base: Tensor | float) -> Any:
    return _reversed(exponent, base) if exponent.is_contiguous() else NotImplemented


@shape_rule(*functions_and_methods("clamp"), drawn_by="clamps")
def _clamp(x: Tensor, min: float | None = None, max: float | None = None) -> Any:  # noqa: A002
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds or not all(type(bound) in _NUMBERS for bound in bounds):
        return NotImplemented
    return _unary(x)


shape_rule(*functions_and_methods("clamp_"), drawn_by="clamps")(in_place(_clamp))


@shape_rule(*functions_and_methods("lerp"), drawn_by="interpolations")
def _lerp(start: Tensor, end: Tensor, weight: Tensor | float) -> Any:
    operands = (start, end, weight) if isinstance(weight, Tensor) else (start, end)
    if len(operands) == 2 and type(weight) not in _NUMBERS:
        return NotImplemented
    return elementwise(start.dtype, *operands) if floats(*operands) else NotImplemented


@shape_rule(*functions_and_methods("addcmul", "addcdiv"), drawn_by="interpolations")
def _added(x: Tensor, a: Tensor, b: Tensor, *, value: float = 1) -> Any:
    operands = (x, a, b)
    # Of broadcast operands, torch's meta kernel does not keep the order of dims.
    alike = len({t.shape for t in operands}) == 1 or all(t.is_contiguous() for t in operands)
    known = alike and floats(*operands) and type(value) in _NUMBERS
    return elementwise(x.dtype, *operands) if known else NotImplemented


@shape_rule(torch.where, drawn_by="choices")
def _where(condition: Tensor, a: Tensor, b: Tensor) -> Any:
    if condition.dtype != torch.bool or not condition.is_meta or not floats(a, b):
        return NotImplemented
    return elementwise(a.dtype, condition, a, b)


@shape_rule(*functions_and_methods("masked_fill"), drawn_by="fillings")
def _masked_fill(x: Tensor, mask: Tensor, value: Tensor | float) -> Any:
    """A copy without gaps: torch writes to it where the mask is set."""
    filling = value.dim() == 0 and value.is_meta if isinstance(value, Tensor) else None
    known = mask.dtype == torch.bool and mask.is_meta and floats(x)
    if not known or not (type(value) in _NUMBERS if filling is None else filling):
        return NotImplemented
    return new(broadcast((x, mask)), x.dtype)


@shape_rule(*functions_and_methods("masked_fill_"), drawn_by="fillings")
def _masked_fill_in_place(x: Tensor, mask: Tensor, value: Tensor | float) -> Any:
    return in_place(_masked_fill)(x, mask, value)


@shape_rule(F.mse_loss, F.l1_loss, drawn_by="losses")
def _loss(
    x: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """Of equal shapes: torch warns of others."""
    given = (size_average, reduce, weight)
    if given != (None, None, None) or not floats(x, target) or x.shape != target.shape:
        return NotImplemented
    if reduction == "none":
        return elementwise(x.dtype, x, target)
    return new((), x.dtype) if reduction in ("mean", "sum") else NotImplemented


_LIKE = ("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like")


@shape_rule(*functions_and_methods(*_LIKE), drawn_by="one_tensor")
def _like(x: Tensor) -> Any:
    return new(x.shape, x.dtype) if floats(x) and plain(x) else NotImplemented
