"""Only what a pass costs: many sizes of one network in the time that a trace of one takes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, UntypedStorage, nn
from torch.overrides import TorchFunctionMode

from unetscope.tracing.flops import work
from unetscope.tracing.functions import function_name, run
from unetscope.tracing.shapes import RULES
from unetscope.tracing.tensors import leaves


class Done(NamedTuple):
    """A function that did multiply-adds, or may have."""

    name: str
    macs: int | None
    attention_macs: int


def count(model: nn.Module, kwargs: Mapping[str, Any]) -> tuple[list[Done], int]:
    """What `model(**kwargs)` costs: its work, and the peak of its activations in bytes.

    The work is in the functions that do multiply-adds or have no formula, in order: those of a
    trace whose `macs` are not 0. The peak is `analysis.memory.activation_peak` of that trace. The
    model should be in eval mode.
    """
    device = next((t.device for t in kwargs.values() if isinstance(t, torch.Tensor)), None)
    counting = _Counting(meta=device is not None and device.type == "meta")
    with torch.no_grad(), counting:
        model(**kwargs)
    return counting.done, counting.peak


class _Counting(TorchFunctionMode):
    def __init__(self, *, meta: bool) -> None:
        super().__init__()
        self.done: list[Done] = []
        self.peak = 0
        self._held = 0
        self._live: dict[int, weakref.ref[UntypedStorage]] = {}
        self._rules = RULES if meta else {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = run(self._rules, func, types, args, kwargs)
        made = leaves(result)
        if made:
            self._hold(made, args, kwargs)
        macs, attention = work(func, result, args, kwargs)
        if macs != 0 and made and (name := function_name(func)) is not None:
            self.done.append(Done(name, macs, attention))
        return result

    def _hold(self, made: list[Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Count the storages of what a function made, until they die."""
        for tensor in made:
            storage = tensor.untyped_storage()
            key = id(storage)
            if key in self._live:
                continue
            if any(t.untyped_storage() is storage for t in leaves((args, *kwargs.values()))):
                continue  # a view of a weight or an input
            nbytes = storage.nbytes()

            def died(_: object, key: int = key, nbytes: int = nbytes) -> None:
                del self._live[key]
                self._held -= nbytes

            self._live[key] = weakref.ref(storage, died)
            self._held += nbytes
        self.peak = max(self.peak, self._held)
