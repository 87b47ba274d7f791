"""Which blocks hold attentions, and how wide the text is that they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from unetscope.families.diffusers.blocks import (
    DOWN_BLOCKS,
    MID_BLOCKS,
    UP_BLOCKS,
    AttentionKind,
    BlockType,
)
from unetscope.families.diffusers.levels import TextLevel, levels_of

if TYPE_CHECKING:
    from unetscope.families.diffusers.unet2d import UNet2DConfig
    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig


class Attending(NamedTuple):
    """A block whose pixels read something.

    Attributes:
        level: index of its level, from the full resolution down.
        kind: what reads.
        entry: index of its entry in `attention_head_dim`, if that is a list.
    """

    level: int
    kind: AttentionKind
    entry: int


def attending_blocks(unet: UNet2DConditionConfig | UNet2DConfig) -> Iterator[Attending]:
    """The blocks with attention; every list of `unet` has one entry a level."""
    last = len(unet.down_block_types) - 1
    for index, name in enumerate(unet.down_block_types):
        if kind := _attention(name, DOWN_BLOCKS):
            yield Attending(index, kind, index)
    if kind := _attention(unet.mid_block_type, MID_BLOCKS):
        yield Attending(last, kind, last)
    for index, name in enumerate(unet.up_block_types):
        if kind := _attention(name, UP_BLOCKS):
            level = last - index
            # The published code reads widths of heads unmirrored, but numbers of heads mirrored.
            yield Attending(level, kind, level if kind == "transformer" else index)


def has_transformers(name: str | None, known: Mapping[str, BlockType]) -> bool:
    """Whether a block type that may be unknown, or None for no block, holds transformers."""
    return _attention(name, known) == "transformer"


def reading_levels(unet: UNet2DConditionConfig) -> dict[int, TextLevel]:
    """The levels where a block reads the text."""
    levels = levels_of(unet)
    reading = {block.level for block in attending_blocks(unet) if block.kind != "self"}
    return {index: levels[index] for index in sorted(reading)}


def text_width(unet: UNet2DConditionConfig) -> int | None:
    """Width of the tokens that attentions read; None if widths differ, so that no text fits.

    Such a network is called without text, and each attention reads the pixels instead (AudioLDM).
    """
    widths = {level.context_dim for level in reading_levels(unet).values()}
    if len(widths) > 1:
        return None
    return widths.pop() if widths else levels_of(unet)[-1].context_dim


def _attention(name: str | None, known: Mapping[str, BlockType]) -> AttentionKind | None:
    return known[name].attention if name is not None and name in known else None
