"""What rich cannot do for a terminal: fold without splitting names, choose the columns that fit.

A CJK character takes two cells. A number, a shape and a name stay whole; text goes on in the next
line after a space or a CJK character, a path or a title after a space or a dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rich.cells import cell_len

from unetscope.render.spans import Span
from unetscope.table import Kind

Line = Sequence[Span]
Block = Sequence[Line]
"""The lines of one cell."""

GAP = 2
"""Cells between two columns."""
_NARROWEST = 8
"""Cells that a column of text keeps, if it needs as many."""
_COMFORTABLE = 28
"""Cells to which columns fold before others are left out for them."""
_SAVED = 4
"""Cells that make folding worth a line."""
_LATE = 5
"""The priority from which on columns are shown only where none folds."""

_WIDE = "\u2e80-\u303f\u3041-\u9fff\uf900-\ufaff\uff01-\uff60"
_CLOSING = "、。，．：；？！）」』】〉》"
_SHAPE = r"[\[(]-?(?:\d|[A-Z]\b)[\w/.*+]*(?:,\ -?[\w/.*+]+)*,?[\])]"
_UNIT = r"(?<=\d)\ (?=(?:%|[KMGT]?i?B|[kMGT]?(?:MACs|FLOPs))(?!\w))"  # the space before it


def _pattern(word: str) -> re.Pattern[str]:
    """What finds the pieces of a text whose words look so."""
    return re.compile(
        rf"""[^\ {_WIDE}=]+=(?=[\[(])      # the name of a setting, before its value
        | \ *(?:{word})[{_CLOSING}]*\ *    # a word, with the space around it
        | [{_WIDE}][{_CLOSING}]*\ *        # a CJK character
        | \ +""",
        re.VERBOSE,
    )


_TEXT = _pattern(rf"(?:{_SHAPE}|{_UNIT}|[^\ {_WIDE}])+")
_PATH = _pattern(rf"(?:{_SHAPE}|\.(?=\d)|[^\ .{_CLOSING}])+\.*|\.+")  # not before an index


def width(line: Line) -> int:
    """Cells that a line takes, spaces at its end not counted."""
    return cell_len("".join([span.text for span in line]).rstrip(" "))


def trimmed(line: Line) -> Line:
    """The line without spaces at its end."""
    if not line or not line[-1].text.endswith(" "):
        return line
    kept = line[-1].text.rstrip(" ")
    return [*line[:-1], line[-1]._replace(text=kept)] if kept else trimmed(line[:-1])


def fold(line: Line, room: int | None) -> list[Line]:
    """Break a line into lines of at most `room` cells, if its pieces are no longer.

    Args:
        line: of any length.
        room: None for no limit.
    """
    if room is None or width(line) <= room:
        return [line]
    folded: list[list[Span]] = [[]]
    for piece in _pieces(line):
        if folded[-1] and width([*folded[-1], *piece]) > room:
            folded.append([])
        folded[-1].extend(piece)
    return list(folded)


def folded(block: Block, room: int | None) -> list[Line]:
    """The lines of a cell, each folded and without spaces at its end."""
    return [trimmed(part) for line in block for part in fold(line, room)]


def widest(blocks: Iterable[Block]) -> int:
    """Cells that a column of these takes without folding."""
    return max((width(line) for block in blocks for line in block), default=0)


class _Column:
    """A column's cells, measured.

    Attributes:
        blocks: its cells, its title first.
        natural: cells of the terminal that it takes without folding.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.natural = widest(blocks)
        self._heights: dict[int, list[int]] = {}

    @cached_property
    def least(self) -> int:
        """What its longest piece takes, and some more if that is short."""
        return max(min(widest(self.blocks[1:]), _NARROWEST), _longest_piece(self.blocks))

    @cached_property
    def comfortable(self) -> int:
        """What it takes if only long cells fold, and a title that is much wider than they are."""
        title, cells = self.blocks[:1], self.blocks[1:]
        room = max(self.least, _COMFORTABLE)
        data = _unless_little(widest([folded(block, room) for block in cells]), widest(cells))
        return _unless_little(max(data, _longest_piece(title)), max(data, widest(title)))

    def heights(self, room: int) -> list[int]:
        """The lines that each cell takes at a width."""
        if room not in self._heights:
            self._heights[room] = [len(folded(block, room)) for block in self.blocks]
        return self._heights[room]

    def narrower(self, room: int) -> int:
        """What it takes if it has one cell less: that and what folding frees besides."""
        return max(self.least, widest([folded(block, room - 1) for block in self.blocks]))

    def within(self, heights: Sequence[int]) -> int:
        """What it takes if each cell may have so many lines."""
        return max(map(self._within, self.blocks, heights), default=0)

    def _within(self, block: Block, height: int) -> int:
        """By bisection: a cell needs no more lines if it becomes wider."""
        most = widest([block])
        fewest = min(self.least, most) if height > len(block) else most
        while fewest < most:
            middle = (fewest + most) // 2
            if len(folded(block, middle)) <= height:
                most = middle
            else:
                fewest = middle + 1
        return most


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes:
        widths: the cells of the terminal that each column may take, by its index; the others are
            left out.
        by_record: records stand below each other, one line a column.
    """

    widths: Mapping[int, int]
    by_record: bool = False


def layout(
    columns: Sequence[Sequence[Block]],
    priorities: Sequence[int],
    room: int | None,
    rules: int = 1,
) -> Layout:
    """Which columns are shown, and how wide.

    So that a wider terminal shows what a narrower one does, in no more lines, room is given first
    to the columns of priority 0, which fold if they must; then to the others, in their order, as
    far as they make no row higher; then to those that fold; and last to columns of high priority.

    Args:
        columns: the cells of each, its title first.
        priorities: of each; the largest number is the first to go.
        room: cells in a line; None for no limit.
        rules: lines that set off the header and the total.
    """
    found = dict(enumerate(map(_Column, columns)))
    natural = {index: column.natural for index, column in found.items()}
    if room is None or _taken(natural) <= room:
        return Layout(natural)
    order = sorted(found, key=lambda index: priorities[index])
    needed = [index for index in sorted(found) if priorities[index] == 0] or order[:1]
    widths = {index: found[index].comfortable for index in needed}
    if _taken(widths) > room:
        return _narrow({index: found[index] for index in needed}, widths, room, rules)
    heights = _highest(found, widths)
    for index in order[len(needed) :]:
        if priorities[index] < _LATE:
            wider = {**widths, index: found[index].within(heights)}
            if _taken(wider) > room:
                return Layout(dict(sorted(widths.items())))
            widths = wider
    shown = {index: found[index] for index in sorted(widths)}
    naturals = {index: natural[index] for index in shown}
    if _taken(naturals) > room:
        return Layout(_narrowed(shown, naturals, widths, room))
    for index in order[len(shown) :]:
        if _taken({**naturals, index: natural[index]}) > room:
            break
        naturals[index] = natural[index]
    return Layout(dict(sorted(naturals.items())))


def share(columns: Sequence[Sequence[Block]], room: int | None) -> list[int]:
    """The widths of columns that are all shown, even if they take more than there is."""
    found = dict(enumerate(map(_Column, columns)))
    widths = {index: column.natural for index, column in found.items()}
    if room is not None:
        least = {index: column.least for index, column in found.items()}
        widths = _narrowed(found, widths, least, room)
    return list(widths.values())


def _narrow(
    columns: Mapping[int, _Column], comfortable: Mapping[int, int], room: int, rules: int
) -> Layout:
    """The layout of columns that have less room than they want."""
    least = {index: column.least for index, column in columns.items()}
    widths = _narrowed(columns, comfortable, least, room)
    rows = sum(_highest(columns, widths)) + rules
    titles, *records = zip(*(column.blocks for column in columns.values()), strict=True)
    apart = sum(1 + _lines_apart(titles, record, room) for record in records) - 1
    return Layout(widths, by_record=_taken(widths) > room or (bool(records) and apart < rows))


def _lines_apart(titles: Sequence[Block], record: Sequence[Block], room: int) -> int:
    """The lines that a record takes by itself."""
    widths = dict(enumerate(share([titles, record], room)))
    return sum(_highest({0: _Column(titles), 1: _Column(record)}, widths))


def _narrowed(
    columns: Mapping[int, _Column], widths: Mapping[int, int], least: Mapping[int, int], room: int
) -> dict[int, int]:
    """Widths that fit a room if the least do: what adds the fewest lines for a cell gives way."""
    found = dict(widths)
    while _taken(found) > room:
        lines = sum(_highest(columns, found))
        steps = []
        for index in found:
            cells = max(columns[index].narrower(found[index]), least[index])
            if cells < found[index]:
                added = sum(_highest(columns, {**found, index: cells})) - lines
                steps.append((added / (found[index] - cells), -found[index], index, cells))
        if not steps:
            break
        *_, index, cells = min(steps)
        found[index] = cells
    return found


def _taken(widths: Mapping[int, int]) -> int:
    """Cells that columns side by side take."""
    return sum(cells + GAP for cells in widths.values()) - GAP


def _highest(columns: Mapping[int, _Column], widths: Mapping[int, int]) -> list[int]:
    """The lines of each row, from those of its cells."""
    heights = (columns[index].heights(cells) for index, cells in widths.items())
    return [max(row) for row in zip(*heights, strict=True)]


def _unless_little(cells: int, natural: int) -> int:
    """The cells that a folded column takes, or that it takes by nature if folding saves few."""
    return cells if natural - cells >= _SAVED else natural


def _longest_piece(blocks: Iterable[Block]) -> int:
    return max((width(p) for block in blocks for line in block for p in _pieces(line)), default=0)


def side_by_side(
    titles: Sequence[Block], records: Sequence[Sequence[Block]], room: int | None
) -> list[Sequence[Sequence[Block]]]:
    """Share out records to as few groups of about one size as fit, each beside the titles."""
    free = None if room is None else room - widest(titles)
    needed = [GAP + widest(record) for record in records]
    groups = [slice(None)]
    for count in range(1, len(records) + 1):
        edges = [len(records) * i // count for i in range(count + 1)]
        groups = [slice(*edge) for edge in pairwise(edges)]
        if free is None or all(sum(needed[group]) <= free for group in groups):
            break
    return [records[group] for group in groups]


def _pieces(line: Line) -> Iterator[Line]:
    """The pieces that stay in one line each."""
    piece: list[Span] = []
    for span in line:
        if span.kind is not Kind.TEXT:
            piece.append(span)
            continue
        is_path = span.code or span.heading
        texts = (_PATH if is_path else _TEXT).findall(span.text)
        for number, text in enumerate(texts, 1):
            piece.append(span._replace(text=text))
            if number < len(texts) or text[-1] in (" ." if is_path else " "):
                yield piece
                piece = []
    if piece:
        yield piece
