"""Charts as text, one line a bar, and as SVG."""

from __future__ import annotations

from html import escape
from itertools import accumulate

from unetscope.table import USUAL_WIDTH, Bar, Chart
from unetscope.units import spell

_SHADES = "█▒░▓"
COLORS = ("#4477aa", "#ee6677", "#ccbb44", "#228833")
_LEFT, _TOP, _PLOT, _BOTTOM = 20, 60, 280, 70
_PITCH, _BAR = 72, 44


def text(chart: Chart, width: int | None = None) -> str:
    """Write a chart in lines of at most `width` cells: bars lie on their sides."""
    labels = [bar.label for bar in chart.bars]
    ends = [f"{spell(bar.total, chart.kind)}{bar.note and f'  {bar.note}'}" for bar in chart.bars]
    before = max(map(len, labels), default=0)
    room = max((width or USUAL_WIDTH) - before - max(map(len, ends), default=0) - 4, 10)
    most = max((bar.total for bar in chart.bars), default=0)
    shades = list(zip(_SHADES, chart.series, strict=False))
    lines = [chart.title, "  ".join(f"{shade} {title}" for shade, title in shades), ""]
    for name, end, bar in zip(labels, ends, chart.bars, strict=True):
        stripes = _stripes(bar, most, room)
        drawn = "".join(shade * cells for (shade, _), cells in zip(shades, stripes, strict=True))
        lines.append(f"{name:>{before}}  {drawn} {end}")
    return "\n".join(lines) + "\n"


def _stripes(bar: Bar, most: int, room: int) -> list[int]:
    """The cells of each part, so that the ends of all parts are rounded, not their lengths."""
    ends = [round(room * end / most) if most else 0 for end in accumulate(bar.values)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def svg(chart: Chart) -> str:
    """Write a chart as one SVG image that needs nothing else."""
    wide = 2 * _LEFT + max(_PITCH * len(chart.bars), 360)
    high = _TOP + _PLOT + _BOTTOM
    most = max((bar.total for bar in chart.bars), default=0) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
        label(_LEFT, 20, chart.title, anchor="start", size=15),
    ]
    for index, title in enumerate(chart.series):
        x = _LEFT + 150 * index
        parts.append(box(x, 32, 12, 12, COLORS[index]))
        parts.append(label(x + 18, 42, title, anchor="start"))
    for index, bar in enumerate(chart.bars):
        parts += _bar(chart, bar, _LEFT + _PITCH * index + _PITCH // 2, most)
    floor = _TOP + _PLOT
    parts.append(
        f'<line x1="{_LEFT}" y1="{floor}" x2="{wide - _LEFT}" y2="{floor}" stroke="#333333"/>'
    )
    parts.append(label(wide // 2, high - 12, chart.axis))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(chart: Chart, bar: Bar, middle: int, most: int) -> list[str]:
    room = _PLOT - 30  # for what is written above
    ends = [round(room * end / most, 1) for end in accumulate(bar.values)]
    floor = _TOP + _PLOT
    parts = []
    for index, (start, end) in enumerate(zip([0.0, *ends], ends, strict=False)):
        title = f"{chart.series[index]}: {spell(bar.values[index], chart.kind)}"
        drawn = box(middle - _BAR // 2, floor - end, _BAR, end - start, COLORS[index], title)
        parts.append(drawn)
    top = floor - ends[-1]
    if bar.note:
        parts.append(label(middle, top - 18, bar.note, size=10))
    parts.append(label(middle, top - 5, spell(bar.total, chart.kind), size=10))
    parts.append(label(middle, floor + 18, bar.label))
    return parts


def box(x: float, y: float, width: float, height: float, color: str, title: str = "") -> str:
    """A rectangle; `title` is shown where one points at it."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {size} fill="{color}">{inside}</rect>'


def label(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 12) -> str:
    """A text, whose `anchor` is at x."""
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(words)}</text>"
