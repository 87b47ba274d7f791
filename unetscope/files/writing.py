"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.files.reading import PATIENCE, why


def write(path: Path, content: bytes, *, folders: bool = False) -> None:
    """Write a file, whole or not at all; it keeps its mode, and its owner where that may be.

    A link stays, and what it leads to is written. Devices and pipes are written to, as a shell
    would, never replaced.

    Args:
        path: where to.
        content: what.
        folders: whether folders around it are made where they are missing.

    Raises:
        UnetscopeError: it cannot be written.
    """
    try:
        if folders:
            path.parent.mkdir(parents=True, exist_ok=True)
        target = _regular(path)
        if target is None:
            _send(path, content)
        else:
            _replace(target, content)
    except (OSError, ValueError) as error:
        raise UnetscopeError(f"cannot write `{path}`: {why(error)}") from None


def _regular(path: Path) -> Path | None:
    """The regular file that is meant, there or not; None for what can only be written to."""
    # What stands there for a file that is open already must not be replaced either.
    if path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",)):
        return None
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        return None
    return path.resolve()


def _send(path: Path, content: bytes) -> None:
    with os.fdopen(_opened(path), "wb") as file:
        os.set_blocking(file.fileno(), True)
        file.write(content)


def _opened(path: Path) -> int:
    """A descriptor to write to; a pipe that nobody reads is waited for, but not for ever."""
    for _ in range(20 * PATIENCE):
        try:
            return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise
        time.sleep(1 / 20)
    raise TimeoutError(errno.ETIMEDOUT, f"nobody read from this pipe for {PATIENCE} s")


def _replace(path: Path, content: bytes) -> None:
    known = path.stat() if path.exists() else None
    if known is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unetscope-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if known is not None:
            with suppress(OSError):
                os.chown(name, known.st_uid, known.st_gid)
        mode = 0o666 & ~_umask() if known is None else stat.S_IMODE(known.st_mode)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
