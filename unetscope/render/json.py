"""Tables as one JSON object: complete, in a stable order, numbers as they are.

A table stands under its key as its title, its rows and what else it holds; a table of facts as its
one record; tables that share a key as a list. Facts without a key are those of a document: they
stand in the object itself, and the tables behind them as lists of rows. What all are about stands
under `provenance`. Rows and records are flat:
a value is a number, a string, a bool, null or a list. What is not a finite number is null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table

FORMAT_VERSION = 2
"""Counts the changes that other programs must know of; it stands first in every object."""

# json leaves these as they are, though some steer a terminal and others cannot be encoded.
_UNSEEN = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render(
    tables: Sequence[Table],
    style: Style,  # noqa: ARG001
    about: About | None = None,
) -> str:
    """Write tables as one object, indented by two; as a list of objects if there are several."""
    begun = [index for index, table in enumerate(tables) if not table.key]
    starts = begun if len(begun) > 1 else [0]
    ends = [*starts[1:], len(tables)]
    found = [_content(tables[a:b], about) for a, b in zip(starts, ends, strict=True)]
    content = _finite(found if len(found) > 1 else found[0])
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def _content(tables: Sequence[Table], about: About | None) -> dict[str, Any]:
    content: dict[str, Any] = {"format_version": FORMAT_VERSION}
    if about is not None:
        content["provenance"] = about.data
    if not all(table.key for table in tables):
        facts, *others = tables
        return {**content, **_object(facts), **{table.key: _rows(table) for table in others}}
    grouped: dict[str, list[Table]] = {}
    for table in tables:
        grouped.setdefault(table.key, []).append(table)
    for key, group in grouped.items():
        objects = list(map(_object, group))
        content[key] = objects if len(group) > 1 or group[0].repeats else objects[0]
    return content


def _rows(table: Table) -> list[dict[str, Any]]:
    return [table.record(row) for row in table.rows]


def _object(table: Table) -> dict[str, Any]:
    if table.facts:
        return {**table.record(table.rows[0]), **table.data}
    content: dict[str, Any] = {"title": table.title}
    if table.columns:
        content["rows"] = _rows(table)
    if table.total:
        content["total"] = table.record(table.total)
    return {**content, **table.data}


def _finite(data: Any) -> Any:
    match data:
        case float():
            return data if math.isfinite(data) else None
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case _:
            return data
