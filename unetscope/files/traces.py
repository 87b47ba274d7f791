"""Traces as JSON text.

A saved trace states the version of its format, so that a newer format is refused and not misread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from unetscope.files.versioned import Versioned, impossible
from unetscope.record import Trace

FORMAT = 1


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


def load(path: Path) -> Trace:
    """The trace saved in a file; see `loads`."""
    return _SAVED.load(path).trace


def is_trace(path: Path) -> bool:
    """Whether a file is a saved trace by its first key."""
    return _SAVED.is_in(path)


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
    yield from impossible(value.spec for value in trace.values)
    for module in trace.modules:
        yield from impossible(held.spec for held in (*module.parameters, *module.buffers))
    for value in trace.values:
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
    yield from outside("inputs", values, (argument.value for argument in trace.inputs))


_SAVED = Versioned(
    name="trace",
    mark="unetscope_trace",
    version=FORMAT,
    content=_Document,
    damages=_damages,
    foreign="not a saved trace",
    again="`unetscope trace CONFIG --save FILE` writes one",
)
