"""A config file as plain values that remember where each one stands.

What a config needs of YAML and JSON, and no more: mappings with string keys, lists and scalars,
within bounds. `yaml_reader` and `json_reader` read the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from unetscope.config.files import read_text
from unetscope.errors import ConfigError, Place
from unetscope.findings import Finding, Path
from unetscope.wording import dotted

Scalar = str | int | float | bool | None

DEEPEST = 16
"""Levels of nesting."""
MOST_VALUES = 10_000
"""Values in one document, each alias counted with all that it stands for."""
LONGEST_NUMBER = 64
"""Characters; longer numbers are refused: Python itself refuses ints of 4,300 digits."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""What bytes on a command line, or escapes in JSON, may become; no Unicode text holds it."""

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Document:
    """A YAML or JSON document.

    Attributes:
        data: dicts, lists and scalars.
        places: where each value stands: an entry of a mapping at its key, an item of a list at
            itself, the document at its beginning.
        notes: what of the file was left out.
        problems: why the file cannot be read as a config.
    """

    data: Any
    places: Mapping[Path, Place]
    notes: tuple[str, ...] = ()
    problems: tuple[Finding, ...] = ()


def read(path: FilePath) -> Document:
    """Read a config file: as JSON if its suffix says so, else as YAML.

    Raises:
        ConfigError: it cannot be read, or is neither.
    """
    text = read_text(path)
    if path.suffix.lower() != ".json":
        return parse(text, str(path))
    from unetscope.config.json_reader import read_json

    return read_json(text, str(path))


def parse(text: str, file: str) -> Document:
    """Read YAML text; an empty one is None.

    Args:
        text: YAML.
        file: its name, for places.

    Raises:
        ConfigError: it is not YAML, or not the part of YAML that a config needs.
    """
    from unetscope.config.yaml_reader import read_yaml

    return read_yaml(text, file)


class Places(dict[Path, Place]):
    """Places of values, as a reader meets them, within the bounds of a config."""

    def add(self, path: Path, place: Place) -> None:
        """Remember where the value at `path` stands.

        Raises:
            ConfigError: it is nested too deep, or there are too many.
        """
        check_depth(path, place)
        if len(self) >= MOST_VALUES:
            message = f"more than {MOST_VALUES:,} values, the bound for a config"
            raise ConfigError(message, place=place)
        self[path] = place


def next_layer(places: Mapping[Path, Place]) -> int:
    """The layer of what is given after all that stands at these places."""
    return 1 + max((place.layer for place in places.values()), default=-1)


def check_depth(path: Path, place: Place) -> None:
    """Refuse what is nested too deep."""
    if len(path) > DEEPEST:
        message = f"nested deeper than {DEEPEST} levels, the bound for a config"
        raise ConfigError(message, place=place)


def duplicate_key(path: Path, first: Place, place: Place) -> ConfigError:
    """The error of a key that its mapping has already."""
    message = f"{dotted(path)}: duplicate key, first given on line {first.line}"
    return ConfigError(message, place=place)


def resolve(text: str) -> Scalar:
    """The value of a plain scalar by the core schema of YAML 1.2.

    `1e-5` is a float, `on` and `no` are strings. Numbers of JSON are the same there.
    Source: https://yaml.org/spec/1.2.2/#103-core-schema.

    Raises:
        ValueError: it is a number of more than `LONGEST_NUMBER` characters.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if text[0] not in "+-.0123456789":
        return text
    number = _number(text)
    if number is None:
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} characters; the bound is {LONGEST_NUMBER}")
    return number(text)


def _number(text: str) -> Callable[[str], int | float] | None:
    """What turns the text into a number; None if it is none."""
    if _DECIMAL.fullmatch(text):
        return int
    if _PREFIXED.fullmatch(text):
        return lambda prefixed: int(prefixed, base=0)
    if _FLOAT.fullmatch(text):
        return float
    if _SPECIAL.fullmatch(text):
        return lambda special: float(special.replace(".", ""))
    return None
