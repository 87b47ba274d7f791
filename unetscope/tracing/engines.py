"""Other people's counters of multiply-adds, run on the same network to check ours against."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from unetscope.errors import UnetscopeError
from unetscope.tracing.contents import leaves

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


def by_torch(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, int]:
    """MACs of `model(*args, **kwargs)` as `torch.utils.flop_counter.FlopCounterMode` counts them.

    It sees the kernels, not the functions, and counts two for each multiply-add. On meta it misses
    nothing; on CPU it drops attention.

    Raises:
        UnetscopeError: the network does not run under it.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with _named("torch's FlopCounterMode"), counter, torch.no_grad():
        model(*args, **kwargs)
    sums: dict[str, int] = {}
    for op, count in counter.get_flop_counts().get("Global", {}).items():
        name = str(op).removeprefix("aten.")
        kind = "batched" if "attention" in name else _OF_TORCH.get(name, OTHER)
        sums[kind] = sums.get(kind, 0) + count // 2
    return sums


def by_fvcore(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, int]:
    """MACs of `model(*args, **kwargs)` as `fvcore.nn.FlopCountAnalysis` counts them.

    It runs `torch.jit.trace`, so the weights and inputs must be real.

    Raises:
        UnetscopeError: the network does not run under it.
    """
    from fvcore.nn import FlopCountAnalysis

    wrapped = _OfTensors(model, args, kwargs)
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    with _named("fvcore's FlopCountAnalysis"), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of jit about Python numbers, which stay the same here
        analysis = FlopCountAnalysis(wrapped, tuple(leaves(args, kwargs)))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        counted = analysis.by_operator()
    sums: dict[str, int] = {}
    for name, count in counted.items():
        kind = _OF_FVCORE.get(name, OTHER)
        sums[kind] = sums.get(kind, 0) + int(count)
    return sums


class _OfTensors(nn.Module):
    """A network that takes and returns its tensors one after the other, as jit wants them."""

    def __init__(self, model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model.eval()
        self._given = (tuple(args), dict(kwargs))

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        args, kwargs = _filled(self._given, iter(tensors))
        return tuple(leaves(self.model(*args, **kwargs)))


def _filled(value: Any, tensors: Iterator[Tensor]) -> Any:
    """`value` with the next of `tensors` for each tensor in it."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, (tuple, list)):
        return type(value)(_filled(item, tensors) for item in value)
    if isinstance(value, Mapping):
        return {name: _filled(item, tensors) for name, item in value.items()}
    return value


@contextmanager
def _named(engine: str) -> Iterator[None]:
    """Say that it was an engine that failed: the network itself has run before."""
    try:
        yield
    except Exception as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise UnetscopeError(
            f"{engine} cannot run the network: {type(error).__name__}: {said}",
            hint="without `--audit` it is counted by shapes alone",
        ) from error
