"""Shape rules of functions that change the resolution."""
# ruff: noqa: ARG001 - the signatures are torch's

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.registry import (
    floats,
    new,
    per_dim,
    plain,
    shape_rule,
    shape_rule_of_dims,
)

_MODES = {  # for how many spatial dims
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}


@shape_rule(F.interpolate, drawn_by="resampled_images")
def _interpolate(
    x: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    dims = x.dim() - 2
    valid = (
        dims in _MODES.get(mode, ())
        and (align_corners is None or "nearest" not in mode)
        and not recompute_scale_factor
        and not antialias
        and (size is None) != (scale_factor is None)
        and floats(x)
        and plain(x)
    )
    if not valid:
        return NotImplemented
    if size is not None:
        spatial = per_dim(size, dims)
    else:
        factors = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor,) * dims
        spatial = tuple(
            math.floor(float(n) * float(factor))  # type: ignore[arg-type]
            for n, factor in zip(x.shape[2:], factors, strict=True)
        )
    return new((*x.shape[:2], *spatial), x.dtype) if min(spatial) > 0 else NotImplemented


@shape_rule(F.pad, drawn_by="padded_images")
def _pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Only the modes that read the image: torch pads with a constant by other functions."""
    dims = len(pad) // 2
    valid = (
        mode in ("reflect", "replicate")
        and value is None
        and len(pad) == 2 * dims
        and 1 <= dims <= 3
        and x.dim() == dims + 2
        and min(pad) >= 0
        and floats(x)
        and plain(x)
    )
    if not valid:
        return NotImplemented
    spatial = []
    for size, before, after in zip(x.shape[2:], pad[-2::-2], pad[::-2], strict=True):
        if mode == "reflect" and max(before, after) >= size:
            return NotImplemented
        spatial.append(size + before + after)
    return new((*x.shape[:2], *spatial), x.dtype)


def _pooled(
    dims: int,
    x: Tensor,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] | None,
    padding: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
) -> Any:
    if x.dim() != dims + 2 or not floats(x) or not plain(x):
        return NotImplemented
    kernel, padding, dilation = (per_dim(v, dims) for v in (kernel, padding, dilation))
    stride = kernel if stride is None else per_dim(stride, dims)
    if min(*kernel, *stride, *dilation) <= 0 or min(padding) < 0:
        return NotImplemented
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        return NotImplemented
    spatial = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    ]
    return new((*x.shape[:2], *spatial), x.dtype) if min(spatial) > 0 else NotImplemented


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
    if ceil_mode or return_indices:
        return NotImplemented
    return _pooled(dims, x, kernel_size, stride, padding, dilation)


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
    if ceil_mode or divisor_override is not None:
        return NotImplemented
    return _pooled(dims, x, kernel_size, stride, padding)
