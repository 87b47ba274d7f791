"""Tables for reading in a terminal or a pipe.

Weight, faintness and one accent colour carry the marks, since those read on light and dark
backgrounds alike; without colour, position and rules do. What is too wide for the terminal is
folded, never cut; columns that do not fit go, least important first, and a line below says which;
a table of one record a column goes on below itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, zip_longest
from typing import TYPE_CHECKING

from unetscope.render.folding import Block, Line, folded, widest, width
from unetscope.render.layout import GAP, Layout, layout, share, side_by_side
from unetscope.render.spans import Span, lines, picture, title
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table, Value

_NARROWEST = 20
"""Width that a terminal is taken to have at least."""


def render(tables: Sequence[Table], style: Style, about: About | None = None) -> str:
    """Write each table below its title, in lines of at most `style.width` cells."""
    groups = groupby(map(_as_read, tables), key=_kind_of_table)
    sections = [section for _, alike in groups for section in _sections(list(alike), style)]
    if about is not None and any(sections):
        told = [folded(lines(about.cell), _room(style))]
        sections.insert(0, _written(told, color=style.color))
    return "\n".join(filter(None, sections))


def streamed(
    table: Table, rows: Iterable[tuple[Value, ...]], samples: Table, style: Style
) -> Iterator[str]:
    """A table in pieces: its head, each row as soon as it is there, and what stands below it.

    Args:
        table: the table, without rows.
        rows: its rows.
        samples: rows that are as wide as the rows may be expected to be; wider ones are folded.
        style: of the terminal.
    """
    room = _room(style)
    found = _layout(samples, _records(samples, room), room)
    if found.by_record:
        yield render([replace(table, rows=tuple(rows))], style)
        return
    shown, widths, right = list(found.widths), list(found.widths.values()), samples.right

    def line(record: Sequence[Block]) -> str:
        cells = [folded(record[index], wide, strict=True) for index, wide in found.widths.items()]
        for place, index in enumerate(shown):
            if right[index]:
                cells[place] = _pushed(cells[place], widths[place])
        return _written([list(_side_by_side(cells, widths))], color=style.color)

    ruled = _written([list(_side_by_side(_rule(widths), widths))], color=style.color)
    yield line(_titles(table)) + ruled
    for row in rows:
        yield line(_records(replace(table, rows=(row,)), room)[0])
    if notes := [folded([note], room) for note in _notes(table, found, style)]:
        yield "\n" + _written(notes, color=style.color)


def _room(style: Style) -> int | None:
    return None if style.width is None else max(style.width, _NARROWEST)


def _sections(tables: Sequence[Table], style: Style) -> Iterator[str]:
    """Tables of one kind: they show the same columns, and the last says what they leave out."""
    room = _room(style)
    if tables[0].picture is not None:
        yield from (_pictured(table, style) for table in tables)
        return
    records = [_records(table, room) for table in tables]
    found = _layout(tables[0], list(chain.from_iterable(records)), room)
    notes = [folded([line], room) for line in _notes(tables[0], found, style)]
    for number, (table, rows) in enumerate(zip(tables, records, strict=True), 1):
        bodies = _bodies(table, rows, found, room)
        read = replace(table, after=table.below(found.widths))
        parts = _section(read, bodies, notes if number == len(tables) else [], room)
        yield _written(parts, color=style.color)


def _pictured(table: Table, style: Style) -> str:
    """A picture below its title; nothing if it has no room."""
    drawn = picture(table, style.width, ascii=style.ascii)
    body = [[Span(line)] for line in drawn]
    parts = _section(table, [body], [], _room(style)) if drawn else ()
    return _written(parts, color=style.color)


def _as_read(table: Table) -> Table:
    """A table with its paragraphs instead of its rows, if it has some."""
    if table.paragraphs is None:
        return table
    text = (*table.before, *table.paragraphs, *table.after)
    return replace(table, columns=(), rows=(), before=text, after=(), paragraphs=None, facts=False)


def _kind_of_table(table: Table) -> tuple[object, ...]:
    """What tables have in common that are laid out alike."""
    columns = [column.key for column in table.columns]
    return table.key, table.facts, table.transposed, columns, table.picture is None


def _written(parts: Iterable[Block], *, color: bool) -> str:
    """The text of some parts, without the spaces at the ends of lines."""
    mark = _marked if color else _unmarked
    written = ("".join(map(mark, line)).rstrip(" ") for part in parts for line in part)
    return "".join(f"{line}\n" for line in written)


def _marked(span: Span) -> str:
    """The text of a span after ANSI's codes of its weight and colour, and before their end."""
    codes = _CODES[span.strong, span.heading or span.faint, span.code]
    return f"\x1b[{codes}m{span.text}\x1b[0m" if codes and span.text else span.text


def _unmarked(span: Span) -> str:
    return span.text


def _layout(table: Table, records: Sequence[Sequence[Block]], room: int | None) -> Layout:
    """The layout of tables of one kind, from the records of all."""
    if not table.columns or table.facts or table.transposed:
        return Layout(dict.fromkeys(range(len(table.columns)), 0))  # all are shown
    columns = list(zip(_titles(table), *records, strict=True))
    priorities = [column.priority for column in table.columns]
    return layout(columns, priorities, room, rules=2 if table.total else 1)


def _notes(table: Table, found: Layout, style: Style) -> Iterator[Line]:
    """What there is no room for, and how to see it."""
    left_out = [column for i, column in enumerate(table.columns) if i not in found.widths]
    if left_out:
        words = Words(style.language)
        titles = words.between_columns.join(column.title for column in left_out if column.title)
        if titles:
            yield [Span(words.columns_left_out.format(columns=titles), faint=True)]


