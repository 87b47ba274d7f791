"""Any table that a view could make, and some that none should, in every format."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len

from unetscope.render import Style, render
from unetscope.render.spans import lines, title
from unetscope.table import Cell, Column, Kind, Part, Table, Value

NASTY = [
    "|",
    "\\",
    "\\|",
    "`",
    "``",
    "<b>",
    "[red]",
    "\x1b[31m",
    "*",
    "_",
    "&amp;",
    "\r\n",
    "\n",
    "尺寸",
    "☺\ufe0f",
]

texts = st.one_of(st.text(max_size=12), st.lists(st.sampled_from(NASTY), max_size=5).map("".join))
dims = st.lists(st.integers(1, 4096) | st.sampled_from(["B", "H/8"]), min_size=1, max_size=5)
parts = st.one_of(
    st.builds(Part, texts, st.just(Kind.TEXT), st.booleans(), st.booleans()),
    st.builds(Part, dims, st.just(Kind.SHAPE), st.booleans(), st.booleans()),
)
data = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
cells = st.builds(Cell, st.lists(parts, min_size=1, max_size=3).map(tuple), data)
values = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**12), texts, cells)


@st.composite
def tables(draw: st.DrawFn, transposed: bool | None = None) -> Table:
    count = draw(st.integers(1, 7))
    titles = draw(st.lists(texts, min_size=count, max_size=count))
    columns = tuple(Column(f"c{i}", name) for i, name in enumerate(titles))
    row = st.lists(values, min_size=count, max_size=count).map(tuple)
    return Table(
        "t",
        draw(texts),
        columns,
        tuple(draw(st.lists(row, max_size=4))),
        total=draw(st.none() | row),
        before=tuple(draw(st.lists(cells, max_size=2))),
        after=tuple(draw(st.lists(cells, max_size=2))),
        transposed=draw(st.booleans()) if transposed is None else transposed,
    )


@given(tables())
@example(Table("t", "", (Column("c0", ""),), (("\r",), ("\n",), ("",), (None,))))
def test_csv_round_trips_through_the_csv_module(table: Table) -> None:
    written = render([table], "csv")
    header, *rows = csv.reader(io.StringIO(written, newline=""))
    assert header == [column.key for column in table.columns]
    assert len(rows) == len(table.rows)
    for row, fields in zip(table.rows, rows, strict=True):
        for cell, field in zip(table.cells(row), fields, strict=True):
            if isinstance(cell.data, str) and cell.data.isprintable():
                assert re.sub(r"^'(?='*[=+\-@].)", "", field) == cell.data
            elif isinstance(cell.data, int) and not isinstance(cell.data, bool):
                assert int(field) == cell.data


@given(tables())
def test_json_round_trips(table: Table) -> None:
    content = json.loads(render([table], "json"))["t"]
    assert content["title"] == table.title
    read = [list(record.values()) for record in content["rows"]]
    for row, values in zip(table.rows, read, strict=True):
        for cell, value in zip(table.cells(row), values, strict=True):
            unknown = isinstance(cell.data, float) and not math.isfinite(cell.data)
            assert value == (None if unknown else cell.data)


def fields(row: str) -> list[str]:
    """The cells of a Markdown row: what stands between pipes that no backslash escapes."""
    return re.findall(r"\|((?:\\.|[^\\|])*)", row)[:-1]


def read_by_others(markdown: str) -> list[list[str]]:
    """The cells of a Markdown table as an independent parser reads them, without their marks."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append("".join(map(content, token.children or [])))
    return rows


def content(token: Token) -> str:
    if token.type in ("text", "code_inline"):
        return token.content
    if token.type in ("strong_open", "strong_close") or token.content in ("<code>", "</code>"):
        return ""
    return token.content or token.type


def text_of(cell: Cell) -> str:
    return " <br> ".join("".join(span.text for span in line) for line in lines(cell))


@given(tables(transposed=False))
@example(Table("t", "", (Column("c0", "a"), Column("c1", "b")), ((None, "@0"),)))
def test_markdown_cells_stay_cells_and_keep_their_text(table: Table) -> None:
    def words(text: str) -> list[str]:
        return text.replace("*", "").split()  # bold ends only where CommonMark sees a word end

    table = Table("t", "", table.columns, table.rows, total=table.total)
    _, *rows = read_by_others(render([table], "markdown"))
    records = [*table.rows, *([table.total] if table.total else [])]
    for record, row in zip(records, rows, strict=True):
        for cell, field in zip(table.cells(record), row, strict=True):
            # Nobody is called: what would be a name of GitHub's has a space without width in it.
            assert words(field.replace("@\u200b", "@")) == words(text_of(cell))


