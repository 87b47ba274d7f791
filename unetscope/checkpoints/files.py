"""The files of a checkpoint: a single file, several with an index, or a folder with either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from unetscope.checkpoints.header import MOST_TENSORS, Header
from unetscope.checkpoints.stored import Stored, opened
from unetscope.errors import Place, UnetscopeError
from unetscope.files import weights
from unetscope.files.reading import is_file, is_folder, why
from unetscope.wording import pasted

INDEX = ".index.json"
SUFFIXES = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
_INDICES = (".safetensors" + INDEX, ".bin" + INDEX)
_OF_CONFIGS = (".yaml", ".yml", ".json")
_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
_CONFIGS = ("config.json", "model_index.json", "unet/config.json")
LARGEST_INDEX = 32_000_000
"""The most bytes that an index may have."""


def is_checkpoint(path: Path) -> bool:
    """Whether a path names weights; a folder that also holds a config counts as that config."""
    if is_folder(path):
        configured = any(is_file(path / name) for name in _CONFIGS)
        return not configured and in_folder(path) is not None
    if not is_file(path):
        return False
    return path.name.lower().endswith((*SUFFIXES, *_INDICES)) or weights.kind_of(path) is not None


def read(path: Path) -> Header:
    """The header of a checkpoint.

    Args:
        path: a path that `is_checkpoint` accepts.

    Raises:
        UnetscopeError: it cannot be read, is of no known kind, is damaged, or exceeds a bound.
    """
    path = in_folder(path) or path
    return _sharded(path) if path.name.lower().endswith(_INDICES) else _single(path)


def _single(path: Path) -> Header:
    """The header of a file, which is of the kind that its first bytes say."""
    with opened(path) as file:
        first = file.read(0, min(weights.FIRST, file.size))
        kind = weights.kind(first)
        if kind is None:
            _refuse(file, first)
        if kind == weights.GGUF:
            from unetscope.checkpoints import gguf

            return gguf.read(file)
        if kind == weights.PICKLE:
            from unetscope.checkpoints import pytorch

            is_zip = first.startswith(b"PK")
            return pytorch.read_zip(file) if is_zip else pytorch.read_pickle(file)
        from unetscope.checkpoints import safetensors

        return safetensors.read(file)


def _refuse(file: Stored, first: bytes) -> None:
    """Says what a file is that is of no kind that is read, as far as that can be told.

    Raises:
        UnetscopeError: unless it may be a damaged safetensors file.
    """
    if first.startswith(weights.GIT_LFS):
        file.damaged("a Git LFS pointer, not the weights", "`git lfs pull` fetches them")
    if first and not first.strip(b"\0"):
        file.damaged("begins with nothing but zeros, as after a download that broke off")
    if first.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        file.damaged("a web page, not the weights: a download that was refused leaves one")
    name = file.path.name.lower()
    if name.endswith(_OF_CONFIGS) and not name.endswith(INDEX):
        file.damaged(
            "no weights, as a config is none",
            f"`unetscope show {pasted(str(file.path))}` reads one",
        )
    if not name.endswith(".safetensors"):
        file.damaged(
            "begins like no checkpoint: safetensors, GGUF and PyTorch's files are read",
        )


def in_folder(path: Path) -> Path | None:
    """The checkpoint or index in a folder: the usual one, or the only one; None otherwise."""
    usual = (f"{stem}{end}" for stem in _STEMS for end in (".safetensors", *_INDICES, ".bin"))
    found = next((path / name for name in usual if is_file(path / name)), None)
    if found is not None or not is_folder(path):
        return found
    try:
        names = sorted(file.name for file in path.iterdir())
    except OSError:
        return None
    for ends in (_INDICES, SUFFIXES):
        there = [path / name for name in names if name.lower().endswith(ends)]
        if there:
            return there[0] if len(there) == 1 and is_file(there[0]) else None
    return None


def unreadable(folder: Path) -> UnetscopeError | None:
    """Why nothing can be said of what a folder holds; None if something can."""
    try:
        for file in folder.iterdir():
            file.stat()
    except PermissionError as error:
        return UnetscopeError(f"cannot read the folder `{folder}`: {why(error)}")
    except OSError:
        return None
    return None


def _sharded(path: Path) -> Header:
    """The header of several files as one: all that the index of them names."""
    shards = _shards(path)
    whole: Header | None = None
    missing = {name: file for file, names in shards.items() for name in names}
    for file, names in shards.items():
        part = _single(_beside(path, file))
        whole = whole or replace(part, tensors={}, others={}, packed={})
        whole.packed.update(part.packed)
        for name in names:
            if name in part:
                whole.tensors[name] = part[name]
                del missing[name]
    for name, file in missing.items():
        raise UnetscopeError(f"`{name}` is not in `{file}`", place=Place(str(path)))
    return whole or Header("safetensors", {})


def _shards(path: Path) -> dict[str, list[str]]:
    """The files that an index names, each with its tensors."""
    from unetscope.checkpoints.pairs import pairs

    with opened(path) as index:
        if index.size > LARGEST_INDEX:
            index.damaged(f"a damaged index: more than {LARGEST_INDEX:,} bytes, the bound for one")
        text = index.read(0, index.size)
        shards: dict[str, list[str]] = {}
        try:
            places = msgspec.json.decode(text, type=_Index).weight_map
            for name, file in pairs(bytes(places), MOST_TENSORS):
                shards.setdefault(msgspec.json.decode(file, type=str), []).append(name)
        except (ValueError, RecursionError) as error:
            index.damaged(f"a damaged index: {error}")
        return shards


class _Index(msgspec.Struct):
    """The index of a checkpoint in several files: the file of each tensor."""

    weight_map: msgspec.Raw


def _beside(index: Path, file: str) -> Path:
    """A file that an index names, which stands in the index's folder, links followed.

    The hub's cache keeps an index and its files as links into one other folder.
    """
    place = Place(str(index))
    path = index.with_name(file) if file and file == Path(file).name and "\0" not in file else None
    if path is None:
        message = f"a damaged index: expected a file beside it, found `{file}`"
        raise UnetscopeError(message, place=place)
    if not is_file(path):
        message = f"`{file}`, which its index names, cannot be read: missing, or no regular file"
        raise UnetscopeError(message, place=place)
    real = path.resolve().parent
    if real not in (index.parent.resolve(), index.resolve().parent):
        message = f"`{file}`, which its index names, is a link to a file outside of its folder"
        raise UnetscopeError(message, hint="name that file itself", place=place)
    return path
