"""Reading files that a user, or another file, names: within bounds, and a pipe once."""

from __future__ import annotations

import stat
from functools import cache
from pathlib import Path

LARGEST = 1_000_000_000
"""Bytes that any file may have of which all is read; traces of the largest UNets have 10⁷."""
LARGEST_PIPE = 100_000_000
"""Bytes that are read from a pipe or a device."""


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; False for what can be no path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether there is such a regular file; False for what can be no path."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; False for what can be no path."""
    try:
        return path.is_dir()
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
        return _drained(path)[: most + 1]
    with path.open("rb") as file:
        return file.read() if known.st_size <= most else file.read(most + 1)


@cache
def _drained(path: Path) -> bytes:
    found = bytearray()
    with path.open("rb") as file:
        while len(found) < LARGEST_PIPE and (more := file.read(2**20)):
            found += more
    return bytes(found)


def why(error: OSError) -> str:
    """Why a file cannot be read or written, in a few words."""
    return (error.strerror or str(error)).lower()
