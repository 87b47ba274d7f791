"""The levels of a UNet, and its blocks with attention.

Published configs write an option that may differ between levels once for all, once a level, or once
a layer; here each level has its own values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from unetscope.families.diffusers.blocks import (
    DOWN_BLOCKS,
    MID_BLOCKS,
    UP_BLOCKS,
    AttentionKind,
    BlockType,
)
from unetscope.families.diffusers.unet2d import UNet2DConfig

if TYPE_CHECKING:
    from unetscope.families.diffusers.unet2d_condition import BlocksEach, UNet2DConditionConfig

T = TypeVar("T")

Joins = int | tuple[int | None, ...]
"""ResNets of an up block that join one residual each, or for each which residual it joins."""


@dataclass(frozen=True)
class Level:
    """One resolution: what its down block and the up block that mirrors it are made of.

    Attributes:
        channels: feature channels.
        layers: ResNets in the down block. With what entered the level, their results are the
            residuals that are pushed at its resolution.
        joins: for each ResNet of the up block, which of those residuals it joins, 0 for the newest;
            None for none.
        down_head_dim: channels of each head of the down block's attentions, transformers aside.
        up_head_dim: the same of the up block's; the published code reads that list unmirrored.
    """

    channels: int
    layers: int
    joins: tuple[int | None, ...]
    down_head_dim: int
    up_head_dim: int

    def attends(
        self,
        kind: AttentionKind,  # noqa: ARG002
        layer: int | None = None,  # noqa: ARG002
        *,
        decoder: bool = False,  # noqa: ARG002
    ) -> bool:
        """Whether an attention of this kind follows a ResNet of a block, or any of them."""
        return True


@dataclass(frozen=True)
class TextLevel(Level):
    """A level that may read a text.

    Attributes:
        heads: attention heads of transformers.
        context_dim: dimension of the text's tokens.
        only_cross_attention: the pixels do not read each other.
        down_depths: transformer blocks after each ResNet of the down block; None for no
            transformer.
        up_depths: the same of the up block.
    """

    heads: int
    context_dim: int
    only_cross_attention: bool
    down_depths: tuple[int | None, ...]
    up_depths: tuple[int | None, ...]

    def attends(
        self, kind: AttentionKind, layer: int | None = None, *, decoder: bool = False
    ) -> bool:
        """Whether an attention of this kind follows a ResNet of a block, or any of them."""
        depths = self.up_depths if decoder else self.down_depths
        asked = depths if layer is None else (depths[layer],)
        return kind != "transformer" or any(depth is not None for depth in asked)


def plain_levels(config: UNet2DConfig) -> tuple[Level, ...]:
    """The levels of a `UNet2DModel` from the full resolution down."""
    channels = config.block_out_channels
    head_dims = each(config.attention_head_dim, len(channels))
    return tuple(
        Level(
            channels=channels[i],
            layers=layers,
            joins=joins,
            down_head_dim=head_dims[i] or channels[i],
            up_head_dim=head_dims[i] or channels[i],
        )
        for i, (layers, joins) in enumerate(layers_of(config))
    )


def layers_of(
    config: UNet2DConfig | UNet2DConditionConfig,
) -> list[tuple[int, tuple[int | None, ...]]]:
    """`Level.layers` and `Level.joins` of each level from the full resolution down."""
    count = len(config.block_out_channels)
    layers = each(config.layers_per_block, count)
    pushed = [number + 1 for number in layers]
    ups: list[Joins] = [*pushed]
    if config.up_layers_per_block is not None:
        ups = [*reversed(up_layers(config.up_layers_per_block, count))]
    joins = [up if isinstance(up, tuple) else tuple(range(up)) for up in ups]
    return list(zip(layers, joins, strict=True))


def levels_of(config: UNet2DConditionConfig) -> tuple[TextLevel, ...]:
    """The levels from the full resolution down; every list of `config` has one entry a level."""
    count = len(config.block_out_channels)
    layers = layers_of(config)
    heads = each(config.attention_head_dim, count)
    context_dims = each(config.cross_attention_dim, count)
    only_cross_attention = each(config.only_cross_attention, count)
    down_depths: tuple[BlocksEach, ...] = each(config.transformer_layers_per_block, count)
    reverse = config.reverse_transformer_layers_per_block
    up_depths = down_depths if reverse is None else reverse[::-1]
    return tuple(
        TextLevel(
            channels=config.block_out_channels[i],
            layers=layers[i][0],
            joins=layers[i][1],
            heads=heads[i],
            down_head_dim=heads[i],
            up_head_dim=heads[count - 1 - i],
            context_dim=context_dims[i],
            only_cross_attention=only_cross_attention[i],
            down_depths=each(down_depths[i], layers[i][0]),
            up_depths=each(up_depths[i], len(layers[i][1])),
        )
        for i in range(count)
    )


def unet_levels(unet: UNet2DConditionConfig | UNet2DConfig) -> tuple[Level, ...]:
    """The levels of either network; every list of `unet` has one entry a level."""
    return plain_levels(unet) if isinstance(unet, UNet2DConfig) else levels_of(unet)


def up_layers(value: int | tuple[Joins, ...], count: int) -> tuple[Joins, ...]:
    """`up_layers_per_block` with one entry a block."""
    return value if isinstance(value, tuple) else (value,) * count


def mid_depth(config: UNet2DConditionConfig) -> int | None:
    """Transformer blocks of the middle block, if it has a transformer."""
    if config.transformer_layers_per_mid_block is not None:
        return config.transformer_layers_per_mid_block
    return levels_of(config)[-1].down_depths[0]


class AttentionBlock(NamedTuple):
    """A block whose pixels read something.

    Attributes:
        level: index of its level, from the full resolution down.
        kind: what reads.
        entry: index of its entry in `attention_head_dim`, if that is a list.
    """

    level: int
    kind: AttentionKind
    entry: int


def attention_blocks(unet: UNet2DConditionConfig | UNet2DConfig) -> Iterator[AttentionBlock]:
    """The blocks with attention; every list of `unet` has one entry a level."""
    levels = unet_levels(unet)
    last = len(levels) - 1
    for index, name in enumerate(unet.down_block_types):
        kind = _attention(name, DOWN_BLOCKS)
        if kind and levels[index].attends(kind):
            yield AttentionBlock(index, kind, index)
    if kind := _attention(unet.mid_block_type, MID_BLOCKS):
        yield AttentionBlock(last, kind, last)
    for index, name in enumerate(unet.up_block_types):
        level = last - index
        kind = _attention(name, UP_BLOCKS)
        if kind and levels[level].attends(kind, decoder=True):
            yield AttentionBlock(level, kind, level if _is_mirrored(unet, kind) else index)


def _is_mirrored(unet: UNet2DConditionConfig | UNet2DConfig, kind: AttentionKind) -> bool:
    """Whether the decoder reads `attention_head_dim` from its end.

    The published `UNet2DConditionModel` does so for numbers of heads, and not for their channels.
    """
    return kind == "transformer" or isinstance(unet, UNet2DConfig)


def has_transformers(name: str | None, known: Mapping[str, BlockType]) -> bool:
    """Whether a block type that may be unknown, or None for no block, holds transformers."""
    return _attention(name, known) == "transformer"


def reading_levels(unet: UNet2DConditionConfig) -> dict[int, TextLevel]:
    """The levels where a block reads the text."""
    levels = levels_of(unet)
    reading = {block.level for block in attention_blocks(unet) if block.kind != "self"}
    return {index: levels[index] for index in sorted(reading)}


def text_dim(unet: UNet2DConditionConfig) -> int | None:
    """Dimension of the tokens that attentions read; None if they differ, so that no text fits.

    Such a network is called without text, and each attention reads the pixels instead (AudioLDM).
    """
    dims = {level.context_dim for level in reading_levels(unet).values()}
    if len(dims) > 1:
        return None
    return dims.pop() if dims else levels_of(unet)[-1].context_dim


def _attention(name: str | None, known: Mapping[str, BlockType]) -> AttentionKind | None:
    return known[name].attention if name is not None and name in known else None


def each(value: T | tuple[T, ...], count: int) -> tuple[T, ...]:
    """One entry each, from one for all or one each."""
    return value if isinstance(value, tuple) else (value,) * count
