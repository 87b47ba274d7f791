"""Which file a reference means, and its text."""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from unetscope.config import hub
from unetscope.errors import ConfigError, Place, nearest
from unetscope.files import reading, weights
from unetscope.files.reading import is_file, is_folder, is_there
from unetscope.wording import quoted

SUFFIXES = (".yaml", ".yml", ".json")
MODEL_CONFIGS = ("unet/config.json", "config.json")
"""Files that stand for their folder, the first that is there."""
LARGEST_FILE = 1_000_000
"""Bytes; published configs have about 2,000."""


@cache
def shipped() -> dict[str, Path]:
    """The configs that come with the package: name to path, sorted by name."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    folder = installed if installed.is_dir() else package.parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def index_file() -> Path:
    """Where the index of the shipped configs lies: beside them."""
    return next(iter(shipped().values())).with_name("index.json")


def read_index() -> dict[str, dict[str, Any]]:
    """What is known of each shipped config, by name."""
    index: dict[str, dict[str, Any]] = json.loads(index_file().read_text(encoding="utf-8"))
    return index


@cache
def heirs() -> Counter[str]:
    """How many shipped configs extend each of them: of equal networks, the one that most know."""
    return Counter(about["extends"] for about in read_index().values())


def split_part(reference: str, *, folder: Path | None = None) -> tuple[str, str | None]:
    """`cldm_v15.yaml#unet_config` in two, unless there is a file of that very name."""
    stem, mark, part = reference.rpartition("#")
    if not mark or is_there((folder or Path()) / reference):
        return reference, None
    return stem, part


def locate(reference: str, *, folder: Path | None = None, place: Place | None = None) -> Path:
    """The file that a reference means: a path first, then the name of a shipped config.

    Args:
        reference: such as `./mine/sd15.yaml`, `sd15.yaml` or `sd15`; or a folder that holds one
            of `MODEL_CONFIGS`.
        folder: what relative paths start from, if not the working directory.
        place: where the reference was read, for the error.

    Raises:
        ConfigError: there is no such file.
    """
    path = Path(reference) if folder is None else folder / reference
    try:
        there, folder_there = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        message = f"cannot look for {quoted(reference)}: {reading.why(error)}"
        raise ConfigError(message, place=place) from None
    if there and not folder_there and reference:
        if place is not None and not is_file(path):  # a pipe would be waited for
            raise ConfigError(f"{quoted(reference)} is no regular file", place=place)
        return path
    if folder_there and reference and (inside := _inside(path)):
        return inside
    configs = shipped()
    stem = reference.removesuffix(".yaml")
    if stem in configs:
        return configs[stem]
    if folder_there:
        if not os.access(path, os.R_OK | os.X_OK):
            raise ConfigError(f"cannot read the folder `{reference}`: permission denied")
        raise ConfigError(
            f"{quoted(reference)} is a folder without unet/config.json or config.json",
            hint="name a config file, or the folder of a model in diffusers' form",
            place=place,
        )
    sources = {name: about["source"].partition(",")[0] for name, about in read_index().items()}
    published = hub.instead(reference, sources, beside=is_folder(path.parent))
    nothing = "; nothing is downloaded from a model hub" if published else ""
    raise ConfigError(
        f"there is no file and no shipped config {quoted(reference)}{nothing}",
        hint=published or _suggest(path, stem),
        place=place,
    )


def _inside(folder: Path) -> Path | None:
    """The UNet's config in the folder of a pipeline in diffusers' form, or of the UNet alone."""
    found = (folder / name for name in MODEL_CONFIGS)
    return next((path for path in found if is_there(path)), None)


def _suggest(path: Path, stem: str) -> str:
    for suffix in SUFFIXES:
        if is_file(beside := path.with_name(path.name + suffix) if path.name else path):
            return f"did you mean {quoted(str(beside))}?"
    name = Path(stem)
    if guess := nearest(name.stem if name.suffix in SUFFIXES else name.name, shipped()):
        return f"did you mean {quoted(guess)}? `unetscope list` shows the shipped configs"
    return "`unetscope list` shows the shipped configs"


def read_text(path: Path) -> str:
    """The text of a config file.

    Raises:
        ConfigError: it cannot be read, is larger than `LARGEST_FILE`, or is not UTF-8 text.
        UnetscopeError: it holds weights.
    """
    place = Place(str(path))
    try:
        content = reading.content(path, LARGEST_FILE)
    except OSError as error:
        raise ConfigError(f"cannot be read: {reading.why(error)}", place=place) from None
    if kind := weights.kind(content):
        raise weights.no_network(kind, place)
    if len(content) > LARGEST_FILE:
        raise ConfigError(
            f"larger than {LARGEST_FILE:,} bytes, the bound for a config", place=place
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError("UTF-16 text; a config is UTF-8", place=place)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at offset {error.start:,} is not UTF-8"
        raise ConfigError(f"not a text file: {found}", place=place) from None
