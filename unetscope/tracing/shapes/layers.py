"""Shape rules of convolutions and norms."""
# ruff: noqa: ARG001 - the signatures are torch's

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    contiguous_image,
    dim_of,
    floats,
    new,
    per_dim,
    plain,
)
from unetscope.tracing.shapes.registry import shape_rule, shape_rule_of_dims


@shape_rule_of_dims("conv", drawn_by="convolutions")
def _convolution(
    dims: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    valid = (
        floats(x, weight, bias)
        and x.dim() == weight.dim() == dims + 2
        and contiguous_image(x)
        and plain(weight)
        and groups > 0
        and x.shape[1] == weight.shape[1] * groups
        and weight.shape[0] % groups == 0
        and (bias is None or bias.shape == weight.shape[:1])
    )
    if not valid:
        return NotImplemented
    stride, dilation = (per_dim(v, dims) for v in (stride, dilation))
    kernel = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    if padding == "same":
        around = kernel if max(stride) == 1 else []
    else:
        padding = per_dim(0 if padding == "valid" else padding, dims)  # type: ignore[arg-type]
        around = [2 * p for p in padding]
    if min(stride) <= 0 or min(around, default=-1) < 0 or min(dilation) <= 0:
        return NotImplemented
    spatial = [
        (size + p - k - 1) // s + 1
        for size, k, s, p in zip(x.shape[2:], kernel, stride, around, strict=True)
    ]
    shape = (x.shape[0], weight.shape[0], *spatial)
    return new(shape, x.dtype) if min(spatial) > 0 else NotImplemented


@shape_rule_of_dims("conv_transpose", drawn_by="transposed_convolutions")
def _transposed_convolution(
    dims: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    valid = (
        floats(x, weight, bias)
        and x.dim() == weight.dim() == dims + 2
        and contiguous_image(x)
        and plain(weight)
        and groups > 0
        and x.shape[1] == weight.shape[0]
        and weight.shape[0] % groups == 0
        and (bias is None or tuple(bias.shape) == (weight.shape[1] * groups,))
    )
    if not valid:
        return NotImplemented
    stride, padding, extra, dilation = (
        per_dim(v, dims) for v in (stride, padding, output_padding, dilation)
    )
    if min(stride) <= 0 or min(*padding, *extra) < 0 or min(dilation) <= 0:
        return NotImplemented
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        return NotImplemented
    spatial = [
        (size - 1) * s - 2 * p + d * (k - 1) + e + 1
        for size, k, s, p, d, e in zip(
            x.shape[2:], weight.shape[2:], stride, padding, dilation, extra, strict=True
        )
    ]
    shape = (x.shape[0], weight.shape[1] * groups, *spatial)
    return new(shape, x.dtype) if min(spatial) > 0 else NotImplemented


@shape_rule(F.group_norm, drawn_by="group_norms")
def _group_norm(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    valid = (
        floats(x, weight, bias)
        and x.dim() >= 2
        and contiguous_image(x)
        and num_groups > 0
        and x.shape[1] % num_groups == 0
        and x.numel() // (x.shape[0] * num_groups) > 1
        and all(p is None or p.shape == x.shape[1:2] for p in (weight, bias))
    )
    return new(x.shape, x.dtype) if valid else NotImplemented


@shape_rule(F.layer_norm, drawn_by="layer_norms")
def _layer_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    normalized = tuple(normalized_shape)
    valid = (
        floats(x, weight, bias)
        and normalized
        and tuple(x.shape[-len(normalized) :]) == normalized
        and all(p is None or tuple(p.shape) == normalized for p in (weight, bias))
    )
    return new(x.shape, x.dtype) if valid else NotImplemented


@shape_rule(F.rms_norm, drawn_by="rms_norms")
def _rms_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Any:
    return _layer_norm(x, normalized_shape, weight) if plain(x) else NotImplemented


@shape_rule(torch._weight_norm, drawn_by="normed_weights")
def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Any:
    along = [1] * v.dim()
    along[dim_of(v, dim)] = v.shape[dim]
    known = list(g.shape) == along and floats(v, g) and plain(v) and plain(g)
    return new(v.shape, v.dtype) if known else NotImplemented


@shape_rule(F.local_response_norm, drawn_by="response_norms")
def _local_response_norm(
    x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    known = x.dim() > 2 and type(size) is int and size > 0
    return new(x.shape, x.dtype) if known and floats(x) and plain(x) else NotImplemented


@shape_rule(F.batch_norm, drawn_by="batch_norms")
def _batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """With the running statistics alone: otherwise they are written to."""
    valid = (
        running_mean is not None
        and running_var is not None
        and not training
        and floats(x, running_mean, running_var, weight, bias)
        and x.dim() >= 2
        and plain(x)
        and all(
            p is None or p.shape == x.shape[1:2] for p in (running_mean, running_var, weight, bias)
        )
    )
    return new(x.shape, x.dtype) if valid else NotImplemented


@shape_rule(F.instance_norm, drawn_by="instance_norms")
def _instance_norm(
    x: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    valid = (
        running_mean is None
        and running_var is None
        and use_input_stats
        and floats(x, weight, bias)
        and x.dim() >= 3
        and contiguous_image(x)
        and x.shape[2:].numel() > 1
        and all(p is None or p.shape == x.shape[1:2] for p in (weight, bias))
    )
    return new(x.shape, x.dtype) if valid else NotImplemented
