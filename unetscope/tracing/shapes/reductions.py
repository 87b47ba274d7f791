"""Shape rules of functions along dims: softmax, reductions, sums so far, sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    dim_of,
    floats,
    new,
    plain,
)
from unetscope.tracing.shapes.registry import functions_and_methods, shape_rule


@shape_rule(
    *(F.softmax, torch.softmax, Tensor.softmax),
    *(F.log_softmax, torch.log_softmax, Tensor.log_softmax),
    drawn_by="softmaxes",
)
def _softmax(x: Tensor, dim: int, dtype: torch.dtype | None = None, *, _stacklevel: int = 3) -> Any:
    dtype = dtype or x.dtype
    if not floats(x) or not dtype.is_floating_point or type(dim) is not int:
        return NotImplemented
    return new(x.shape, dtype) if -x.dim() <= dim < x.dim() else NotImplemented


def _reduced(
    x: Tensor, dim: int | Sequence[int] | None, keepdim: bool, dtype: torch.dtype | None = None
) -> Any:
    """Without some dims, or without any; one that is left is contiguous, whatever `x` is."""
    dims = range(x.dim()) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    gone = {dim_of(x, d) for d in dims}
    if len(gone) < len(dims) or (dim is not None and not gone) or type(keepdim) is not bool:
        return NotImplemented
    shape = [1 if d in gone else n for d, n in enumerate(x.shape) if keepdim or d not in gone]
    if not x.is_meta or not x.numel() or not (plain(x) or sum(n > 1 for n in shape) <= 1):
        return NotImplemented
    return new(shape, dtype or x.dtype)


@shape_rule(*functions_and_methods("mean", "sum"), drawn_by="reductions")
def _reduction(
    x: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Any:
    known = floats(x) and (dtype is None or dtype.is_floating_point)
    return _reduced(x, dim, keepdim, dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("amax", "amin", "logsumexp"), drawn_by="reductions")
def _of_dims(x: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Any:
    return _reduced(x, dim, keepdim) if floats(x) and dim is not None else NotImplemented


@shape_rule(*functions_and_methods("argmax", "argmin"), drawn_by="reductions")
def _place(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    known = floats(x) and (dim is None or type(dim) is int)
    return _reduced(x, dim, keepdim, torch.int64) if known else NotImplemented


@shape_rule(*functions_and_methods("any", "all"), drawn_by="reductions")
def _whether(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    known = x.dtype == torch.bool or floats(x)
    return _reduced(x, dim, keepdim, torch.bool) if known else NotImplemented


@shape_rule(*functions_and_methods("count_nonzero"), drawn_by="reductions")
def _count(x: Tensor, dim: int | None = None) -> Any:
    return _reduced(x, dim, False, torch.int64)


@shape_rule(*functions_and_methods("prod"), drawn_by="reductions")
def _prod(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    known = floats(x) and (type(dim) is int or (dim is None and not keepdim))
    return _reduced(x, dim, keepdim) if known else NotImplemented


@shape_rule(torch.linalg.vector_norm, drawn_by="vector_norms")
def _vector_norm(
    x: Tensor,
    ord: float = 2,  # noqa: A002
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Any:
    known = type(ord) in (int, float) and floats(x)
    return _reduced(x, dim, keepdim) if known else NotImplemented


@shape_rule(torch.norm, Tensor.norm, drawn_by="vector_norms")
def _norm(
    x: Tensor,
    p: float | str = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: torch.dtype | None = None,
) -> Any:
    if out is not None or dtype is not None:
        return NotImplemented
    return _vector_norm(x, 2 if p == "fro" else p, dim, keepdim)  # type: ignore[arg-type]


@shape_rule(*functions_and_methods("var", "std"), drawn_by="spreads")
def _spread(
    x: Tensor, dim: int | Sequence[int], unbiased: bool = True, keepdim: bool = False
) -> Any:
    known = type(unbiased) is bool and floats(x) and dim is not None
    return _reduced(x, dim, keepdim) if known else NotImplemented


@shape_rule(F.normalize, drawn_by="normalizations")
def _normalize(
    x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Any:
    known = out is None and type(p) is float and type(eps) is float and type(dim) is int
    if not known or not floats(x) or not plain(x):
        return NotImplemented
    return new(x.shape, x.dtype) if -x.dim() <= dim < x.dim() else NotImplemented


@shape_rule(F.cosine_similarity, drawn_by="similarities")
def _cosine_similarity(a: Tensor, b: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    known = floats(a, b) and a.shape == b.shape and plain(b) and type(eps) is float
    return _reduced(a, dim, False) if known and type(dim) is int else NotImplemented


@shape_rule(*functions_and_methods("cumsum", "cumprod"), drawn_by="softmaxes")
def _so_far(x: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Any:
    dtype = dtype or x.dtype
    known = floats(x) and plain(x) and dtype.is_floating_point and dim_of(x, dim) >= 0
    return new(x.shape, dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("diff"), drawn_by="differences")
def _diff(x: Tensor, n: int = 1, dim: int = -1) -> Any:
    shape = list(x.shape)
    shape[dim_of(x, dim)] -= 1
    known = floats(x) and plain(x) and n == 1 and type(n) is int
    return new(shape, x.dtype) if known else NotImplemented


@shape_rule(*functions_and_methods("topk"), drawn_by="highest")
def _topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:  # noqa: A002
    shape = list(x.shape)
    dim = dim_of(x, dim)
    known = floats(x) and plain(x) and type(k) is int and 0 <= k <= shape[dim]
    if not known or type(largest) is not bool or type(sorted) is not bool:
        return NotImplemented
    shape[dim] = k
    return torch.return_types.topk((new(shape, x.dtype), new(shape, torch.int64)))


@shape_rule(*functions_and_methods("sort"), drawn_by="sorts")
def _sort(x: Tensor, dim: int = -1, descending: bool = False) -> Any:
    known = floats(x) and plain(x) and dim_of(x, dim) >= 0 and type(descending) is bool
    if not known:
        return NotImplemented
    return torch.return_types.sort((new(x.shape, x.dtype), new(x.shape, torch.int64)))


@shape_rule(*functions_and_methods("argsort"), drawn_by="sorts")
def _argsort(x: Tensor, dim: int = -1, descending: bool = False) -> Any:
    return _sort(x, dim, descending)[1]
