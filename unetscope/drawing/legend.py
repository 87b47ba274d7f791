"""The legend below a picture: what its colours, lines and sizes mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unetscope.drawing import patterns
from unetscope.drawing.bars import ADVANCE, scales
from unetscope.drawing.colors import PARTS, WARNING
from unetscope.drawing.elements import ALARM, pixels, rect, text
from unetscope.drawing.heat import HEAT
from unetscope.drawing.layout import Label, cells, shape
from unetscope.drawing.sheet import Sheet

ROW = 18
"""Pixels from a row of keys to the next."""
_WIDE, _HIGH = 18, 12
"""Of what stands before the text of a key."""


class Key(NamedTuple):
    """One entry.

    Attributes:
        meaning: its text.
        color: of the bar before it; empty for a key that is text alone.
        mark: of two networks in one drawing, the mark that is shown instead; None for no mark.
        is_heat: whether all colours of heat are shown instead.
        is_line: whether a dashed line of that colour is.
    """

    meaning: str
    color: str = ""
    mark: str | None = None
    is_heat: bool = False
    is_line: bool = False

    @property
    def room(self) -> int:
        """Pixels before its text."""
        if self.mark is not None:
            return 52
        return 24 if self.color or self.is_heat else 0


def keys(sheet: Sheet) -> list[Key]:
    """All that the legend of a picture explains."""
    figure = sheet.figure
    found: list[Key] = []
    if sheet.heat:
        found.append(Key(sheet.hottest, is_heat=True))
    elif sheet.marks:
        found += [Key(f"{mark} {what}", mark=mark) for mark, what in sheet.marks.items()]
    else:
        found += [Key(name, PARTS[part]) for part, name in sheet.held.items()]
    if sheet.crosses:
        found.append(Key(sheet.crossing, WARNING, is_line=True))
    largest, most_channels = scales(figure)
    if not figure.no_u:
        found.append(Key(sheet.height.format(shape(largest))))
    found.append(Key(sheet.width.format(most_channels)))
    return found


def spread(legend: Sequence[Key], width: float) -> list[tuple[float, int]]:
    """Where keys stand in rows of a width: x and the row."""
    found, x, row = [], 0.0, 0
    for key in legend:
        need = ADVANCE * cells(key.meaning) + key.room
        if x and x + need > width:
            x, row = 0.0, row + 1
        found.append((x, row))
        x += need + 20
    return found


def widest(legend: Sequence[Key], width: float) -> float:
    """Where the last of them ends in rows of a width, of which a single key may need more."""
    places = spread(legend, width)
    return max(x + ADVANCE * cells(key.meaning) for key, (x, _) in zip(legend, places, strict=True))


def drawn(legend: Sequence[Key], places: Sequence[tuple[float, int]], top: float) -> Iterator[str]:
    """The elements of the keys, in rows from `top` on."""
    for key, (x, row) in zip(legend, places, strict=True):
        y = top + ROW * row
        yield _shown(key, x, y)
        yield text(Label(x + key.room, y + 9, key.meaning))


def _shown(key: Key, x: float, y: float) -> str:
    """What stands before the text of a key."""
    if key.mark is not None:
        return _marked(x, y, key.mark)
    if key.is_heat:
        wide = _WIDE / len(HEAT)
        stripes = enumerate(HEAT)
        return "".join(rect(x + wide * at, y, wide, _HIGH, color) for at, color in stripes)
    if key.is_line:
        path = f"M{pixels(x)} {pixels(y + 6)}h{_WIDE}"
        return f'<path class="warning" d="{path}" stroke="{key.color}"{ALARM} fill="none"/>'
    return rect(x, y, _WIDE, _HIGH, key.color) if key.color else ""


def _marked(x: float, y: float, mark: str) -> str:
    """A bar and a line as a mark has them."""
    bar = rect(x, y, _WIDE, _HIGH, patterns.ground(mark))
    bar += patterns.bar(x, y, _WIDE, _HIGH, mark) if mark else ""
    path, color = f"M{pixels(x + 22)} {pixels(y + 6)}h24", patterns.LINES[mark]
    return f'{bar}<path d="{path}" fill="none" stroke="{color}"{patterns.stroke(mark)}/>'
