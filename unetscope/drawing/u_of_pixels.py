"""A U in pixels: a column is a step, a row is a resolution, and skips go over what is lower.

Each row has lanes for its skips above and bars with their labels below. A column belongs to one
block alone, so that a line up or down in it meets no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from unetscope.drawing.bars import ADVANCE, LINE, bar_size, bar_texts, labels
from unetscope.drawing.figure import Arc, Figure
from unetscope.drawing.layout import Box, Label, Layout, Point, Route, arc_label, cells
from unetscope.drawing.order import sides

_GAP = 12
"""Pixels between a column and the next."""
_PORT = 7
"""Pixels between two arcs of one bar."""
_LANE = 15
_MARGIN = 6


@dataclass
class _Column:
    """A block's place: from `x` on for `width`, its bar in the middle."""

    x: float
    width: float
    bar: tuple[float, float]


def u_of_pixels(figure: Figure, words: Sequence[str]) -> Layout:
    """Place a U.

    Args:
        figure: a U.
        words: for what a block costs.
    """
    texts = [bar_texts(figure, at, words) for at in range(len(figure.blocks))]
    left, right = sides(figure)
    lane_rows = _lane_rows(figure)
    columns = _columns(figure, texts, left, right)
    lanes, floors, height = _rows(figure, texts, lane_rows)
    boxes = []
    for at, (column, block) in enumerate(zip(columns, figure.blocks, strict=True)):
        wide, high = column.bar
        y = floors[block.level] - high
        middle = column.x + column.width / 2
        told = labels(block, texts[at], middle, floors[block.level] + LINE, "middle")
        boxes.append(Box(at, middle - wide / 2, y, wide, high, tuple(told)))
    flows = _flows(figure, boxes, columns)
    ways = [
        _way(figure, index, boxes, columns, lanes[index], (left, right))
        for index in range(len(figure.arcs))
    ]
    upright = [
        (a[0], min(a[1], b[1]), max(a[1], b[1]))
        for points in (*(flow.points for flow in flows), *ways)
        for a, b in pairwise(points)
        if a[0] == b[0]
    ]
    arcs = [
        Route(points, index, _label(figure.arcs[index], points, lanes[index], upright))
        for index, points in enumerate(ways)
    ]
    return Layout(columns[-1].x + columns[-1].width, height, tuple(boxes), (*flows, *arcs))


def _lane_rows(figure: Figure) -> list[int]:
    """The row of each skip: that of the block which pops it."""
    return [figure.blocks[arc.end].level for arc in figure.arcs]


def _columns(
    figure: Figure,
    texts: Sequence[Sequence[str]],
    left: Mapping[int, Sequence[int]],
    right: Mapping[int, Sequence[int]],
) -> list[_Column]:
    """The columns, each wide enough for its labels, its bar and the arcs that leave it.

    Beside the middle is room for the label of the shortest arc.
    """
    found: list[_Column] = []
    x = 0.0
    for at, block in enumerate(figure.blocks):
        ports = max(len(left.get(at, ())), len(right.get(at, ())))
        bar = bar_size(figure, block)
        label = max(ADVANCE * cells(text) for text in texts[at])
        beside = _PORT * 2 if left.get(at) or right.get(at) else 0
        width = max(label, bar[0] + 8, _PORT * (ports + 1)) + 2 * beside
        for arc in right.get(at, ()):
            start = found[figure.arcs[arc].start]
            room = x - (start.x + start.width)
            x += max(0, ADVANCE * cells(arc_label(figure.arcs[arc])) + 2 * _MARGIN - room)
        found.append(_Column(x, width, bar))
        x += width + _GAP
    return found


