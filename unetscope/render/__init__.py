"""Typed tables to text, one file a format.

A format is a module with `render(tables, style, about) -> str`. It never prints, never looks at the
environment and never chooses a value; what its syntax could misread, it escapes itself. What the
tables are about stands above the first, if the format has room for it. To add one, write the module
and give it a line in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.table import About, Content, Reader, Table, Value

__all__ = [
    "FORMATS",
    "PLAIN",
    "STREAMED",
    "Content",
    "Format",
    "Reader",
    "Style",
    "format_of",
    "formats",
    "render",
    "streamed",
]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: what `--format` calls it; its module in this package has the same name.
        holds: what can be written in it.
        reader: who it is for.
        suffixes: of files in it, if they tell it; small letters.
        pictures: whether it shows those of tables, as lines of text.
    """

    name: str
    holds: frozenset[Content]
    reader: Reader
    suffixes: tuple[str, ...] = ()
    pictures: bool = False


@dataclass(frozen=True)
class Style:
    """What a renderer may know of where its text goes.

    Attributes:
        width: cells in a line of the terminal; None: no terminal, lines are as long as they are.
        color: whether escape sequences for colour and weight are understood.
        language: of what a renderer has to say itself.
        ascii: whether pictures have only characters of ASCII, in lines and arrows.
    """

    width: int | None = None
    color: bool = False
    language: str = "en"
    ascii: bool = False


PLAIN = Style()

_ALL = frozenset(Content)
FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("terminal", _ALL, Reader.PEOPLE, pictures=True),
        Format("markdown", _ALL, Reader.REVIEWERS, (".md", ".markdown"), pictures=True),
        Format("html", _ALL, Reader.PEOPLE, (".html", ".htm"), pictures=True),
        Format("latex", _ALL, Reader.PEOPLE, (".tex",)),
        Format("json", _ALL, Reader.PROGRAMS, (".json",)),
        Format("csv", frozenset({Content.TABLES, Content.FINDINGS}), Reader.PROGRAMS, (".csv",)),
        Format("github", frozenset({Content.FINDINGS, Content.CHANGES}), Reader.REVIEW_TOOLS),
        Format(
            "sarif",
            frozenset({Content.FINDINGS, Content.CHANGES}),
            Reader.REVIEW_TOOLS,
            (".sarif",),
        ),
        Format("junit", frozenset({Content.CHANGES}), Reader.TEST_TOOLS, (".xml",)),
    )
}
"""Every format by its name; its module is imported when it is asked for."""


def formats(content: Content) -> tuple[str, ...]:
    """The names of the formats that can hold it: the choices of a command's `--format`."""
    return tuple(name for name, one in FORMATS.items() if content in one.holds)


def format_of(suffix: str, content: Content) -> str | None:
    """The name of the format that a file's suffix tells; None if it tells none.

    Raises:
        UnetscopeError: the format cannot hold this content.
    """
    found = next((one for one in FORMATS.values() if suffix.lower() in one.suffixes), None)
    if found is not None and content not in found.holds:
        raise UnetscopeError(
            f"`{suffix}` means the format {found.name}, which cannot hold this command's output",
            hint=f"formats: {', '.join(formats(content))}; `--format` counts before a suffix",
        )
    return None if found is None else found.name


STREAMED = ("terminal", "csv")
"""The formats in which a table may be written row by row, as rows come."""


def streamed(
    table: Table,
    rows: Iterable[tuple[Value, ...]],
    samples: Table,
    format: str,  # noqa: A002
    style: Style = PLAIN,
) -> Iterator[str]:
    """Write a table in pieces, each as soon as it is known.

    Args:
        table: the table, without rows.
        rows: its rows, which may take their time.
        samples: rows as wide as can be expected, by which columns get their widths.
        format: one of `STREAMED`.
        style: of the terminal.
    """
    if format == "csv":
        from unetscope.render import csv

        return csv.streamed(table, rows)
    from unetscope.render import terminal

    return terminal.streamed(table.as_read, map(_as_read(table), rows), samples.as_read, style)


def _as_read(table: Table) -> Callable[[tuple[Value, ...]], tuple[Value, ...]]:
    """What leaves out of a row what programs alone read."""
    kept = [index for index, column in enumerate(table.columns) if column.read]
    return lambda row: tuple(row[index] for index in kept)


def render(
    tables: Sequence[Table],
    format: str,  # noqa: A002
    style: Style = PLAIN,
    about: About | None = None,
) -> str:
    """Write tables in a format; the text ends with one newline, or is empty.

    Raises:
        UnetscopeError: there is no such format, or it cannot hold these tables.
    """
    if format not in FORMATS:
        raise UnetscopeError(
            f"there is no format `{format}`",
            hint=did_you_mean(format, FORMATS) or f"formats: {', '.join(FORMATS)}",
        )
    if FORMATS[format].reader is not Reader.PROGRAMS:
        tables = [table.as_read for table in tables]
    shows = FORMATS[format].pictures
    tables = [table for table in tables if table.picture is None or shows]
    text: str = import_module(f"{__name__}.{format}").render(tables, style, about)
    return text.rstrip("\n") + "\n" if text.strip() else ""
