"""The elements of SVG that a picture is made of, as texts."""

from __future__ import annotations

from html import escape

from unetscope.drawing.bars import FONT
from unetscope.drawing.colors import WARNING
from unetscope.drawing.layout import Label
from unetscope.wording import harmless

ALARM = ' stroke-width="1.5" stroke-dasharray="5 3"'
"""The line of what is not as usual."""
_INKS = {"ink": "#1a1a1a", "quiet": "#555555", "alarm": WARNING}


def rect(
    x: float, y: float, width: float, height: float, color: str, title: str = "", kind: str = ""
) -> str:
    """A filled rectangle; one with a class has an edge too."""
    inside = f"<title>{escape(harmless(title))}</title>" if title else ""
    edge = f' class="{kind}" stroke="#333333" stroke-width="0.5"' if kind else ""
    return f'<rect{edge} {_sides(x, y, width, height)} fill="{color}">{inside}</rect>'


def outline(x: float, y: float, width: float, height: float) -> str:
    """A dashed frame around a bar."""
    sides = _sides(x - 3, y - 3, width + 6, height + 6)
    return f'<rect class="warning" {sides} fill="none" stroke="{WARNING}"{ALARM}/>'


def _sides(x: float, y: float, width: float, height: float) -> str:
    return f'x="{pixels(x)}" y="{pixels(y)}" width="{pixels(width)}" height="{pixels(height)}"'


def text(label: Label, kind: str = "ink", size: int = FONT) -> str:
    """A line of text, in the ink of its kind."""
    place = f'x="{pixels(label.x)}" y="{pixels(label.y)}" text-anchor="{label.anchor}"'
    font = f'font-size="{size}"'
    if "  " in label.text:  # of which readers would keep one, and none where a text begins
        font += ' xml:space="preserve"'
    if label.strong:
        font += ' font-weight="bold"'
    words = escape(harmless(label.text))
    return f'<text class="{kind}" {place} {font} fill="{_INKS[kind]}">{words}</text>'


def pixels(number: float) -> str:
    """A number of pixels, to a tenth."""
    return f"{round(number, 1):g}" if abs(number) < 1e5 else f"{number:.0f}"
