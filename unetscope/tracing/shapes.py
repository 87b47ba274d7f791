"""Shape rules: what a function returns on the meta device, without torch's meta kernels.

Those are Python in torch and import sympy and torch._dynamo at first use, which takes as long as
`import torch`. A rule returns a meta tensor of the shape, dtype and strides that the CPU kernel
gives, or NotImplemented: then the real kernel runs. A rule answers only what it is sure of, so that
an invalid call reaches the real kernel and gets torch's own error.

Strides matter because they decide whether a later `reshape` is a view or a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """Register a rule for functions that give the same shape from the same arguments."""

    def register(answer: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, answer))
        return answer

    return register


def _methods(*names: str) -> list[Any]:
    """The function and the method of each name, where torch has them."""
    owners = (torch, Tensor)
    return [getattr(owner, name) for name in names for owner in owners if hasattr(owner, name)]


def _on_meta(*tensors: Tensor | None) -> bool:
    return all(tensor is None or tensor.is_meta for tensor in tensors)


def _empty(shape: Sequence[int], like: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    return torch.empty(shape, dtype=dtype or like.dtype, device="meta")


def _broadcast(operands: Sequence[Tensor]) -> tuple[int, ...]:
    """The common shape, or () if there is none; torch's own function imports sympy."""
    rank = max(t.dim() for t in operands)
    padded = [(1,) * (rank - t.dim()) + tuple(t.shape) for t in operands]
    sizes = [set(column) - {1} or {1} for column in zip(*padded, strict=True)]
    return tuple(max(size) for size in sizes) if all(len(size) == 1 for size in sizes) else ()


def _pointwise(dtype: torch.dtype, *operands: Tensor) -> Any:
    """The result of an element-wise kernel, laid out as `TensorIterator` does (ATen, C++).

    Dense operands of one layout keep it; else dims are ordered by the operands' strides, the first
    operand that tells two dims apart deciding.
    """
    first = operands[0]
    if all(t.shape == first.shape for t in operands):
        if all(t.is_contiguous() for t in operands):
            return torch.empty(first.shape, dtype=dtype, device="meta")
        shape = tuple(first.shape)
    else:
        shape = _broadcast(operands)
    rank = len(shape)
    if not rank or 0 in shape:
        return NotImplemented
    strides = [
        [0] * (rank - t.dim())
        + [0 if n == 1 != m else s for n, m, s in zip(t.shape, shape[-t.dim() :], t.stride())]
        for t in operands
        if t.dim() > 0
    ]

    def further_out(a: int, b: int) -> int:
        """Positive if dim `a` varies more slowly than `b`, negative if faster."""
        for stride in strides:
            if stride[a] and stride[b] and stride[a] != stride[b]:
                return stride[a] - stride[b]
            if stride[a] and stride[a] == stride[b] and shape[a] > shape[b]:
                return 1
        return 0

    order = list(reversed(range(rank)))  # fastest first
    for i in range(1, rank):
        at = i
        for j in range(i - 1, -1, -1):
            verdict = further_out(order[j], order[at])
            if verdict > 0:
                order[j], order[at] = order[at], order[j]
                at = j
            elif verdict < 0:
                break
    result, step = [0] * rank, 1
    for dim in order:
        result[dim] = step
        step *= shape[dim]
    return torch.empty_strided(shape, result, dtype=dtype, device="meta")


# ── Element-wise ──────────────────────────────────────────────────────────────────────────────────


@rule(
    F.gelu,
    *_methods("exp", "log", "sin", "cos", "tanh", "sqrt", "rsqrt", "sigmoid", "erf", "reciprocal"),
)
def _unary(x: Tensor, **options: Any) -> Any:
    if not _on_meta(x) or not x.is_floating_point() or options.keys() - {"approximate"}:
        return NotImplemented
    return _pointwise(x.dtype, x)


@rule(F.silu, F.relu, F.mish, F.leaky_relu, F.elu, F.sigmoid, F.tanh, F.softplus, torch.neg,
      Tensor.neg, torch.relu, Tensor.relu)
def _activation(x: Tensor, *settings: float, inplace: bool = False, **more: float) -> Any:
    if inplace or not _on_meta(x) or not x.is_floating_point():
        return NotImplemented
    return _pointwise(x.dtype, x)


