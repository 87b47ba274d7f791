"""Where shape rules are kept, and how functions run by them."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.parameter import Parameter

from unetscope.errors import UnetscopeError
from unetscope.tracing.contents import leaves

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


def shape_rule_of_dims(name: str, suffix: str = "", *, drawn_by: str) -> Callable[[Answer], Answer]:
    """Register a rule for `F.<name>1d<suffix>`, `2d` and `3d`; it is given how many dims, first."""

    def register(answer: Answer) -> Answer:
        for dims in (1, 2, 3):
            shape_rule(getattr(F, f"{name}{dims}d{suffix}"), drawn_by=drawn_by)(
                partial(answer, dims)
            )
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
    if args and answer is args[0]:
        args = (answer.data, *args[1:])  # the write is counted already
    result = by_kernel(func, args, kwargs)
    if answer is NotImplemented:
        return result
    known = 3 if SHAPE_RULES[func].meta_strides else 2
    found, expected = ([each[:known] for each in layouts(given)] for given in (answer, result))
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


def layouts(result: Any) -> list[Any]:
    """The layout of each tensor that a function returns, or of the one."""
    return [layout(each) for each in leaves(result)]


def functions_and_methods(*names: str) -> list[Any]:
    """The function and the method of each name, where torch has them."""
    return [
        getattr(owner, name)
        for name in names
        for owner in ((Tensor,) if name.startswith("__") else (torch, Tensor))
        if hasattr(owner, name)
    ]
