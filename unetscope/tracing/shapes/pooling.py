"""Shape rules of pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    contiguous_image,
    floats,
    new,
    per_dim,
)
from unetscope.tracing.shapes.registry import shape_rule_of_dims


def _pooled(
    dims: int,
    x: Tensor,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] | None,
    padding: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Any:
    if (
        type(ceil_mode) is not bool
        or x.dim() != dims + 2
        or not floats(x)
        or not contiguous_image(x)
    ):
        return NotImplemented
    kernel, padding, dilation = (per_dim(v, dims) for v in (kernel, padding, dilation))
    stride = kernel if stride is None else per_dim(stride, dims)
    if min(*kernel, *stride, *dilation) <= 0 or min(padding) < 0:
        return NotImplemented
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        return NotImplemented
    spatial = []
    for size, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        span = size + 2 * p - d * (k - 1) - 1
        count = span // s + 1
        # One more place begins in what is left, but not in the padding behind it.
        if ceil_mode and span % s and count * s < size + p:
            count += 1
        spatial.append(count if span >= 0 else 0)
    return new((*x.shape[:2], *spatial), x.dtype) if min(spatial) > 0 else NotImplemented


def _with_places(pooled: Any) -> Any:
    """The maxima, and where each was found."""
    return pooled if pooled is NotImplemented else (pooled, new(pooled.shape, torch.int64))


@shape_rule_of_dims("max_pool", drawn_by="pooled_images")
def _max_pool(
    dims: int,
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    pooled = _pooled(dims, x, kernel_size, stride, padding, dilation, ceil_mode)
    if type(return_indices) is not bool:
        return NotImplemented
    return _with_places(pooled) if return_indices else pooled


@shape_rule_of_dims("avg_pool", drawn_by="pooled_images")
def _average_pool(
    dims: int,
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    if divisor_override is not None or type(count_include_pad) is not bool:
        return NotImplemented
    if dims == 3 and any(n < k for n, k in zip(x.shape[2:], per_dim(kernel_size, 3), strict=True)):
        return NotImplemented
    return _pooled(dims, x, kernel_size, stride, padding, ceil_mode=ceil_mode)


@shape_rule_of_dims("adaptive_avg_pool", drawn_by="images_pooled_to_a_size")
def _adaptive_pool(dims: int, x: Tensor, output_size: int | Sequence[int | None]) -> Any:
    if x.dim() != dims + 2 or not floats(x):
        return NotImplemented
    sizes = output_size if isinstance(output_size, Sequence) else (output_size,) * dims
    if dims == 1 and None in sizes:
        return NotImplemented
    spatial = per_dim(
        [own if s is None else s for own, s in zip(x.shape[2:], sizes, strict=True)], dims
    )
    # Of one element an image, no layout differs from another.
    known = (max(spatial) == 1 and x.numel() > 0) or contiguous_image(x)
    valid = known and min(spatial) > 0
    return new((*x.shape[:2], *spatial), x.dtype) if valid else NotImplemented


@shape_rule_of_dims("adaptive_max_pool", drawn_by="images_pooled_to_a_size")
def _adaptive_max_pool(
    dims: int, x: Tensor, output_size: int | Sequence[int | None], return_indices: bool = False
) -> Any:
    if type(return_indices) is not bool:
        return NotImplemented
    pooled = _adaptive_pool(dims, x, output_size)
    return _with_places(pooled) if return_indices else pooled


@shape_rule_of_dims("max_pool", "_with_indices", drawn_by="pooled_images")
def _max_pool_with_places(dims: int, *args: Any, **kwargs: Any) -> Any:
    return _max_pool(dims, *args, **kwargs | {"return_indices": True})


@shape_rule_of_dims("adaptive_max_pool", "_with_indices", drawn_by="images_pooled_to_a_size")
def _adaptive_max_pool_with_places(dims: int, *args: Any, **kwargs: Any) -> Any:
    return _adaptive_max_pool(dims, *args, **kwargs | {"return_indices": True})
