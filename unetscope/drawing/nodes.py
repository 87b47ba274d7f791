"""What the languages of graphs share, which place nodes themselves: what a node says, its colours.

A node is a block. Its row is its resolution, where the language can be told; the height and the
width of bars are for layouts of our own.
"""

from __future__ import annotations

from unetscope.drawing import patterns
from unetscope.drawing.bars import bar_texts
from unetscope.drawing.colors import PARTS, color
from unetscope.drawing.sheet import Sheet
from unetscope.wording import harmless


def lines(sheet: Sheet, at: int) -> list[str]:
    """What stands in the node of a block."""
    return list(map(harmless, bar_texts(sheet.figure, at, (sheet.parameters, sheet.macs))))


def paint(sheet: Sheet, at: int) -> tuple[str, str]:
    """The colour of a block, and black or white for what is written on it."""
    ground = color(sheet, sheet.figure.blocks[at])
    return ground, ink(ground)


def ink(ground: str) -> str:
    """Black or white, whichever is easier to read on a colour.

    By the contrast of WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    """
    red, green, blue = (int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def parts(sheet: Sheet) -> list[tuple[str, str]]:
    """The colours of the parts that occur, and their names; none where colours tell heat.

    Of two networks in one drawing, those of the marks.
    """
    if sheet.marks:
        return [(patterns.INKS[mark], f"{mark} {what}") for mark, what in sheet.marks.items()]
    return [] if sheet.heat else [(PARTS[part], name) for part, name in sheet.held.items()]


def sentences(sheet: Sheet) -> list[str]:
    """What is said beside a graph: what it is of, how it is read, what is not as usual."""
    scale = [sheet.hottest] if sheet.heat else []
    crossing = [sheet.crossing] if sheet.crosses else []
    about = harmless(sheet.title) + harmless(sheet.about)
    return [about, *map(harmless, (*scale, *crossing, *sheet.sentences))]
