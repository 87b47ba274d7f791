"""What the blocks of a conditional network are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from unetscope.families.diffusers.blocks import MID_BLOCKS, BlockType
from unetscope.families.diffusers.levels import TextLevel, levels_of, mid_depth
from unetscope.families.diffusers.networks.attention import AddedKVAttention, SelfAttention
from unetscope.families.diffusers.networks.building import (
    Builder,
    MakeAttention,
    Parts,
)
from unetscope.families.diffusers.networks.gligen import GatedTransformerBlock
from unetscope.families.diffusers.networks.k_layers import KAttentionBlock
from unetscope.families.diffusers.networks.transformer import (
    BasicTransformerBlock,
    DualTransformer2DModel,
    Transformer2DModel,
)

if TYPE_CHECKING:
    from torch import nn

    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig


class ConditionalBuilder(Builder[TextLevel]):
    """Builds the blocks of a `UNet2DConditionModel`.

    Args:
        config: its options.
    """

    def __init__(self, config: UNet2DConditionConfig) -> None:
        super().__init__(levels_of(config))
        self.config = config
        self.transformer_block = (
            BasicTransformerBlock if config.attention_type == "default" else GatedTransformerBlock
        )
        self.plain = Parts.of(config, config.temb_channels)

    def parts(self, block_type: BlockType) -> Parts:
        """What makes the ResNets of such a block."""
        if block_type.resnet != "guided":
            return self.plain
        return replace(
            self.plain,
            skip_time_act=self.config.resnet_skip_time_act,
            output_scale_factor=self.config.resnet_out_scale_factor,
            downsample_type="resnet",
            upsample_type="resnet",
        )

    def mid(self) -> nn.Module | None:
        """The block at the lowest resolution; None if there is none."""
        config, lowest = self.config, self.levels[-1]
        if config.mid_block_type is None:
            return None
        block_type = MID_BLOCKS[config.mid_block_type]
        only_cross = config.only_cross_attention_in_middle and block_type.attention == "added_kv"
        level = replace(lowest, only_cross_attention=only_cross, down_depths=(mid_depth(config),))
        scale = config.mid_block_scale_factor
        return self.middle(
            config.mid_block_type,
            layers=0 if block_type.attention is None else 1,
            parts=replace(self.parts(block_type), output_scale_factor=scale),
            attention=self.attention(block_type, level, decoder=False),
        )

    def attention(
        self, block_type: BlockType, level: TextLevel, *, decoder: bool
    ) -> MakeAttention | None:
        """What makes the attentions of such a block at that level; None if it has none."""
        head_dim = level.up_head_dim if decoder else level.down_head_dim
        match block_type.attention:
            case None:
                return None
            case "self":
                return partial(self._self_attention, head_dim)
            case "added_kv":
                return partial(self._added_kv_attention, level, head_dim)
            case "k":
                return partial(self._k_attention, level, head_dim)
        depths = level.up_depths if decoder else level.down_depths
        return partial(self._transformer, level, depths)

    def _self_attention(self, head_dim: int, channels: int, _layer: int) -> nn.Module:
        groups = self.plain.groups_of(channels)
        return SelfAttention(channels, head_dim=head_dim, groups=groups, eps=self.plain.eps)

    def _added_kv_attention(
        self, level: TextLevel, head_dim: int, channels: int, _layer: int
    ) -> nn.Module:
        return AddedKVAttention(
            channels,
            level.context_dim,
            head_dim=head_dim,
            groups=self.plain.groups_of(channels),
            only_cross_attention=level.only_cross_attention,
            cross_norm=self.config.cross_attention_norm,
        )

    def _k_attention(
        self, level: TextLevel, head_dim: int, channels: int, _layer: int
    ) -> nn.Module:
        return KAttentionBlock(
            channels,
            level.context_dim,
            head_dim=head_dim,
            temb_channels=self.plain.temb_channels,
            self_attention=level is self.levels[-1],
        )

    def _transformer(
        self, level: TextLevel, depths: tuple[int | None, ...], channels: int, layer: int
    ) -> nn.Module | None:
        depth = depths[layer]
        if depth is None:
            return None
        if self.config.dual_cross_attention:
            return DualTransformer2DModel(
                channels,
                heads=level.heads,
                context_dim=level.context_dim,
                groups=self.plain.groups_of(channels),
            )
        return Transformer2DModel(
            channels,
            depth,
            heads=level.heads,
            context_dim=level.context_dim,
            groups=self.plain.groups_of(channels),
            use_linear_projection=self.config.use_linear_projection,
            only_cross_attention=level.only_cross_attention,
            block=self.transformer_block,
        )
