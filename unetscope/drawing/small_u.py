"""A U in few lines, for the head of an overview: a row a resolution, its skips between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from unetscope.drawing.figure import LEFT, RIGHT, Figure
from unetscope.drawing.layout import cells, channels, folded, shape, title

_MOST_LINES = 30
"""Of what a reader still takes in at a glance."""
_BETWEEN = 14
"""Cells that the skips have at least."""
_LEAST = 14
"""Cells that a block has at least."""
_BEFORE = 2
"""Cells between the sizes and the blocks."""
_WIDEST = 100
"""Cells of a line from which on it would only be longer."""


class _Signs(NamedTuple):
    line: str
    dashed: str
    head: str
    arrow: str
    corners: str


_UNICODE = _Signs("─", "╌", "▶", "→", "└┘")
_ASCII = _Signs("-", "=", ">", "->", "++")


class SmallU:
    """A figure that is a U, as lines of text."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._sizes = [shape(size) for size in figure.sizes]

    def lines(self, width: int, *, ascii: bool = False) -> list[str]:  # noqa: A002
        """The lines, of at most `width` cells; none if it needs wider ones, or too many.

        Args:
            width: cells of a line.
            ascii: whether only characters of ASCII are understood, in lines and arrows.
        """
        signs, width = _ASCII if ascii else _UNICODE, min(width, _WIDEST)
        before = max(map(cells, self._sizes), default=0) + _BEFORE
        depth = max(len(self._sizes) - 1, 1)
        indent = min((width - before - _BETWEEN - 2 * _LEAST) // 2 // depth, 2)
        if indent < 0:
            return []
        found: list[str] = []
        for level, size in enumerate(self._sizes):
            rows = [
                line
                for pair in self._pairs(level)
                for line in self._row(pair, level * indent, width - before, signs)
            ]
            found += [
                f"{'' if at else size:<{before}}{line}".rstrip() for at, line in enumerate(rows)
            ]
        found += self._bottom(indent, before, width, signs)
        return found if len(found) <= _MOST_LINES else []

    def _pairs(self, level: int) -> list[tuple[int | None, int | None]]:
        """What stands side by side at a level: the deeper, the nearer to its end."""
        figure = self._figure
        left, right = (
            [at for at in figure.side(parts) if figure.blocks[at].level == level]
            for parts in (LEFT, RIGHT)
        )
        return [*zip_longest(left[::-1], right)][::-1]

    def _row(
        self, pair: tuple[int | None, int | None], indent: int, width: int, signs: _Signs
    ) -> list[str]:
        """The lines of two blocks, with the skips that the right one pops between."""
        skips = [arc for arc in self._figure.arcs if arc.end == pair[1]]
        free = width - 2 * indent - (_BETWEEN if skips else 2)
        left, right = ([] if at is None else self._texts(at, free, signs) for at in pair)
        if sum(cells(lines[0]) for lines in (left, right) if lines) > free:
            left, right = ([] if at is None else self._texts(at, free // 2, signs) for at in pair)
        found = []
        for at, (one, other) in enumerate(zip_longest(left, right, fillvalue="")):
            begin = " " * indent + one
            free = width - cells(begin) - cells(other) - indent
            between = " " * free
            if skips and not at:
                line = signs.dashed if any(arc.crossing for arc in skips) else signs.line
                label = f" {_numbers([arc.number for arc in skips], free - 8)} "
                run = free - 3 - cells(label)
                between = f" {line * (run // 2)}{label}{line * (run - run // 2)}{signs.head} "
            found.append(begin + between + other)
        return found

    def _texts(self, at: int, room: int, signs: _Signs) -> list[str]:
        """A block's name and channels, in as many lines as they need."""
        block = self._figure.blocks[at]
        name, told = title(block), channels(block, signs.arrow)
        if cells(name) + 2 + cells(told) <= room:
            return [f"{name}  {told}".rstrip()]
        return [*folded(name, room), *folded(told, room)]

    def _bottom(self, indent: int, before: int, width: int, signs: _Signs) -> list[str]:
        """The middle, with the line that leads down to it and up again."""
        figure = self._figure
        blocks = figure.side(("middle",))
        below = max((block.level for block in figure.blocks if block.part != "middle"), default=0)
        edge = before + indent * below
        room = width - edge - indent * below - 2
        texts = [line for at in blocks for line in self._texts(at, room - 8, signs)] or [""]
        size = self._sizes[figure.blocks[blocks[0]].level] if blocks else ""
        widest = max(map(cells, texts))
        found = []
        for at, line in enumerate(texts):
            label = f"{signs.head} {line}{' ' * (widest - cells(line) + 1)}" if line else ""
            run = room - cells(label)
            into, out = (signs.line if end == at else " " for end in (0, len(texts) - 1))
            corners = [signs.corners[0] if at == 0 else " ", signs.corners[1] if out != " " else ""]
            drawn = f"{corners[0]}{into * (run // 2)}{label}{out * (run - run // 2)}{corners[1]}"
            before_it = f"{'' if at else size:<{before}}{' ' * (edge - before)}"
            found.append(f"{before_it}{drawn}".rstrip())
        return found


def _numbers(pushes: Sequence[int], room: int) -> str:
    """Pushes by number, those in a row as `#3-5`; how many they are if there is no room."""
    runs: list[list[int]] = []
    for push in sorted(pushes):
        if runs and push == runs[-1][-1] + 1:
            runs[-1].append(push)
        else:
            runs.append([push])
    told = ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"#{told}" if cells(told) < room else f"{len(pushes)} x #"
