"""What formats share: cells as lines of marked text, and findings."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from unetscope.errors import UnetscopeError
from unetscope.table import USUAL_WIDTH, Cell, Kind, Table
from unetscope.units import spell


class Span(NamedTuple):
    """Text within one line that is marked alike."""

    text: str
    kind: Kind = Kind.TEXT
    strong: bool = False
    code: bool = False
    heading: bool = False
    faint: bool = False


def lines(cell: Cell, *, strong: bool = False) -> list[list[Span]]:
    """The lines of a cell, each of spans; `strong` marks all of it."""
    found: list[list[Span]] = [[]]
    for part in cell.parts:
        first, *others = spell(part.value, part.kind).split("\n")
        known = part.value is not None
        for number, text in enumerate((first, *others)):
            if number:
                found.append([])
            if text:
                span = Span(printable(text), part.kind, strong or part.strong, part.code and known)
                found[-1].append(span)
    return found


def title(text: str, *, strong: bool = False) -> list[Span]:
    """A title of a section, row or column as one line."""
    return [Span(printable(text), strong=strong, heading=True)] if text else []


def picture(table: Table, width: int | None = None, *, ascii: bool = False) -> list[str]:  # noqa: A002
    """The lines of a table's picture, in which nothing steers a terminal."""
    if table.picture is None:
        return []
    return [*map(printable, table.picture.lines(width or USUAL_WIDTH, ascii=ascii))]


def printable(text: str) -> str:
    r"""Write out every character that steers a terminal or hides itself: `\x1b`, `\u202e`."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")


def findings(tables: Sequence[Table], format: str) -> list[dict[str, Any]]:  # noqa: A002
    """The records of all findings; a hint is the last line of its message.

    Raises:
        UnetscopeError: no table holds findings.
    """
    holding = [table for table in tables if table.holds_findings]
    if tables and not holding:
        raise UnetscopeError(
            f"the format {format} marks findings, and there are none in these tables",
            hint="`unetscope check` has it",
        )
    records = [table.record(row) for table in holding for row in table.rows]
    for record in records:
        record["message"] = "\n".join(filter(None, (record["message"], record.get("hint"))))
    return records
