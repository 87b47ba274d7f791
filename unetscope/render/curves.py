"""Curves between -1 and 1 as text, one line each, and as SVG."""

from __future__ import annotations

from html import escape
from math import isfinite

from rich.cells import cell_len

from unetscope.render.chart import COLORS, label
from unetscope.table import USUAL_WIDTH, Curves

_LEVELS = "▁▂▃▄▅▆▇"
_WIDE, _LEFT, _TOP, _STRIP, _BOTTOM = 800, 170, 40, 60, 40


def text(curves: Curves, width: int | None = None) -> str:
    """Write each curve as one line of at most `width` cells, each the mean of what it covers."""
    before = max((cell_len(curve.label) for curve in curves.curves), default=0)
    room = max((width or USUAL_WIDTH) - before - 2, 10)
    count = max((len(curve.values) for curve in curves.curves), default=0)
    each = max(-(-count // room), 1)
    lines = [curves.title, curves.means.format(each), ""]
    for curve in curves.curves:
        parts = [curve.values[at : at + each] for at in range(0, len(curve.values), each)]
        drawn = "".join(_level(sum(part) / len(part)) for part in parts)
        lines.append(f"{' ' * (before - cell_len(curve.label))}{curve.label}  {drawn}")
    cells = -(-count // each)
    last = str(max(count - 1, 0))
    lines.append(f"{' ' * before}  0{' ' * max(cells - len(last) - 1, 1)}{last}")
    lines.append(f"{' ' * before}  {curves.axis}")
    return "\n".join(lines) + "\n"


def _level(value: float) -> str:
    if not isfinite(value):
        return " "
    top = len(_LEVELS) - 1
    return _LEVELS[min(max(round((value + 1) / 2 * top), 0), top)]


def svg(curves: Curves) -> str:
    """Write the curves as one SVG image that needs nothing else, one strip each."""
    high = _TOP + _STRIP * len(curves.curves) + _BOTTOM
    count = max((len(curve.values) for curve in curves.curves), default=0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" '
        f'width="{_WIDE}" height="{high}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(curves.title)}</title>",
        f'<rect width="{_WIDE}" height="{high}" fill="#ffffff"/>',
        label(20, 20, curves.title, anchor="start", size=15),
    ]
    step = (_WIDE - _LEFT - 20) / max(count - 1, 1)
    for index, curve in enumerate(curves.curves):
        middle = _TOP + _STRIP * index + _STRIP // 2
        points = " ".join(
            f"{_LEFT + step * at:.1f},{middle - value * _STRIP * 0.4:.1f}"
            for at, value in enumerate(curve.values)
            if isfinite(value)
        )
        parts += [
            label(_LEFT - 10, middle + 4, curve.label, anchor="end"),
            f'<line x1="{_LEFT}" y1="{middle}" x2="{_WIDE - 20}" y2="{middle}" stroke="#cccccc"/>',
            f'<polyline points="{points}" fill="none" stroke="{COLORS[index % len(COLORS)]}"/>',
        ]
    floor = high - _BOTTOM + 14
    parts += [
        label(_LEFT, floor, "0"),
        label(_WIDE - 20, floor, str(max(count - 1, 0)), anchor="end"),
        label((_LEFT + _WIDE) // 2, floor + 14, curves.axis),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"
