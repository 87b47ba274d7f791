"""A drawing as one SVG image that needs nothing else, for light and dark pages.

Colours and sizes are attributes, as many pages refuse inline styles; where they allow a style
element, it holds the colours of a dark page alone.
"""

from __future__ import annotations

from html import escape

from unetscope.drawing import patterns
from unetscope.drawing.bars import ADVANCE, FONT, LINE, scales
from unetscope.drawing.columns_of_pixels import columns_of_pixels
from unetscope.drawing.figure import Block
from unetscope.drawing.heat import HEAT, spelled, step
from unetscope.drawing.layout import Label, Layout, Route, cells, shape
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.text import wrapped
from unetscope.drawing.u_of_pixels import u_of_pixels
from unetscope.wording import harmless

COLORS = {
    "entry": "#888888",
    "encoder": "#4477aa",
    "middle": "#aa3377",
    "decoder": "#228833",
    "exit": "#888888",
    "": "#bbbbbb",
}
"""By part; they differ in brightness too (Paul Tol's bright scheme)."""
WARNING = "#cc3311"
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
    place = columns_of_pixels if figure.no_u else u_of_pixels
    layout = place(figure, words)
    name = harmless(sheet.title)
    legend = _legend(sheet)
    widest = max(x + ADVANCE * cells(text) + 30 for x, _, text in _spread(legend, layout.width))
    inner = max(layout.width, ADVANCE * 1.3 * cells(name), min(widest, 900), 480)
    about = wrapped(harmless(sheet.about.lstrip(" ·")), int(inner / ADVANCE))
    top = _EDGE + 20 + LINE * len(about) + 10
    keys = _spread(legend, inner)
    sentences = sheet.sentences
    notes = [line for s in sentences for line in wrapped(harmless(s), int(inner / ADVANCE))]
    below = top + layout.height + 24
    after = below + 18 * (max((row for _, row, _ in keys), default=-1) + 1)
    high = after + LINE * (len(notes) + 1) + _EDGE
    wide = inner + 2 * _EDGE
    full_wide, full_high = max(wide, high * _PAPER), max(high, wide / _PAPER)
    detailed = any(block.rows for block in figure.blocks)
    if figure.no_u or detailed:  # it is as long as it holds much, and no sheet of paper is meant
        full_wide, full_high = wide, high
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(full_wide)} {_n(full_high)}" '
        f'width="{_n(full_wide)}" height="{_n(full_high)}" role="img" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT}">',
        f"<title>{escape(name)}</title>",
        f"<desc>{escape(' '.join(map(harmless, sentences)))}</desc>",
        f"<style>{_DARK}</style>",
        f'<rect class="page" width="{_n(full_wide)}" height="{_n(full_high)}" fill="#ffffff"/>',
        f'<g transform="translate({_n((full_wide - inner) / 2)} {_n((full_high - high) / 2)})">',
        _text(Label(0, _EDGE + 4, name, strong=True), size=13),
        *(
            _text(Label(0, _EDGE + 20 + LINE * row, line), "quiet")
            for row, line in enumerate(about)
        ),
        f'<g transform="translate({_n((inner - layout.width) / 2)} {_n(top)})">',
        *_drawn(sheet, layout),
        "</g>",
    ]
    for (color, dashed), (x, row, text) in zip((key[:2] for key in legend), keys, strict=True):
        y = below + 18 * row
        parts.append(_key(x, y, color, dashed))
        parts.append(_text(Label(x + _room(color), y + 9, text)))
    for row, line in enumerate(notes):
        parts.append(_text(Label(0, after + LINE * (row + 1), line), "quiet"))
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def _legend(sheet: Sheet) -> list[tuple[str, bool, str]]:
    """The keys below a drawing: a colour, whether it is that of a dashed line, what it means."""
    figure = sheet.figure
    found: list[tuple[str, bool, str]] = []
    if sheet.heat:
        found.append(("heat", False, sheet.heat_scale.format(spelled(figure, figure.hottest))))
    elif sheet.marks:
        found += [(f"mark{mark}", False, f"{mark} {what}") for mark, what in sheet.marks.items()]
    else:
        held = dict.fromkeys(block.part for block in figure.blocks)
        found += [(COLORS[p], False, name) for p, name in sheet.parts.items() if p in held]
    if any(arc.crossing for arc in figure.arcs):
        found.append((WARNING, True, sheet.crossing))
    largest, most_channels = scales(figure)
    if not figure.no_u:
        found.append(("", False, sheet.height.format(shape(largest))))
    found.append(("", False, sheet.width.format(most_channels)))
    return found


def _spread(legend: list[tuple[str, bool, str]], width: float) -> list[tuple[float, int, str]]:
    """Where keys stand, in rows: x, the row, the text."""
    found, x, row = [], 0.0, 0
    for color, _, text in legend:
        need = ADVANCE * cells(text) + _room(color)
        if x and x + need > width:
            x, row = 0.0, row + 1
        found.append((x, row, text))
        x += need + 20
    return found


