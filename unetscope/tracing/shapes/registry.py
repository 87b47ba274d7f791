"""Where shape rules are kept, how functions run by them, and what they ask of tensors."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import Parameter

Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}

_PLAIN_TYPES = (Tensor, Parameter)


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """Register a rule for functions that give the same shape from the same arguments."""

    def register(answer: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, answer))
        return answer

    return register


def run(
    func: Callable[..., Any],
    types: Iterable[type],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function on meta, by its shape rule if there is one that can."""
    rule = None if torch.is_grad_enabled() else RULES.get(func)
    if rule is not None and all(kind in _PLAIN_TYPES for kind in types):
        try:
            result = rule(*args, **kwargs)
        except Exception:  # whatever a rule cannot do, valid or not, the real kernel decides
            result = NotImplemented
        if result is not NotImplemented:
            return result
    if "sympy" in sys.modules:
        return func(*args, **kwargs)
    result = func(*args, **kwargs)
    if "sympy" in sys.modules:
        # While torch's meta kernels import it, errors are caught whose frames keep their arguments
        # alive in cycles, as if the network held them.
        gc.collect(0)
    return result


def spellings(*names: str) -> list[Any]:
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

    `is_contiguous` does not look at dims of size 1, but kernels tell `channels_last` by them.
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
