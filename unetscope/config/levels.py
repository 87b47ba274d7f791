"""The levels of a UNet: every option that may differ between resolutions, spelled out.

Published configs write such an option once for all levels, once a level, or once a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from unetscope.config.unet2d_condition import UNet2DConditionConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Level:
    """One resolution: what its down block and the up block that mirrors it are made of.

    Attributes:
        channels: feature channels.
        layers: ResNets in the down block; the up block has one more.
        heads: attention heads.
        context_dim: width of the text's tokens.
        only_cross_attention: the first attention of each transformer block reads the text too.
        down_depths: transformer blocks after each ResNet of the down block.
        up_depths: transformer blocks after each ResNet of the up block.
    """

    channels: int
    layers: int
    heads: int
    context_dim: int
    only_cross_attention: bool
    down_depths: tuple[int, ...]
    up_depths: tuple[int, ...]


def levels_of(config: UNet2DConditionConfig) -> tuple[Level, ...]:
    """The levels from the full resolution down; every list of `config` has one entry a level."""
    count = len(config.block_out_channels)
    layers = _each(config.layers_per_block, count)
    down_depths: tuple[int | tuple[int, ...], ...] = _each(
        config.transformer_layers_per_block, count
    )
    up_depths = (
        down_depths
        if config.reverse_transformer_layers_per_block is None
        else config.reverse_transformer_layers_per_block[::-1]
    )
    return tuple(
        Level(
            channels,
            layers,
            heads,
            context_dim,
            only_cross,
            _each(down, layers),
            _each(up, layers + 1),
        )
        for channels, layers, heads, context_dim, only_cross, down, up in zip(
            config.block_out_channels,
            layers,
            _each(config.attention_head_dim, count),
            _each(config.cross_attention_dim, count),
            _each(config.only_cross_attention, count),
            down_depths,
            up_depths,
            strict=True,
        )
    )


def _each(value: T | tuple[T, ...], count: int) -> tuple[T, ...]:
    """One entry each, from one for all or one each."""
    return value if isinstance(value, tuple) else (value,) * count
