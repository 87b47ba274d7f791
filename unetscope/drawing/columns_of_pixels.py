"""Any network in pixels: a row is a step, a column is a resolution, and arcs lie beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from unetscope.drawing.bars import ADVANCE, LINE, bar_size, bar_texts, labels
from unetscope.drawing.columns_of_cells import End, ends_of, lanes_of
from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import Box, Label, Layout, Route, arc_label, cells

_GAP, _STEP, _LANE, _MARGIN = 10, 14, 12, 6


def columns_of_pixels(figure: Figure, words: Sequence[str]) -> Layout:
    """Place steps from above to below, and arcs on the right; the height of a bar says nothing.

    Args:
        figure: any network.
        words: for what a block costs.
    """
    texts = [bar_texts(figure, at, words) for at in range(len(figure.blocks))]
    arcs_of = ends_of(figure)
    widths = [0.0] * max(len(figure.sizes), 1)
    for block, lines in zip(figure.blocks, texts, strict=True):
        need = bar_size(figure, block)[0] + _MARGIN + _label_width(lines)
        widths[block.level] = max(widths[block.level], need)
    lefts = [sum(widths[:level]) + _GAP * level for level in range(len(widths))]
    edge = lefts[-1] + widths[-1] + _MARGIN
    rows: dict[End, float] = {}
    boxes, y = [], 0.0
    for at, block in enumerate(figure.blocks):
        wide, _ = bar_size(figure, block)
        tall = max(LINE * len(texts[at]) + 4, _LANE * len(arcs_of[at]) + 4)
        x = lefts[block.level]
        told = labels(block, texts[at], x + wide + _MARGIN, y + LINE - 2, "start")
        boxes.append(Box(at, x, y, wide, tall, tuple(told)))
        for place, end in enumerate(arcs_of[at]):
            rows[end] = y + _LANE * (place + 0.7)
        y += tall + _STEP
    names = max((ADVANCE * cells(arc_label(arc)) for arc in figure.arcs), default=0.0)
    lanes = lanes_of([(arc.start, arc.end) for arc in figure.arcs])
    routes = [_down(box, below) for box, below in pairwise(boxes) if below.block in figure.handed]
    for index, (arc, lane) in enumerate(zip(figure.arcs, lanes, strict=True)):
        x = edge + names + 2 * _MARGIN + _LANE * lane
        start, stop = rows["start", index], rows["end", index]
        begin = _end_of(boxes[arc.start], texts[arc.start])
        until = _end_of(boxes[arc.end], texts[arc.end])
        label = Label(edge + _MARGIN, start - 2, arc_label(arc), "start", arc.crossing)
        routes.append(Route(((begin, start), (x, start), (x, stop), (until, stop)), index, label))
    width = edge + (names + 2 * _MARGIN + _LANE * (max(lanes) + 1) if lanes else 0)
    return Layout(width, y, tuple(boxes), tuple(routes))


def _label_width(lines: list[str]) -> float:
    return max(ADVANCE * cells(line) for line in lines)


def _end_of(box: Box, lines: list[str]) -> float:
    return box.x + box.width + _MARGIN + _label_width(lines) + 2


def _down(box: Box, below: Box) -> Route:
    """The line from a bar to the next one, below it."""
    x, to = box.x + min(box.width, 6) / 2, below.x + min(below.width, 6) / 2
    y = below.y - _STEP / 2
    points = (x, box.y + box.height), (x, y), (to, y), (to, below.y)
    return Route((points[0], points[-1]) if x == to else points)
