"""The weights files that a user means: files, folders with all that is in them, globs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from unetscope.checkpoints.files import INDEX, SUFFIXES
from unetscope.errors import UnetscopeError
from unetscope.files.reading import is_file, is_folder, is_there, why

_PIPELINE = "model_index.json"
"""What a folder holds that is a pipeline of diffusers."""
_SHARD = re.compile(r"(.*)-\d{5}-of-\d{5}(\.\w+)")
_MARKS = re.compile(r"[*?[]")


def gathered(names: Iterable[str]) -> dict[str, UnetscopeError | None]:
    """Each weights file that some names mean, once, in their order, or why one means none.

    The files of one checkpoint are its index, and a pipeline of diffusers is its folder. No link
    to a folder is followed.

    Args:
        names: of files, which are taken as they are; of folders, with all that is in them; and
            globs.
    """
    found: dict[str, UnetscopeError | None] = {}
    for name in names:
        try:
            meant = [str(path) for path in _meant(name)]
        except UnetscopeError as error:
            found[name] = error
        else:
            found.update((each, None) for each in meant if each not in found)
    return found


def _meant(name: str) -> list[Path]:
    """The weights files that a name means.

    Raises:
        UnetscopeError: it means none.
    """
    path = Path(name)
    if not is_there(path) and _MARKS.search(name):
        if not (found := [each for match in _matches(path) for each in _in(match)]):
            raise UnetscopeError(f"no weights file matches `{name}`")
        return found
    if not (found := list(_in(path))):
        raise UnetscopeError(
            f"no weights in the folder `{name}`", hint=f"weights end in {', '.join(SUFFIXES)}"
        )
    return found


def is_pipeline(path: Path) -> bool:
    """Whether a path is the folder of a diffusers pipeline."""
    return is_file(path / _PIPELINE)


def _matches(glob: Path) -> list[Path]:
    """What a glob matches; of `**` it is any number of folders."""
    head = next(number for number, part in enumerate(glob.parts) if _MARKS.search(part))
    try:
        return sorted(Path(*glob.parts[:head]).glob(str(Path(*glob.parts[head:]))))
    except (OSError, ValueError, NotImplementedError) as error:
        raise UnetscopeError(f"cannot look for `{glob}`: {error}") from None


def _in(path: Path) -> Iterator[Path]:
    """A file itself; the weights below a folder."""
    if not is_folder(path) or is_pipeline(path):
        yield path
        return
    try:
        there = sorted(os.scandir(path), key=lambda each: (each.is_dir(), each.name))
    except OSError as error:
        raise UnetscopeError(f"cannot read the folder `{path}`: {why(error)}") from None
    names = {each.name for each in there}
    for each in there:
        if each.is_dir(follow_symlinks=False):
            yield from _in(path / each.name)
        elif _is_whole(each.name, names) and each.is_file():
            yield path / each.name


def _is_whole(name: str, beside: set[str]) -> bool:
    """Whether a file is a checkpoint, by its name, and no part of one that an index names."""
    lower = name.lower()
    if lower.endswith(INDEX):
        return lower.removesuffix(INDEX).endswith(SUFFIXES)
    shard = _SHARD.fullmatch(name)
    return lower.endswith(SUFFIXES) and not (shard and f"{shard[1]}{shard[2]}{INDEX}" in beside)
