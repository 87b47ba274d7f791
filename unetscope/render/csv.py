r"""One table as CSV: a header of column keys, then the data of its rows.

Numbers stand as they are, what is not known is empty, a shape reads `1x320x64x64`, a list is
joined by `;`. One that would be split elsewhere is JSON, as is one of nothing: what begins with `[`
is to be read so. Totals are left out, so that adding up a column gives them. Spreadsheets run text
that begins like a formula (`=`, `+`, `-`, `@`): an apostrophe goes before it, as before text that
already has one there; a sign that stands alone is harmless and stays. Control characters are
written out (`\x1b`), so that printing the file is harmless too.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.render.spans import printable
from unetscope.table import Cell, Column, Kind

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table, Value

_DIMS = {Kind.SHAPE, Kind.TUPLE, Kind.SIZE, Kind.CHANNELS_AND_SIZE}
_FORMULA = re.compile(r"'*[=+\-@].", re.DOTALL)


def render(
    tables: Sequence[Table],
    style: Style,  # noqa: ARG001
    about: About | None = None,  # noqa: ARG001
) -> str:
    """Write the one table; several that share key and columns are one.

    Raises:
        UnetscopeError: there is no table or more than one.
    """
    tables = [table for table in tables if table.columns]
    kinds = {(table.key, tuple(table.keys)) for table in tables}
    if len(kinds) != 1:
        keys = ", ".join(dict.fromkeys(table.key for table in tables))
        raise UnetscopeError(
            "csv holds one table; choose one with --sections",
            hint=f"there are {keys}" if keys else "there is no table here",
        )
    rows = (row for table in tables for row in table.rows)
    return "".join(streamed(tables[0], rows))


def streamed(table: Table, rows: Iterable[tuple[Value, ...]]) -> Iterator[str]:
    """A table in pieces: its head, and each row as soon as it is there."""
    yield _line(map(_inert, table.keys))
    for row in rows:
        cells = zip(table.columns, table.cells(row), strict=True)
        yield _line(field for column, cell in cells for field in _fields(column, cell))


def _line(fields: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(fields)
    return out.getvalue()


def _fields(column: Column, cell: Cell) -> Iterator[str]:
    """The fields of a cell, one for each key of its column."""
    dims = any(part.kind in _DIMS for part in cell.parts)
    unknown = [None] * len(column.keys)
    for data in (cell.data or unknown) if column.keys else [cell.data]:
        text = _plain(data, dims=dims)
        yield text if isinstance(data, int | float) else _inert(text)


def _plain(data: Any, *, dims: bool = False) -> str:
    match data:
        case None:
            return ""
        case bool():
            return "true" if data else "false"
        case float():
            return repr(data) if math.isfinite(data) else ""
        case list() | tuple() if any(isinstance(item, list | tuple) for item in data):
            return ";".join(_plain(item, dims=True) for item in data)
        case list() | tuple():
            return _joined(data, "x" if dims and all(map(_is_dim, data)) else ";")
        case _:
            return str(data)


def _joined(items: Sequence[Any], by: str) -> str:
    texts = [_plain(item) for item in items]
    joined = by.join(texts)
    if joined and not joined.startswith("[") and not any(by in text for text in texts):
        return joined
    return json.dumps(list(map(printable, texts)), ensure_ascii=False)


def _is_dim(item: Any) -> bool:
    """Whether an item of a list may be a dim: `B`, `H/8`, `64`."""
    return not any(character.islower() for character in str(item))


def _inert(text: str) -> str:
    text = "\n".join(map(printable, text.split("\n")))
    return f"'{text}" if _FORMULA.match(text) else text
