"""Tables in another code base's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from unetscope.table import Cell, Part, Table
from unetscope.views.view import dotted, in_code

T = TypeVar("T")

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")


def renamed(tables: Sequence[Table], names: Mapping[str, str]) -> list[Table]:
    """The same tables with other names for modules and parameters."""
    return [_table(table, names) for table in tables] if names else list(tables)


def renamed_paths(value: T, names: Mapping[str, str]) -> T:
    """A record with other names in all the strings that it holds."""
    if isinstance(value, str):
        return cast(T, _text(value, names))
    if isinstance(value, tuple):
        return cast(T, tuple(renamed_paths(item, names) for item in value))
    if is_dataclass(value) and not isinstance(value, (type, Enum)):
        changed = {f.name: renamed_paths(getattr(value, f.name), names) for f in fields(value)}
        return cast(T, replace(value, **changed))
    return value


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
