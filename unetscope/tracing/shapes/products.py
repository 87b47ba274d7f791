"""Shape rules of matrix products: linear layers, attention, embeddings."""
# ruff: noqa: ARG001 - the signatures are torch's

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.pointwise import elementwise
from unetscope.tracing.shapes.registry import floats, functions_and_methods, new, shape_rule


@shape_rule(F.linear, drawn_by="linear_layers")
def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    valid = (
        floats(x, weight, bias)
        and weight.dim() == 2
        and x.dim() >= 2
        and x.shape[-1] == weight.shape[1]
        and (bias is None or bias.shape == weight.shape[:1])
    )
    return new((*x.shape[:-1], weight.shape[0]), x.dtype) if valid else NotImplemented


@shape_rule(*functions_and_methods("matmul"), Tensor.__matmul__, drawn_by="products")
def _matmul(a: Tensor, b: Tensor) -> Any:
    """Of equal rank; otherwise torch folds dims, and the layout depends on which."""
    valid = (
        floats(a, b)
        and a.dim() == b.dim() >= 2
        and a.shape[:-2] == b.shape[:-2]
        and a.shape[-1] == b.shape[-2]
        and min(*a.shape, *b.shape) > 0
    )
    return new((*a.shape[:-1], b.shape[-1]), a.dtype) if valid else NotImplemented


@shape_rule(*functions_and_methods("bmm"), drawn_by="batched_products")
def _bmm(a: Tensor, b: Tensor) -> Any:
    return _matmul(a, b) if a.dim() == 3 else NotImplemented


@shape_rule(*functions_and_methods("baddbmm"), drawn_by="added_products")
def _baddbmm(c: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Any:
    if not all(type(factor) in (int, float) for factor in (beta, alpha)) or not floats(a, c):
        return NotImplemented
    product = _bmm(a, b)
    fits = product is not NotImplemented and c.shape == product.shape
    return product if fits else NotImplemented


@shape_rule(F.scaled_dot_product_attention, drawn_by="attentions", meta_strides=False)
def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Laid out as the query is, by the fused kernels; other calls are left to torch."""
    valid = (
        floats(query, key, value)
        and dropout_p == 0.0
        and type(is_causal) is bool
        and (scale is None or type(scale) is float)
        and not enable_gqa
        and query.dim() == key.dim() == value.dim() == 4
        and query.shape[:2] == key.shape[:2] == value.shape[:2]
        and key.shape[2] == value.shape[2]
        and query.shape[3] == key.shape[3] == value.shape[3]
        and min(*query.shape, *key.shape) > 0
        and query.stride(3) == key.stride(3) == value.stride(3) == 1
    )
    if not valid or (attn_mask is not None and (is_causal or not _masks(attn_mask, query, key))):
        return NotImplemented
    return elementwise(query.dtype, query)


def _masks(mask: Tensor, query: Tensor, key: Tensor) -> bool:
    """Whether `mask` broadcasts to the scores of every query and key."""
    scores = (*query.shape[:3], key.shape[2])
    return (
        mask.is_meta
        and mask.dtype in (torch.bool, query.dtype)
        and mask.dim() in (2, 4)
        and all(
            own in (1, full) for own, full in zip(mask.shape, scores[-mask.dim() :], strict=True)
        )
    )


@shape_rule(F.embedding, drawn_by="embeddings")
def _embedding(
    tokens: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    valid = (
        tokens.is_meta
        and tokens.dtype in (torch.int32, torch.int64)
        and floats(weight)
        and weight.dim() == 2
        and weight.shape[0] > 0
        and max_norm is None  # which rescales the weights in place
        and (padding_idx is None or -weight.shape[0] <= padding_idx < weight.shape[0])
    )
    return new((*tokens.shape, weight.shape[1]), weight.dtype) if valid else NotImplemented