def _rows(
    figure: Figure, texts: Sequence[Sequence[str]], lane_rows: Sequence[int]
) -> tuple[dict[int, float], list[float], float]:
    """The heights of all arcs, of the floors that bars stand on, and of all."""
    lanes: dict[int, float] = {}
    floors = []
    y = 0.0
    for level in range(len(figure.sizes)):
        held = [index for index, row in enumerate(lane_rows) if row == level]
        # The widest arc is the highest: others of its row lie below it.
        held.sort(key=lambda a: (figure.arcs[a].start - figure.arcs[a].end, figure.arcs[a].number))
        for place, index in enumerate(held):
            lanes[index] = y + _LANE * (place + 1)
        blocks = [at for at, block in enumerate(figure.blocks) if block.level == level]
        bars = max((bar_size(figure, figure.blocks[at])[1] for at in blocks), default=0)
        y += _LANE * (len(held) + 1) + bars
        floors.append(y)
        y += LINE * max((len(texts[at]) for at in blocks), default=0) + _MARGIN
    return lanes, floors, y


def _flows(figure: Figure, boxes: Sequence[Box], columns: Sequence[_Column]) -> list[Route]:
    """The lines from each bar to the next one, where that is given what the first returns."""
    found = []
    for at in range(len(boxes) - 1):
        if at + 1 not in figure.handed:
            continue
        one, other = boxes[at], boxes[at + 1]
        y, to = one.y + one.height / 2, other.y + other.height / 2
        x = columns[at].x + columns[at].width + _GAP / 2
        points = [(one.x + one.width, y), (x, y), (x, to), (other.x, to)]
        if y == to:
            points = [points[0], points[-1]]
        found.append(Route(tuple(points)))
    return found


def _way(
    figure: Figure,
    index: int,
    boxes: Sequence[Box],
    columns: Sequence[_Column],
    lane: float,
    held: tuple[Mapping[int, Sequence[int]], Mapping[int, Sequence[int]]],
) -> tuple[Point, ...]:
    """The points of an arc."""
    arc = figure.arcs[index]
    leaving, arriving = held[0][arc.start], held[1][arc.end][::-1]
    begin = _port(boxes[arc.start], columns[arc.start], leaving.index(index), len(leaving), lane, 1)
    end = _port(boxes[arc.end], columns[arc.end], arriving.index(index), len(arriving), lane, -1)
    return (*begin, *end[::-1])


def _label(
    arc: Arc, points: Sequence[Point], lane: float, upright: Sequence[tuple[float, float, float]]
) -> Label:
    """The label of an arc, in the middle of its lane or beside that, where no line crosses it."""
    text = arc_label(arc)
    wide = ADVANCE * cells(text)
    on_lane = [x for x, y in points if y == lane]
    first, free = min(on_lane), max(on_lane) - min(on_lane) - wide
    crossing = [x for x, top, bottom in upright if top < lane - 1 and bottom > lane - LINE]
    steps = [step * free / 80 for at in range(40) for step in (at, -at)]
    places = [first + free / 2 + step for step in steps]
    clear = (x for x in places if not any(x - 2 < at < x + wide + 2 for at in crossing))
    return Label(next(clear, places[0]) + wide / 2, lane - 3, text, "middle", arc.crossing)


def _port(
    box: Box, column: _Column, place: int, count: int, lane: float, side: int
) -> tuple[Point, ...]:
    """The points from a bar to the lane of an arc: from its top, or around its labels to below."""
    if lane < box.y:
        middle = box.x + box.width / 2
        pitch = min(_PORT, (column.width - 4) / count)
        x = middle + pitch * (place - (count - 1) / 2)
        inside = min(max(x, box.x), box.x + box.width)
        if inside != x:  # the bar is too narrow for all its arcs: they spread out above it
            rise = box.y - 3 - abs(place - (count - 1) / 2)
            return (inside, box.y), (inside, rise), (x, rise), (x, lane)
        return (x, box.y), (x, lane)
    edge = box.x + box.width if side > 0 else box.x
    x = column.x + column.width - 3 if side > 0 else column.x + 3
    y = box.y + box.height * (place + 1) / (count + 1)
    return (edge, y), (x, y), (x, lane)
