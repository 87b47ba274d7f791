"""The options that say how many transformer blocks stand where, and which residuals are joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unetscope.checkpoints.inference.blocks import Seen

Depths = tuple[int | None, ...]


def depth_options(down: Sequence[Seen], up: Sequence[Seen], mid: Seen | None) -> dict[str, Any]:
    """`transformer_layers_per_block` and its kin.

    Args:
        down: the encoder's blocks.
        up: the decoder's, from the full resolution down; none for a ControlNet.
        mid: the middle block.
    """
    middle = mid.depths[0] if mid is not None and mid.depths else None
    encoder = [_of(block) for block in down]
    decoder = [_of(block) for block in up] or [None] * len(down)
    if (each := _one_each(encoder, decoder, middle)) is not None:
        value = each[0] if len(set(each)) == 1 else each
        return {} if value == 1 else {"transformer_layers_per_block": value}
    last = len(down) - 1
    wanted = [
        _folded(depths, free=1 if middle is None or level != last else middle)
        for level, depths in enumerate(encoder)
    ]
    found: dict[str, Any] = {"transformer_layers_per_block": wanted}
    if up:
        upwards = [_folded(depths, free=1) for depths in reversed(decoder)]
        found["reverse_transformer_layers_per_block"] = upwards
    lowest = wanted[last]
    given = lowest[0] if isinstance(lowest, list) else lowest
    if middle is not None and middle != given:
        found["transformer_layers_per_mid_block"] = middle
    return found


def _of(block: Seen) -> Depths | None:
    """The depths of a block; None if it has no transformers."""
    return block.depths if block.attention == "transformer" else None


def _one_each(
    encoder: Sequence[Depths | None], decoder: Sequence[Depths | None], middle: int | None
) -> list[int] | None:
    """One number a level, if that is all that there is to say; a level without has a free one."""
    found: list[int] = []
    for level, sides in enumerate(zip(encoder, decoder, strict=True)):
        wanted = {depth for depths in sides if depths is not None for depth in depths}
        if level == len(encoder) - 1 and middle is not None:
            wanted.add(middle)
        if len(wanted) > 1 or None in wanted:
            return None
        found += [depth for depth in wanted if depth is not None] or [0]
        if not wanted:
            found[-1] = -1
    known = {depth for depth in found if depth >= 0}
    free = known.pop() if len(known) == 1 else 1
    return [free if depth < 0 else depth for depth in found]


def _folded(depths: Depths | None, *, free: int) -> int | list[int | None]:
    """One number, if all are the same; a list else."""
    if depths is None:
        return free
    first = depths[0]
    return first if first is not None and len(set(depths)) == 1 else list(depths)


def join_options(
    down: Sequence[Seen], up: Sequence[Seen], mid: Seen | None
) -> tuple[dict[str, Any], bool]:
    """`up_layers_per_block`, and whether its joins are but one way that fits the widths.

    Args:
        down: the encoder's blocks.
        up: the decoder's, from the lowest resolution up.
        mid: the middle block.
    """
    found: list[int | list[int | None]] = []
    before = mid.channels if mid is not None else down[-1].channels
    for index, block in enumerate(up):
        level = len(down) - 1 - index
        if level < 0:
            break
        above = down[max(level - 1, 0)].channels
        pushed = [down[level].channels] * down[level].layers + [above]
        joins: list[int | None] = []
        at = 0
        for entering in block.entering:
            joined = entering - before
            before = block.channels
            if joined <= 0 or joined not in pushed[at:]:
                joins.append(None)
                continue
            at = pushed.index(joined, at)
            joins.append(at)
            at += 1
        natural = joins == list(range(len(pushed)))
        found.append(len(pushed) if natural else joins)
    if all(isinstance(each, int) for each in found):
        return {}, False
    return {"up_layers_per_block": found}, True
