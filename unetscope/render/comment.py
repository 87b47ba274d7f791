"""Tables as the body of a pull request's comment: whole tables, as many as GitHub takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from unetscope.render import Style, markdown, render
from unetscope.table import Cell, Table
from unetscope.words import Words

MOST = markdown.LARGEST_COMMENT - 256
"""Characters; what posts it may add to the line that finds it again."""


def comment(tables: Sequence[Table], style: Style, most: int = MOST) -> str:
    """Write the first tables that fit, and how many were left out; "" if there are none.

    Pictures go first, then what is folded. Of a first table that is too long alone, rows are left
    out.
    """
    order = sorted(tables, key=lambda table: (table.picture is not None, table.folded))
    anchor = next((f"<!-- {table.anchor} -->\n\n" for table in tables if table.anchor), "")

    def written(kept: int) -> str:
        shown = [replace(table, anchor="") for table in order[:kept]]
        words, left = Words(style.language), order[kept:]
        drawn = sum(table.picture is not None for table in left)
        said = (words.tables_left_out, len(left) - drawn), (words.drawings_left_out, drawn)
        notes = tuple(Cell.of(sentence.format(count)) for sentence, count in said if count)
        if notes:
            shown.append(Table("left_out", "", (), (), after=notes))
        return anchor + render(shown, "markdown", style)

    if len(whole := written(len(order))) <= most:
        return whole
    kept = bisect_right(range(1, len(order)), most, key=lambda kept: len(written(kept)))
    return written(kept) if kept else render(order[:1], "markdown", style)