def _key(x: float, y: float, color: str, dashed: bool) -> str:
    if not color:
        return ""
    if dashed:
        return (
            f'<path class="warning" d="M{_n(x)} {_n(y + 6)}h18" stroke="{WARNING}" '
            'stroke-width="1.5" stroke-dasharray="5 3" fill="none"/>'
        )
    if color.startswith("mark"):
        return _mark(x, y, color.removeprefix("mark"))
    if color == "heat":
        wide = 18 / len(HEAT)
        stripes = enumerate(HEAT)
        return "".join(_rect(x + wide * at, y, wide, 12, each) for at, each in stripes)
    return _rect(x, y, 18, 12, color)


def _mark(x: float, y: float, mark: str) -> str:
    """A bar and a line as a mark has them."""
    color = patterns.LINES[mark]
    drawn = _rect(x, y, 18, 12, patterns.ground(mark))
    drawn += patterns.bar(x, y, 18, 12, mark) if mark else ""
    path = f"M{_n(x + 22)} {_n(y + 6)}h24"
    return f'{drawn}<path d="{path}" fill="none" stroke="{color}"{patterns.stroke(mark)}/>'


def _room(color: str) -> int:
    """Pixels of a key before its text."""
    return (52 if color.startswith("mark") else 24) if color else 0


def _drawn(sheet: Sheet, layout: Layout) -> list[str]:
    """The lines first, boxes over them, texts over all."""
    found = [_route(sheet, route) for route in layout.routes]
    texts = []
    for box in layout.boxes:
        block = sheet.figure.blocks[box.block]
        title = " ".join(label.text for label in box.labels)
        fill = patterns.ground(block.mark) if block.mark else color(sheet, block)
        drawn = _rect(box.x, box.y, box.width, box.height, fill, title, "bar")
        found.append(drawn)
        if block.mark:
            found.append(patterns.bar(box.x, box.y, box.width, box.height, block.mark))
        if block.failed:
            found.append(_outline(box.x, box.y, box.width, box.height))
        texts += [_text(label, "alarm" if block.failed else "ink") for label in box.labels]
    arcs = [route.label for route in layout.routes if route.label is not None]
    texts += [_text(label, "alarm" if label.strong else "quiet", size=9) for label in arcs]
    return [*found, *texts]


def color(sheet: Sheet, block: Block) -> str:
    """The colour of a block, by its part, its cost or its mark."""
    if sheet.marks:
        return patterns.INKS[block.mark]
    if not sheet.heat:
        return COLORS[block.part]
    return HEAT[step(sheet.figure, block)]


def _route(sheet: Sheet, route: Route) -> str:
    crossing = route.arc is not None and sheet.figure.arcs[route.arc].crossing
    path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in route.points)
    kind, color, more = "arc", "#666666", ""
    if route.arc is None:
        kind, color, more = "flow", "#999999", ' stroke-width="2"'
    elif mark := sheet.figure.arcs[route.arc].mark:
        kind, color, more = "marked", patterns.LINES[mark], patterns.stroke(mark)
    if crossing:
        kind, color, more = "warning", WARNING, ' stroke-width="1.5" stroke-dasharray="5 3"'
    line = f'<path class="{kind}" d="{path}" fill="none" stroke="{color}"{more}/>'
    return line + _head(route, kind, color)


def _head(route: Route, kind: str, color: str) -> str:
    """The head of an arrow, as a path of its own: markers do not take the colour of their line."""
    (before_x, before_y), (x, y) = route.points[-2:]
    length = abs(x - before_x) + abs(y - before_y) or 1
    ahead = (x - before_x) / length, (y - before_y) / length
    back = x - 5 * ahead[0], y - 5 * ahead[1]
    one = back[0] - 2.5 * ahead[1], back[1] + 2.5 * ahead[0]
    other = back[0] + 2.5 * ahead[1], back[1] - 2.5 * ahead[0]
    path = "L".join(f"{_n(p)} {_n(q)}" for p, q in (one, (x, y), other))
    return f'<path class="{kind}" d="M{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'


def _rect(
    x: float, y: float, width: float, height: float, color: str, title: str = "", kind: str = ""
) -> str:
    inside = f"<title>{escape(harmless(title))}</title>" if title else ""
    edge = f' class="{kind}" stroke="#333333" stroke-width="0.5"' if kind else ""
    size = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect{edge} {size} fill="{color}">{inside}</rect>'


def _outline(x: float, y: float, width: float, height: float) -> str:
    size = f'x="{_n(x - 3)}" y="{_n(y - 3)}" width="{_n(width + 6)}" height="{_n(height + 6)}"'
    return (
        f'<rect class="warning" {size} fill="none" stroke="{WARNING}" stroke-width="1.5" '
        'stroke-dasharray="5 3"/>'
    )


_INKS = {"ink": "#1a1a1a", "quiet": "#555555", "alarm": WARNING}


def _text(label: Label, kind: str = "ink", size: int = FONT) -> str:
    weight = ' font-weight="bold"' if label.strong else ""
    place = f'x="{_n(label.x)}" y="{_n(label.y)}" text-anchor="{label.anchor}" font-size="{size}"'
    words = escape(harmless(label.text))
    if "  " in label.text:  # of which readers would keep one, and none where a text begins
        place += ' xml:space="preserve"'
    return f'<text class="{kind}" {place}{weight} fill="{_INKS[kind]}">{words}</text>'


def _n(number: float) -> str:
    """A number of pixels, to a tenth."""
    return f"{round(number, 1):g}" if abs(number) < 1e5 else f"{number:.0f}"
