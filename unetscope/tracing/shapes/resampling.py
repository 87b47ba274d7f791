"""Shape rules of functions that change the resolution."""
# ruff: noqa: ARG001 - the signatures are torch's

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    contiguous_image,
    floats,
    new,
    per_dim,
    plain,
)
from unetscope.tracing.shapes.registry import functions_and_methods, shape_rule

_MODES = {  # for how many spatial dims
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
    "area": (1, 2, 3),
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
        and (align_corners is None or mode not in ("nearest", "nearest-exact", "area"))
        and not recompute_scale_factor
        and not antialias
        and (size is None) != (scale_factor is None)
        and floats(x)
        and contiguous_image(x)
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
    dims = len(pad) // 2
    valid = (
        len(pad) == 2 * dims
        and all(type(size) is int for size in pad)
        and floats(x)
        and contiguous_image(x)
        and (
            (mode == "constant" and type(value) in (int, float, type(None)) and dims <= x.dim())
            or (
                mode in ("reflect", "replicate")
                and value is None
                and 1 <= dims <= 3
                and x.dim() == dims + 2
                and min(pad) >= 0
            )
        )
    )
    if not valid:
        return NotImplemented
    before = x.dim() - dims
    spatial = []
    for size, first, last in zip(x.shape[before:], pad[-2::-2], pad[::-2], strict=True):
        if mode == "reflect" and max(first, last) >= size:
            return NotImplemented
        spatial.append(size + first + last)
    shape = (*x.shape[:before], *spatial)
    return new(shape, x.dtype) if min(shape, default=0) > 0 else NotImplemented


@shape_rule(F.grid_sample, drawn_by="grids")
def _grid_sample(
    x: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    dims = x.dim() - 2
    valid = (
        floats(x, grid)
        and contiguous_image(x)
        and plain(grid)
        and dims in (2, 3)
        and grid.dim() == x.dim()
        and grid.shape[0] == x.shape[0]
        and grid.shape[-1] == dims
        and mode in ("bilinear", "nearest")
        and padding_mode in ("zeros", "border", "reflection")
    )
    return new((*x.shape[:2], *grid.shape[1:-1]), x.dtype) if valid else NotImplemented


@shape_rule(F.affine_grid, drawn_by="affine_maps")
def _affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Any:
    dims = len(size) - 2
    valid = (
        dims in (2, 3)
        and min(size) > 0
        and tuple(theta.shape) == (size[0], dims, dims + 1)
        and floats(theta)
    )
    return new((size[0], *size[2:], dims), theta.dtype) if valid else NotImplemented


@shape_rule(*functions_and_methods("pixel_shuffle"), drawn_by="shuffles")
def _pixel_shuffle(x: Tensor, upscale_factor: int) -> Any:
    *batch, channels, height, width = x.shape
    factor = upscale_factor
    if type(factor) is not int or factor < 1 or channels % factor**2:
        return NotImplemented
    shape = (*batch, channels // factor**2, height * factor, width * factor)
    return new(shape, x.dtype) if x.is_meta and contiguous_image(x) else NotImplemented


@shape_rule(*functions_and_methods("pixel_unshuffle"), drawn_by="shuffles")
def _pixel_unshuffle(x: Tensor, downscale_factor: int) -> Any:
    *batch, channels, height, width = x.shape
    factor = downscale_factor
    if type(factor) is not int or factor < 1 or height % factor or width % factor:
        return NotImplemented
    shape = (*batch, channels * factor**2, height // factor, width // factor)
    return new(shape, x.dtype) if x.is_meta and contiguous_image(x) else NotImplemented


@shape_rule(*functions_and_methods("channel_shuffle"), drawn_by="shuffles")
def _channel_shuffle(x: Tensor, groups: int) -> Any:
    valid = x.dim() > 2 and type(groups) is int and groups > 0 and x.shape[1] % groups == 0
    return new(x.shape, x.dtype) if valid and floats(x) and plain(x) else NotImplemented


def _blocks(sizes: Sequence[int], *settings: int | Sequence[int]) -> int:
    """In how many places a window of `settings` (size, dilation, padding, stride) fits."""
    places = 1
    for size, k, d, p, s in zip(sizes, *(per_dim(v, 2) for v in settings), strict=True):
        if min(k, d, s) <= 0 or p < 0 or (count := (size + 2 * p - d * (k - 1) - 1) // s + 1) <= 0:
            raise ValueError
        places *= count
    return places


@shape_rule(F.unfold, drawn_by="unfolded_images", meta_strides=False)
def _unfold(
    x: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    if x.dim() != 4 or not floats(x) or not contiguous_image(x):
        return NotImplemented
    places = _blocks(x.shape[2:], kernel_size, dilation, padding, stride)
    return new((x.shape[0], x.shape[1] * math.prod(per_dim(kernel_size, 2)), places), x.dtype)


@shape_rule(F.fold, drawn_by="folded_images")
def _fold(
    x: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    spatial, area = per_dim(output_size, 2), math.prod(per_dim(kernel_size, 2))
    if x.dim() != 3 or not floats(x) or not contiguous_image(x) or x.shape[1] % area:
        return NotImplemented
    if _blocks(spatial, kernel_size, dilation, padding, stride) != x.shape[2]:
        return NotImplemented
    return new((x.shape[0], x.shape[1] // area, *spatial), x.dtype)
