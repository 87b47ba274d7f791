"""Cells side by side in aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from unetscope.render.layout import Line, fold, share, trimmed, width
from unetscope.render.spans import Span

Block = Sequence[Line]
"""The lines of one cell."""
Row = Sequence[Block]

_GAP = 2
"""Cells between two columns."""


def grid(
    rows: Sequence[Row],
    room: int | None,
    *,
    right: Sequence[bool] = (),
    header: bool = True,
    total: bool = False,
) -> list[Line]:
    """Lay rows out in aligned columns, at most `room` cells wide in all.

    Args:
        rows: as many blocks each.
        room: None for no limit.
        right: which columns are aligned on the right; none unless told.
        header: whether the first row is set off by a rule.
        total: whether the last is.

    Returns:
        The lines; none if the columns would be too narrow to read.
    """
    columns = [_lines(column) for column in zip(*rows, strict=True)]
    shares = share(columns, None if room is None else room - _GAP * (len(columns) - 1))
    if shares is None:
        return []
    folded = [
        [_folded(block, cells) for block, cells in zip(row, shares, strict=True)] for row in rows
    ]
    widths = [max(map(width, _lines(column)), default=0) for column in zip(*folded, strict=True)]
    laid = [list(_laid(row, widths, right)) for row in folded]
    rule: Line = [Span((" " * _GAP).join("─" * cells for cells in widths), heading=True)]
    if header:
        laid[0].append(rule)
    if total:
        laid[-1].insert(0, rule)
    return [line for row in laid for line in row]


def side_by_side(titles: Row, records: Sequence[Row], room: int | None) -> list[Sequence[Row]]:
    """Share out records to as few groups of about one size as fit, each beside the titles."""
    free = None if room is None else room - _natural(titles)
    needed = [_GAP + _natural(record) for record in records]
    groups = [slice(None)]
    for count in range(1, len(records) + 1):
        edges = [len(records) * i // count for i in range(count + 1)]
        groups = [slice(*edge) for edge in pairwise(edges)]
        if free is None or all(sum(needed[group]) <= free for group in groups):
            break
    return [records[group] for group in groups]


def _natural(row: Row) -> int:
    return max(map(width, _lines(row)), default=0)


def _lines(blocks: Sequence[Block]) -> list[Line]:
    return [line for block in blocks for line in block]


def _folded(block: Block, room: int) -> Block:
    return [part for line in block for part in fold(line, room)]


def _laid(row: Row, widths: Sequence[int], right: Sequence[bool]) -> Iterator[Line]:
    for parts in zip_longest(*row, fillvalue=()):
        line: list[Span] = []
        for i, part in enumerate(parts):
            space = Span(" " * (widths[i] - width(part)))
            line += [space, *trimmed(part)] if right and right[i] else [*trimmed(part), space]
            line.append(Span(" " * _GAP))
        yield line