@rule(*_methods("add", "sub", "mul", "div", "true_divide"))
def _arithmetic(a: Tensor, b: Tensor | float) -> Any:
    if isinstance(b, Tensor):
        if not (isinstance(a, Tensor) and _on_meta(a, b)):
            return NotImplemented
    elif type(b) not in (int, float) or not _on_meta(a):
        return NotImplemented
    dtype = torch.result_type(a, b)
    if not dtype.is_floating_point:  # integer division, shifts …: rare, and with rules of their own
        return NotImplemented
    return _pointwise(dtype, a, b) if isinstance(b, Tensor) else _pointwise(dtype, a)


@rule(F.softmax, torch.softmax, Tensor.softmax)
def _softmax(x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Any:
    if not _on_meta(x) or not x.is_contiguous() or not x.is_floating_point():
        return NotImplemented
    if not -x.dim() <= dim < x.dim():
        return NotImplemented
    return _empty(x.shape, x, dtype)


# ── Layers ────────────────────────────────────────────────────────────────────────────────────────


def _tuple(value: int | Sequence[int], length: int) -> tuple[int, ...]:
    return (value,) * length if isinstance(value, int) else tuple(value)


@rule(F.conv1d, F.conv2d, F.conv3d)
def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    dims = weight.dim() - 2
    stride, padding, dilation = (_tuple(v, dims) for v in (stride, padding, dilation))
    valid = (
        _on_meta(x, weight, bias)
        and x.dim() == weight.dim()
        and x.dtype == weight.dtype
        and x.is_floating_point()
        and weight.is_contiguous()
        and x.numel() > 0
        and groups > 0
        and x.shape[1] == weight.shape[1] * groups
        and weight.shape[0] % groups == 0
        and (bias is None or (bias.shape == weight.shape[:1] and bias.dtype == x.dtype))
        and len(stride) == len(padding) == len(dilation) == dims
        and min(stride) > 0
        and min(padding) >= 0
        and min(dilation) > 0
    )
    if not valid:
        return NotImplemented
    spatial = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(
            x.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
        )
    ]
    if min(spatial) <= 0:
        return NotImplemented
    shape = (x.shape[0], weight.shape[0], *spatial)
    if x.is_contiguous():
        return _empty(shape, x)
    return NotImplemented


@rule(F.linear)
def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    valid = (
        _on_meta(x, weight, bias)
        and weight.dim() == 2
        and x.dim() >= 2
        and x.shape[-1] == weight.shape[1]
        and x.dtype == weight.dtype
        and x.is_floating_point()
        and (bias is None or (bias.shape == weight.shape[:1] and bias.dtype == x.dtype))
    )
    return _empty((*x.shape[:-1], weight.shape[0]), x) if valid else NotImplemented


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None, shape: Sequence[int]) -> bool:
    """Whether a norm's scale and shift fit."""
    return all(
        p is None or (p.is_meta and p.dtype == x.dtype and tuple(p.shape) == tuple(shape))
        for p in (weight, bias)
    )


