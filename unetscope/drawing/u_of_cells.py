"""A U in the cells of a terminal: encoder down the left, middle below, decoder up the right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from unetscope.drawing.figure import LEFT, RIGHT, Figure
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
from unetscope.drawing.order import sides, solved, straight

_LEAST = 16
"""Cells within a frame."""
_CHANNEL = 2
"""Cells from one vertical line to the next."""


def u_of_cells(figure: Figure, width: int, arrow: str) -> Layout | None:
    """Place a U in lines of a width.

    Args:
        figure: a U.
        width: cells of a line.
        arrow: what stands between what goes in and what comes out.

    Returns:
        None if it needs more room.
    """
    left, right = sides(figure)
    plain = straight(figure)
    bent = [arc for arcs in left.values() for arc in arcs if arc not in plain]
    names = max(cells(arc_label(arc)) for arc in figure.arcs)
    least = names + _CHANNEL * len(bent) + 3
    inner = (width - least) // 2 - 2
    if inner < _LEAST:
        return None
    wanted = [_texts(figure, at, width, arrow) for at in range(len(figure.blocks))]
    widest = max(cells(line) + cells(end) + 1 for lines in wanted for line, end in lines)
    pad = int(inner >= widest + 2)
    inner = min(inner, max(widest, _LEAST) + 2 * pad)
    texts = [_texts(figure, at, inner - 2 * pad, arrow) for at in range(len(figure.blocks))]
    down, up = figure.side(LEFT), figure.side(RIGHT)[::-1]
    places = _solve(figure, (down, up), (left, right), plain, [len(t) for t in texts])
    if places is None:
        return None
    wide = inner + 2
    x_right = width - wide
    boxes = [
        *_boxes(down, "L", 0, (wide, pad), places, texts),
        *_boxes(up, "R", x_right, (wide, pad), places, texts),
    ]
    routes = _routes(figure, places, (plain, bent), (wide - 1, x_right))
    floor = max(places["L", len(down)], places["R", len(up)])
    middle = _middle(figure, floor + 1, width, (wide, pad), texts)
    boxes += middle
    routes += _around(middle, floor, width, wide, (places["L", len(down)], places["R", len(up)]))
    height = max([box.y + box.height for box in middle], default=floor + 2)
    return Layout(width, height, tuple(boxes), tuple(routes))


def _routes(
    figure: Figure,
    places: dict[Hashable, int],
    arcs: tuple[set[int], list[int]],
    ends: tuple[int, int],
) -> list[Route]:
    """The lines of arcs from one side to the other, those that are bent each in its channel."""
    plain, bent = arcs
    left, right = ends
    order = sorted(bent, key=lambda arc: places["A", arc])
    found = []
    for arc in (*sorted(plain), *order):
        start, end = places["A", arc], places["B", arc]
        drawn = figure.arcs[arc]
        label = Label(left + 2, start, arc_label(drawn), strong=drawn.crossing)
        points = [(left, start), (right, end)]
        if arc not in plain:
            x = right - 1 - _CHANNEL * (order.index(arc) + 1)
            points[1:1] = [(x, start), (x, end)]
        found.append(Route(tuple(points), arc, label))
    return found


def _texts(figure: Figure, at: int, width: int, arrow: str) -> list[tuple[str, str]]:
    """The lines of a block: what stands on the left and, of two, what on the right."""
    block = figure.blocks[at]
    first, *costs = numbers(figure, block)
    told = [(title(block), first), *((text, "") for text in before(block, arrow))]
    told += [(change(block, arrow), "".join(costs)), *((text, "") for text in block.told)]
    found = []
    for text, end in told:
        found += _ended(folded(text, width) or [""], end, width)
    for row in block.rows:
        found += _row(row_texts(figure, row, arrow), min(row.depth + 1, width // 4), width)
    return found


def _row(texts: tuple[str, str, str], indent: int, width: int) -> list[tuple[str, str]]:
    """The lines of a row within a block, set in."""
    name, told, end = texts
    before, room = " " * indent, width - indent
    if cells(name) + 2 + cells(told) + 1 + cells(end) <= room:
        return [(f"{before}{name}  {told}".rstrip(), end)]
    lines = [*folded(name, room), *folded(told, room)]
    return [(f"{before}{line}", end) for line, end in _ended(lines, end, room)]


def _ended(lines: Sequence[str], end: str, width: int) -> list[tuple[str, str]]:
    """Lines with an end that stands beside the last of them, or below it if that is too long."""
    if cells(lines[-1]) + 1 + cells(end) > width:
        lines = [*lines, ""]
    return [*((line, "") for line in lines[:-1]), (lines[-1], end)]


def _solve(
    figure: Figure,
    columns: tuple[Sequence[int], Sequence[int]],
    arcs: tuple[dict[int, list[int]], dict[int, list[int]]],
    plain: set[int],
    heights: Sequence[int],
) -> dict[Hashable, int] | None:
    """The lines of all frames (`L`, `R`, by place) and of arcs (`A` leaving, `B` arriving)."""
    edges: list[tuple[Hashable, Hashable, int]] = []
    levels: list[tuple[Hashable, Hashable, int]] = []
    for side, end, blocks, held in zip("LR", "AB", columns, arcs, strict=True):
        for at, block in enumerate(blocks):
            top, bottom = (side, at), (side, at + 1)
            edges.append((top, bottom, heights[block] + 1))
            last: Hashable = top
            for arc in held.get(block, ()):
                lane = ("A" if arc in plain else end, arc)
                edges.append((last, lane, 1))
                last = lane
            edges.append((last, bottom, 1))
            level = figure.blocks[block].level
            for other in range(len(figure.sizes)):
                levels.append((top, ("V", other), 1) if level < other else (("V", other), top, 0))
    lanes = {edge[1] for edge in edges if edge[1][0] in "AB"}  # type: ignore[index]
    places = solved([*edges, *levels], lanes) or solved(edges, lanes)
    if places is not None:
        places |= {("B", arc): places["A", arc] for arc in plain}
    return places


def _boxes(
    blocks: Sequence[int],
    side: str,
    x: int,
    frame: tuple[int, int],
    places: dict[Hashable, int],
    texts: Sequence[list[tuple[str, str]]],
) -> list[Box]:
    found = []
    for at, block in enumerate(blocks):
        y = places[side, at]
        found.append(_box(block, x, y, frame, places[side, at + 1] - y + 1, texts[block]))
    return found


def _box(
    block: int,
    x: int,
    y: int,
    frame: tuple[int, int],
    height: int,
    lines: Sequence[tuple[str, str]],
) -> Box:
    """A frame with lines in it; `frame` is its width, and the cells that its sides keep free."""
    wide, pad = frame
    labels = []
    for row, (text, end) in enumerate(lines, y + 1):
        labels += [Label(x + 1 + pad, row, text)] if text else []
        labels += [Label(x + wide - 1 - pad, row, end, "end")]
    return Box(block, x, y, wide, height, tuple(label for label in labels if label.text))


def _middle(
    figure: Figure,
    y: int,
    width: int,
    frame: tuple[int, int],
    texts: Sequence[list[tuple[str, str]]],
) -> list[Box]:
    """The frames of the middle, one below the other, between the two sides."""
    found = []
    x = (width - frame[0]) // 2
    for block in figure.side(("middle",)):
        height = len(texts[block]) + 2
        found.append(_box(block, x, y, frame, height, texts[block]))
        y += height - 1
    return found


def _around(
    middle: Sequence[Box], floor: int, width: int, wide: int, ends: tuple[int, int]
) -> list[Route]:
    """The lines from the end of the encoder through the middle to the decoder."""
    x_left, x_right = wide // 2 - wide // 4 - 1, width - wide // 2 + wide // 4
    if not middle:
        below = floor + 1
        points = ((x_left, ends[0]), (x_left, below), (x_right, below), (x_right, ends[1]))
        return [Route(points)]
    first, last = middle[0], middle[-1]
    into, out = first.y + 1, last.y + last.height - 2
    return [
        Route(((x_left, ends[0]), (x_left, into), (first.x, into))),
        Route(((last.x + last.width - 1, out), (x_right, out), (x_right, ends[1]))),
    ]
