"""The forms between views and renderers: a table of typed cells, and a chart.

A view chooses rows, columns and values; a renderer spells them. A view never formats a number,
a renderer never chooses one. The kind of a value says how `units.spell` writes it for people;
json and csv hold the value itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Protocol


class Content(Enum):
    """What a command puts out: not every format can hold all of it."""

    TABLES = auto()  # tables of any columns
    FINDINGS = auto()  # what is wrong, each finding at a line of a file
    CHANGES = auto()  # what changed between two networks, and whether that may pass


class Reader(Enum):
    """Who a format is for; of a diff, each reads another table."""

    PEOPLE = auto()  # in a terminal or a browser
    REVIEWERS = auto()  # in a comment on a pull request
    PROGRAMS = auto()  # all there is, as records
    REVIEW_TOOLS = auto()  # what marks lines of files
    TEST_TOOLS = auto()  # what shows cases that pass or fail


class Kind(Enum):
    """What a value is, and so how it is written for people (see `units.spell`)."""

    TEXT = auto()  # str, int or bool: as it is
    COUNT = auto()  # int: 859,520,964
    BYTES = auto()  # int of bytes: 5.0 MiB
    DECIMAL_BYTES = auto()  # int of bytes, by thousands: 5.2 MB
    SECONDS = auto()  # float of seconds: 12.3 ms
    MACS = auto()  # int of multiply-adds: 401.6 GMACs
    FLOPS = auto()  # int, two for each multiply-add: 803.3 GFLOPs
    SHARE = auto()  # float in 0..1: 12.3 %
    RATIO = auto()  # float, how many times as much: 2.99x
    NUMBER = auto()  # float: 0.0001059, 62,832
    FRACTION = auto()  # float about as large as 1: -0.5063
    DIFFERENCE = auto()  # float, relative to what is compared: 1.3e-07
    SHAPE = auto()  # dims: [B, 1280, 8, 8]
    TUPLE = auto()  # dims: (1, 1280, 8, 8)
    SIZE = auto()  # spatial dims: 64x64
    CHANNELS_AND_SIZE = auto()  # (C, H, W): (320, 64x64), as the article's residual table


@dataclass(frozen=True)
class Part:
    """One piece of a cell.

    Attributes:
        value: what is to be written.
        kind: how.
        strong: set in bold.
        code: set as code (a path, a shape, a name from the source).
    """

    value: Any
    kind: Kind = Kind.TEXT
    strong: bool = False
    code: bool = False


BREAK = Part("\n")
"""A line break inside a cell."""


@dataclass(frozen=True)
class Cell:
    """A cell of several parts.

    Attributes:
        parts: what people read, in order.
        data: what json and csv hold: a number, a string, a bool, None or a list of them; in a
            column of several `keys`, one such value for each, or None.
    """

    parts: tuple[Part, ...]
    data: Any

    @classmethod
    def of(
        cls,
        value: Any,
        kind: Kind = Kind.TEXT,
        *,
        strong: bool = False,
        code: bool = False,
        data: Any = ...,
    ) -> Cell:
        """A cell of one part whose data is its value, unless `data` says otherwise."""
        return cls((Part(value, kind, strong, code),), value if data is ... else data)


def paragraph(sentences: Iterable[str]) -> Cell:
    """Sentences one after the other; a Chinese full stop needs no space behind it."""
    return Cell.of(" ".join(sentences).replace("。 ", "。"))


Value = Cell | str | int | float | bool | Sequence[Any] | None
"""What a row may hold: a bare value is written as its column's kind says."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: its stable name in json and csv; holds the unit (`weight_bytes`).
        title: its title for people, in their language.
        kind: the kind of its bare values.
        code: whether its bare values are set as code.
        priority: 0 if no reader can do without it; of the others, whose cells are one line each, a
            terminal that is too narrow leaves out first the one with the largest number, of equals
            the one on the right. From 5 on, it is shown only where nothing folds.
        zeros: whether a terminal prints a 0; if not, it stays blank, as where most values are 0.
        keys: the keys of its data, if its cells hold several values each; then `key` is no key.
        legend: a sentence for people on what it holds, `{title}` for its title; empty if its title
            says enough.
        read: whether people read it; if not, programs alone do.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    code: bool = False
    priority: int = 0
    zeros: bool = True
    keys: tuple[str, ...] = ()
    legend: str = ""
    read: bool = True

    def cell(self, value: Value) -> Cell:
        """The cell that a row's value stands for."""
        if isinstance(value, Cell):
            return value
        return Cell.of(value, self.kind, code=self.code)


