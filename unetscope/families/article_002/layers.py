"""The layers of an article's rewriting of Stable Diffusion 1.5's UNet, under its class names.

Source: "Stable diffusion代码" (Stable Diffusion in code), 15 September 2025. It imports
`SelfAttention` and `CrossAttention` without showing them: here they are Stable Diffusion's, with
one projection each to queries, keys and values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from unetscope.families.article_002 import NORM_GROUPS
from unetscope.families.layers import Conv2d, GroupNorm, LayerNorm, Linear, published_as

if TYPE_CHECKING:
    from torch import Tensor


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    """A convolution that keeps height and width, or divides them by its stride."""
    return Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)


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
    """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`, conditioned on the time step.

    Args:
        in_channels: channels of the input; in a decoder those of the skip count too.
        out_channels: channels of the output.
        n_time: dimension of the embedded time.
    """

    def __init__(self, in_channels: int, out_channels: int, n_time: int):
        super().__init__()
        self.groupnorm_feature = GroupNorm(NORM_GROUPS, in_channels)
        self.conv_feature = conv3x3(in_channels, out_channels)
        self.linear_time = Linear(n_time, out_channels)
        self.groupnorm_merged = GroupNorm(NORM_GROUPS, out_channels)
        self.conv_merged = conv3x3(out_channels, out_channels)
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
        n_embd: channels of each head.
        d_context: dimension of the text's tokens.
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
        tokens = self.attention_1(self.layernorm_1(tokens)) + tokens
        tokens = self.attention_2(self.layernorm_2(tokens), context) + tokens
        value, gate = self.linear_geglu_1(self.layernorm_3(tokens)).chunk(2, dim=-1)
        tokens = self.linear_geglu_2(value * F.gelu(gate)) + tokens
        # The article leaves each pixel's channels side by side; Stable Diffusion's code copies too.
        pixels = tokens.transpose(-1, -2).contiguous().view(n, c, h, w)
        output: Tensor = self.conv_output(pixels) + x
        return output


class Upsample(nn.Module):
    """Double height and width: repeat each pixel, then smooth by a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, 2H, 2W)`."""
        doubled: Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return doubled


@published_as("UNET_OutputLayer")
class OutputLayer(nn.Module):
    """Norm, activation and convolution: features to noise."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.groupnorm = GroupNorm(NORM_GROUPS, in_channels)
        self.conv = conv3x3(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`."""
        noise: Tensor = self.conv(F.silu(self.groupnorm(x)))
        return noise