def _section(
    table: Table, bodies: Sequence[Block], notes: Sequence[Block], room: int | None
) -> Iterator[Block]:
    if table.title:
        mark = Span("━━ " if table.level == 1 else "── ", code=True)
        yield folded([[mark, *title(table.title, strong=True)]], room)
    before, after = (
        [folded(lines(cell), room) for cell in cells] for cells in (table.before, table.after)
    )
    groups: list[Sequence[Block]] = [before, *([body] for body in bodies), [*notes, *after]]
    for number, group in enumerate(filter(None, groups)):
        if number:
            yield [[]]
        yield from group


def _titles(table: Table) -> list[Block]:
    return [[title(column.title)] for column in table.columns]


def _records(table: Table, room: int | None) -> list[list[Block]]:
    """The cells of the rows and the total; in a terminal, a 0 is blank where most values are."""
    hidden = [room is not None and not column.zeros for column in table.columns]

    def record(row: Sequence[Value], *, strong: bool = False) -> list[Block]:
        return [
            [] if blank and cell.data == 0 else lines(cell, strong=strong)
            for blank, cell in zip(hidden, table.cells(row), strict=True)
        ]

    records = [record(row) for row in table.rows]
    return [*records, record(table.total, strong=True)] if table.total else records


def _bodies(
    table: Table, records: Sequence[Sequence[Block]], found: Layout, room: int | None
) -> list[Block]:
    """A table, in several parts if it goes on below itself."""
    if not table.columns:
        return []
    titles = _titles(table)
    if table.facts:
        return [_all([titles, records[0]], room, header=False)]
    if table.transposed:
        groups = side_by_side(titles, records, room)
        is_right = table.right[-1]
        return [
            _all([titles, *group], room, right=[False, *[is_right] * len(group)])
            for group in groups
        ]
    shown = list(found.widths)
    rows = [[record[index] for index in shown] for record in (titles, *records)]
    if found.by_record:
        named, *others = rows
        blank: list[Block] = [[] for _ in shown]
        return [_all([named, row], room, header=False) for row in others or [blank]]
    right = [table.right[index] for index in shown]
    untitled = bool(records) and not any(column.title for column in table.columns)
    columns = list(zip(*(rows[1:] if untitled else rows), strict=True))
    widths = list(found.widths.values())
    return [_laid(columns, widths, right=right, total=bool(table.total), header=not untitled)]


def _all(
    columns: Sequence[Sequence[Block]],
    room: int | None,
    *,
    right: Sequence[bool] = (),
    header: bool = True,
) -> Block:
    """Columns of which none may be left out: if they do not fit, they stand below each other."""
    widths = share(columns, room)
    if room is None or sum(widths) + GAP * (len(widths) - 1) <= room:
        return _laid(columns, widths, right=right, header=header)
    indent = Span(" " * GAP)
    stacked: list[Line] = []
    for first, *others in zip(*columns, strict=True):
        stacked += folded(first, room)
        for block in others:
            stacked += [[indent, *line] for line in folded(block, room - GAP)]
    return stacked


def _laid(
    columns: Sequence[Sequence[Block]],
    most: Sequence[int],
    *,
    right: Sequence[bool] = (),
    header: bool = True,
    total: bool = False,
) -> Block:
    """Columns side by side.

    Args:
        columns: as many blocks each.
        most: the width that each may take.
        right: which columns are aligned on the right; none unless told.
        header: whether the first row is set off by a rule.
        total: whether the last is.
    """
    cells = [
        [folded(block, room) for block in column]
        for column, room in zip(columns, most, strict=True)
    ]
    widths = list(map(widest, cells))
    for index in (index for index, is_right in enumerate(right) if is_right):
        cells[index] = [_pushed(block, widths[index]) for block in cells[index]]
    rows = [list(row) for row in zip(*cells, strict=True)]
    if header:
        rows.insert(1, _rule(widths))
    if total:
        rows.insert(-1, _rule(widths))
    return [line for row in rows for line in _side_by_side(row, widths)]


def _rule(widths: Iterable[int]) -> list[Block]:
    """The row that sets off others."""
    return [[[Span("─" * wide, heading=True)]] for wide in widths]


def _pushed(block: Block, room: int) -> list[Line]:
    """Lines aligned on the right."""
    return [[Span(" " * (room - width(line))), *line] for line in block]


def _side_by_side(row: Sequence[Block], widths: Sequence[int]) -> Iterator[Line]:
    """The lines of a row: one at least, also where all of it is blank."""
    for parts in zip_longest(*row, fillvalue=()) if any(row) else [((),) * len(row)]:
        yield [
            span
            for part, wide in zip(map(_bare, parts), widths, strict=True)
            for span in (*part, Span(" " * (wide - width(part) + GAP)))
        ]


def _bare(line: Sequence[Span]) -> Sequence[Span]:
    """A line without the spaces at its end, which its width does not count."""
    end = len(line)
    while end and not line[end - 1].text.rstrip(" "):
        end -= 1
    if end and line[end - 1].text.endswith(" "):
        last = line[end - 1]
        return [*line[: end - 1], last._replace(text=last.text.rstrip(" "))]
    return line[:end]


_CODES = {
    (strong, faint, code): ";".join(["1"] * strong + ["2"] * (faint and not strong) + ["36"] * code)
    for strong in (False, True)
    for faint in (False, True)
    for code in (False, True)
}
"""Bold, dim and cyan: of a span, by whether it is strong, faint, code."""
