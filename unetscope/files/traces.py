"""Traces as JSON text.

A saved trace states the version of its format, so that a newer format is refused and not misread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from unetscope.files import reading
from unetscope.files.versioned import DamageError, Versioned, absurd, impossible, too_deep
from unetscope.record import Trace

FORMAT = 2


class _Document(msgspec.Struct):
    """What a saved trace file holds."""

    unetscope_trace: int
    trace: Trace


def dumps(trace: Trace) -> bytes:
    """`trace` as JSON; equal traces give equal text except for their provenance."""
    return msgspec.json.encode(_Document(FORMAT, trace)) + b"\n"


def loads(text: bytes, file: str = "trace") -> Trace:
    """The trace that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is not a saved trace, is damaged, or has another format.
    """
    return _SAVED.loads(text, file).trace


def loads_own(text: bytes) -> Trace:
    """The trace that `dumps` of this very version wrote; a digest shows that it is undamaged.

    Raises:
        DamageError: it is none.
    """
    return _parsed(text, _Document).trace


def load(path: Path) -> Trace:
    """The trace saved in a file; see `loads`."""
    return _SAVED.load(path).trace


def is_trace(path: Path) -> bool:
    """Whether a file is a saved trace by its first key; False if it cannot be read."""
    try:
        head = reading.content(path, 64)
    except OSError:
        return False
    return re.match(rb'\s*\{\s*"unetscope_trace"', head) is not None


def _damages(document: _Document) -> Iterator[str]:
    """The damage that the types do not show: unknown dtypes, indices out of range."""
    trace = document.trace
    values, steps, ops = len(trace.values), len(trace.steps), len(trace.ops)
    paths = {module.path for module in trace.modules}

    def outside(place: str, count: int, indices: Iterable[int | None]) -> Iterator[str]:
        for index in indices:
            if index is not None and not 0 <= index < count:
                yield f"`{place}` has the index {index}, but there are only {count}"

    if not trace.modules:
        yield "it has no modules"
    yield from too_deep(trace.config)
    yield from impossible(value.spec for value in trace.values)
    for module in trace.modules:
        yield from impossible(held.spec for held in (*module.parameters, *module.buffers))
        for parameter in module.parameters:
            if not parameter.persistent:
                yield f"`{parameter.name}` is a parameter that no state_dict holds"
    for index, value in enumerate(trace.values):
        yield from outside("updated", index, value.updated)
        yield from outside("storage", len(trace.storages), (value.storage,))
        yield from outside("op", ops, (value.op,))
        yield from outside("call", steps, (value.call,))
    for index, step in enumerate(trace.steps):
        if step.module not in paths:
            yield f"a step of `{step.module}`, which is not a module"
        yield from outside("parent", index, (step.parent,))
        yield from outside("inputs", values, (argument.value for argument in step.inputs))
        yield from outside("outputs", values, step.outputs)
    for op in trace.ops:
        yield from outside("step", steps, (op.step,))
        yield from outside("inputs", values, op.inputs)
        yield from outside("outputs", values, op.outputs)
    for skip in trace.skips:
        yield from outside("skips", values, (skip.value, skip.onto))
        yield from outside("skips", ops, (skip.op,))
        if 0 <= skip.op < ops:
            yield from outside("operand", len(trace.ops[skip.op].inputs), (skip.operand,))
    yield from outside("outputs", values, trace.outputs)
    yield from outside("ragged", values, trace.ragged)
    yield from outside("inputs", values, (argument.value for argument in trace.inputs))
    yield from absurd("macs", (op.macs or 0 for op in trace.ops))
    for op in trace.ops:
        if not 0 <= op.attention_macs <= max(op.macs or 0, 0):
            yield f"`attention_macs` is {op.attention_macs}, of {op.macs} multiply-adds"
    yield from absurd("nbytes", (storage.nbytes for storage in trace.storages))
    yield from absurd("push", (skip.push for skip in trace.skips))
    yield from _disorder(trace)


def _disorder(trace: Trace) -> Iterator[str]:
    """What no clock shows that ticks once at each start and end of a step and at each op."""
    ends = (step.end for step in trace.steps if step.end is not None)
    ticks = [*(step.start for step in trace.steps), *(op.clock for op in trace.ops), *ends]
    last = len(ticks)
    if sorted(ticks) != list(range(1, last + 1)):
        yield f"the clocks of its steps and ops are not 1 to {last}, each once"
        return
    whole = (0, last + 1)
    spans = [(step.start, last + 1 if step.end is None else step.end) for step in trace.steps]
    for step, (start, end) in zip(trace.steps, spans, strict=True):
        began, ended = whole if step.parent is None else spans[step.parent]
        if not began < start < end <= ended:
            yield f"a step of `{step.module}` does not lie within the one that called it"
    for op in trace.ops:
        began, ended = whole if op.step is None else spans[op.step]
        if not began < op.clock < ended:
            yield f"`{op.name}` does not lie within its step"
    for order in ([step.start for step in trace.steps], [op.clock for op in trace.ops]):
        if order != sorted(order):
            yield "its steps or ops are not in the order of their clocks"
    for storage in trace.storages:
        died = last if storage.died is None else storage.died
        if not 0 <= storage.born <= died <= last:
            yield f"a storage lives from {storage.born} to {died}, on a clock of {last}"


class _Head(msgspec.Struct):
    """The part of a saved trace that tells how to read the rest."""

    unetscope_trace: Any = None


D = TypeVar("D")


def _stated(text: bytes) -> int:
    version = _parsed(text, _Head).unetscope_trace
    if type(version) is not int:
        raise DamageError("it has no `unetscope_trace`")
    return version


def _parsed(text: bytes, content: type[D]) -> D:
    try:
        return msgspec.json.decode(text, type=content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamageError(str(error)) from None


_SAVED: Versioned[_Document] = Versioned(
    name="trace",
    version=FORMAT,
    stated=_stated,
    decoded=lambda text: _parsed(text, _Document),
    damages=_damages,
    foreign="not a saved trace",
    older="an earlier format",
    again="`unetscope trace CONFIG --save FILE` writes one",
)
