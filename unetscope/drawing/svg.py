"""A drawing as one SVG image that needs nothing else, for light and dark pages.

Colours and sizes are attributes, as many pages refuse inline styles; where they allow a style
element, it holds the colours of a dark page alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from unetscope.drawing import patterns
from unetscope.drawing.bars import ADVANCE, FONT, LINE
from unetscope.drawing.colors import WARNING, color
from unetscope.drawing.columns_of_pixels import columns_of_pixels
from unetscope.drawing.elements import ALARM, outline, pixels, rect, text
from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import Label, Layout, Route, cells
from unetscope.drawing.legend import ROW, drawn, keys, spread, widest
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.text import wrapped
from unetscope.drawing.u_of_pixels import u_of_pixels
from unetscope.wording import harmless

_DARK = """
@media (prefers-color-scheme: dark) {
  .page { fill: #16181d } .ink { fill: #e8e8e8 } .quiet { fill: #a8adb5 }
  .flow { stroke: #7d838c } .arc { stroke: #a8adb5 } .bar { stroke: #e8e8e8 }
  .warning { stroke: #ff8866 } .alarm { fill: #ff8866 }
}
"""
_PAPER = 297 / 210
"""Width to height of A4 landscape, which a drawing fills."""
_EDGE = 24


def svg(sheet: Sheet) -> str:
    """Write a drawing as SVG."""
    figure, words = sheet.figure, (sheet.parameters, sheet.macs)
    layout = (columns_of_pixels if figure.no_u else u_of_pixels)(figure, words)
    name, legend = harmless(sheet.title), keys(sheet)
    longest = min(widest(legend, layout.width) + 30, 900)
    inner = max(layout.width, ADVANCE * 1.3 * cells(name), longest, 480)
    about = _wrapped([sheet.about.lstrip(" ·")], inner)
    notes = _wrapped(sheet.sentences, inner)
    places = spread(legend, inner)
    top = _EDGE + 20 + LINE * len(about) + 10
    below = top + layout.height + 24
    after = below + ROW * (1 + max(row for _, row in places))
    size = inner + 2 * _EDGE, after + LINE * (len(notes) + 1) + _EDGE
    wide, high = _page(figure, size)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {pixels(wide)} {pixels(high)}" '
        f'width="{pixels(wide)}" height="{pixels(high)}" role="img" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT}">',
        f"<title>{escape(name)}</title>",
        f"<desc>{escape(' '.join(map(harmless, sheet.sentences)))}</desc>",
        f"<style>{_DARK}</style>",
        f'<rect class="page" width="{pixels(wide)}" height="{pixels(high)}" fill="#ffffff"/>',
        _moved((wide - inner) / 2, (high - size[1]) / 2),
        text(Label(0, _EDGE + 4, name, strong=True), size=13),
        *_quiet(about, _EDGE + 20),
        _moved((inner - layout.width) / 2, top),
        *_drawn(sheet, layout),
        "</g>",
        *drawn(legend, places, below),
        *_quiet(notes, after + LINE),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _wrapped(sentences: Iterable[str], width: float) -> list[str]:
    room = int(width / ADVANCE)
    return [line for sentence in sentences for line in wrapped(harmless(sentence), room)]


def _page(figure: Figure, size: tuple[float, float]) -> tuple[float, float]:
    """The width and the height of a page that has room for a size."""
    wide, high = size
    if figure.no_u or any(block.rows for block in figure.blocks):
        return size  # it is as long as it holds much, and no sheet of paper is meant
    return max(wide, high * _PAPER), max(high, wide / _PAPER)


def _moved(x: float, y: float) -> str:
    """The beginning of a group whose places count from a point."""
    return f'<g transform="translate({pixels(x)} {pixels(y)})">'


def _quiet(lines: Iterable[str], y: float) -> list[str]:
    """Lines of text, the first one at `y`."""
    return [text(Label(0, y + LINE * row, line), "quiet") for row, line in enumerate(lines)]


def _drawn(sheet: Sheet, layout: Layout) -> list[str]:
    """The lines first, boxes over them, texts over all."""
    found = [_route(sheet, route) for route in layout.routes]
    texts = []
    for box in layout.boxes:
        block = sheet.figure.blocks[box.block]
        title = " ".join(label.text for label in box.labels)
        fill = patterns.ground(block.mark) if block.mark else color(sheet, block)
        found.append(rect(box.x, box.y, box.width, box.height, fill, title, "bar"))
        if block.mark:
            found.append(patterns.bar(box.x, box.y, box.width, box.height, block.mark))
        if block.failed:
            found.append(outline(box.x, box.y, box.width, box.height))
        texts += [text(label, "alarm" if block.failed else "ink") for label in box.labels]
    arcs = [route.label for route in layout.routes if route.label is not None]
    texts += [text(label, "alarm" if label.strong else "quiet", size=9) for label in arcs]
    return [*found, *texts]


def _route(sheet: Sheet, route: Route) -> str:
    """A line with its head, as it is usual for a flow, an arc, a mark or what is out of order."""
    arc = None if route.arc is None else sheet.figure.arcs[route.arc]
    if arc is None:
        kind, ink, more = "flow", "#999999", ' stroke-width="2"'
    elif arc.crossing:
        kind, ink, more = "warning", WARNING, ALARM
    elif arc.mark:
        kind, ink, more = "marked", patterns.LINES[arc.mark], patterns.stroke(arc.mark)
    else:
        kind, ink, more = "arc", "#666666", ""
    path = "M" + "L".join(f"{pixels(x)} {pixels(y)}" for x, y in route.points)
    line = f'<path class="{kind}" d="{path}" fill="none" stroke="{ink}"{more}/>'
    return line + _head(route, kind, ink)


def _head(route: Route, kind: str, ink: str) -> str:
    """The head of an arrow, as a path of its own: markers do not take the colour of their line."""
    (before_x, before_y), (x, y) = route.points[-2:]
    length = abs(x - before_x) + abs(y - before_y) or 1
    ahead = (x - before_x) / length, (y - before_y) / length
    back = x - 5 * ahead[0], y - 5 * ahead[1]
    one = back[0] - 2.5 * ahead[1], back[1] + 2.5 * ahead[0]
    other = back[0] + 2.5 * ahead[1], back[1] - 2.5 * ahead[0]
    path = "L".join(f"{pixels(p)} {pixels(q)}" for p, q in (one, (x, y), other))
    return f'<path class="{kind}" d="M{path}" fill="none" stroke="{ink}" stroke-width="1.5"/>'
