"""Where shape rules are kept, how functions run by them, and what they ask of tensors."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.parameter import Parameter

from unetscope.errors import UnetscopeError

VERIFY = "UNETSCOPE_VERIFY_SHAPES"
"""Set to 1, this environment variable has every answer of a rule compared with torch's own."""

Answer = TypeVar("Answer", bound=Callable[..., Any])
Runner = Callable[[Any, Iterable[type], tuple[Any, ...], dict[str, Any]], Any]

_PLAIN_TYPES = (Tensor, Parameter)


@dataclass(frozen=True, slots=True)
class ShapeRule:
    """What a function returns on meta.

    Attributes:
        answer: takes the function's arguments; returns its result or NotImplemented.
        drawn_by: the name of the strategy that draws arguments for the tests of the rule.
        meta_strides: torch's meta kernel has the strides of its real ones, which a rule follows.
    """

    answer: Callable[..., Any]
    drawn_by: str
    meta_strides: bool = True


SHAPE_RULES: dict[Any, ShapeRule] = {}


class WrongShapeRuleError(UnetscopeError):
    """A shape rule does not return what torch does: an error of this package, not of a network."""


def shape_rule(
    *functions: Any, drawn_by: str, meta_strides: bool = True
) -> Callable[[Answer], Answer]:
    """Register a rule for functions that give the same shape from the same arguments.

    Args:
        functions: as a `TorchFunctionMode` is given them.
        drawn_by: see `ShapeRule`.
        meta_strides: see `ShapeRule`.
    """

    def register(answer: Answer) -> Answer:
        SHAPE_RULES.update(dict.fromkeys(functions, ShapeRule(answer, drawn_by, meta_strides)))
        return answer

    return register


def shape_rule_of_dims(name: str, *, drawn_by: str) -> Callable[[Answer], Answer]:
    """Register a rule for `F.<name>1d`, `2d` and `3d`; its first argument is the number of dims."""

    def register(answer: Answer) -> Answer:
        for dims in (1, 2, 3):
            shape_rule(getattr(F, f"{name}{dims}d"), drawn_by=drawn_by)(partial(answer, dims))
        return answer

    return register


def runner() -> Runner:
    """What runs functions on meta; it takes a function, the types of its tensors, its arguments."""
    return _run_and_compare if os.environ.get(VERIFY) == "1" else _run


def _run(func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """By a function's shape rule if there is one that can, else by torch's kernel."""
    answer = _by_rule(func, types, args, kwargs)
    return by_kernel(func, args, kwargs) if answer is NotImplemented else answer


def _run_and_compare(
    func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """By torch's kernel too where there is a shape rule.

    Raises:
        WrongShapeRuleError: they differ in shape, type or strides.
    """
    answer = _by_rule(func, types, args, kwargs)
    result = by_kernel(func, args, kwargs)
    if answer is NotImplemented:
        return result
    known = 3 if SHAPE_RULES[func].meta_strides else 2
    found, expected = layout(answer)[:known], layout(result)[:known]
    if found != expected:
        raise WrongShapeRuleError(
            f"the shape rule of torch's `{func.__name__}` returns {found}, torch {expected}",
            hint="this is an error in unetscope: please report it",
        )
    return answer


def _by_rule(
    func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    rule = None if torch.is_grad_enabled() else SHAPE_RULES.get(func)
    if rule is None or not all(kind in _PLAIN_TYPES for kind in types):
        return NotImplemented
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return NotImplemented  # tensors have dims there that rules do not see
    try:
        return rule.answer(*args, **kwargs)
    except Exception:  # whatever a rule cannot do, valid or not, the real kernel decides
        return NotImplemented


def by_kernel(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function itself returns."""
    imported = len(sys.modules)
    result = func(*args, **kwargs)
    free_what_imports_hold(imported)
    return result


def free_what_imports_hold(imported: int) -> int:
    """Free tensors if more modules are imported now than there were; return how many there are.

    torch catches errors while it imports its meta kernels; their frames would keep the arguments
    alive, in cycles, as if the network held them.
    """
    if len(sys.modules) > imported:
        gc.collect(0)
    return len(sys.modules)


def layout(tensor: Tensor) -> tuple[tuple[int, ...], torch.dtype, tuple[int | None, ...] | None]:
    """Shape, type and strides; None for the strides of dims of one element, which mean nothing."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    strides = tuple(stride if size > 1 else None for size, stride in sizes)
    return tuple(tensor.shape), tensor.dtype, strides if tensor.numel() else None


def functions_and_methods(*names: str) -> list[Any]:
    """The function and the method of each name, where torch has them."""
    owners = (torch, Tensor)
    return [getattr(owner, name) for name in names for owner in owners if hasattr(owner, name)]


def new(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """A contiguous tensor on meta."""
    return torch.empty(shape, dtype=dtype, device="meta")


def floats(*tensors: Tensor | None) -> bool:
    """Whether all are on meta and of one floating-point type."""
    dtypes = {tensor.dtype for tensor in tensors if tensor is not None}
    return (
        all(tensor is None or tensor.is_meta for tensor in tensors)
        and len(dtypes) == 1
        and dtypes.pop().is_floating_point
    )


def plain(x: Tensor) -> bool:
    """Whether `x` has elements, and torch's default strides.

    `is_contiguous` ignores dims of size 1, but kernels recognise `channels_last` by their strides.
    """
    step = 1
    for size, stride in zip(reversed(x.shape), reversed(x.stride()), strict=True):
        if stride != step:
            return False
        step *= size
    return step > 0


def per_dim(value: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """A setting for each of `dims` dims, as torch's layers take it.

    Raises:
        ValueError: it is a sequence of another length.
        TypeError: it holds something else than ints.
    """
    values = (value,) * dims if isinstance(value, int) else tuple(value)
    if len(values) != dims:
        raise ValueError(f"expected {dims} values, found {len(values)}")
    if not all(type(number) is int for number in values):
        raise TypeError(f"expected ints, found {values}")
    return values
