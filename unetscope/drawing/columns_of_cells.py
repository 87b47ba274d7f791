"""Any network in the cells of a terminal: a line a step, set in the further the lower it works."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import (
    Box,
    Label,
    Layout,
    Route,
    arc_label,
    before,
    cells,
    change,
    folded,
    numbers,
    row_texts,
    title,
)

_INDENT, _MARK, _LANE = 2, 2, 2
_LEAST = 16

End = tuple[str, int]
"""An end of an arc: `start` or `end`, and the index of the arc."""


def columns_of_cells(figure: Figure, width: int, arrow: str, *, short: bool = False) -> Layout:
    """Place steps from above to below, and arcs beside them; wider only if it cannot be helped.

    Args:
        figure: any network.
        width: cells of a line.
        arrow: what stands between what goes in and what comes out.
        short: whether arcs are labelled with their numbers alone.
    """
    told = [arc_label(arc).partition(" ")[0] if short else arc_label(arc) for arc in figure.arcs]
    lanes = lanes_of([(arc.start, arc.end) for arc in figure.arcs])
    beside = _LANE * (max(lanes, default=-1) + 1) + 2 * bool(lanes)
    names = max(map(cells, told), default=-2) + 2
    depth = _INDENT * max(len(figure.sizes) - 1, 0)
    room = max(width - beside - names - depth - _MARK, _LEAST)
    boxes, y = [], 0
    at_block = ends_of(figure)
    texts = [_lines(figure, at, room, arrow) for at in range(len(figure.blocks))]
    widest = max((cells(text) for lines in texts for text in lines), default=0)
    edge = max(
        (
            _INDENT * block.level + _MARK + max(map(cells, lines), default=0)
            for block, lines in zip(figure.blocks, texts, strict=True)
        ),
        default=widest,
    )
    rows: dict[End, int] = {}
    for at, block in enumerate(figure.blocks):
        for row, end in enumerate(at_block[at]):
            rows[end] = y + row
        height = max(len(texts[at]), len(at_block[at]))
        x = _INDENT * block.level
        labels = [Label(x + _MARK, y + row, text) for row, text in enumerate(texts[at])]
        boxes.append(Box(at, x, y, _MARK + max(map(cells, texts[at])), height, tuple(labels)))
        y += height
    routes = []
    for index, (arc, lane) in enumerate(zip(figure.arcs, lanes, strict=True)):
        x = edge + names + _LANE * lane + 2
        start, stop = rows["start", index], rows["end", index]
        begin = boxes[arc.start].x + _width_at(boxes[arc.start], start) + 1
        until = boxes[arc.end].x + _width_at(boxes[arc.end], stop) + 1
        label = Label(edge + 2, start, told[index], strong=arc.crossing)
        routes.append(Route(((begin, start), (x, start), (x, stop), (until, stop)), index, label))
    full = edge + beside + names if figure.arcs else edge
    return Layout(full, y, tuple(boxes), tuple(routes))


def ends_of(figure: Figure) -> list[list[End]]:
    """The ends of arcs at each block, from above; an arc within one block has both there."""
    found: list[list[End]] = [[] for _ in figure.blocks]
    for index, arc in enumerate(figure.arcs):
        found[arc.end].append(("end", index))
    for index, arc in enumerate(figure.arcs):
        found[arc.start].append(("start", index))
    return found


def _width_at(box: Box, y: float) -> int:
    return max([_MARK, *(_MARK + cells(label.text) for label in box.labels if label.y == y)])


def _lines(figure: Figure, at: int, room: int, arrow: str) -> list[str]:
    """What is said of a block, in as few lines as there is room for."""
    block = figure.blocks[at]
    costs = ", ".join(numbers(figure, block))
    lines: list[str] = []
    shapes = (*before(block, arrow), change(block, arrow))
    for text in (title(block), *shapes, costs, *block.told):
        if lines and text and cells(lines[-1]) + 2 + cells(text) <= room:
            lines[-1] += f"  {text}"
        elif text:
            lines += folded(text, room)
    for row in block.rows:
        indent = min(2 * (row.depth + 1), room // 4)
        texts = "  ".join(filter(None, row_texts(figure, row, arrow)))
        lines += [" " * indent + line for line in folded(texts, room - indent)]
    return lines


def lanes_of(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A lane for each arc, shorter ones nearer, so that no two of one lane touch."""
    found = [0] * len(spans)
    taken: list[list[tuple[int, int]]] = []
    for at in sorted(range(len(spans)), key=lambda a: (spans[a][1] - spans[a][0], a)):
        start, end = spans[at]
        free = (
            lane
            for lane, held in enumerate(taken)
            if all(end < other or start > last for other, last in held)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        found[at] = lane
    return found
