"""Reading files that a user, or another file, names: within bounds, and a pipe once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path
from select import select

LARGEST = 1_000_000_000
"""Bytes that any file may have of which all is read; traces of the largest UNets have 10⁷."""
LARGEST_PIPE = 100_000_000
"""Bytes that are read from a pipe or a device."""
PATIENCE = 2
"""Seconds for which a pipe with a name may stay without anybody at its other end."""


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; False for what can be no path."""
    return _answer(path.exists)


def is_file(path: Path) -> bool:
    """Whether there is such a regular file; False for what can be no path."""
    return _answer(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; False for what can be no path."""
    return _answer(path.is_dir)


def _answer(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (OSError, ValueError):
        return False


def content(path: Path, most: int = LARGEST) -> bytes:
    """The first `most` bytes of a file, and one more if it has more.

    A pipe gives its content once; later calls return what the first one read.

    Raises:
        OSError: it cannot be read.
    """
    known = path.stat()
    if not stat.S_ISREG(known.st_mode):
        found = _drained(path)
        if isinstance(found, OSError):
            raise found
        return found[: most + 1]
    with path.open("rb") as file:
        return file.read() if known.st_size <= most else file.read(most + 1)


@cache
def _drained(path: Path) -> bytes | OSError:
    """What comes out of a pipe or device, or why nothing does; it is tried once."""
    try:
        return _read(path)
    except OSError as error:
        return error


def _read(path: Path) -> bytes:
    # A pipe with a name may have no writer, and opening it would wait for one.
    named = path.is_fifo() and is_there(path.resolve())
    descriptor = os.open(path, os.O_RDONLY | (os.O_NONBLOCK if named else 0))
    found = bytearray()
    with os.fdopen(descriptor, "rb") as file:
        if named and not select([file], [], [], PATIENCE)[0]:
            raise TimeoutError(errno.ETIMEDOUT, f"nothing came through this pipe for {PATIENCE} s")
        os.set_blocking(descriptor, True)
        while len(found) < LARGEST_PIPE and (more := file.read(2**20)):
            found += more
    return bytes(found)


def why(error: Exception) -> str:
    """Why a file cannot be read or written, in a few words."""
    return (getattr(error, "strerror", None) or str(error)).lower()
