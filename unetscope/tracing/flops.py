"""How many multiply-adds a function does, from the shapes that it was given.

One multiply-add is counted wherever two elements are multiplied and summed up: convolutions, linear
layers, matrix products, attention. Biases, norms, softmax and other element-wise work do none, nor
do pooling and resampling, where no two tensors meet. The count knows shapes alone, so it is the
same on every device, in every element type and with every attention kernel.

For convolutions, linear layers and batched products the formulas are those of fvcore's
`nn.jit_handles`, with which tests compare them; importing it would take a while. Its others would
not serve: its matmul ignores broadcasting, its einsum rounds to four digits, and it has none for
attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isqrt, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unetscope.ops import NO_MACS, Operation, OpKind, operation
from unetscope.tracing.contents import leaves
from unetscope.tracing.tensors import packed

Shape = Sequence[int]


class Work(NamedTuple):
    """The multiply-adds of one call."""

    macs: int | None
    """Multiply-adds; None where no formula is known."""
    attention: int = 0
    """Those of them that are attention's two products: queries by keys, weights by values."""


_NONE = Work(0)
_UNKNOWN = Work(None)


def work(name: str, result: Any, args: Any, kwargs: Any) -> Work:
    """What one call of a torch function did, by the formula that the table of operations names.

    Args:
        name: as in `Op.name`.
        result: what it returned.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    formula = operation(name).formula
    if formula is NO_MACS:
        return _NONE
    if formula is None:
        return _UNKNOWN
    try:
        done = FORMULAS[formula](result, *args, **kwargs)
    except Exception:  # called in a way that its formula does not know
        return _UNKNOWN
    tensors = leaves(*args, *kwargs.values())
    if not isinstance(done.macs, int):  # of ragged tensors it is none
        return _UNKNOWN
    if any(tensor.layout not in (torch.strided, torch.jagged) for tensor in tensors):
        return _UNKNOWN  # zeros are not multiplied
    if torch._C._functorch.peek_interpreter_stack() is None:
        return done
    times = _times(operation(name), leaves(result), tensors)
    return _UNKNOWN if times is None else Work(times * done.macs, times * done.attention)


def _times(row: Operation, made: Sequence[Tensor], given: Sequence[Tensor]) -> int | None:
    """How often `torch.vmap` does the work that one call shows; None if parts of it differ in that.

    A product of two is done once for each pair that differs.
    """
    outer = _batches(made)
    if row.kind is OpKind.ATTENTION:
        alike = all(_batches([tensor]) == outer for tensor in given[:3])
    else:
        alike = _batches(given[place] for place in row.factors) == outer
    return prod(outer.values()) if alike else None


def _batches(tensors: Iterable[Tensor]) -> dict[int, int]:
    """The batch dims that `torch.vmap` hides, by its level: their sizes."""
    functorch = torch._C._functorch
    found: dict[int, int] = {}
    for tensor in tensors:
        while functorch.is_functorch_wrapped_tensor(tensor):
            inner = functorch.get_unwrapped(tensor)
            if functorch.is_batchedtensor(tensor):
                found[functorch.maybe_get_level(tensor)] = inner.shape[
                    functorch.maybe_get_bdim(tensor)
                ]
            tensor = inner
    return found


# A formula takes the result, then the arguments of its function.
# ruff: noqa: A002, ARG001


def _convolution(transposed: bool) -> Callable[..., Work]:
    def formula(result: Tensor, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> Work:
        """Each weight meets each place of the output; of the input, where it is transposed."""
        batch = input.shape[0] if input.dim() == weight.dim() else 1
        places = (input if transposed else result).shape[2 - weight.dim() :]
        return Work(batch * prod(weight.shape) * prod(places))

    return formula


def _convolution_kernel(
    result: Tensor,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    *_: Any,
) -> Work:
    return _convolution(transposed)(result, input, weight)


def _linear(_: Tensor, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Work:
    """Each row of the input meets each row of the weights; a vector of weights is one row."""
    rows = packed(input) if input.layout is torch.jagged else input
    if rows.shape[-1] != weight.shape[-1]:
        return _UNKNOWN
    return Work(prod(rows.shape) * (weight.shape[0] if weight.dim() == 2 else 1))


def _baddbmm(_: Tensor, input: Tensor, batch1: Tensor, batch2: Tensor, **__: Any) -> Work:
    batches, rows, summed = batch1.shape
    return Work(batches * rows * summed * batch2.shape[-1])


def _matmul(result: Tensor, input: Tensor, *_: Any, **__: Any) -> Work:
    """Each element of the result, broadcast or not, sums up a row by a column."""
    return Work(result.numel() * input.shape[-1])


def _addmm(result: Tensor, input: Tensor, mat1: Tensor, *_: Any, **__: Any) -> Work:
    return _matmul(result, mat1)


def _tensordot(result: Tensor, a: Tensor, b: Tensor, *_: Any, **__: Any) -> Work:
    """`(M, K)` by `(K, N)`: the elements of both and of the result multiply to `(M K N) ** 2`."""
    return Work(isqrt(a.numel() * b.numel() * result.numel()))


def _einsum(result: Tensor, equation: str, *operands: Any) -> Work:
    """A product of two: every index that both have or that stays, once.

    What stands in one operand alone and not in the result is summed up before. Where nothing is
    summed the product is element-wise. Of three operands and more the order is torch's choice.
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if len(operands) == 1:
        return _NONE
    given, _, kept = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    if len(operands) != 2 or len(terms) != 2:
        return _UNKNOWN
    first, second = (_sizes(t, x.shape) for t, x in zip(terms, operands, strict=True))
    if "->" not in equation:
        letters = [i for term in terms for i in term if i != "."]
        kept = "".join(i for i in letters if letters.count(i) == 1) + "..."
    stays = _sizes(kept, result.shape).keys()
    shared = first.keys() & second.keys()
    summed = shared - stays
    if not summed:
        return _NONE
    sizes = {i: max(first.get(i, 1), second.get(i, 1)) for i in shared | stays}
    return Work(prod(sizes.values()))


