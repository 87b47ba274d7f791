"""Tables in another code base's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from unetscope.table import Cell, Part, Table
from unetscope.views.view import dotted, in_code

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")


def renamed(tables: Sequence[Table], names: Mapping[str, str]) -> list[Table]:
    """The same tables with other names for modules and parameters."""
    return [_table(table, names) for table in tables] if names else list(tables)


def _table(table: Table, names: Mapping[str, str]) -> Table:
    code = [column.code for column in table.columns]

    def row(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            _cell(value, names)
            if isinstance(value, Cell)
            else (_text(value, names) if is_code and isinstance(value, str) else value)
            for value, is_code in zip(values, code, strict=True)
        )

    return replace(
        table,
        title=_text(table.title, names),
        rows=tuple(row(values) for values in table.rows),
        total=None if table.total is None else row(table.total),
        before=tuple(_cell(cell, names) for cell in table.before),
        after=tuple(_cell(cell, names) for cell in table.after),
        data=_data(table.data, names),
    )


def _cell(cell: Cell, names: Mapping[str, str]) -> Cell:
    return Cell(tuple(_part(part, names) for part in cell.parts), _data(cell.data, names))


def _part(part: Part, names: Mapping[str, str]) -> Part:
    if part.code and isinstance(part.value, str):
        return replace(part, value=_text(part.value, names))
    return part


def _data(data: Any, names: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        return _text(data, names)
    if isinstance(data, dict):
        return {key: _data(value, names) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return type(data)(_data(item, names) for item in data)
    return data


def _text(text: str, names: Mapping[str, str]) -> str:
    """`text` with each path in it renamed, in the spelling that it had."""

    def rename(found: re.Match[str]) -> str:
        path = found[0]
        name = names.get(dotted(path))
        if name is None:
            return path
        return in_code(name) if "[" in path else name

    return _PATH.sub(rename, text)
