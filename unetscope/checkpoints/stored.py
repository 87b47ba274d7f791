"""A weights file that is open: parts of it are read, and all that can go wrong has one form."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from unetscope.errors import Place, UnetscopeError, nearest
from unetscope.files.reading import why


class Stored:
    """An open regular file.

    Attributes:
        path: where it is.
        size: its bytes when it was opened.
    """

    def __init__(self, path: Path, file: IO[bytes], size: int) -> None:
        self.path = path
        self.size = size
        self._file = file

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from an offset on.

        Raises:
            UnetscopeError: there are not so many, or they cannot be read.
        """
        if not 0 <= offset <= offset + length <= self.size:
            self.damaged("cut short: what is read of it ends past the end of the file")
        try:
            self._file.seek(offset)
            found = self._file.read(length)
        except OSError as error:
            self.damaged(f"cannot be read: {why(error)}")
        if len(found) < length:
            self.damaged("cut short while it was read")
        return found

    def damaged(self, message: str, hint: str | None = None) -> NoReturn:
        """Raises that this file is not what it should be."""
        raise UnetscopeError(message, hint=hint, place=Place(str(self.path))) from None


def _meant(path: Path) -> str | None:
    """The file beside a missing one that was likely meant."""
    try:
        there = [each.name for each in path.parent.iterdir()]
    except OSError:
        return None
    guess = nearest(path.name, (name for name in there if name != path.name))
    return f"did you mean `{path.with_name(guess)}`?" if guess else None


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """A regular file; anything else, such as a pipe, is not waited for.

    Raises:
        UnetscopeError: it cannot be read, or is no regular file.
    """
    try:
        # Between a look at it and its opening a file may become a pipe.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        message = f"cannot be read: {why(error)}"
        hint = _meant(path) if isinstance(error, FileNotFoundError) else None
        raise UnetscopeError(message, hint=hint, place=Place(str(path))) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise UnetscopeError(f"cannot be read: {what}", place=Place(str(path)))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield Stored(path, file, status.st_size)