@given(tables(transposed=True))
def test_markdown_turns_records_into_columns(table: Table) -> None:
    table = Table("t", "", table.columns, table.rows, transposed=True)
    header, _, *rows = render([table], "markdown").split("\n")[:-1]
    assert len(rows) == len(table.columns) - 1
    assert {len(fields(row)) for row in (header, *rows)} == {len(table.rows) + 1}


@given(tables())
def test_no_format_lets_a_control_character_through(table: Table) -> None:
    for name in ("terminal", "markdown", "csv", "json"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", render([table], name))


def longest_piece(table: Table) -> int:
    """Cells of the longest text that no terminal may split."""
    cells = [cell for row in (*table.rows, table.total or ()) for cell in row_of(table, row)]
    texts = [line for cell in (*cells, *table.before, *table.after) for line in lines(cell)]
    texts += [title(text) for text in (table.title, *(column.title for column in table.columns))]
    pieces = ["".join(span.text for span in line) for line in texts]
    return max(map(cell_len, pieces), default=0)


def row_of(table: Table, row: Sequence[Value]) -> list[Cell]:
    return table.cells(row) if row else []


UNTITLED = Table(
    "t",
    "",
    (Column("c0", ""), Column("c1", ""), Column("c2", "000000000")),
    ((None, -10_000, None), ("a", -1_000_000, "b   ")),
)
"""Columns on the right without titles, and spaces at the end of a cell."""


@given(tables(), st.integers(40, 120))
@example(UNTITLED, 40)
def test_no_line_is_wider_than_the_terminal_or_a_name(table: Table, width: int) -> None:
    text = render([table], "terminal", Style(width))
    indented = 2 + longest_piece(table)
    for line in text.split("\n"):
        assert cell_len(line) <= max(width, indented)
        assert line == line.rstrip(" ")


@given(tables(), st.integers(40, 80))
def test_folding_loses_spaces_only(table: Table, width: int) -> None:
    def characters(text: str) -> dict[str, int]:
        return {c: text.count(c) for c in set(text) - set(" \n─")}

    columns = tuple(replace(column, title=f"T{column.title}") for column in table.columns)
    table = Table("t", table.title, columns, table.rows[:1], before=table.before)
    wide = render([table], "terminal")
    narrow = render([table], "terminal", Style(width))
    assert characters(wide) == characters(narrow)


def in_one_line(cell: Cell) -> Cell:
    parts = (
        replace(part, value=part.value.replace("\n", " ")) if isinstance(part.value, str) else part
        for part in cell.parts
    )
    return replace(cell, parts=tuple(parts))


@given(tables(transposed=False), st.lists(st.integers(0, 6), min_size=7, max_size=7))
def test_a_wider_terminal_shows_what_a_narrow_one_does_in_no_more_lines(
    table: Table, priorities: list[int]
) -> None:
    columns = tuple(
        replace(column, title=f"Title{index}", priority=priority)
        for index, (column, priority) in enumerate(zip(table.columns, priorities, strict=False))
    )
    rows = tuple(tuple(map(in_one_line, table.cells(row))) for row in table.rows)
    table = Table("t", "", columns, rows)
    shown: set[str] = set()
    lines = math.inf
    for width in range(30, 200, 13):
        text = render([table], "terminal", Style(width))
        titles = set(re.findall(r"Title\d", re.sub(r"left out: [^(]*", "", text)))
        assert shown <= titles
        # A record that stands by itself needs no rule; in a table it has one.
        count = sum(not re.fullmatch("[─ ]+", line) for line in text.splitlines())
        assert count <= lines
        shown, lines = titles, count
    assert shown


@given(tables())
def test_without_a_terminal_every_text_stands_in_one_line(table: Table) -> None:
    text = render([table], "terminal")
    cells = [cell for row in table.rows for cell in table.cells(row)]
    parts = [line for cell in (*cells, *table.before, *table.after) for line in lines(cell)]
    parts += [title(column.title) for column in table.columns]
    for part in parts:
        assert "".join(span.text for span in part).rstrip(" ") in text


@given(tables(), st.none() | st.integers(40, 120))
def test_colour_changes_nothing_but_colour(table: Table, width: int | None) -> None:
    plain = render([table], "terminal", Style(width))
    colored = render([table], "terminal", Style(width, color=True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
