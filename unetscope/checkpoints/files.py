"""The files of a checkpoint: a single file, several with an index, or a folder with either."""

from __future__ import annotations

from pathlib import Path

import msgspec

from unetscope.checkpoints import safetensors
from unetscope.checkpoints.safetensors import LARGEST_HEADER
from unetscope.errors import Place, UnetscopeError
from unetscope.files import reading
from unetscope.files.reading import is_file, is_folder
from unetscope.record import TensorSpec

SUFFIX = ".safetensors"
INDEX = ".safetensors.index.json"
_STEM = "diffusion_pytorch_model"
_PICKLES = (".ckpt", ".pt", ".pth", ".bin")
_CONFIGS = ("config.json", "model_index.json", "unet/config.json")


class _Index(msgspec.Struct):
    """The index of a checkpoint in several files: the file of each tensor."""

    weight_map: dict[str, str]


def is_checkpoint(path: Path) -> bool:
    """Whether a path names weights; a folder that also holds a config counts as that config."""
    if is_folder(path):
        configured = any(is_file(path / name) for name in _CONFIGS)
        return not configured and _in_folder(path) is not None
    return is_file(path) and path.name.lower().endswith((SUFFIX, INDEX, *_PICKLES))


def is_pickle(path: Path) -> bool:
    """Whether a path names weights in a form that is never read."""
    return path.suffix.lower() in _PICKLES


def read(path: Path) -> dict[str, TensorSpec]:
    """The tensors of a checkpoint by name.

    Args:
        path: a path that `is_checkpoint` accepts.

    Raises:
        UnetscopeError: the file is a pickle, is damaged or cannot be read.
    """
    path = _in_folder(path) or path
    if path.name.endswith(INDEX):
        return _sharded(path)
    if is_pickle(path):
        raise UnetscopeError(
            "a pickle, which may run any code when it is read; only safetensors files are read",
            hint="`safetensors.torch.save_file` writes one",
            place=Place(str(path)),
        )
    return safetensors.read(path)


def _in_folder(path: Path) -> Path | None:
    """The checkpoint or index in a folder, None if it holds neither."""
    names = (f"{_STEM}{SUFFIX}", f"{_STEM}{INDEX}")
    return next((path / name for name in names if is_file(path / name)), None)


def _sharded(path: Path) -> dict[str, TensorSpec]:
    place = Place(str(path))
    try:
        text = reading.content(path, LARGEST_HEADER)
        if len(text) > LARGEST_HEADER:
            raise ValueError(f"more than {LARGEST_HEADER:,} bytes, the bound for one")
        places = msgspec.json.decode(text, type=_Index).weight_map
    except OSError as error:
        raise UnetscopeError(f"cannot be read: {reading.why(error)}", place=place) from None
    except (ValueError, RecursionError) as error:
        raise UnetscopeError(f"a damaged index: {error}", place=place) from None
    found: dict[str, TensorSpec] = {}
    for file in dict.fromkeys(places.values()):
        if not file or file != Path(file).name or "\0" in file:
            message = f"a damaged index: expected a file beside it, found `{file}`"
            raise UnetscopeError(message, place=place)
        if not is_file(path.with_name(file)):
            message = (
                f"`{file}`, which its index names, cannot be read: missing, or no regular file"
            )
            raise UnetscopeError(message, place=place)
        held = safetensors.read(path.with_name(file))
        for name in (name for name, other in places.items() if other == file):
            if name not in held:
                raise UnetscopeError(f"`{name}` is not in `{file}`", place=place)
            found[name] = held[name]
    return found
