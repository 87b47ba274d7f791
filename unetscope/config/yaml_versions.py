"""What YAML 1.1 reads otherwise than YAML 1.2, and how to write it so that both agree.

unetscope reads YAML 1.2, where `1e-5` is a number. PyYAML, and editors that check a config against
a schema, read YAML 1.1, where it is a string, `no` is false and `017` is fifteen.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import yaml

from unetscope.config.document import Scalar
from unetscope.config.writing import spelled
from unetscope.errors import Place
from unetscope.findings import Path
from unetscope.wording import dotted, found

_MAY_DIFFER = re.compile(r"[-+.\d].*|=|y|n|yes|no|on|off", re.IGNORECASE)
_AGREED = re.compile(r"[-+]?(0|[1-9]\d*|\d+\.\d*([eE][-+]\d+)?)", re.ASCII)
"""Usual numbers; asking YAML 1.1 takes a while."""
_LONGEST = 40
"""Characters that a note quotes; no number, date or word of YAML 1.1 that people write has more."""


def other_reading(text: str, value: Scalar, path: Path, place: Place) -> str | None:
    """The note that YAML 1.1 reads a plain scalar otherwise; None if it does not.

    Args:
        text: the scalar as it is written.
        value: what YAML 1.2 reads.
        path: of its key.
        place: of the scalar.
    """
    if len(text) > _LONGEST or not _MAY_DIFFER.fullmatch(text) or _AGREED.fullmatch(text):
        return None
    read = _read(text)
    if type(read) is type(value) and repr(read) == repr(value):
        return None
    where = f"{place}: {dotted(path)}" if path else str(place)
    return (
        f"{where}: PyYAML and editors read YAML 1.1, where {text} is "
        f"{_spelled(read)}; written {spelled(value)}, it is {_kind(value)} everywhere"
    )


def _read(text: str) -> Any:
    """What YAML 1.1 makes of a scalar; an error if it takes it for what cannot be."""
    reader: Any = yaml.SafeLoader("")
    tag = reader.resolve(yaml.ScalarNode, text, (True, False))
    try:
        return reader.construct_object(yaml.ScalarNode(tag, text))
    except (yaml.YAMLError, ValueError) as error:
        return error


def _spelled(read: Any) -> str:
    if isinstance(read, Exception):
        return "an error"
    if isinstance(read, date):
        return "a date"
    return "a string" if isinstance(read, str) else found(read)


def _kind(value: Scalar) -> str:
    return "a string" if isinstance(value, str) else "that number"
