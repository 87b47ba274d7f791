"""Which columns of a table a terminal shows, and how wide.

Widths are counted in cells of the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from unetscope.render.folding import Block, folded, longest_piece, widest

GAP = 2
"""Width between two columns."""
_NARROWEST = 8
"""Width that a column of text keeps, if it needs as much."""
_COMFORTABLE = 28
"""Width to which columns fold before others are left out for them."""
_SAVED = 4
"""Width that makes folding worth a line."""
_LATE = 5
"""The priority from which on columns are shown only where none folds."""


class _Column:
    """A column, measured.

    Attributes:
        blocks: its title and its cells.
        natural: its width if nothing folds.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.natural = widest(blocks)
        self._heights: dict[int, list[int]] = {}

    @property
    def title_width(self) -> int:
        """The width of its title; 0 if it has none."""
        return widest(self.blocks[:1])

    @cached_property
    def least(self) -> int:
        """Its width if all folds: that of its longest piece, and some more if this is short."""
        return max(min(widest(self.blocks[1:]), _NARROWEST), longest_piece(self.blocks))

    @cached_property
    def comfortable(self) -> int:
        """Its width if only long cells fold, and a title that is much wider than they are."""
        title, *cells = self.blocks
        room = max(self.least, _COMFORTABLE)
        data = _unless_little(widest([folded(block, room) for block in cells]), widest(cells))
        return _unless_little(max(data, self._within(title, 2)), max(data, widest([title])))

    def heights(self, room: int) -> list[int]:
        """The lines that its title and its cells take at a width."""
        if room not in self._heights:
            self._heights[room] = [len(folded(block, room)) for block in self.blocks]
        return self._heights[room]

    def narrower(self, room: int) -> int:
        """The next width that is less than `room`, as far as folding at it leaves room free."""
        return max(self.least, widest([folded(block, room - 1) for block in self.blocks]))

    def within(self, heights: Sequence[int]) -> int:
        """Its width if its title and its cells may take so many lines."""
        return max(map(self._within, self.blocks, heights), default=0)

    def _within(self, block: Block, height: int) -> int:
        """By bisection: a cell takes no more lines if it becomes wider."""
        most = widest([block])
        fewest = min(self.least, most) if height > len(block) else most
        while fewest < most:
            middle = (fewest + most) // 2
            if len(folded(block, middle)) <= height:
                most = middle
            else:
                fewest = middle + 1
        return most


def _unless_little(narrow: int, natural: int) -> int:
    """The width of a column that folds, or its natural one if folding saves little."""
    return narrow if natural - narrow >= _SAVED else natural


_Columns = Mapping[int, _Column]
_Widths = Mapping[int, int]
"""By the index of the column."""


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes:
        widths: of each column that is shown, by its index, in order.
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
        columns: title and cells of each.
        priorities: of each; the largest number is the first to go.
        room: width of the terminal; None for no limit.
        rules: lines that set off the header and the total.
    """
    found = dict(enumerate(map(_Column, columns)))
    natural = {index: column.natural for index, column in found.items()}
    if room is None or _total(natural) <= room:
        return Layout(natural)
    order = sorted(found, key=lambda index: priorities[index])
    needed = [index for index in sorted(found) if priorities[index] == 0] or order[:1]
    widths = {index: found[index].comfortable for index in needed}
    if _total(widths) > room:
        return _narrow({index: found[index] for index in needed}, widths, room, rules)
    heights = _heights(found, widths)
    for index in order[len(needed) :]:
        if priorities[index] < _LATE:
            more = {**widths, index: found[index].within(heights)}
            if _total(more) > room:
                return Layout(dict(sorted(widths.items())))
            widths = more
    shown = {index: found[index] for index in sorted(widths)}
    unfolded = {index: natural[index] for index in shown}
    if _total(unfolded) > room:
        return Layout(_narrowed(shown, unfolded, widths, room))
    for index in order[len(shown) :]:
        if _total({**unfolded, index: natural[index]}) > room:
            break
        unfolded[index] = natural[index]
    return Layout(dict(sorted(unfolded.items())))


def share(columns: Sequence[Sequence[Block]], room: int | None) -> list[int]:
    """The widths of columns that are all shown, even if they take more than there is."""
    found = dict(enumerate(map(_Column, columns)))
    widths = {index: column.natural for index, column in found.items()}
    if room is not None:
        least = {index: column.least for index, column in found.items()}
        widths = _narrowed(found, widths, least, room)
    return list(widths.values())


def _narrow(columns: _Columns, comfortable: _Widths, room: int, rules: int) -> Layout:
    """The layout of columns that have less room than they want: what takes fewer lines."""
    least = {index: column.least for index, column in columns.items()}
    widths = _narrowed(columns, comfortable, least, room)
    together = sum(_heights(columns, widths)) + rules
    titled = {index: column for index, column in columns.items() if column.title_width}
    named = titled or columns  # a mark without a title says nothing in a line of its own
    titles, *records = zip(*(column.blocks for column in named.values()), strict=True)
    apart = sum(1 + _height_of(titles, record, room) for record in records) - 1
    if _total(widths) > room or (records and apart < together):
        return Layout({index: widths[index] for index in named}, by_record=True)
    return Layout(widths)


def _height_of(titles: Sequence[Block], record: Sequence[Block], room: int) -> int:
    """The lines that a record takes by itself."""
    widths = dict(enumerate(share([titles, record], room)))
    return sum(_heights({0: _Column(titles), 1: _Column(record)}, widths))


def _narrowed(columns: _Columns, widths: _Widths, least: _Widths, room: int) -> dict[int, int]:
    """Widths that fit, if the least ones do: what costs the fewest lines gives way first."""
    found = {index: min(wide, max(room, least[index])) for index, wide in widths.items()}
    while _total(found) > room:
        lines = sum(_heights(columns, found))
        steps = []
        for index in found:
            to = max(columns[index].narrower(found[index]), least[index])
            if to < found[index]:
                added = sum(_heights(columns, {**found, index: to})) - lines
                steps.append((added / (found[index] - to), -found[index], index, to))
        if not steps:
            break
        *_, index, to = min(steps)
        found[index] = to
    return found


def _total(widths: _Widths) -> int:
    """The width of columns side by side."""
    return sum(each + GAP for each in widths.values()) - GAP


def _heights(columns: _Columns, widths: _Widths) -> list[int]:
    """The lines of each row, from those of its cells."""
    heights = (columns[index].heights(each) for index, each in widths.items())
    return [max(row) for row in zip(*heights, strict=True)]


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
