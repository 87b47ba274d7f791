"""Plain YAML scalars by the core schema of YAML 1.2: `1e-5` is a float, `on` and `no` are strings.

Source: https://yaml.org/spec/1.2.2/#103-core-schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Scalar = str | int | float | bool | None

LONGEST_NUMBER = 64
"""Characters; longer numbers are refused: Python itself refuses ints of 4,300 digits."""

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve(text: str) -> Scalar:
    """The value of a plain scalar.

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
