"""The levels of a UNet: every option that may differ between resolutions, spelled out.

Published configs write such an option once for all levels, once a level, or once a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from unetscope.families.diffusers.unet2d import UNet2DConfig
    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Level:
    """One resolution: what its down block and the up block that mirrors it are made of.

    Attributes:
        channels: feature channels.
        layers: ResNets in the down block; the up block has one more.
        down_head_dim: width of each head of the down block's attentions, transformers aside.
        up_head_dim: the same of the up block's; the published code reads that list unmirrored.
    """

    channels: int
    layers: int
    down_head_dim: int
    up_head_dim: int


@dataclass(frozen=True)
class TextLevel(Level):
    """A level that may read a text.

    Attributes:
        heads: attention heads of transformers.
        context_dim: width of the text's tokens.
        only_cross_attention: the pixels do not read each other.
        down_depths: transformer blocks after each ResNet of the down block.
        up_depths: transformer blocks after each ResNet of the up block.
    """

    heads: int
    context_dim: int
    only_cross_attention: bool
    down_depths: tuple[int, ...]
    up_depths: tuple[int, ...]


def plain_levels(config: UNet2DConfig) -> tuple[Level, ...]:
    """The levels of a `UNet2DModel` from the full resolution down."""
    levels = []
    for channels in config.block_out_channels:
        head_dim = config.attention_head_dim or channels
        levels.append(Level(channels, config.layers_per_block, head_dim, head_dim))
    return tuple(levels)


def levels_of(config: UNet2DConditionConfig) -> tuple[TextLevel, ...]:
    """The levels from the full resolution down; every list of `config` has one entry a level."""
    count = len(config.block_out_channels)
    layers = _each(config.layers_per_block, count)
    heads = _each(config.attention_head_dim, count)
    context_dims = _each(config.cross_attention_dim, count)
    only_cross_attention = _each(config.only_cross_attention, count)
    down_depths: tuple[int | tuple[int, ...], ...] = _each(
        config.transformer_layers_per_block, count
    )
    reverse = config.reverse_transformer_layers_per_block
    up_depths = down_depths if reverse is None else reverse[::-1]
    return tuple(
        TextLevel(
            channels=config.block_out_channels[i],
            layers=layers[i],
            heads=heads[i],
            down_head_dim=heads[i],
            up_head_dim=heads[count - 1 - i],
            context_dim=context_dims[i],
            only_cross_attention=only_cross_attention[i],
            down_depths=_each(down_depths[i], layers[i]),
            up_depths=_each(up_depths[i], layers[i] + 1),
        )
        for i in range(count)
    )


def _each(value: T | tuple[T, ...], count: int) -> tuple[T, ...]:
    """One entry each, from one for all or one each."""
    return value if isinstance(value, tuple) else (value,) * count
