"""Traces as JSON text.

A saved trace states the version of its format, so that a newer format is refused and not misread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.record import Trace, is_dtype

FORMAT = 1
_MARK = "unetscope_trace"


class _Document(msgspec.Struct):
    """What a saved trace file holds."""

    unetscope_trace: int
    trace: Trace


class _Head(msgspec.Struct):
    """The key that identifies a saved trace."""

    unetscope_trace: int | None = None


def dumps(trace: Trace) -> bytes:
    """`trace` as JSON; equal traces give equal text except for their provenance."""
    return msgspec.json.encode(_Document(FORMAT, trace)) + b"\n"


def loads(text: bytes, file: str = "trace") -> Trace:
    """The trace that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is not a saved trace, is damaged, or has another format.
    """
    place = Place(file)
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnetscopeError(f"not a saved trace: {error}", place=place) from None
    if head.unetscope_trace is None:
        raise UnetscopeError(
            f"not a saved trace: it has no `{_MARK}`",
            place=place,
            hint="`unetscope trace CONFIG --save FILE` writes one",
        )
    if head.unetscope_trace != FORMAT:
        raise UnetscopeError(
            f"a saved trace of format {head.unetscope_trace}; this unetscope reads {FORMAT}",
            place=place,
            hint="trace the config again",
        )
    try:
        trace = msgspec.json.decode(text, type=_Document).trace
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnetscopeError(f"a damaged trace: {error}", place=place) from None
    for damage in _damages(trace):
        raise UnetscopeError(f"a damaged trace: {damage}", place=place)
    return trace


def _damages(trace: Trace) -> Iterator[str]:
    """The damage that the types do not show: unknown dtypes, indices out of range."""
    values, steps, ops = len(trace.values), len(trace.steps), len(trace.ops)
    paths = {module.path for module in trace.modules}

    def outside(place: str, count: int, indices: Iterable[int | None]) -> Iterator[str]:
        for index in indices:
            if index is not None and not 0 <= index < count:
                yield f"`{place}` has the index {index}, but there are only {count}"

    if not trace.modules:
        yield "it has no modules"
    specs = [value.spec for value in trace.values] + [
        held.spec for module in trace.modules for held in (*module.parameters, *module.buffers)
    ]
    for spec in specs:
        if not is_dtype(spec.dtype) or min(spec.shape, default=0) < 0:
            yield f"impossible tensor: shape {list(spec.shape)}, dtype `{spec.dtype}`"
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


def is_trace(path: Path) -> bool:
    """Whether a file is a saved trace by its first key."""
    with path.open("rb") as file:
        return re.match(rb'\s*\{\s*"%b"' % _MARK.encode(), file.read(64)) is not None


def load(path: Path) -> Trace:
    """The trace saved in a file; see `loads`."""
    return loads(path.read_bytes(), str(path))
