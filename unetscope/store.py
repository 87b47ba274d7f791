"""Traces as JSON text.

A saved trace says which format it has, so that a newer one is refused by name and not misread.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.record import Trace

FORMAT = 1
_MARK = "unetscope_trace"


class _Document(msgspec.Struct):
    """What a saved trace file holds."""

    unetscope_trace: int
    trace: Trace


class _Head(msgspec.Struct):
    """The part that tells what a file is."""

    unetscope_trace: int | None = None


def dumps(trace: Trace) -> bytes:
    """`trace` as JSON; equal traces give equal text, apart from their provenance."""
    return msgspec.json.encode(_Document(FORMAT, trace)) + b"\n"


def loads(text: bytes, file: str = "trace") -> Trace:
    """The trace that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is no saved trace, is damaged, or has another format.
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
        return msgspec.json.decode(text, type=_Document).trace
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnetscopeError(f"a damaged trace: {error}", place=place) from None


def is_trace(path: Path) -> bool:
    """Whether a file calls itself a saved trace."""
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(f'{{"{_MARK}"'.encode())


def load(path: Path) -> Trace:
    """The trace saved in a file; see `loads`."""
    return loads(path.read_bytes(), str(path))
