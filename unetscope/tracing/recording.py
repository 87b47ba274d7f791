"""Every function of a pass, recorded as an `Op`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from torch import Tensor

from unetscope.ops import UNSEEN, OpKind, operation
from unetscope.record import Op
from unetscope.tracing.arguments import told
from unetscope.tracing.calls import Calls
from unetscope.tracing.flops import work
from unetscope.tracing.functions import Returned
from unetscope.tracing.shapes import free_what_imports_hold
from unetscope.tracing.tensors import ShapelessError, Tensors

_ALIAS = "torch.alias"


class Recording:
    """Listens to the functions of a pass.

    Attributes:
        ops: those that took or made a tensor and returned, in order.
    """

    def __init__(self, tensors: Tensors, calls: Calls, is_new: Callable[[object], bool]) -> None:
        """`is_new` tells whether a tensor was made since the pass began."""
        self.ops: list[Op] = []
        self._is_new = is_new
        self._imported = len(sys.modules)
        tensors.unseen = self._unseen
        self._tensors = tensors
        self._calls = calls

    def called(self, name: str, inputs: list[Tensor]) -> list[int]:  # noqa: ARG002
        """How often each input was written to before."""
        return _versions(inputs)

    def failed(self, error: Exception, name: str, inputs: list[Tensor]) -> None:
        """Note which function stopped the pass."""
        self._calls.fail(error, name, self._tensors.described(inputs))

    def returned(self, function: Returned, noted: list[int]) -> None:
        """Record a function, if it made a tensor or wrote to one."""
        try:
            self._record(function, noted)
        except ShapelessError as error:
            self.failed(error, function.name, function.inputs)
            raise

    def _record(self, function: Returned, noted: list[int]) -> None:
        func, name, inputs, outputs, result, args, kwargs, written = function
        tensors = self._tensors
        if written is None:
            written, now = [], _versions(inputs)
            if now != noted:
                written = [t for t, v, old in zip(inputs, now, noted, strict=True) if v != old]
        if not outputs and not written:
            return
        if name == "Tensor.grad" and all(tensors.find(t) is not None for t in outputs):
            return  # it was read before
        given, words = told(name, func, args, kwargs)
        taken = tuple([tensors.see(tensor) for tensor in given])
        clock = tensors.tick()
        index = len(self.ops)
        made = [tensors.made(tensor, index, written=True) for tensor in written]
        for tensor in outputs:
            # A tensor that was given and not written to is handed through: no new value.
            known = tensors.find(tensor) if any(tensor is other for other in inputs) else None
            if known is None and not written and operation(name).kind is OpKind.DROPOUT:
                # So does dropout in eval mode, though at times as a view of what it was given.
                known = tensors.handed_through(tensor, inputs[0])
            if known is None:
                known = tensors.made(tensor, index)
            if known not in made:
                made.append(known)
        macs, attention = work(name, result, args, kwargs)
        call = self._calls.current
        self.ops.append(Op(name, call, clock, taken, tuple(made), words, macs, attention))

    def _unseen(self, tensor: Tensor) -> int | None:
        """Record what made a tensor of unknown origin; None if it was there before the pass.

        What shares memory with a known value has its elements; else no more is known than that it
        was made.
        """
        tensors = self._tensors
        tensors.spec(tensor)  # or it cannot be recorded at all
        self._imported = free_what_imports_hold(self._imported)
        if not self._is_new(tensor):
            return None
        shared = tensors.sharing(tensor)
        index = len(self.ops)
        made = (tensors.count,)
        taken = () if shared is None else (shared,)
        name, macs = (UNSEEN, None) if shared is None else (_ALIAS, 0)
        self.ops.append(Op(name, self._calls.current, tensors.tick(), taken, made, "", macs))
        return index


def _versions(tensors: list[Tensor]) -> list[int]:
    """How often each was written to; inference tensors do not count that."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return [0 if tensor.is_inference() else tensor._version for tensor in tensors]
