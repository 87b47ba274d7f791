"""Stable Diffusion 1.5's UNet as an article rewrites it: lists of encoders and of decoders.

Source: "Stable diffusion代码" (Stable Diffusion in code), 15 September 2025. Each entry of
`encoders` pushes one skip and each of `decoders` pops one; blocks of a ResNet and of attention are
fused into one `SwitchSequential`. The article imports `SelfAttention` and `CrossAttention` without
showing them: here they are Stable Diffusion's, with projections to queries, keys and values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.config.article_002 import NORM_GROUPS
from unetscope.config.supported import refuse_unsupported
from unetscope.families.layers import Conv2d, GroupNorm, LayerNorm, Linear, published_as

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.config.article_002 import DiffusionConfig

LAYERS = 2
"""Residual blocks a level of the encoder; the decoder has one more."""


class TimeEmbedding(nn.Module):
    """Embed the sines and cosines of a timestep, `(1, n_embd)`, as `(1, 4 n_embd)`."""

    def __init__(self, n_embd: int):
        super().__init__()
        self.linear_1 = Linear(n_embd, 4 * n_embd)
        self.linear_2 = Linear(4 * n_embd, 4 * n_embd)

    def forward(self, x: Tensor) -> Tensor:
        """`(1, n_embd)` to `(1, 4 n_embd)`."""
        embedded: Tensor = self.linear_2(F.silu(self.linear_1(x)))
        return embedded


@published_as("UNET_ResidualBlock")
class ResidualBlock(nn.Module):
    """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`, told the time.

    Args:
        in_channels: channels of the input; in a decoder those of the skip count too.
        out_channels: channels of the output.
        n_time: width of the embedded time.
    """

    def __init__(self, in_channels: int, out_channels: int, n_time: int):
        super().__init__()
        self.groupnorm_feature = GroupNorm(NORM_GROUPS, in_channels)
        self.conv_feature = _conv(in_channels, out_channels)
        self.linear_time = Linear(n_time, out_channels)
        self.groupnorm_merged = GroupNorm(NORM_GROUPS, out_channels)
        self.conv_merged = _conv(out_channels, out_channels)
        self.residual_layer = (
            nn.Identity()
            if in_channels == out_channels
            else Conv2d(in_channels, out_channels, kernel_size=1)
        )

    def forward(self, feature: Tensor, time: Tensor) -> Tensor:
        """Transform `feature` `(B, C, H, W)` at the embedded `time` `(1, n_time)`."""
        merged = self.conv_feature(F.silu(self.groupnorm_feature(feature)))
        merged = merged + self.linear_time(F.silu(time))[:, :, None, None]
        merged = self.conv_merged(F.silu(self.groupnorm_merged(merged)))
        output: Tensor = merged + self.residual_layer(feature)
        return output


class _Attention(nn.Module):
    """Pixels `(B, N, d_embed)` read what is `(B, T, d_read)`."""

    def __init__(self, n_head: int, d_embed: int, d_read: int, *, in_proj_bias: bool):
        super().__init__()
        self.n_head = n_head
        self.q_proj = Linear(d_embed, d_embed, bias=in_proj_bias)
        self.k_proj = Linear(d_read, d_embed, bias=in_proj_bias)
        self.v_proj = Linear(d_read, d_embed, bias=in_proj_bias)
        self.out_proj = Linear(d_embed, d_embed)

    def _read(self, x: Tensor, source: Tensor) -> Tensor:
        q, k, v = self.q_proj(x), self.k_proj(source), self.v_proj(source)
        q, k, v = (
            part.view(*part.shape[:2], self.n_head, -1).transpose(1, 2) for part in (q, k, v)
        )
        read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        output: Tensor = self.out_proj(read)
        return output


class SelfAttention(_Attention):
    """Pixels read each other."""

    def __init__(self, n_head: int, d_embed: int, *, in_proj_bias: bool):
        super().__init__(n_head, d_embed, d_embed, in_proj_bias=in_proj_bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, N, d_embed)` to the same."""
        return self._read(x, x)


class CrossAttention(_Attention):
    """Pixels read a text."""

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """`(B, N, d_embed)` with `context` `(B, T, d_read)` to `(B, N, d_embed)`."""
        return self._read(x, context)


@published_as("UNET_AttentionBlock")
class AttentionBlock(nn.Module):
    """Self-attention, cross-attention and a gated feed-forward, each with a short residual.

    Args:
        n_head: attention heads.
        n_embd: width of each head.
        d_context: width of the text's tokens.
        in_proj_bias: whether queries, keys and values add a bias.
    """

    def __init__(self, n_head: int, n_embd: int, d_context: int, *, in_proj_bias: bool):
        super().__init__()
        channels = n_head * n_embd
        self.groupnorm = GroupNorm(NORM_GROUPS, channels)
        self.conv_input = Conv2d(channels, channels, kernel_size=1)
        self.layernorm_1 = LayerNorm(channels)
        self.attention_1 = SelfAttention(n_head, channels, in_proj_bias=in_proj_bias)
        self.layernorm_2 = LayerNorm(channels)
        self.attention_2 = CrossAttention(n_head, channels, d_context, in_proj_bias=in_proj_bias)
        self.layernorm_3 = LayerNorm(channels)
        self.linear_geglu_1 = Linear(channels, 2 * 4 * channels)
        self.linear_geglu_2 = Linear(4 * channels, channels)
        self.conv_output = Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """`(B, C, H, W)` with `context` `(B, T, d_context)` to `(B, C, H, W)`."""
        n, c, h, w = x.shape
        tokens = self.conv_input(self.groupnorm(x)).view(n, c, h * w).transpose(-1, -2)
        residue, tokens = tokens, self.attention_1(self.layernorm_1(tokens))
        tokens += residue
        residue, tokens = tokens, self.attention_2(self.layernorm_2(tokens), context)
        tokens += residue
        residue, (value, gate) = tokens, self.linear_geglu_1(self.layernorm_3(tokens)).chunk(2, -1)
        tokens = self.linear_geglu_2(value * F.gelu(gate))
        tokens += residue
        pixels = tokens.transpose(-1, -2).view(n, c, h, w)
        output: Tensor = self.conv_output(pixels) + x
        return output


class Upsample(nn.Module):
    """Double height and width: repeat each pixel, then smooth by a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, 2H, 2W)`."""
        doubled: Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return doubled


class SwitchSequential(nn.Sequential):
    """Layers in a row, each given what it reads besides the features."""

    def forward(self, x: Tensor, context: Tensor, time: Tensor) -> Tensor:
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
        widths, lowest = config.widths, len(config.widths) - 1

        def residual(in_channels: int, out_channels: int) -> nn.Module:
            return ResidualBlock(in_channels, out_channels, n_time=4 * config.channels)

        def attention(channels: int) -> nn.Module:
            return AttentionBlock(
                config.n_head,
                channels // config.n_head,
                config.d_context,
                in_proj_bias=config.attention_in_proj_bias,
            )

        x, pushed = widths[0], [widths[0]]
        self.encoders = nn.ModuleList([SwitchSequential(_conv(config.in_channels, x))])
        for level, width in enumerate(widths):
            for _ in range(LAYERS):
                layers = [residual(x, width)] + [attention(width)] * (level < lowest)
                self.encoders.append(SwitchSequential(*layers))
                x = width
                pushed.append(x)
            if level < lowest:
                self.encoders.append(SwitchSequential(_conv(x, x, stride=2)))
                pushed.append(x)
        self.bottleneck = SwitchSequential(residual(x, x), attention(x), residual(x, x))
        self.decoders = nn.ModuleList()
        for level in reversed(range(len(widths))):
            width = widths[level]
            for layer in range(LAYERS + 1):
                layers = [residual(x + pushed.pop(), width)] + [attention(width)] * (level < lowest)
                if layer == LAYERS and level > 0:
                    layers.append(Upsample(width))
                self.decoders.append(SwitchSequential(*layers))
                x = width

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


@published_as("UNET_OutputLayer")
class OutputLayer(nn.Module):
    """Norm, activation and convolution: features to noise."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.groupnorm = GroupNorm(NORM_GROUPS, in_channels)
        self.conv = _conv(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`."""
        noise: Tensor = self.conv(F.silu(self.groupnorm(x)))
        return noise


class Diffusion(nn.Module):
    """Predict the noise in a latent, given a text and the time.

    Args:
        config: its options.
    """

    def __init__(self, config: DiffusionConfig):
        super().__init__()
        refuse_unsupported(config)
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


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    return Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
