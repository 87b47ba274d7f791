"""Tables as one JSON object: complete, in a stable order, numbers as they are.

A table stands under its key as its title, its rows and what else it holds; a table of facts as its
one record; tables that share a key as a list. What is not a finite number is null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import Table

# json leaves these as they are, though some steer a terminal and others cannot be encoded.
_UNSEEN = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render(tables: Sequence[Table], style: Style) -> str:  # noqa: ARG001
    """Write tables as one object, indented by two."""
    grouped: dict[str, list[Table]] = {}
    for table in tables:
        grouped.setdefault(table.key, []).append(table)
    content = {
        key: [_object(table) for table in group]
        if len(group) > 1 or group[0].repeats
        else _object(group[0])
        for key, group in grouped.items()
    }
    text = json.dumps(_finite(content), ensure_ascii=False, indent=2, allow_nan=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def _object(table: Table) -> dict[str, Any]:
    if table.facts:
        return {**table.record(table.rows[0]), **table.data}
    content: dict[str, Any] = {"title": table.title}
    if table.columns:
        content["rows"] = [table.record(row) for row in table.rows]
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
