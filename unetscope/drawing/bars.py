"""How large a bar is, and what stands at it."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, prod

from unetscope.drawing.figure import Block, Dims, Figure
from unetscope.drawing.layout import (
    Label,
    before,
    cells,
    change,
    folded,
    numbers,
    row_texts,
    title,
)

FONT = 10
"""Pixels of a line of text."""
ADVANCE = 0.62 * FONT
"""Pixels of a character, in any of the usual fonts whose characters are all as wide."""
LINE = 12
"""Pixels from a line of text to the next."""
_LOWEST, _HIGHEST = 8, 56
_NARROWEST, _WIDEST = 6, 64
_NAME, _ID = 18, 23
"""Characters of a line of a name, and of what changed."""


def scales(figure: Figure) -> tuple[Dims, int]:
    """The largest size and the most channels of any bar, which has the most height and width."""
    channels = [_channels(block) for block in figure.blocks]
    return next(iter(figure.sizes), ()), max(channels, default=0)


def bar_size(figure: Figure, block: Block) -> tuple[float, float]:
    """Width and height of a block's bar: by its channels, and by the log of its size."""
    largest, most = scales(figure)
    wide = _channels(block) / most if most else 0
    top, own = log2(prod(largest) or 1), log2(prod(_size(figure, block)) or 1)
    high = own / top if top else 1
    return (
        round(_NARROWEST + (_WIDEST - _NARROWEST) * wide, 1),
        round(_LOWEST + (_HIGHEST - _LOWEST) * high, 1),
    )


def bar_texts(figure: Figure, at: int, words: Sequence[str]) -> list[str]:
    """The lines of text at a bar: name, channels, size, what it costs."""
    block = figure.blocks[at]
    costs = zip(words, numbers(figure, block), strict=False)
    told = [f"{word} {number}" for word, number in costs]
    told += [line for text in block.told for line in folded(text, _ID)]
    return [*folded(title(block), _NAME), *_shapes(block), *told, *_rows(figure, block)]


def _shapes(block: Block) -> list[str]:
    """Channels and size, a line each; of two networks those of both where they differ."""
    new = change(block, "→").split()
    old = [part for text in before(block, "→") for part in text.split()]
    if not old:
        return new
    (_, *was), (_, *now) = old, new
    if len(was) != len(now):
        return [" ".join(old), " ".join(new)]
    pairs = zip(was, now, strict=True)
    return [line for a, b in pairs for line in ([a] if a == b else [f"- {a}", f"+ {b}"])]


def labels(block: Block, texts: Sequence[str], x: float, y: float, anchor: str) -> list[Label]:
    """The lines of text at a bar, the first one at `y`; rows begin alike, and are set in.

    Args:
        block: its block.
        texts: as `bar_texts` has them.
        x: where lines begin, or have their middle.
        y: the baseline of the first.
        anchor: `start` or `middle`.
    """
    name = len(folded(title(block), _NAME))
    begin = x - ADVANCE * max(map(cells, texts)) / 2 if anchor == "middle" else x
    found = []
    for at, text in enumerate(texts):
        low = y + LINE * at
        if at < len(texts) - len(block.rows):
            found.append(Label(x, low, text, anchor, at < name))
        else:  # spaces at the ends of a text are not kept everywhere
            bare = text.lstrip(" ")
            found.append(Label(begin + ADVANCE * (len(text) - len(bare)), low, bare.rstrip(" ")))
    return found


def _rows(figure: Figure, block: Block) -> list[str]:
    """The rows within a block, as wide as each other, so that they stand set in and end alike."""
    found = []
    for row in block.rows:
        name, told, cost = row_texts(figure, row, "→")
        found.append((" " * 2 * row.depth + "  ".join(filter(None, (name, told))), cost))
    widest = max((cells(f"{text}  {cost}" if cost else text) for text, cost in found), default=0)
    return [f"{t}{' ' * (widest - cells(t) - cells(cost))}{cost}" for t, cost in found]


def _size(figure: Figure, block: Block) -> Dims:
    """The size that a bar has, that of its row."""
    return figure.sizes[block.level] if figure.sizes else ()


def _channels(block: Block) -> int:
    made = block.made or block.given
    return made[0] if made else 0
