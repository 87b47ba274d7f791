"""Locks as text: a tree that people review, of which `git diff` shows what changed.

A lock holds no times and no file paths. What follows from torch's own layers, or from what stands
elsewhere in the text, is left out; what is left out is put back when the text is read. The text
states the version of its format, so that a newer format is refused and not misread. The versions of
the tools are recorded and never compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.files import reading
from unetscope.files.locks import text as sections
from unetscope.files.locks.damages import damages
from unetscope.files.locks.lines import LineError
from unetscope.files.versioned import DamageError, NewerError, Versioned
from unetscope.lock import Lock

FORMAT = 4
SUFFIX = ".lock"
_FIRST_LINE = "unetscope lock, format "
_STATED = re.compile(rb"unetscope lock, format (\d{1,9})[ \t]*(?:\r?\n|$)")
_JSON = re.compile(rb'\s*\{\s*"format_version":\s*\d{1,9},\s*"name"')
"""How locks began when they were JSON."""
_TOOLS = re.compile(rb"\A([^\n]*\n\n[^\n]*\n\n)tools\n(?:  [^\n]*\n)*\n")
"""The versions of the tools, behind the first line and the name."""
_SPARE = 10_000
"""Bytes that the versions of other tools may take."""
_LAST_JSON = 3
"""The last format that was JSON."""


def dumps(lock: Lock) -> bytes:
    """`lock` as text; equal locks give equal text except for the versions of the tools.

    Raises:
        UnetscopeError: its modules are no tree in order, or too many.
    """
    return f"{_FIRST_LINE}{FORMAT}\n\n{sections.dumps(lock)}".encode()


def loads(text: bytes, file: str = "lock") -> Lock:
    """The lock that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is not a lock, is damaged, or has another format; a newer one raises
            `NewerError`.
    """
    return _LOCK.loads(text, file)


def load(path: Path) -> Lock:
    """The lock in a file; see `loads`."""
    return _LOCK.load(path)


def holds(path: Path, text: bytes) -> bool:
    """Whether a file holds what `dumps` returned, but for the versions of the tools."""
    try:
        found = reading.content(path, len(text) + _SPARE)
    except OSError:
        return False
    return _untooled(found.replace(b"\r\n", b"\n")) == _untooled(text)


def _untooled(text: bytes) -> bytes:
    return _TOOLS.sub(rb"\1", text)


def is_written(
    path: Path, text: bytes, unreadable: Callable[[UnetscopeError], None] = lambda _: None
) -> bool:
    """Whether a file is there that holds a lock's text; see `holds`.

    Args:
        path: the file.
        text: what it should hold.
        unreadable: is called with why, if what is there is no lock of today.

    Raises:
        NewerError: a newer unetscope wrote it; it must not be written over.
    """
    if holds(path, text):
        return True
    try:
        if path.exists():
            load(path)
    except NewerError:
        raise
    except UnetscopeError as error:
        unreadable(error)
    return False


def is_lock(path: Path) -> bool:
    """Whether a file is a lock by its suffix or by how it begins."""
    if path.suffix == SUFFIX:
        return True
    try:
        head = reading.content(path, 64)
    except OSError:
        return False
    return begins_a_lock(head)


def begins_a_lock(content: bytes) -> bool:
    """Whether the beginning of a file is that of a lock."""
    return content.startswith(_FIRST_LINE.encode()) or _JSON.match(content) is not None


def _stated(text: bytes) -> int:
    if _JSON.match(text):
        return _LAST_JSON
    if (match := _STATED.match(text)) is None:
        first = text.split(b"\n", 1)[0][:80].decode(errors="replace")
        raise DamageError(f"expected `{_FIRST_LINE}{FORMAT}`, found {first or 'nothing'}", 1)
    return int(match[1])


def _decoded(text: bytes) -> Lock:
    try:
        return sections.loads(text.decode().replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise DamageError(str(error)) from None
    except LineError as error:
        raise DamageError(str(error), error.number) from None


_LOCK = Versioned(
    name="lock",
    version=FORMAT,
    stated=_stated,
    decoded=_decoded,
    damages=damages,
    foreign="a damaged lock",
    older="the earlier JSON format",
    again="`unetscope lock CONFIG` writes a new one",
    largest=8_000_000,
)
