"""`--set block_out_channels.3=960`: one value of `unet`, given on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from unetscope.config.document import Document, next_layer, parse
from unetscope.config.sections import Key
from unetscope.errors import ConfigError, Place
from unetscope.findings import Path
from unetscope.wording import found, quoted, shown

_INDEX = re.compile(r"[0-9]{1,6}")
_KEY = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[[^.\[\]]+\])*")


def override(document: Document, text: str, keys: Mapping[str, Key]) -> Document:
    """The document with one value of its `unet` replaced.

    Args:
        document: a config whose `unet` is a mapping.
        text: `KEY=VALUE`, the key with or without `unet.`, its indices as `.3` or `[3]`, the value
            in YAML.
        keys: the options of the config's family; an index into one that is not written finds the
            items of its default.

    Raises:
        ConfigError: the text is not of that form, or an index is not one of its list.
    """
    place = Place(f"--set {shown(text)}")
    name, indices = _key(text, place)
    value = _value(text.partition("=")[2], place)
    unet = deepcopy(document.data["unet"])
    if indices and name in keys:
        current = unet.setdefault(name, _plain(keys[name].default))
        _set(current, (name, *indices), value, place)
    else:
        unet[name] = value
    path = ("unet", name, *indices)
    places = {known: at for known, at in document.places.items() if known[: len(path)] != path}
    place = replace(place, layer=next_layer(places))
    places[path] = place
    places.setdefault(("unet", name), place)
    return replace(document, data={**document.data, "unet": unet}, places=places)


def _key(text: str, place: Place) -> tuple[str, list[str | int]]:
    """The option's name, and the indices into its value."""
    key, equals, _ = text.partition("=")
    if not equals or not _KEY.fullmatch(key):
        raise ConfigError(
            "expected KEY=VALUE",
            hint="for example --set block_out_channels.3=960",
            place=place,
        )
    names = [part.removesuffix("]") for part in re.split(r"[.\[]", key)]
    if names[0] == "unet" and len(names) > 1:
        del names[0]
    name, *rest = names
    return name, [int(part) if _INDEX.fullmatch(part) else part for part in rest]


def _value(text: str, place: Place) -> Any:
    try:
        return parse(text, place.file).data
    except ConfigError as error:
        raise ConfigError(error.message, hint=error.hint, place=place) from None


def _set(current: Any, path: Path, value: Any, place: Place) -> None:
    """Put `value` at `path`, of which `current` is the value of the first key."""
    for depth, index in enumerate(path[1:], start=1):
        holder = ".".join(map(str, path[:depth]))
        if not isinstance(current, list):
            raise ConfigError(
                f"{holder} is {found(current)}, not a list",
                hint=f"give the whole list: --set {holder}=[…]",
                place=place,
            )
        if not isinstance(index, int):
            raise ConfigError(
                f"expected an index from 0 to {len(current) - 1}, found {quoted(index)}",
                place=place,
            )
        if index >= len(current):
            entries = f"{len(current)} {'entry' if len(current) == 1 else 'entries'}"
            raise ConfigError(f"index {index}, but the list has {entries}", place=place)
        if depth == len(path) - 1:
            current[index] = value
        current = current[index]


def _plain(default: Any) -> Any:
    """A default as a config would hold it."""
    return [_plain(item) for item in default] if isinstance(default, tuple) else default
