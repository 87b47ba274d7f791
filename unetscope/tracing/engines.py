"""Other people's counters of multiply-adds, run on the same network to check ours against."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_OF_TORCH = {
    "convolution": "convolution",
    "_convolution": "convolution",
    "mm": "unbatched",
    "addmm": "unbatched",
    "bmm": "batched",
    "baddbmm": "batched",
}
_OF_FVCORE = {
    "conv": "convolution",
    "linear": "unbatched",
    "addmm": "unbatched",
    "bmm": "batched",
    "matmul": "batched",
    "einsum": "batched",
}
OTHER = "element-wise"
"""What a counter counts beside multiply-adds."""


def by_torch(model: nn.Module, kwargs: Mapping[str, Any]) -> dict[str, int]:
    """MACs of `model(**kwargs)` as `torch.utils.flop_counter.FlopCounterMode` counts them.

    It sees the kernels, not the functions, and counts two for each multiply-add. On meta it misses
    nothing; on CPU it drops attention.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(**kwargs)
    sums: dict[str, int] = {}
    for op, count in counter.get_flop_counts().get("Global", {}).items():
        name = str(op).removeprefix("aten.")
        kind = "batched" if "attention" in name else _OF_TORCH.get(name, OTHER)
        sums[kind] = sums.get(kind, 0) + count // 2
    return sums


def by_fvcore(model: nn.Module, kwargs: Mapping[str, Any]) -> dict[str, int]:
    """MACs of `model(**kwargs)` as `fvcore.nn.FlopCountAnalysis` counts them.

    It runs `torch.jit.trace`, so the weights and inputs must be real.
    """
    from fvcore.nn import FlopCountAnalysis

    wrapped = _Positional(model, kwargs)
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of jit about Python numbers, which stay the same here
        analysis = FlopCountAnalysis(wrapped, tuple(_flat(kwargs)))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        counted = analysis.by_operator()
    sums: dict[str, int] = {}
    for name, count in counted.items():
        kind = _OF_FVCORE.get(name, OTHER)
        sums[kind] = sums.get(kind, 0) + int(count)
    return sums


class _Positional(nn.Module):
    """A network that takes its keyword arguments one tensor after the other, as jit wants them."""

    def __init__(self, model: nn.Module, kwargs: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model.eval()
        self._kwargs = dict(kwargs)

    def forward(self, *tensors: Tensor) -> Any:
        remaining = iter(tensors)
        return self.model(**_filled(self._kwargs, remaining))


def _flat(kwargs: Mapping[str, Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in kwargs.values():
        found += _flat(value) if isinstance(value, Mapping) else [value]
    return found


def _filled(kwargs: Mapping[str, Any], tensors: Any) -> dict[str, Any]:
    return {
        name: _filled(value, tensors) if isinstance(value, Mapping) else next(tensors)
        for name, value in kwargs.items()
    }
