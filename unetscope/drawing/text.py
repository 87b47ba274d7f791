"""A drawing as text, with the characters that draw boxes or with those of ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from unetscope.drawing.columns_of_cells import columns_of_cells
from unetscope.drawing.figure import Figure
from unetscope.drawing.heat import TERMINAL, step
from unetscope.drawing.layout import Box, Label, Layout, Route, cells, folded
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.u_of_cells import u_of_cells
from unetscope.table import USUAL_WIDTH
from unetscope.wording import harmless

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = "·╵╷│╴┘┐┤╶└┌├─┴┬┼"
"""By the sum of the sides to which a line goes on."""
_PATTERNS = {"!": "╌╎", "+": "━┃", "-": "┈┊", "~": "═║"}
"""Lines across and up of what is out of order (`!`), and of what bears a mark."""
_COLORS = {"!": "\x1b[33m", "+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[36m"}
_STRONG, _END = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Charset:
    """The characters of a drawing."""

    lines: str
    patterns: Mapping[str, str]
    heads: dict[int, str]
    mark: str
    arrow: str


UNICODE = Charset(_LINES, _PATTERNS, {_UP: "▲", _DOWN: "▼", _LEFT: "◀", _RIGHT: "▶"}, "●", "→")
ASCII = Charset(
    "".join("|" if at in (1, 2, 3) else "-" if at in (4, 8, 12) else "+" for at in range(16)),
    {"!": "=:", "+": "*#", "-": ".'", "~": "~!"},
    {_UP: "^", _DOWN: "v", _LEFT: "<", _RIGHT: ">"},
    "o",
    "->",
)


def text(sheet: Sheet, width: int | None = None, color: bool = False, ascii: bool = False) -> str:  # noqa: A002
    """Write a drawing in lines of at most `width` cells.

    Args:
        sheet: what is drawn.
        width: of the terminal; None for the usual one.
        color: whether escape sequences are understood.
        ascii: whether only characters of ASCII are, in lines and arrows.
    """
    characters, room = ASCII if ascii else UNICODE, width or USUAL_WIDTH
    figure = sheet.figure
    layout = None if figure.no_u else u_of_cells(figure, room, characters.arrow)
    framed = layout is not None
    said = (*sheet.reads_as_u, *sheet.reads_as_skips)
    if layout is None:
        said = (*sheet.reads_as_columns, *sheet.reads_as_skips)
        said += () if figure.no_u else (sheet.narrow,)
        layout = columns_of_cells(figure, room, characters.arrow)
        if layout.width > room:
            layout = columns_of_cells(figure, room, characters.arrow, short=True)
        if layout.width > room:
            said = (*sheet.reads_as_columns, sheet.no_room)
            figure = replace(figure, arcs=())
            layout = columns_of_cells(figure, room, characters.arrow)
    canvas = _Canvas(layout, figure, characters)
    canvas.draw(framed)
    name = harmless(sheet.title)
    head = wrapped(f"{name}{harmless(sheet.about)}", room)
    first = f"{_STRONG}{name}{_END}{head[0][len(name) :]}"
    lines = [first if color and head[0].startswith(name) else head[0], *head[1:], ""]
    lines += canvas.lines(color)
    keys = [
        f"{characters.patterns[mark] if mark else _plain(characters)} {mark or ' '} {meaning}"
        for mark, meaning in sheet.marks.items()
    ]
    sentences = [*keys, *said, *sheet.below]
    below = [line for sentence in sentences for line in wrapped(harmless(sentence), room)]
    if figure.heat and color:
        below = [*_scale(sheet, room), *below]
    return "\n".join([*lines, "", *below]).rstrip("\n") + "\n"


def _scale(sheet: Sheet, room: int) -> list[str]:
    """What the colours of heat mean, with the colours before it."""
    swatch = "".join(f"{each} " for each in TERMINAL) + _END
    first, *others = wrapped(harmless(sheet.hottest), room - len(TERMINAL) - 1)
    return [f"{swatch} {first}", *(" " * (len(TERMINAL) + 1) + line for line in others)]


def _plain(characters: Charset) -> str:
    """Lines across and up of what bears no mark."""
    return characters.lines[_LEFT | _RIGHT] + characters.lines[_UP | _DOWN]


def wrapped(sentence: str, width: int) -> list[str]:
    """A sentence in lines of at most so many cells, broken between words where there are spaces."""
    lines = [""]
    for word in sentence.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(joined) <= width:
            lines[-1] = joined
        else:
            *full, last = folded(word, width) or [""]
            lines[-1:] = [*([lines[-1]] if lines[-1] else []), *full, last]
    return lines


class _Canvas:
    """Cells, each with the sides to which lines go on, or with a character."""

    def __init__(self, layout: Layout, figure: Figure, characters: Charset) -> None:
        self._layout, self._figure, self._characters = layout, figure, characters
        self._sides: dict[tuple[int, int], int] = {}
        self._patterns: dict[tuple[int, int], str] = {}
        self._written: dict[tuple[int, int], str] = {}
        self._kinds: dict[tuple[int, int], str] = {}
        self._heat: dict[tuple[int, int], str] = {}

    def draw(self, framed: bool) -> None:
        """Draw boxes and routes, labels over them.

        Args:
            framed: whether boxes have frames; else each has a mark where it begins.
        """
        for box in self._layout.boxes:
            x, y = int(box.x), int(box.y)
            block = self._figure.blocks[box.block]
            kind = "!" if block.failed else block.mark
            if self._figure.heat:
                self._warm(box, framed)
            if framed:
                right, bottom = x + int(box.width) - 1, y + int(box.height) - 1
                self._line((x, y), (right, y))
                self._line((x, bottom), (right, bottom))
                self._line((x, y), (x, bottom), block.mark)
                self._line((right, y), (right, bottom), block.mark)
            else:
                self._written[x, y] = self._characters.mark
            for label in box.labels:
                own = label.text[0] if label.text[:2] in ("+ ", "- ", "~ ") else kind
                self._write(label, own)
        for route in self._layout.routes:
            self._route(route)
        for route in self._layout.routes:
            if route.label is not None:
                self._write(route.label, self._kind(route))

    def _warm(self, box: Box, framed: bool) -> None:
        """Colour what is within a frame, or the labels of a box without one."""
        color = TERMINAL[step(self._figure, self._figure.blocks[box.block])]
        if framed:
            spans = [
                (int(box.x) + 1, int(box.width) - 2, y)
                for y in range(int(box.y) + 1, int(box.y + box.height) - 1)
            ]
        else:
            spans = [(int(label.x), cells(label.text), int(label.y)) for label in box.labels]
        for x, wide, y in spans:
            self._heat.update(dict.fromkeys(((at, y) for at in range(x, x + wide)), color))

    def _kind(self, route: Route) -> str:
        """Of what kind a line is: out of order, of a mark, or as usual."""
        if route.arc is None:
            return ""
        arc = self._figure.arcs[route.arc]
        return "!" if arc.crossing else arc.mark

    def _route(self, route: Route) -> None:
        kind = self._kind(route)
        points = [(int(x), int(y)) for x, y in route.points]
        for start, end in pairwise(points):
            self._line(start, end, kind)
        (x, y), (before_x, before_y) = points[-1], points[-2]
        across = (x > before_x) - (x < before_x)
        down = (y > before_y) - (y < before_y)
        side = {1: _RIGHT, -1: _LEFT}.get(across) or {1: _DOWN, -1: _UP}[down or 1]
        self._written[x, y] = self._characters.heads[side]
        self._kinds[x, y] = kind

    def _line(self, start: tuple[int, int], end: tuple[int, int], kind: str = "") -> None:
        (x, y), (to_x, to_y) = sorted((start, end))
        across = to_x > x
        for at in range(x if across else y, (to_x if across else to_y) + 1):
            cell = (at, y) if across else (x, at)
            sides = (_LEFT, _RIGHT) if across else (_UP, _DOWN)
            first, last = at == (x if across else y), at == (to_x if across else to_y)
            going = (0 if first else sides[0]) | (0 if last else sides[1])
            self._sides[cell] = self._sides.get(cell, 0) | going
            self._patterns[cell] = kind if self._patterns.get(cell, kind) == kind else ""
            self._kinds.update({cell: kind} if kind else {})

    def _write(self, label: Label, kind: str) -> None:
        at, y = int(label.x) - (cells(label.text) if label.anchor == "end" else 0), int(label.y)
        for char in label.text:
            self._written[at, y] = char
            self._kinds[at, y] = kind
            if cells(char) > 1:
                self._written[at + 1, y] = ""
                self._kinds[at + 1, y] = kind
            at += cells(char)

    def lines(self, color: bool) -> list[str]:
        """The lines, without spaces at their ends."""
        found = []
        for y in range(int(self._layout.height)):
            line, style = "", ""
            for x in range(int(self._layout.width)):
                wanted = self._style((x, y)) if color else ""
                if wanted != style:
                    line += (_END if style else "") + wanted
                    style = wanted
                line += self._char((x, y))
            found.append((line + (_END if style else "")).rstrip())
        return found

    def _style(self, cell: tuple[int, int]) -> str:
        """The escape sequence of a cell."""
        return _COLORS.get(self._kinds.get(cell, "")) or self._heat.get(cell, "")

    def _char(self, cell: tuple[int, int]) -> str:
        if cell in self._written:
            return self._written[cell]
        sides = self._sides.get(cell, 0)
        if not sides:
            return " "
        pattern = self._patterns[cell]
        if pattern and sides in (_LEFT | _RIGHT, _UP | _DOWN):
            return self._characters.patterns[pattern][sides == _UP | _DOWN]
        return self._characters.lines[sides]