@rule(F.group_norm)
def _group_norm(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    valid = (
        _on_meta(x)
        and x.dim() >= 2
        and x.is_contiguous()
        and x.is_floating_point()
        and x.numel() > 0
        and num_groups > 0
        and x.shape[1] % num_groups == 0
        and x.numel() // (x.shape[0] * num_groups) > 1
        and _affine(x, weight, bias, x.shape[1:2])
    )
    return _empty(x.shape, x) if valid else NotImplemented


@rule(F.layer_norm)
def _layer_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    normalized = tuple(normalized_shape)
    valid = (
        _on_meta(x)
        and x.is_floating_point()
        and normalized
        and tuple(x.shape[-len(normalized) :]) == normalized
        and _affine(x, weight, bias, normalized)
    )
    return _empty(x.shape, x) if valid else NotImplemented


@rule(F.scaled_dot_product_attention)
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
    """Laid out as the fused kernels do: (B, T, heads, dim) in memory, heads and tokens swapped."""
    valid = (
        _on_meta(query, key, value)
        and attn_mask is None
        and dropout_p == 0.0
        and not enable_gqa
        and query.dim() == key.dim() == value.dim() == 4
        and query.dtype == key.dtype == value.dtype
        and query.is_floating_point()
        and query.shape[:2] == key.shape[:2] == value.shape[:2]
        and query.shape[3] == key.shape[3]
        and key.shape[2] == value.shape[2]
        and query.shape[3] == value.shape[3]
        and min(*query.shape, *key.shape) > 0
        and query.stride(3) == key.stride(3) == value.stride(3) == 1
    )
    if not valid:
        return NotImplemented
    batch, heads, tokens, _ = query.shape
    dim = value.shape[3]
    strides = (tokens * heads * dim, dim, heads * dim, 1)
    shape = (batch, heads, tokens, dim)
    return torch.empty_strided(shape, strides, dtype=query.dtype, device="meta")


@rule(F.embedding)
def _embedding(tokens: Tensor, weight: Tensor, padding_idx: int | None = None,
               max_norm: float | None = None, *_: Any) -> Any:
    if not _on_meta(tokens, weight) or max_norm is not None or weight.dim() != 2:
        return NotImplemented
    if tokens.dtype not in (torch.int32, torch.int64):
        return NotImplemented
    return _empty((*tokens.shape, weight.shape[1]), weight)


# ── Resampling and joining ────────────────────────────────────────────────────────────────────────


@rule(F.interpolate)
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
        _on_meta(x)
        and mode == "nearest"
        and align_corners is None
        and not recompute_scale_factor
        and not antialias
        and (size is None) != (scale_factor is None)
        and x.is_contiguous()
        and x.is_floating_point()
        and x.numel() > 0
        and 1 <= dims <= 3
    )
    if not valid:
        return NotImplemented
    if size is not None:
        spatial: tuple[int, ...] = _tuple(size, dims)
    else:
        factors = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor,) * dims
        spatial = tuple(
            math.floor(float(n) * float(factor))  # type: ignore[arg-type]
            for n, factor in zip(x.shape[2:], factors, strict=True)
        )
    if len(spatial) != dims or min(spatial) <= 0:
        return NotImplemented
    return _empty((*x.shape[:2], *spatial), x)


@rule(torch.cat, torch.concat, torch.concatenate)
def _cat(tensors: Sequence[Tensor], dim: int = 0, **more: Any) -> Any:
    first = tensors[0]
    rank = first.dim()
    if more or rank == 0 or not -rank <= dim < rank:
        return NotImplemented
    dim %= rank
    rest = first.shape[:dim] + first.shape[dim + 1 :]
    for tensor in tensors:
        fits = (
            tensor.is_meta
            and tensor.is_contiguous()
            and tensor.dtype == first.dtype
            and tensor.dim() == rank
            and tensor.shape[:dim] + tensor.shape[dim + 1 :] == rest
        )
        if not fits:
            return NotImplemented
    return _empty((*first.shape[:dim], sum(t.shape[dim] for t in tensors), *first.shape[dim + 1 :]),
                  first)


@rule(F.avg_pool2d)
def _average_pool(
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    kernel = _tuple(kernel_size, 2)
    steps = _tuple(stride, 2) if stride else kernel
    if not (
        _on_meta(x) and x.dim() == 4 and x.is_contiguous() and x.is_floating_point()
        and x.numel() > 0 and padding in (0, (0, 0)) and not ceil_mode and not divisor_override
        and len(kernel) == len(steps) == 2 and min(*kernel, *steps) > 0
    ):
        return NotImplemented
    spatial = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, steps, strict=True)]
    return _empty((*x.shape[:2], *spatial), x) if min(spatial) > 0 else NotImplemented


# ── Making ────────────────────────────────────────────────────────────────────────────────────────


@rule(torch.arange)
def _arange(
    start: float, end: float | None = None, step: float = 1, *,
    dtype: torch.dtype | None = None, device: torch.device | str | None = None,
    **more: Any,
) -> Any:
    if more or device is None or torch.device(device).type != "meta":
        return NotImplemented
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        return NotImplemented
    if dtype is None:
        whole = all(isinstance(number, int) for number in (start, end, step))
        dtype = torch.int64 if whole else torch.get_default_dtype()
    return torch.empty(math.ceil((end - start) / step), dtype=dtype, device="meta")
