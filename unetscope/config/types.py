"""Values against types: msgspec checks them, and a mismatch is described in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec

from unetscope.findings import Path
from unetscope.wording import found, series

_WORDS = {
    Any: ("a value", "values"),
    int: ("an int", "ints"),
    float: ("a number", "numbers"),
    str: ("a string", "strings"),
    bool: ("true or false", "booleans"),
    type(None): ("null", "nulls"),
}


class Mismatch(NamedTuple):
    """A value that is not of its type, at the innermost place where that shows."""

    path: Path
    message: str


class Alternative(NamedTuple):
    """One member of a union: `int` with its bounds, a list with its items' type, null."""

    kind: type
    item: Any
    meta: msgspec.Meta | None


def mismatches(value: Any, wanted: Any, path: Path = ()) -> Iterator[Mismatch]:
    """What in a value from a config is not of the type that its key wants."""
    if isinstance(value, float) and not isfinite(value):
        yield Mismatch(path, f"expected {_expected(wanted, value)}, found {value}, not finite")
        return
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        pass
    else:
        return
    of_items: list[Mismatch] = []
    if isinstance(value, list):
        for item_type in _item_types(wanted):
            for index, item in enumerate(value):
                of_items += mismatches(item, item_type, (*path, index))
    yield from of_items or [
        Mismatch(path, f"expected {_expected(wanted, value)}, found {found(value)}")
    ]


def _expected(wanted: Any, value: Any) -> str:
    """What a type allows; only the bounds, if the value is outside the bounds of its own kind."""
    members = list(alternatives(wanted))
    for alternative in members:
        if _is_kind(value, alternative.kind):
            return _words(alternative) + _bounds(alternative)
    return " or ".join(_words(alternative) for alternative in members)


def alternatives(wanted: Any, meta: msgspec.Meta | None = None) -> Iterator[Alternative]:
    """The members of a union, or the one type that it is."""
    origin = get_origin(wanted)
    if origin is Annotated:
        inner, *metas = get_args(wanted)
        yield from alternatives(inner, metas[-1])
    elif origin in (Union, UnionType):
        for member in get_args(wanted):
            yield from alternatives(member)
    elif origin is tuple:
        yield Alternative(list, get_args(wanted)[0], meta)
    else:
        yield Alternative(wanted, None, meta)


def _item_types(wanted: Any) -> Iterator[Any]:
    return (a.item for a in alternatives(wanted) if a.kind is list)


def _is_kind(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind in (bool, Any)
    return kind is Any or isinstance(value, (int, float) if kind is float else kind)


def _words(alternative: Alternative) -> str:
    if alternative.kind is list:
        length = _fixed_length(alternative.meta)
        return f"a list of {f'{length} ' if length else ''}{_plural(alternative.item)}"
    return _WORDS.get(alternative.kind, ("a mapping", ""))[0]


def _plural(wanted: Any) -> str:
    members = sorted(alternatives(wanted), key=lambda alternative: alternative.kind is list)
    words = (
        f"lists of {_plural(a.item)}" if a.kind is list else _WORDS[a.kind][1] for a in members
    )
    return series(words, "or")


def _fixed_length(meta: msgspec.Meta | None) -> int | None:
    return meta.min_length if meta and meta.min_length == meta.max_length else None


def _bounds(alternative: Alternative) -> str:
    meta = alternative.meta
    if meta is None:
        return ""
    if alternative.kind in (list, str):
        low, high, unit = meta.min_length, meta.max_length, "entries"
        if alternative.kind is str:
            unit = "characters"
        if low == high:
            return ""
        return f" with {low or 0:,} to {high:,} {unit}" if high else f" with at least {low} {unit}"
    if meta.ge is not None and meta.le is not None:
        return f" from {meta.ge:,} to {meta.le:,}"
    limits = (
        ("above", meta.gt),
        ("of at least", meta.ge),
        ("below", meta.lt),
        ("of at most", meta.le),
    )
    said = [f"{word} {limit:,}" for word, limit in limits if limit is not None]
    return f" {' and '.join(said)}" if said else ""
