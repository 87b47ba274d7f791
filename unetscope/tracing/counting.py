"""Only what a pass costs: many sizes of one network in the time that a trace of one takes."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unetscope.tracing.contents import leaves
from unetscope.tracing.flops import work
from unetscope.tracing.functions import Functions, Returned
from unetscope.tracing.tensors import Memory, memory, nbytes


class Done(NamedTuple):
    """A function that did multiply-adds, or may have."""

    name: str
    macs: int | None
    attention_macs: int


def count(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Done], int]:
    """What `model(*args, **kwargs)` costs: its work, and the peak of its activations in bytes.

    The work is in the functions that do multiply-adds or have no formula, in order: those of a
    trace whose `macs` are not 0. The peak is `analysis.memory.activation_peak` of that trace. The
    model should be in eval mode.
    """
    device = next((t.device for t in leaves(args, kwargs)), None)
    counting = _Counting()
    with torch.no_grad(), Functions(counting, meta=device is not None and device.type == "meta"):
        model(*args, **kwargs)
    return counting.done, counting.peak


class _Counting:
    def __init__(self) -> None:
        self.done: list[Done] = []
        self.peak = 0
        self._held = 0
        self._live: dict[int, weakref.ref[Memory]] = {}

    def called(self, name: str, inputs: list[Tensor]) -> None:
        """Nothing to note."""

    def failed(self, error: Exception, name: str, inputs: list[Tensor]) -> None:
        """The error is the caller's."""

    def returned(self, function: Returned, _: None) -> None:
        if not function.outputs:
            return
        self._hold(function.outputs, function.inputs)
        macs, attention = work(function.name, function.result, function.args, function.kwargs)
        if macs != 0:
            self.done.append(Done(function.name, macs, attention))

    def _hold(self, made: list[Tensor], given: list[Tensor]) -> None:
        """Count the storages of what a function made, until they die."""
        for tensor in made:
            storage = memory(tensor)
            key = id(storage)
            if key in self._live:
                continue
            if any(memory(t) is storage for t in given):
                continue  # a view of a weight or an input
            size = nbytes(storage)

            def died(_: object, key: int = key, size: int = size) -> None:
                del self._live[key]
                self._held -= size

            self._live[key] = weakref.ref(storage, died)
            self._held += size
        self.peak = max(self.peak, self._held)
