"""The blocks of NCSN++, beside which a small image is carried along.

The encoder halves the image itself and adds it to what each block returns; in the decoder each
block adds its own picture to one that is doubled from level to level. What halves and doubles is
the smoothing filter (1, 3, 3, 1) of StyleGAN2 (2019).

Source: Y. Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations"
(2020), `google/ncsnpp-ffhq-1024`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.families.diffusers.blocks import FIR_IMAGE_CHANNELS
from unetscope.families.diffusers.networks.blocks import Block
from unetscope.families.diffusers.networks.resnet import ResnetBlock2D
from unetscope.families.layers import Conv2d, GroupNorm

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.diffusers.networks.building import BlockSpec, Parts

SCALE = math.sqrt(2)
"""What the sum of a ResNet's two paths is divided by, to keep its variance."""


def halve(image: Tensor) -> Tensor:
    """Smooth, and keep every other pixel: `(B, C, H, W)` to `(B, C, H/2, W/2)`."""
    return _smooth(image, gain=1, padding=(1, 1))[:, :, ::2, ::2].contiguous()


def double(image: Tensor) -> Tensor:
    """Put zeros between the pixels, and smooth: `(B, C, H, W)` to `(B, C, 2H, 2W)`."""
    batch, channels, height, width = image.shape
    spread = F.pad(image.reshape(batch, channels, height, 1, width, 1), (0, 1, 0, 0, 0, 1))
    return _smooth(spread.reshape(batch, channels, 2 * height, 2 * width), gain=4, padding=(2, 1))


def _smooth(image: Tensor, *, gain: float, padding: tuple[int, int]) -> Tensor:
    """Convolve every channel by itself; `padding` comes before and behind both sides."""
    batch, channels, height, width = image.shape
    line = torch.tensor([1, 3, 3, 1], dtype=image.dtype, device=image.device) / 8
    kernel = gain * line[:, None] * line[None, :]
    padded = F.pad(image.reshape(batch * channels, 1, height, width), padding * 2)
    smoothed = F.conv2d(padded, kernel[None, None])
    return smoothed.reshape(batch, channels, *smoothed.shape[2:])


class FirDownsample2D(nn.Module):
    """Halve an image by the filter."""

    def forward(self, image: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, H/2, W/2)`."""
        return halve(image)


class FirUpsample2D(nn.Module):
    """Double an image by the filter."""

    def forward(self, image: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, 2H, 2W)`."""
        return double(image)


def _own(parts: Parts) -> Parts:
    """These blocks count groups by channels and scale sums, whatever the network's options."""
    return replace(parts, groups=None, output_scale_factor=SCALE)


class FirDownBlock(Block):
    """Encode at one resolution, then halve it."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, layers, parts = spec.channels, spec.layers, _own(spec.parts)
        inputs = [spec.in_channels] + [channels] * (layers - 1)
        self._add_attentions(spec, layers)
        self.resnets = nn.ModuleList(parts.resnet(each, channels) for each in inputs)
        self.downsamplers: nn.ModuleList | None = None
        if spec.resamples:
            self.resnet_down = parts.resnet(
                channels, channels, downsample=halve, conv_shortcut=True
            )
            self.downsamplers = nn.ModuleList([FirDownsample2D()])
            self.skip_conv = Conv2d(FIR_IMAGE_CHANNELS, channels, kernel_size=1)

    def forward(
        self, hidden_states: Tensor, temb: Tensor, skip_sample: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Encode `(B, C, H, W)` beside the image `(B, 3, H, W)`.

        Returns:
            The last result, all results in the order of computation, and the image halved.
        """
        residuals: list[Tensor] = []
        for index, resnet in enumerate(self.resnets):
            hidden_states = resnet(hidden_states, temb)
            hidden_states = self._attend(index, hidden_states)
            residuals.append(hidden_states)
        for downsampler in self.downsamplers or ():
            hidden_states = self.resnet_down(hidden_states, temb)
            skip_sample = downsampler(skip_sample)
            hidden_states = self.skip_conv(skip_sample) + hidden_states
            residuals.append(hidden_states)
        return hidden_states, tuple(residuals), skip_sample


class FirUpBlock(Block):
    """Decode at one resolution, then double it."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, parts = spec.channels, _own(spec.parts)
        inputs = [spec.in_channels] + [channels] * (len(spec.joins) - 1)
        # One attention, behind all ResNets.
        self._add_attentions(spec, 1)
        # With attention, the published code counts a quarter of the skip's channels only.
        share = 4 if self.block_type.attention is None else 1
        self.resnets = nn.ModuleList(
            parts.resnet(each + joined, channels, groups=min(each // share + joined // 4, 32))
            for each, joined in zip(inputs, spec.joined_channels, strict=True)
        )
        self.upsampler = FirUpsample2D()
        self.resnet_up: ResnetBlock2D | None = None
        if spec.resamples:
            self.resnet_up = parts.resnet(channels, channels, upsample=double, conv_shortcut=True)
            self.skip_conv = Conv2d(channels, FIR_IMAGE_CHANNELS, kernel_size=3, padding=1)
            self.skip_norm = GroupNorm(parts.groups_of(channels), channels, eps=parts.eps)
            self.act = nn.SiLU()

    def forward(
        self,
        hidden_states: Tensor,
        residuals: tuple[Tensor, ...],
        temb: Tensor,
        skip_sample: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Decode `(B, C, H, W)`, joining one of `residuals` a ResNet, the last one first.

        Returns:
            The result, and the picture so far.
        """
        stack = residuals[::-1]
        for resnet, joined in zip(self.resnets, self._joins, strict=True):
            if joined is not None:
                hidden_states = torch.cat([hidden_states, stack[joined]], dim=1)
            hidden_states = resnet(hidden_states, temb)
        if self.block_type.attention is not None:
            hidden_states = self.attentions[0](hidden_states)
        if skip_sample is not None:
            skip_sample = self.upsampler(skip_sample)
        if self.resnet_up is not None:
            picture = self.skip_conv(self.act(self.skip_norm(hidden_states)))
            skip_sample = picture if skip_sample is None else skip_sample + picture
            hidden_states = self.resnet_up(hidden_states, temb)
        return hidden_states, skip_sample


class SkipDownBlock2D(FirDownBlock):
    """ResNets alone."""


class AttnSkipDownBlock2D(FirDownBlock):
    """The pixels read each other behind each ResNet."""


class SkipUpBlock2D(FirUpBlock):
    """ResNets alone."""


class AttnSkipUpBlock2D(FirUpBlock):
    """The pixels read each other behind all ResNets."""
