"""Shape rules of activations, with the settings that each takes, and of dropout."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from unetscope.tracing.shapes.answers import (
    floats,
    in_place,
    new,
    plain,
)
from unetscope.tracing.shapes.broadcasting import elementwise
from unetscope.tracing.shapes.registry import shape_rule, shape_rule_of_dims

_SETTINGS: dict[Callable[..., Any], tuple[str, ...]] = {
    F.relu: ("inplace",),
    F.relu6: ("inplace",),
    F.silu: ("inplace",),
    F.mish: ("inplace",),
    F.selu: ("inplace",),
    F.hardswish: ("inplace",),
    F.hardsigmoid: ("inplace",),
    F.leaky_relu: ("negative_slope", "inplace"),
    F.elu: ("alpha", "inplace"),
    F.celu: ("alpha", "inplace"),
    F.hardtanh: ("min_val", "max_val", "inplace"),
    F.threshold: ("threshold", "value", "inplace"),
    F.softplus: ("beta", "threshold"),
    F.hardshrink: ("lambd",),
    F.softshrink: ("lambd",),
    F.logsigmoid: (),
    F.softsign: (),
    F.tanhshrink: (),
    F.relu_: (),
    F.leaky_relu_: ("negative_slope",),
    F.elu_: ("alpha",),
    F.hardtanh_: ("min_val", "max_val"),
}
"""The names of the settings of each activation, in order: numbers, and `inplace`."""


def _valid(function: Callable[..., Any], given: dict[str, Any]) -> bool:
    """Whether torch takes these settings."""
    if not all(type(value) in (int, float) for value in given.values()):
        return False
    if function is F.threshold:
        return len(given) == 2
    if function is F.softshrink:
        return all(value >= 0 for value in given.values())
    if function is F.celu:
        return given.get("alpha") != 0
    low, high = given.get("min_val", -1.0), given.get("max_val", 1.0)
    return bool(low <= high)


def _activation(function: Callable[..., Any], x: Tensor, *args: Any, **kwargs: Any) -> Any:
    names = _SETTINGS[function]
    given = dict(zip(names, args, strict=False)) | kwargs
    if len(given) < len(args) + len(kwargs) or not given.keys() <= set(names) or not floats(x):
        return NotImplemented
    if function is F.logsigmoid and not x.is_contiguous():
        return NotImplemented
    writes = given.pop("inplace", function.__name__.endswith("_"))
    if type(writes) is not bool or not _valid(function, given):
        return NotImplemented
    answer = partial(elementwise, x.dtype)
    return in_place(answer)(x) if writes else answer(x)


for _function in _SETTINGS:
    shape_rule(_function, drawn_by="activations")(partial(_activation, _function))


@shape_rule(F.gelu, drawn_by="gelus")
def _gelu(x: Tensor, *, approximate: str = "none") -> Any:
    known = approximate in ("none", "tanh") and floats(x)
    return elementwise(x.dtype, x) if known else NotImplemented


@shape_rule(F.glu, drawn_by="gates")
def _glu(x: Tensor, dim: int = -1) -> Any:
    shape = list(x.shape)
    if type(dim) is not int or shape[dim] % 2 or not floats(x) or not plain(x):
        return NotImplemented
    shape[dim] //= 2
    return new(shape, x.dtype)


@shape_rule(F.prelu, drawn_by="slopes")
def _prelu(x: Tensor, weight: Tensor) -> Any:
    if not floats(x, weight) or weight.dim() > 1 or not x.dim():
        return NotImplemented
    fits = weight.numel() == 1 or (x.dim() > 1 and weight.shape == x.shape[1:2])
    return elementwise(x.dtype, x) if fits else NotImplemented


@shape_rule(F.dropout, drawn_by="dropouts")
def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """While training: otherwise torch hands the tensor through."""
    if training is not True or type(p) is not float or not 0 < p < 1 or not floats(x):
        return NotImplemented
    if not x.numel() or type(inplace) is not bool:
        return NotImplemented
    answer = partial(elementwise, x.dtype)
    return in_place(answer)(x) if inplace else answer(x)


@shape_rule_of_dims("dropout", drawn_by="dropouts")
def _dropout_of_channels(
    dims: int, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    """Of batches alone: torch takes others for images without one."""
    return _dropout(x, p, training, inplace) if x.dim() == dims + 2 else NotImplemented
