"""Where everything stands: boxes, routes and labels, in cells of a terminal or in pixels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import east_asian_width

from unetscope.drawing.figure import Arc, Block, Dims, Figure
from unetscope.table import Kind
from unetscope.units import spell

if TYPE_CHECKING:
    from unetscope.drawing.layers import Row

Point = tuple[float, float]


class Label(NamedTuple):
    """A line of text.

    Attributes:
        x: where it begins, ends or has its middle, as `anchor` says.
        y: its line, or in pixels its baseline.
        text: what it says.
        anchor: `start`, `middle` or `end`.
        strong: whether it stands out.
    """

    x: float
    y: float
    text: str
    anchor: str = "start"
    strong: bool = False


class Box(NamedTuple):
    """A block in its place; `width` and `height` are those of its frame or its bar."""

    block: int
    x: float
    y: float
    width: float
    height: float
    labels: tuple[Label, ...]


class Route(NamedTuple):
    """A line through some points, at right angles.

    Attributes:
        points: from where it leaves to where it arrives.
        arc: the index of its arc; None where one box hands on to the next.
        label: of an arc.
    """

    points: tuple[Point, ...]
    arc: int | None = None
    label: Label | None = None


class Layout(NamedTuple):
    """All of a drawing: what lies within `width` and `height` from 0."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]
    labels: tuple[Label, ...] = ()


def cells(text: str) -> int:
    """How many cells of a terminal a text takes; Chinese characters are two wide."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def shape(dims: Dims | None) -> str:
    """Channels and size: `320x64x64`."""
    return spell(dims, Kind.SIZE)


def change(block: Block, arrow: str) -> str:
    """Channels and size of what goes in and out, each once if it stays: `320→640 32x32→16x16`.

    Behind `before` with a `+`, if that differs.
    """
    return f"{'+ ' * bool(before(block, arrow))}{_change(block, arrow)}"


def before(block: Block, arrow: str) -> list[str]:
    """What `change` was in the old one of two networks, if that differs: `- 320 32x32`."""
    was = "" if block.was is None else _change(block.was, arrow)
    return [f"- {was}"] if was and was != _change(block, arrow) else []


def _change(block: Block, arrow: str) -> str:
    given, made = block.given or block.made, block.made or block.given
    if given is None or made is None:
        return ""
    pairs = (given[:1], made[:1]), (given[1:], made[1:])
    told = [
        [shape(one) for one in dict.fromkeys(pair) if one or pair[0] == pair[1]] for pair in pairs
    ]
    return " ".join(arrow.join(each) for each in told if (each and each != ["1"]) or given[1:])


def channels(block: Block, arrow: str) -> str:
    """The channels of what goes in and out, once if they stay: `320→640`."""
    ends = dict.fromkeys(dims[0] for dims in (block.given, block.made) if dims)
    return arrow.join(map(str, ends))


def arc_label(arc: Arc) -> str:
    """What stands at an arc: `#3 320x32x32`, behind its mark if it has one."""
    return arc.mark + (arc.name or f"#{arc.number} {shape(arc.shape)}")


def share(value: float | None) -> str:
    """A share as people read it."""
    return spell(value, Kind.SHARE)


def numbers(figure: Figure, block: Block) -> list[str]:
    """What a block costs, as people read it: its shares, or the bytes that colours tell."""
    if figure.in_bytes:
        return [spell(int(figure.heat_of(block)), Kind.BYTES)]
    return [share(figure.parameter_share(block)), share(figure.mac_share(block))]


def row_texts(figure: Figure, row: Row, arrow: str) -> tuple[str, str, str]:
    """A row within a block: its name, its channels or shape, its part of the cost if any."""
    name = f"{row.name} x {row.times}" if row.times > 1 else row.name
    widths = dict.fromkeys(width for width in row.width if width is not None)
    told = shape(row.made) if row.made else arrow.join(map(str, widths))
    cost = (figure.heat_of if figure.heat else figure.mac_share)(row)
    number = spell(int(cost), Kind.BYTES) if cost and figure.in_bytes else share(cost)
    return (
        f"! {name}" if row.failed else name,
        told,
        number if cost else "",
    )


def title(block: Block) -> str:
    """The name of a block, how many calls it stands for, and its mark or that of a failed pass."""
    times = block.times if block.was is None else block.was.times
    often = f"{times}>{block.times}" if times != block.times else f"{times}"
    name = f"{block.name} x {often}" if often != "1" else block.name
    mark = "!" if block.failed else block.mark
    return f"{mark} {name}" if mark else name


_MEASURE = re.compile(r"\d[\d.,]* (?:%|[KMGT]?i?B\b)")
"""A number with its unit."""


def folded(text: str, width: int) -> list[str]:
    """A text in lines of at most so many cells, broken behind dots and spaces where there are.

    A number and its unit stay together.
    """
    lines = []
    while text:
        end = 0
        while end < len(text) and cells(text[: end + 1]) <= width:
            end += 1
        end = max(end, 1)
        if end < len(text):
            for breaks in (". ", "_-/"):
                whole = {at for found in _MEASURE.finditer(text) for at in range(*found.span())}
                ends = (at for at, char in enumerate(text[:end]) if char in breaks)
                stops = [at + 1 for at in ends if at not in whole]
                if stops and stops[-1] > end // 3:
                    end = stops[-1]
                    break
        line, text = text[:end], text[end:]
        lines.append(line.rstrip(" "))
    return lines
