"""Which levels hold transformers, and how wide the text is that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from unetscope.config.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType
from unetscope.config.levels import Level, levels_of

if TYPE_CHECKING:
    from unetscope.config.unet2d_condition import UNet2DConditionConfig


def has_transformers(name: str | None, known: Mapping[str, BlockType]) -> bool:
    """Whether a block type that may be unknown, or None for no block, holds transformers."""
    return name is not None and name in known and known[name].transformer


def attending_levels(unet: UNet2DConditionConfig) -> dict[int, Level]:
    """The levels with a transformer in their down block, up block or, at the last, between them.

    Every list of `unet` has one entry a level.
    """
    last = len(unet.down_block_types) - 1
    in_middle = has_transformers(unet.mid_block_type, MID_BLOCKS)
    return {
        index: level
        for index, level in enumerate(levels_of(unet))
        if has_transformers(unet.down_block_types[index], DOWN_BLOCKS)
        or has_transformers(unet.up_block_types[last - index], UP_BLOCKS)
        or (index == last and in_middle)
    }


def text_width(unet: UNet2DConditionConfig) -> int | None:
    """Width of the text's tokens; None if widths differ, so that no text fits.

    Such a network is called without text, and each transformer reads the pixels instead (AudioLDM).
    """
    widths = {level.context_dim for level in attending_levels(unet).values()}
    if len(widths) > 1:
        return None
    return widths.pop() if widths else levels_of(unet)[-1].context_dim