FINDING = ("level", "file", "line", "column", "id", "message")
"""The columns of a table of findings; `level` is error, warning or notice. It may have more."""

_NUMBERS = {Kind.COUNT, Kind.BYTES, Kind.MACS, Kind.SHARE, Kind.NUMBER, Kind.FRACTION}


USUAL_WIDTH = 80
"""Cells of a line where there is no terminal to say how many."""


class Picture(Protocol):
    """What people see as lines of text that are as wide as they are, and programs do not."""

    def lines(self, width: int, *, ascii: bool = False) -> Sequence[str]:  # noqa: A002
        """The lines, of at most so many cells; none if there is no room.

        Args:
            width: cells of a line.
            ascii: whether only characters of ASCII are understood, in lines and arrows.
        """


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        key: its stable name, used by `--sections` and in json.
        title: its title for people; empty if it needs none.
        columns: what a record holds.
        rows: one record a row, as long as `columns`.
        total: the record that sums the rows, set off below them; json holds it beside the rows,
            csv leaves it out, so that adding up a column gives the total.
        before: paragraphs above the table.
        after: paragraphs below it (sums, verdicts, conventions).
        paragraphs: what is read in a terminal in the place of the rows, one for each; None: rows.
        transposed: people read one record a column, titles down the left (json and csv do not
            change).
        facts: people read `title: value` lines, as the table has one record.
        folded: people unfold it, where the format can hide it.
        anchor: what marks it in Markdown without being shown, so that a program finds it again.
        level: depth of its heading, 1 for a section.
        repeats: it is one of several with its key (a table a block): json holds a list of them,
            even of one.
        data: what json holds beside the rows (`{"popped": 12}`).
        picture: what stands in the place of rows. Where there is no room for it, or in a format
            without lines of text, the table is left out.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None = None
    before: tuple[Cell, ...] = ()
    after: tuple[Cell, ...] = ()
    paragraphs: tuple[Cell, ...] | None = None
    transposed: bool = False
    facts: bool = False
    folded: bool = False
    anchor: str = ""
    level: int = 1
    repeats: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    picture: Picture | None = None

    def __post_init__(self) -> None:
        for row in (*self.rows, *([self.total] if self.total else [])):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"{self.key}: {len(self.columns)} columns, but a row of {len(row)}"
                )
        if self.facts and len(self.rows) != 1:
            raise ValueError(f"{self.key}: facts are one record, not {len(self.rows)}")

    @property
    def holds_findings(self) -> bool:
        """Whether its rows are findings, which have forms of their own."""
        return set(FINDING) <= {column.key for column in self.columns}

    def holds_numbers(self, index: int) -> bool:
        """Whether a column is to be aligned on the right."""
        column = self.columns[index]
        if column.kind in _NUMBERS:
            return True
        data = [column.cell(row[index]).data for row in self.rows]
        known = [value for value in data if value is not None]
        return bool(known) and all(type(value) in (int, float) for value in known)

    @property
    def right(self) -> list[bool]:
        """Of each column as people read it, whether it is to be aligned on the right."""
        if self.facts:
            return [False, False]
        if not self.transposed:
            return [self.holds_numbers(index) for index in range(len(self.columns))]
        others = range(1, len(self.columns))
        numbers = [i for i in others if self.holds_numbers(i)]
        blank = [i for i in others if i not in numbers and self.is_blank(self.columns[i].key)]
        return [
            False,
            *[len(numbers) > 0 and len(numbers) + len(blank) == len(others)] * len(self.rows),
        ]

    def cells(self, row: Sequence[Value]) -> list[Cell]:
        """The cells of one of its rows."""
        return [column.cell(value) for column, value in zip(self.columns, row, strict=True)]

    def without(self, *keys: str) -> Table:
        """The table without some of its columns, such as one that tells nothing here."""
        kept = [index for index, column in enumerate(self.columns) if column.key not in keys]
        return replace(
            self,
            columns=tuple(self.columns[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in self.rows),
            total=None if self.total is None else tuple(self.total[index] for index in kept),
        )

    @property
    def as_read(self) -> Table:
        """The table without the columns that programs alone read."""
        return self.without(*(column.key for column in self.columns if not column.read))

    def is_blank(self, key: str) -> bool:
        """Whether a column holds nothing in any row: no number but 0, no name, no value."""
        index = [column.key for column in self.columns].index(key)
        return not any(self.columns[index].cell(row[index]).data for row in self.rows)

    def below(self, shown: Collection[int] | None = None) -> tuple[Cell, ...]:
        """What people read below it: a line on what columns hold, then `after`.

        Args:
            shown: the columns that they see, by index; None for all.
        """
        columns = [c for i, c in enumerate(self.columns) if shown is None or i in shown]
        sentences = [c.legend.format(title=c.title) for c in columns if c.legend]
        return (*([paragraph(sentences)] if sentences else []), *self.after)

    @property
    def keys(self) -> list[str]:
        """The keys of a record's data."""
        return [key for column in self.columns for key in column.keys or (column.key,)]

    def record(self, row: Sequence[Value]) -> dict[str, Any]:
        """The data of one of its rows, a flat dict by key."""
        found: dict[str, Any] = {}
        for column, cell in zip(self.columns, self.cells(row), strict=True):
            if column.keys:
                values = [None] * len(column.keys) if cell.data is None else cell.data
                found.update(zip(column.keys, values, strict=True))
            else:
                found[column.key] = cell.data
        return found


@dataclass(frozen=True)
class About:
    """What the tables of one output are about.

    Attributes:
        lines: what people read above the first table, one line each: the name of the network, or
            of several, and what else is said of it.
        data: the same for programs, a record or several: `provenance` in json.
    """

    lines: tuple[tuple[str, str], ...]
    data: Any

    @property
    def cell(self) -> Cell:
        """The lines, with the names set off."""
        parts: list[Part] = []
        for name, rest in self.lines:
            parts += [BREAK] if parts else []
            parts += [Part(name, strong=True), Part(rest)]
        return Cell(tuple(parts), self.data)

    @property
    def names(self) -> str:
        """The names alone."""
        return ", ".join(name for name, _ in self.lines)

    @property
    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join(f"{name}{rest}" for name, rest in self.lines)


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: what it is drawn for.
        values: its stacked parts, one a series, from the bottom.
        note: what is written at its end, beside the total.
    """

    label: str
    values: tuple[int, ...]
    note: str = ""

    @property
    def total(self) -> int:
        """The length of the bar."""
        return sum(self.values)


@dataclass(frozen=True)
class Chart:
    """Bars that share an axis from 0.

    Attributes:
        title: what it shows.
        axis: what the labels name.
        series: the title of each part of a bar, from the bottom.
        bars: in order.
        kind: how the values are written.
    """

    title: str
    axis: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    kind: Kind


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        label: what it is.
        values: at 0, 1, 2 … of the axis, within -1 and 1.
    """

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Curves between -1 and 1, one below the other over one axis.

    Attributes:
        title: what they show.
        axis: what the axis is.
        means: says that a place of a curve of text stands for the mean of `{}` values.
        curves: in order.
    """

    title: str
    axis: str
    means: str
    curves: tuple[Curve, ...]
