"""`extends`: a config that says only what differs from another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from unetscope.config.dialects import in_our_form
from unetscope.config.document import Document, next_layer, parse, read
from unetscope.config.files import locate, read_text, split_part
from unetscope.errors import ConfigError
from unetscope.findings import WRONG_VALUE, Path
from unetscope.wording import found, quoted

LONGEST_CHAIN = 8
"""Files in a chain of `extends`."""

NOT_INHERITED = ("extends", "name", "source")
"""Keys that speak of one file."""


def read_config(path: FilePath, part: str | None = None) -> Document:
    """Read a config file and whatever it extends, merged.

    Args:
        path: the file, in any dialect.
        part: the key of one network, of a file that holds several.

    Raises:
        ConfigError: a file is missing or malformed, or the chain is a circle or too long.
    """
    return _read(path, part, ())


def _read(path: FilePath, part: str | None, above: tuple[FilePath, ...]) -> Document:
    document = in_our_form(read(path), path, part)
    reference = document.data.get("extends") if isinstance(document.data, dict) else None
    if reference is None:
        return document
    place = document.places["extends",]
    if not isinstance(reference, str):
        message = f"expected a string, found {found(reference)}"
        raise WRONG_VALUE.at(("extends",), message).error(document.places)
    chain = (*above, path)
    reference, base_part = split_part(reference, folder=path.parent)
    base_path = locate(reference, folder=path.parent, place=place)
    if any(base_path.resolve() == other.resolve() for other in chain):
        raise ConfigError(
            f"extends: {quoted(reference)} is this file or extends it in turn",
            hint="a shipped config that has the name of this file is meant without its suffix",
            place=place,
        )
    if len(chain) == LONGEST_CHAIN:
        raise ConfigError(
            f"extends: a chain of more than {LONGEST_CHAIN} files, the bound for configs",
            place=place,
        )
    base = _read(base_path, base_part, chain)
    if not isinstance(base.data, dict):
        message = f"expected a mapping, found {found(base.data)}"
        raise ConfigError(message, place=base.places[()])
    return merge(base, document)


def bases(path: FilePath) -> list[FilePath]:
    """The files that a config extends, directly and in turn, as far as they can be told.

    The last may not be there; what is wrong with the others is found when the config is read.
    """
    found: list[FilePath] = []
    while len(found) < LONGEST_CHAIN and (base := _base(path)) is not None:
        found.append(base)
        path = base
    return found


def _base(path: FilePath) -> FilePath | None:
    """The file that a config extends."""
    try:
        text = read_text(path)
        data = parse(text, str(path)).data if "extends" in text else None
    except ConfigError:
        return None
    reference = data.get("extends") if isinstance(data, dict) else None
    if not isinstance(reference, str):
        return None
    reference, _ = split_part(reference, folder=path.parent)
    try:
        return locate(reference, folder=path.parent)
    except ConfigError:
        return path.parent / reference


def merge(base: Document, document: Document) -> Document:
    """What a document says over what its base says; lists are replaced as a whole."""
    inherited = {key: value for key, value in base.data.items() if key not in NOT_INHERITED}
    data = _merged(inherited, document.data)
    kept = {path: place for path, place in base.places.items() if _is_in(data, path)}
    layer = next_layer(base.places)
    given = {path: replace(place, layer=layer) for path, place in document.places.items()}
    places = {**kept, **given}
    return Document(data, places, base.notes + document.notes, base.problems + document.problems)


def _merged(base: Any, data: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(data, dict)):
        return data
    return {**base, **{key: _merged(base.get(key), value) for key, value in data.items()}}


def _is_in(data: Any, path: Path) -> bool:
    """Whether there is a value at the path."""
    for key in path:
        entries = dict(enumerate(data)) if isinstance(data, list) else data
        if not isinstance(entries, dict) or key not in entries:
            return False
        data = entries[key]
    return True
