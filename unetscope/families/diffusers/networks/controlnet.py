"""ControlNet: a trainable copy of a UNet's encoder that reads a picture besides.

"Adding Conditional Control to Text-to-Image Diffusion Models" (2023): the copy's residuals pass
through 1x1 convolutions that begin as zeros, and are added to the UNet's own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.families.diffusers.networks.conditional_blocks import ConditionalBuilder
from unetscope.families.diffusers.networks.conditioning import ConditionalNetwork
from unetscope.families.layers import Conv2d

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from unetscope.families.diffusers.controlnet import ControlNetConfig
    from unetscope.families.diffusers.networks.unet2d_condition import UNet2DConditionModel


class ControlNetConditioningEmbedding(nn.Module):
    """Shrink a picture to the size of the sample.

    Args:
        in_channels: channels of the picture.
        channels: channels in between; each but the first halves it.
        out_channels: channels of the result.
    """

    def __init__(self, in_channels: int, channels: Sequence[int], out_channels: int):
        super().__init__()
        self.conv_in = Conv2d(in_channels, channels[0], kernel_size=3, padding=1)
        self.blocks = nn.ModuleList()
        for narrow, wide in pairwise(channels):
            self.blocks.append(Conv2d(narrow, narrow, kernel_size=3, padding=1))
            self.blocks.append(Conv2d(narrow, wide, kernel_size=3, padding=1, stride=2))
        self.conv_out = zeroed(Conv2d(channels[-1], out_channels, kernel_size=3, padding=1))

    def forward(self, conditioning: Tensor) -> Tensor:
        """`(B, in_channels, 8H, 8W)` to `(B, out_channels, H, W)`, with four `channels`."""
        embedding = F.silu(self.conv_in(conditioning))
        for block in self.blocks:
            embedding = F.silu(block(embedding))
        shrunk: Tensor = self.conv_out(embedding)
        return shrunk


class ControlNetModel(ConditionalNetwork):
    """What to add to the residuals of a UNet so that it follows a picture.

    Args:
        config: the published options.
    """

    def __init__(self, config: ControlNetConfig):
        unet = config.unet()
        super().__init__(unet)
        self.channel_order = config.controlnet_conditioning_channel_order
        self.global_pool_conditions = config.global_pool_conditions
        blocks = ConditionalBuilder(unet)
        channels = unet.block_out_channels[0]
        self.conv_in = Conv2d(config.in_channels, channels, kernel_size=3, padding=1)
        self._add_embeddings()
        self.controlnet_cond_embedding = ControlNetConditioningEmbedding(
            config.conditioning_channels, config.conditioning_embedding_out_channels, channels
        )
        self.down_blocks = blocks.down(config.down_block_types)
        residuals = [channels]
        for level in blocks.levels:
            halves = level is not blocks.levels[-1]
            residuals += [level.channels] * (level.layers + halves)
        self.controlnet_down_blocks = nn.ModuleList(_zero_conv(each) for each in residuals)
        self.controlnet_mid_block = _zero_conv(residuals[-1])
        self.mid_block = blocks.mid()

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor | None,
        controlnet_cond: Tensor,
        class_labels: Tensor | None = None,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Compute what is added to a UNet's residuals.

        Args:
            sample: the UNet's noisy latents `(B, in_channels, H, W)`.
            timestep: one number, or one a sample `(B,)`.
            encoder_hidden_states: tokens `(B, M, cross_attention_dim)`.
            controlnet_cond: the picture `(B, conditioning_channels, 8H, 8W)`.
            class_labels: `(B,)`, or the vectors `(B, D)` that a class projection takes.
            added_cond_kwargs: `text_embeds` `(B, D)` and `time_ids` `(B, N)` where the UNet is
                Stable Diffusion XL.

        Returns:
            One tensor for each residual of the down blocks, and one for the middle block.
        """
        if self.channel_order == "bgr":
            controlnet_cond = torch.flip(controlnet_cond, dims=[1])
        temb, _ = self._condition_vector(
            sample, timestep, encoder_hidden_states, class_labels, None, added_cond_kwargs or {}
        )
        hidden_states = self.conv_in(sample) + self.controlnet_cond_embedding(controlnet_cond)
        hidden_states, residuals = self._encode(hidden_states, temb, encoder_hidden_states)
        hidden_states = self._middle(hidden_states, temb, encoder_hidden_states)
        down = tuple(
            conv(residual)
            for conv, residual in zip(self.controlnet_down_blocks, residuals, strict=True)
        )
        mid: Tensor = self.controlnet_mid_block(hidden_states)
        if self.global_pool_conditions:
            return tuple(map(_pooled, down)), _pooled(mid)
        return down, mid


class ControlledUNet(nn.Module):
    """Both networks read the sample; what the ControlNet returns is added to the UNet's residuals.

    Args:
        unet: the UNet.
        controlnet: a ControlNet of the same channels.
    """

    def __init__(self, unet: UNet2DConditionModel, controlnet: ControlNetModel):
        super().__init__()
        self.controlnet = controlnet
        self.unet = unet

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        controlnet_cond: Tensor,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Denoise `(B, in_channels, H, W)`, following a picture `(B, 3, 8H, 8W)`."""
        residuals, middle = self.controlnet(
            sample,
            timestep,
            encoder_hidden_states,
            controlnet_cond,
            added_cond_kwargs=added_cond_kwargs,
        )
        denoised: Tensor = self.unet(
            sample,
            timestep,
            encoder_hidden_states,
            added_cond_kwargs=added_cond_kwargs,
            down_block_additional_residuals=residuals,
            mid_block_additional_residual=middle,
        )
        return denoised


def zeroed(conv: Conv2d) -> Conv2d:
    """The convolution with all weights 0, so that training starts from the UNet alone."""
    for parameter in conv.parameters():
        if not parameter.is_meta:
            nn.init.zeros_(parameter)
    return conv


def _zero_conv(channels: int) -> Conv2d:
    return zeroed(Conv2d(channels, channels, kernel_size=1))


def _pooled(residual: Tensor) -> Tensor:
    """The mean over all pixels, `(B, C, 1, 1)`."""
    return residual.mean(dim=(2, 3), keepdim=True)
