"""What was found out about networks, kept from one run to the next.

An entry is named by a digest of all that it depends on, so that it never goes stale: what it
depends on changes, and it is not found any more. Whatever goes wrong here is a miss, as nothing
depends on a cache: a damaged entry, a full disk, a folder that cannot be written.
"""

from __future__ import annotations

import os
import sys
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.files.writing import write
from unetscope.version import __version__

FOLDER, OFF = "UNETSCOPE_CACHE_DIR", "UNETSCOPE_NO_CACHE"
"""Environment variables: where the cache lies instead of where the system keeps such things, and
that there is none."""
LARGEST = 100_000_000
"""Bytes that it may hold; what was used last stays."""

_SUFFIX = ".unetscope"
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Contents:
    """What a cache holds.

    Attributes:
        folder: where it lies.
        entries: their number.
        nbytes: what they take on disk.
    """

    folder: Path
    entries: int
    nbytes: int


def folder() -> Path:
    """Where the cache lies: of the user, or where `UNETSCOPE_CACHE_DIR` says."""
    import platformdirs

    chosen = os.environ.get(FOLDER)
    return Path(chosen) if chosen else platformdirs.user_cache_path("unetscope", appauthor=False)


def is_on() -> bool:
    """Whether there is a cache: the user may not want one."""
    return not os.environ.get(OFF)


def key(what: str, of: str) -> str | None:
    """The name of an entry: a digest of what it is, and of all that can change it.

    These are its subject, the code of this package, Python's version and torch's, which is read
    without importing torch.

    Args:
        what: is kept, such as a trace.
        of: all that is known of its subject.

    Returns:
        None if it is not known which torch there is.
    """
    torch = _torch()
    if torch is None:
        return None
    parts = (what, of, __version__, _code(), torch, sys.version)
    digest = sha256()
    for part in parts:
        text = part.encode(errors="surrogatepass")
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()


@cache
def _code() -> str:
    """A digest of this package's files by their times, as those of a checkout change often."""
    found = []
    for place, _, names in os.walk(_PACKAGE):
        for name in names:
            if name.endswith((".py", ".json", ".yaml")):
                known = (Path(place) / name).stat()
                found.append(f"{place}/{name} {known.st_mtime_ns} {known.st_size}")
    return sha256("\n".join(sorted(found)).encode(errors="surrogatepass")).hexdigest()


@cache
def _torch() -> str | None:
    """What torch says of its version and build."""
    with suppress(ImportError, ValueError, OSError):
        found = find_spec("torch")
        if found is not None and found.origin:
            return Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    return None


def read(name: str) -> bytes | None:
    """What was kept under a name; None if there is nothing, or it is damaged."""
    path = folder() / f"{name}{_SUFFIX}"
    try:
        kept = path.read_bytes()
        digest, packed = kept[:32], kept[32:]
        if sha256(name.encode() + packed).digest() != digest:
            return None
        content = zlib.decompress(packed)
    except (OSError, zlib.error):
        return None
    with suppress(OSError):
        os.utime(path)  # what was used last is thrown away last
    return content


def keep(name: str, content: bytes) -> None:
    """Keep something under a name, whole or not at all; see that the cache stays within bounds."""
    packed = zlib.compress(content, 6)
    path = folder() / f"{name}{_SUFFIX}"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(path, sha256(name.encode() + packed).digest() + packed)
    except (OSError, UnetscopeError):
        return
    _shrink(LARGEST)


def contents() -> Contents:
    """What the cache holds now."""
    found = _entries()
    return Contents(folder(), len(found), sum(size for _, size, _ in found))


def clear() -> Contents:
    """Throw all of it away; what it held is returned."""
    before = contents()
    _shrink(0)
    return before


def _entries() -> list[tuple[float, int, Path]]:
    """When each entry was used last, its bytes and its file."""
    found = []
    with suppress(OSError), os.scandir(folder()) as there:
        for each in there:
            if each.name.endswith(_SUFFIX):
                with suppress(OSError):  # another process threw it away
                    known = each.stat(follow_symlinks=False)
                    found.append((known.st_mtime, known.st_size, Path(each.path)))
    return found


def _shrink(most: int) -> None:
    """Throw away what was not used for longest until the rest has so many bytes."""
    left = 0
    for _, size, path in sorted(_entries(), reverse=True):
        left += size
        if left > most:
            with suppress(OSError):
                path.unlink()
