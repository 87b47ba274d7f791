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
Found = tuple[str, UnetscopeError | None]
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
        for path, error in _meant(name):
            found.setdefault(path, error)
    return found


def _meant(name: str) -> Iterator[Found]:
    """The weights files that a name means, or why it means none."""
    path, is_glob = Path(name), bool(_MARKS.search(name))
    if is_there(path) or not is_glob:
        found = list(_in(path))
        nothing = UnetscopeError(
            f"no weights in the folder `{name}`", hint=f"weights end in {', '.join(SUFFIXES)}"
        )
    else:
        nothing = UnetscopeError(f"no weights file matches `{name}`")
        found = [each for match in _matches(path) for each in _in(match)]
    yield from found or [(name, nothing)]


def is_pipeline(path: Path) -> bool:
    """Whether a path is the folder of a diffusers pipeline."""
    return is_file(path / _PIPELINE)


def _matches(glob: Path) -> list[Path]:
    """What a glob matches; `**` is any number of folders."""
    head = next(number for number, part in enumerate(glob.parts) if _MARKS.search(part))
    try:
        return sorted(Path(*glob.parts[:head]).glob(str(Path(*glob.parts[head:]))))
    except (OSError, ValueError, NotImplementedError):
        return []


def _in(path: Path) -> Iterator[Found]:
    """A file itself; the weights below a folder, those of its own first."""
    folders = [path]
    while folders:
        folder = folders.pop()
        if not is_folder(folder) or is_pipeline(folder):
            yield str(folder), None
            continue
        try:
            there = sorted(os.scandir(folder), key=lambda each: each.name)
        except OSError as error:
            yield str(folder), UnetscopeError(f"cannot read the folder `{folder}`: {why(error)}")
            continue
        names = {each.name for each in there}
        inside = [each for each in there if each.is_dir(follow_symlinks=False)]
        for each in there:
            path = folder / each.name
            if not _is_whole(each.name, names):
                continue
            if is_file(path):
                yield str(path), None
            elif (wrong := _why_not(path)) is not None:
                yield str(path), wrong
        folders += [folder / each.name for each in reversed(inside)]


def _why_not(path: Path) -> UnetscopeError | None:
    """Why a name in a folder is no file; None if it is something else, such as a pipe."""
    try:
        path.stat()
    except PermissionError as error:
        return UnetscopeError(f"cannot be read: {why(error)}")
    except OSError:
        return UnetscopeError("a link that leads nowhere")
    return None


def _is_whole(name: str, beside: set[str]) -> bool:
    """Whether a file is a checkpoint, by its name, and no part of one that an index names."""
    lower = name.lower()
    if lower.endswith(INDEX):
        return lower.removesuffix(INDEX).endswith(SUFFIXES)
    shard = _SHARD.fullmatch(name)
    return lower.endswith(SUFFIXES) and not (shard and f"{shard[1]}{shard[2]}{INDEX}" in beside)
