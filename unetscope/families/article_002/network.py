"""Stable Diffusion 1.5's UNet as an article rewrites it: lists of encoders and of decoders.

Source: "Stable diffusion代码" (Stable Diffusion in code), 15 September 2025. Each entry of
`encoders` pushes one skip and each of `decoders` pops one; a ResNet, its attention and what
resamples are fused into one `SwitchSequential`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.article_002.layers import (
    AttentionBlock,
    OutputLayer,
    ResidualBlock,
    TimeEmbedding,
    Upsample,
    conv3x3,
)

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.article_002 import DiffusionConfig

LAYERS = 2
"""Residual blocks a level of the encoder; the decoder has one more."""


class SwitchSequential(nn.Sequential):
    """Layers in a row, each given what it reads besides the features."""

    def forward(  # type: ignore[override]  # torch's takes the features alone
        self, x: Tensor, context: Tensor, time: Tensor
    ) -> Tensor:
        """Pass `x` `(B, C, H, W)` on, with the text `(B, T, d_context)` and the embedded time."""
        for layer in self:
            if isinstance(layer, AttentionBlock):
                x = layer(x, context)
            elif isinstance(layer, ResidualBlock):
                x = layer(x, time)
            else:
                x = layer(x)
        return x


class UNET(nn.Module):
    """Encoders, a bottleneck, and decoders that join what the encoders returned."""

    def __init__(self, config: DiffusionConfig):
        super().__init__()
        channels = config.level_channels
        lowest = len(channels) - 1

        def residual(in_channels: int, out_channels: int) -> nn.Module:
            return ResidualBlock(in_channels, out_channels, n_time=4 * config.channels)

        def attention(channels: int) -> nn.Module:
            return AttentionBlock(
                config.n_head,
                channels // config.n_head,
                config.d_context,
                in_proj_bias=config.attention_in_proj_bias,
            )

        def layers(in_channels: int, level: int) -> list[nn.Module]:
            block = residual(in_channels, channels[level])
            return [block] if level == lowest else [block, attention(channels[level])]

        x, pushed = channels[0], [channels[0]]
        self.encoders = nn.ModuleList([SwitchSequential(conv3x3(config.in_channels, x))])
        for level in range(len(channels)):
            for _ in range(LAYERS):
                self.encoders.append(SwitchSequential(*layers(x, level)))
                x = channels[level]
                pushed.append(x)
            if level < lowest:
                self.encoders.append(SwitchSequential(conv3x3(x, x, stride=2)))
                pushed.append(x)
        self.bottleneck = SwitchSequential(residual(x, x), attention(x), residual(x, x))
        self.decoders = nn.ModuleList()
        for level in reversed(range(len(channels))):
            for layer in range(LAYERS + 1):
                doubles = [Upsample(channels[level])] if layer == LAYERS and level > 0 else []
                decoder = SwitchSequential(*layers(x + pushed.pop(), level), *doubles)
                self.decoders.append(decoder)
                x = channels[level]

    def forward(self, x: Tensor, context: Tensor, time: Tensor) -> Tensor:
        """`(B, in_channels, H, W)` to `(B, channels, H, W)`."""
        skip_connections = []
        for layers in self.encoders:
            x = layers(x, context, time)
            skip_connections.append(x)
        x = self.bottleneck(x, context, time)
        for layers in self.decoders:
            x = torch.cat((x, skip_connections.pop()), dim=1)
            x = layers(x, context, time)
        return x


class Diffusion(nn.Module):
    """Predict the noise in a latent, given a text and the time.

    Args:
        config: its options.
    """

    def __init__(self, config: DiffusionConfig):
        super().__init__()
        self.time_embedding = TimeEmbedding(config.channels)
        self.unet = UNET(config)
        self.final = OutputLayer(config.channels, config.out_channels)

    def forward(self, latent: Tensor, context: Tensor, time: Tensor) -> Tensor:
        """Predict the noise.

        Args:
            latent: `(B, in_channels, H, W)`; the article's H and W are the image's, 8 times these.
            context: the text's tokens `(B, T, d_context)`.
            time: sines and cosines of the one timestep `(1, channels)`.

        Returns:
            The noise `(B, out_channels, H, W)`.
        """
        time = self.time_embedding(time)
        noise: Tensor = self.final(self.unet(latent, context, time))
        return noise
