"""The blocks of a network, one a level, from descriptions and options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from torch import nn

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.levels import Level
from unetscope.families.diffusers.networks import blocks, fir_blocks, k_blocks
from unetscope.families.diffusers.networks.resnet import Downsample2D, ResnetBlock2D, Upsample2D

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

L = TypeVar("L", bound=Level)

BLOCKS: dict[str, Callable[..., nn.Module]] = {
    block.__name__: block
    for block in (
        blocks.DownBlock2D,
        blocks.AttnDownBlock2D,
        blocks.CrossAttnDownBlock2D,
        blocks.ResnetDownsampleBlock2D,
        blocks.SimpleCrossAttnDownBlock2D,
        fir_blocks.SkipDownBlock2D,
        fir_blocks.AttnSkipDownBlock2D,
        k_blocks.KDownBlock2D,
        k_blocks.KCrossAttnDownBlock2D,
        blocks.UNetMidBlock2D,
        blocks.UNetMidBlock2DCrossAttn,
        blocks.UNetMidBlock2DSimpleCrossAttn,
        blocks.UpBlock2D,
        blocks.AttnUpBlock2D,
        blocks.CrossAttnUpBlock2D,
        blocks.ResnetUpsampleBlock2D,
        blocks.SimpleCrossAttnUpBlock2D,
        fir_blocks.SkipUpBlock2D,
        fir_blocks.AttnSkipUpBlock2D,
        k_blocks.KUpBlock2D,
        k_blocks.KCrossAttnUpBlock2D,
    )
}
"""The classes of blocks by their published names."""


class MakeAttention(Protocol):
    """Makes what follows a ResNet and lets the pixels read each other, or the text."""

    def __call__(self, channels: int, layer: int) -> nn.Module:
        """Make one for `channels`, behind the ResNet number `layer` of its block."""


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
    def attention(self, block_type: BlockType, level: L, *, decoder: bool) -> MakeAttention:
        """What makes the attentions of such a block at that level."""

    def down(self, names: Sequence[str]) -> nn.ModuleList:
        """The encoder's blocks, from the full resolution down."""
        blocks = nn.ModuleList()
        channels = self.levels[0].channels
        for level, name in zip(self.levels, names, strict=True):
            block_type = DOWN_BLOCKS[name]
            blocks.append(
                BLOCKS[name](
                    channels,
                    level.channels,
                    level.layers,
                    parts=self.parts(block_type),
                    attention=self.attention(block_type, level, decoder=False),
                    downsample=level is not self.levels[-1],
                )
            )
            channels = level.channels
        return blocks

    def up(self, names: Sequence[str]) -> nn.ModuleList:
        """The decoder's blocks, from the lowest resolution up."""
        blocks = nn.ModuleList()
        channels = self.levels[-1].channels
        upwards = [*reversed(self.levels), self.levels[0]]
        for (level, higher), name in zip(pairwise(upwards), names, strict=True):
            block_type = UP_BLOCKS[name]
            blocks.append(
                BLOCKS[name](
                    channels,
                    level.channels,
                    higher.channels,
                    level.layers,
                    parts=self.parts(block_type),
                    attention=self.attention(block_type, level, decoder=True),
                    upsample=level is not self.levels[0],
                )
            )
            channels = higher.channels if block_type.resnet == "k" else level.channels
        return blocks
