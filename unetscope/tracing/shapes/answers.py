"""What shape rules ask of the tensors that they are given, and how they make what they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def new(
    shape: Sequence[int],
    dtype: torch.dtype,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Tensor:
    """A tensor on meta, contiguous if nothing else is asked for."""
    return torch.empty(shape, dtype=dtype, device="meta", memory_format=memory_format)


def in_place(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function that writes what `answer` tells to its first argument."""

    def write(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        others = [t for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and t is not x]
        memory = x.untyped_storage()._cdata
        expanded = any(n > 1 and not step for n, step in zip(x.shape, x.stride(), strict=True))
        if expanded or any(t.untyped_storage()._cdata == memory for t in others):
            return NotImplemented  # torch refuses some of these
        result = answer(x, *args, **kwargs)
        if result is NotImplemented or result.shape != x.shape:
            return NotImplemented
        if result.dtype != x.dtype and not (
            result.dtype.is_floating_point and x.dtype.is_floating_point
        ):
            return NotImplemented
        torch.autograd.graph.increment_version(x)  # by which a write is noticed
        return x

    return write


def dim_of(x: Tensor, dim: int) -> int:
    """A dim of `x` counted from the first.

    Raises:
        IndexError: there is no such dim.
    """
    if type(dim) is not int or not -x.dim() <= dim < x.dim():
        raise IndexError(dim)
    return dim % x.dim()


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


def layout_of(x: Tensor) -> torch.memory_format | None:
    """The memory format in which layers take an image; None where that is hard to tell."""
    if plain(x):
        return torch.contiguous_format
    if x.dim() not in (4, 5) or not x.numel():
        return None
    step = 0  # what follows is how torch tells channels_last by strides
    for dim in (1, *range(x.dim() - 1, 1, -1), 0):
        if x.stride(dim) < step:
            return torch.contiguous_format
        step = x.stride(dim) * x.shape[dim]
    exact = x.dim() == 4 and min(x.shape[1:]) > 1
    last = torch.channels_last
    return last if exact and x.is_contiguous(memory_format=last) else None


def contiguous_image(x: Tensor) -> bool:
    """Whether layers take `x` as contiguous and return what is contiguous."""
    return layout_of(x) is torch.contiguous_format


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
