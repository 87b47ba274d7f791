"""Shape rules of matrix products: linear layers, attention, embeddings."""
# ruff: noqa: ARG001 - the signatures are torch's

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    floats,
    new,
)
from unetscope.tracing.shapes.broadcasting import elementwise
from unetscope.tracing.shapes.registry import functions_and_methods, shape_rule


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


@shape_rule(F.multi_head_attention_forward, drawn_by="attention_layers")
def _attention_layer(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    *,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    **others: Any,
) -> Any:
    """Of plain tokens: what is masked, or has weights of its own for keys, is left to torch."""
    width = embed_dim_to_check
    valid = (
        not (use_separate_proj_weight or is_causal or add_zero_attn)
        and all(
            given is None
            for given in (bias_k, bias_v, key_padding_mask, attn_mask, *others.values())
        )
        and (not training or dropout_p == 0)
        and floats(query, key, value, in_proj_weight, in_proj_bias, out_proj_weight, out_proj_bias)
        and query.dim() == 3
        and key.shape == value.shape
        and query.shape[1:] == key.shape[1:]
        and query.shape[2] == width
        and width % num_heads == 0
        and in_proj_weight is not None
        and in_proj_weight.shape == (3 * width, width)
        and (in_proj_bias is None or in_proj_bias.shape == (3 * width,))
        and out_proj_weight.shape == (width, width)
        and (out_proj_bias is None or out_proj_bias.shape == (width,))
        and min(*query.shape, *key.shape) > 0
    )
    if not valid:
        return NotImplemented
    shape = (query.shape[1], *(() if average_attn_weights else (num_heads,)))
    weights = new((*shape, query.shape[0], key.shape[0]), query.dtype) if need_weights else None
    return new(query.shape, query.dtype), weights


@shape_rule(*functions_and_methods("outer"), drawn_by="vectors")
def _outer(a: Tensor, b: Tensor) -> Any:
    known = floats(a, b) and a.dim() == b.dim() == 1
    return new((*a.shape, *b.shape), a.dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("dot", "vdot"), drawn_by="vectors")
def _dot(a: Tensor, b: Tensor) -> Any:
    known = floats(a, b) and a.dim() == b.dim() == 1 and a.shape == b.shape
    return new((), a.dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("mv"), drawn_by="vectors")
def _matrix_by_vector(a: Tensor, b: Tensor) -> Any:
    known = floats(a, b) and (a.dim(), b.dim()) == (2, 1) and a.shape[1:] == b.shape
    return new(a.shape[:1], a.dtype) if known else NotImplemented


@shape_rule(torch.einsum, drawn_by="sums")
def _einsum(equation: str, *operands: Any) -> Any:
    """Of two operands whose letters are all different; torch sums by one batched product.

    Its result is laid out as that if letters of both come first, then of the first, then of the
    second alone; otherwise torch may turn it.
    """
    taken, arrow, made = equation.replace(" ", "").partition("->")
    tensors = operands[0] if isinstance(operands[0], (list, tuple)) else operands
    first, second = taken.split(",")
    a, b = tensors
    known = (
        arrow
        and all(letters.isalpha() or not letters for letters in (first, second, made))
        and all(len(set(letters)) == len(letters) for letters in (first, second, made))
        and set(made) <= set(first + second)
        and (len(first), len(second)) == (a.dim(), b.dim())
        and floats(a, b)
        and min(*a.shape, *b.shape, 1) > 0
    )
    sizes = dict(zip(first, a.shape, strict=True)) if known else {}
    if not known or any(sizes.setdefault(c, n) != n for c, n in zip(second, b.shape, strict=True)):
        return NotImplemented
    if all(sizes[c] == 1 for c in set(first) & set(second) - set(made)):
        return NotImplemented  # a product element by element
    wide = [c for c in made if sizes[c] > 1]
    both = [c for c in wide if c in first and c in second]
    of_first, of_second = ([c for c in wide if c not in other] for other in (second, first))
    order = [*both, *of_first, *of_second]
    if of_first and of_second and order != wide:
        return NotImplemented
    order += [c for c in made if c not in wide]
    return new([sizes[c] for c in order], a.dtype).permute([order.index(c) for c in made])


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
