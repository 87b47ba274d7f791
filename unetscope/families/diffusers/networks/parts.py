"""What blocks are made of: ResNets and resampling layers, with the options of one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from unetscope.families.diffusers.networks.resnet import Downsample2D, ResnetBlock2D, Upsample2D

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn


class MakeAttention(Protocol):
    """Makes what follows a ResNet and lets the pixels read each other, or the text."""

    def __call__(self, channels: int, layer: int) -> nn.Module:
        """Make one for `channels`, behind the ResNet number `layer` of its block."""


@dataclass(frozen=True)
class Parts:
    """The options that the layers of a block share; makes those layers.

    Attributes:
        temb_channels: width of the time embedding.
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
