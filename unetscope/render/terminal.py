"""Tables for reading in a terminal or a pipe.

Weight, faintness and one accent colour carry the marks, since those read on light and dark
backgrounds alike; without colour, position and rules do. What is too wide for the terminal is
folded, never cut; a table of one record a column goes on below itself, and one of too many columns
shows its records one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from unetscope.render.grid import Row, grid, side_by_side
from unetscope.render.layout import Line, fold
from unetscope.render.spans import Span, lines, title
from unetscope.table import Kind

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import Cell, Table

_NARROWEST = 20
"""Cells that a terminal is taken to have at least."""
_NUMBERS = {Kind.COUNT, Kind.BYTES, Kind.MACS, Kind.SHARE}
_STRONG, _FAINT, _ACCENT = "1", "2", "36"


def render(tables: Sequence[Table], style: Style) -> str:
    """Write each table below its title, in lines of at most `style.width` cells."""
    room = None if style.width is None else max(style.width, _NARROWEST)
    paint = _colored if style.color else _plain
    sections = ("".join(f"{paint(line)}\n" for line in _section(table, room)) for table in tables)
    return "\n".join(filter(None, sections))


def _section(table: Table, room: int | None) -> Iterator[Line]:
    if table.title:
        mark = Span("━━ " if table.level == 1 else "── ", code=True)
        yield from fold([mark, *title(table.title, strong=True)], room)
    parts = [_text(table.before, room), _body(table, room), _text(table.after, room)]
    yield from _apart(filter(None, parts))


def _text(cells: Sequence[Cell], room: int | None) -> list[Line]:
    return [part for cell in cells for line in lines(cell) for part in fold(line, room)]


def _body(table: Table, room: int | None) -> list[Line]:
    if not table.columns:
        return []
    titles: Row = [[title(column.title)] for column in table.columns]
    records: list[Row] = [[lines(cell) for cell in table.cells(row)] for row in table.rows]
    if table.total:
        records.append([lines(cell, strong=True) for cell in table.cells(table.total)])
    if table.facts:
        return _facts(titles, records[0], room)
    if table.transposed:
        groups = side_by_side(titles, records, room)
        return _apart(grid(list(zip(titles, *group, strict=True)), room) for group in groups)
    rows = [titles, *records]
    return grid(rows, room, right=_right(table), total=bool(table.total)) or _apart(
        _facts(titles, record, room) for record in records or [[[] for _ in titles]]
    )


def _facts(titles: Row, record: Row, room: int | None) -> list[Line]:
    return grid(list(zip(titles, record, strict=True)), room, header=False)


def _right(table: Table) -> list[bool]:
    """Which columns hold numbers, to be aligned on the right."""
    return [
        column.kind in _NUMBERS or _are_numbers(column.cell(row[i]).data for row in table.rows)
        for i, column in enumerate(table.columns)
    ]


def _are_numbers(data: Iterable[object]) -> bool:
    known = [value for value in data if value is not None]
    return bool(known) and all(type(value) in (int, float) for value in known)


def _apart(groups: Iterable[Sequence[Line]]) -> list[Line]:
    """The lines of all groups, with an empty line between two."""
    found: list[Line] = []
    for number, group in enumerate(groups):
        found += [[], *group] if number else group
    return found


def _plain(line: Line) -> str:
    return "".join([span.text for span in line]).rstrip(" ")


def _colored(line: Line) -> str:
    left = len(_plain(line))
    painted = ""
    for codes, spans in groupby(line, key=_codes):
        text = "".join(span.text for span in spans)[:left]
        left -= len(text)
        painted += f"\x1b[{codes}m{text}\x1b[0m" if codes and text.strip() else text
    return painted


def _codes(span: Span) -> str:
    weight = _STRONG if span.strong else _FAINT if span.heading else ""
    return ";".join(filter(None, [weight, _ACCENT if span.code else ""]))
