"""The blocks of a network, one a level, from descriptions and options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from torch import nn

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.levels import Level
from unetscope.families.diffusers.networks import blocks, fir_blocks, k_blocks
from unetscope.families.diffusers.networks.resnet import Downsample2D, ResnetBlock2D, Upsample2D

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from unetscope.families.diffusers.unet2d import UNet2DConfig
    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

L = TypeVar("L", bound=Level)

BLOCKS: dict[str, Callable[[BlockSpec], nn.Module]] = {
    block.__name__: block
    for base in (
        blocks.DownBlock,
        blocks.MidBlock,
        blocks.UpBlock,
        fir_blocks.FirDownBlock,
        fir_blocks.FirUpBlock,
        k_blocks.KDownBlock,
        k_blocks.KUpBlock,
    )
    for block in base.__subclasses__()
}
"""The classes of blocks by their published names."""


class MakeAttention(Protocol):
    """Makes what follows a ResNet and lets the pixels read each other, or the text."""

    def __call__(self, channels: int, layer: int) -> nn.Module | None:
        """Make one for `channels`, behind the ResNet number `layer` of its block, if it has one."""


@dataclass(frozen=True)
class Parts:
    """The options that the layers of a block share; makes those layers.

    Attributes:
        temb_channels: dimension of the time embedding.
        groups: groups of the norms; None if each block counts by its channels.
        eps: of the norms.
        act_fn: activation in the ResNets.
        dropout: probability in the ResNets.
        scale_shift: the time scales and shifts their second norm.
        skip_time_act: they project the time embedding without activating it.
        output_scale_factor: what they divide their result by.
        downsample_type: what halves: `conv` or `resnet`.
        upsample_type: what doubles: `conv` or `resnet`.
        downsample_padding: padding of the convolution that halves.
    """

    temb_channels: int
    groups: int | None
    eps: float
    act_fn: str
    dropout: float = 0.0
    scale_shift: bool = False
    skip_time_act: bool = False
    output_scale_factor: float = 1.0
    downsample_type: str = "conv"
    upsample_type: str = "conv"
    downsample_padding: int = 1

    @classmethod
    def of(cls, config: UNet2DConfig | UNet2DConditionConfig, temb_channels: int) -> Parts:
        """What all blocks of a network share."""
        return cls(
            temb_channels=temb_channels,
            groups=config.norm_num_groups,
            eps=config.norm_eps,
            act_fn=config.act_fn,
            dropout=config.dropout,
            scale_shift=config.resnet_time_scale_shift == "scale_shift",
            downsample_padding=config.downsample_padding,
        )

    def groups_of(self, channels: int) -> int:
        """Groups of a norm over so many channels."""
        return min(channels // 4, 32) if self.groups is None else self.groups

    def resnet(
        self,
        in_channels: int,
        out_channels: int,
        *,
        groups: int | None = None,
        downsample: Callable[[Tensor], Tensor] | None = None,
        upsample: Callable[[Tensor], Tensor] | None = None,
        conv_shortcut: bool = False,
    ) -> ResnetBlock2D:
        """A ResNet; see there for the arguments."""
        return ResnetBlock2D(
            in_channels,
            out_channels,
            temb_channels=self.temb_channels,
            groups=groups or self.groups_of(in_channels),
            groups_out=self.groups_of(out_channels),
            eps=self.eps,
            act_fn=self.act_fn,
            dropout=self.dropout,
            scale_shift=self.scale_shift,
            skip_time_act=self.skip_time_act,
            output_scale_factor=self.output_scale_factor,
            downsample=downsample,
            upsample=upsample,
            conv_shortcut=conv_shortcut,
        )

    def downsampler(self, channels: int) -> nn.Module:
        """What halves height and width."""
        if self.downsample_type == "resnet":
            return self.resnet(channels, channels, downsample=Downsample2D(channels, padding=None))
        return Downsample2D(channels, padding=self.downsample_padding)

    def upsampler(self, channels: int) -> nn.Module:
        """What doubles height and width."""
        if self.upsample_type == "resnet":
            return self.resnet(channels, channels, upsample=Upsample2D(channels, conv=False))
        return Upsample2D(channels)


@dataclass(frozen=True)
class BlockSpec:
    """What one block is made of.

    Attributes:
        block_type: its description.
        in_channels: channels of the input.
        channels: channels of the results; in a decoder, also of all residuals but the last.
        above: in a decoder, channels of the level above, whose last residual is joined last.
        layers: ResNets of the encoder's block at its level; of a middle block, those after the
            first.
        joins: in a decoder, which residual each ResNet joins; see `Level`.
        resamples: whether it halves or doubles the resolution.
        parts: makes ResNets and resampling layers.
        attention: makes attentions; None for a block without.
    """

    block_type: BlockType
    in_channels: int
    channels: int
    above: int
    layers: int
    resamples: bool
    parts: Parts
    attention: MakeAttention | None
    joins: tuple[int | None, ...] = ()

    @property
    def residuals(self) -> int:
        """How many residuals the encoder pushes at its resolution."""
        return self.layers + 1

    @property
    def joined_channels(self) -> list[int]:
        """Channels of the residual that each ResNet joins; 0 where it joins none."""
        pushed = [self.channels] * self.layers + [self.above]
        return [0 if joined is None else pushed[joined] for joined in self.joins]


class Builder(ABC, Generic[L]):
    """Builds encoder and decoder; a family says what they are made of.

    Args:
        levels: from the full resolution down.
    """

    def __init__(self, levels: Sequence[L]) -> None:
        self.levels = levels

    @abstractmethod
    def parts(self, block_type: BlockType) -> Parts:
        """What makes the ResNets of such a block."""

    @abstractmethod
    def attention(self, block_type: BlockType, level: L, *, decoder: bool) -> MakeAttention | None:
        """What makes the attentions of such a block at that level; None if it has none."""

    def down(self, names: Sequence[str]) -> nn.ModuleList:
        """The encoder's blocks, from the full resolution down."""
        blocks = nn.ModuleList()
        channels = self.levels[0].channels
        for level, name in zip(self.levels, names, strict=True):
            spec = BlockSpec(
                DOWN_BLOCKS[name],
                in_channels=channels,
                channels=level.channels,
                above=channels,
                layers=level.layers,
                resamples=level is not self.levels[-1],
                parts=self.parts(DOWN_BLOCKS[name]),
                attention=self.attention(DOWN_BLOCKS[name], level, decoder=False),
            )
            blocks.append(BLOCKS[name](spec))
            channels = level.channels
        return blocks

    def up(self, names: Sequence[str]) -> nn.ModuleList:
        """The decoder's blocks, from the lowest resolution up."""
        blocks = nn.ModuleList()
        channels = self.levels[-1].channels
        upwards = [*reversed(self.levels), self.levels[0]]
        for (level, higher), name in zip(pairwise(upwards), names, strict=True):
            spec = BlockSpec(
                UP_BLOCKS[name],
                in_channels=channels,
                channels=level.channels,
                above=higher.channels,
                layers=level.layers,
                joins=level.joins,
                resamples=level is not self.levels[0],
                parts=self.parts(UP_BLOCKS[name]),
                attention=self.attention(UP_BLOCKS[name], level, decoder=True),
            )
            blocks.append(BLOCKS[name](spec))
            channels = higher.channels if spec.block_type.resnet == "k" else level.channels
        return blocks

    def middle(
        self, name: str, *, layers: int, parts: Parts, attention: MakeAttention | None
    ) -> nn.Module:
        """The block at the lowest resolution, with so many ResNets after the first."""
        channels = self.levels[-1].channels
        spec = BlockSpec(
            MID_BLOCKS[name],
            in_channels=channels,
            channels=channels,
            above=channels,
            layers=layers,
            resamples=False,
            parts=parts,
            attention=attention,
        )
        return BLOCKS[name](spec)
