"""How a picture tells what only one of two networks has: by colour, by pattern and by dash.

Patterns are lines that are drawn, not fills that are referred to, as an id may stand twice in the
page that takes several pictures in.
"""

from __future__ import annotations

from itertools import pairwise

INKS = {"+": "#4477aa", "-": "#ee6677", "~": "#997700", "": "#bbbbbb"}
"""By mark; they differ in brightness too, and stand out on light and dark (after Paul Tol)."""
LINES = {**INKS, "": "#666666"}
DASHES = {"+": "", "-": "1.5 3", "~": "8 3 2 3", "": ""}
_WIDTHS = {"+": 3, "-": 1.5, "~": 2, "": 1}
_STEP = 6


def stroke(mark: str) -> str:
    """The width and the dashes of a line."""
    dash = f' stroke-dasharray="{DASHES[mark]}"' if DASHES[mark] else ""
    return f' stroke-width="{_WIDTHS[mark]}"{dash}'


def bar(x: float, y: float, width: float, height: float, mark: str) -> str:
    """The lines over a bar: rising over what came, falling over what went, level over changes."""
    lines = _level(width, height) if mark == "~" else _rising(width, height)
    if mark == "-":
        lines = [(width - a, b, width - c, d) for a, b, c, d in lines]
        corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height), (0.0, 0.0)]
        lines += [(*one, *other) for one, other in pairwise(corners)]
    color = INKS["-"] if mark == "-" else "#ffffff"
    dash = ' stroke-dasharray="3 2"' if mark == "-" else ""
    return "".join(
        f'<path d="M{x + a:.1f} {y + b:.1f}L{x + c:.1f} {y + d:.1f}" fill="none" stroke="{color}" '
        f'stroke-width="1"{dash}/>'
        for a, b, c, d in lines
        if (a, b) != (c, d)
    )


def ground(mark: str) -> str:
    """The fill of a bar; what went has none."""
    return "none" if mark == "-" else INKS[mark]


def _level(width: float, height: float) -> list[tuple[float, float, float, float]]:
    count = int(height / _STEP)
    ys = [(at + 0.5) * height / max(count, 1) for at in range(max(count, 1))]
    return [(0, y, width, y) for y in ys]


def _rising(width: float, height: float) -> list[tuple[float, float, float, float]]:
    """Lines at 45 degrees within a rectangle, from its left or lower edge on."""
    found = []
    at = _STEP / 2
    while at < width + height:
        found.append((max(at - height, 0), min(at, height), min(at, width), max(at - width, 0)))
        at += _STEP
    return found