def _sizes(term: str, shape: Shape) -> dict[str, int]:
    """The size of each index of a term; those under an ellipsis are counted from its end."""
    before, dots, after = term.partition("...")
    hidden = len(shape) - len(before) - len(after) if dots else 0
    names = [*before, *(f".{hidden - i}" for i in range(hidden)), *after]
    return dict(zip(names, shape, strict=True))


def _attention(result: Tensor, query: Tensor, key: Tensor, *_: Any, **__: Any) -> Work:
    """`(..., L, E)` queries, `(..., S, E)` keys, `(..., S, Ev)` values: L S (E + Ev) each head."""
    heads, length, width = prod(result.shape[:-2]), query.shape[-2], query.shape[-1]
    products = heads * length * key.shape[-2] * (width + result.shape[-1])
    return Work(products, products)


def _attention_kernel(result: Sequence[Tensor], *args: Any, **kwargs: Any) -> Work:
    """Attention that also returns what its backward pass keeps."""
    return _attention(result[0], *args, **kwargs)


def _multi_head_attention(
    _: Any,
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
    *__: Any,
    **more: Any,
) -> Work:
    """`(L, B, E)` queries, `(S, B, Ek)` keys, `(S, B, Ev)` values, each projected to E first."""
    width = out_proj_weight.shape[-1]
    projections = width * (query.numel() + key.numel() + value.numel())
    positions = query.numel() // query.shape[-1]  # L B
    static = more.get("static_k")
    length = (key if static is None else static.transpose(0, 1)).shape[0]
    length += (bias_k is not None) + add_zero_attn
    products = positions * length * 2 * width
    return Work(projections + positions * out_proj_weight.numel() + products, products)


def _native_attention(
    _: Any, query: Tensor, key: Tensor, value: Tensor, embed_dim: int, *__: Any, **___: Any
) -> Work:
    """`(B, L, E)` queries, keys and values of width E; projections in and out."""
    positions = query.numel() // embed_dim  # B L
    projections = embed_dim * (2 * query.numel() + key.numel() + value.numel())
    products = positions * key.shape[1] * 2 * embed_dim
    return Work(projections + products, products)


FORMULAS: dict[str, Callable[..., Work]] = {
    "conv": _convolution(False),
    "conv_transpose": _convolution(True),
    "convolution": _convolution_kernel,
    "linear": _linear,
    "baddbmm": _baddbmm,
    "matmul": _matmul,
    "addmm": _addmm,
    "tensordot": _tensordot,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "attention_kernel": _attention_kernel,
    "multi_head_attention_forward": _multi_head_attention,
    "native_multi_head_attention": _native_attention,
}
"""By the names that the table of operations has for them."""
