"""A report as the body of a pull request's comment, in GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unetscope.render import PLAIN, markdown
from unetscope.table import Table

MARKER = "<!-- unetscope-diff -->"
"""By which the comment of an earlier run is found, so that it can be replaced; not shown."""
LARGEST = 65_536
"""Characters of a comment that GitHub takes."""


def comment(
    shown: Sequence[Table], hidden: Sequence[Table], title: str, left_out: str, room: int = LARGEST
) -> str:
    """Write tables, the hidden ones to be unfolded; rows that do not fit are counted.

    Args:
        shown: what stands in the open.
        hidden: what is behind `title`.
        title: of what is hidden.
        left_out: what is said of rows that are left out, with `{}` for their number.
        room: characters that it may have at most.
    """
    most = max((len(table.rows) for table in (*shown, *hidden)), default=0)
    text = _written(shown, hidden, title, left_out, most)
    while len(text) > room and most:
        most = most * 4 // 5
        text = _written(shown, hidden, title, left_out, most)
    return text


def _written(
    shown: Sequence[Table], hidden: Sequence[Table], title: str, left_out: str, most: int
) -> str:
    parts = [MARKER, _tables(shown, left_out, most)]
    if hidden:
        summary = f"<details>\n<summary>{title}</summary>"
        parts += [summary, _tables(hidden, left_out, most), "</details>"]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _tables(tables: Sequence[Table], left_out: str, most: int) -> str:
    return markdown.render([_cut(table, left_out, most) for table in tables], PLAIN)


def _cut(table: Table, left_out: str, most: int) -> Table:
    cut = len(table.rows) - most
    if cut <= 0:
        return table
    said = table.columns[0].cell(left_out.format(cut))
    return replace(table, rows=table.rows[:most], after=(*table.after, said))
