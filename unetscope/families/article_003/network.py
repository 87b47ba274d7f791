"""The small UNet that an article teaches: two levels down, a bottleneck, two levels up.

Source: "第19章:UNet — Diffusion 的骨干网络" (chapter 19: UNet, the backbone of diffusion), whose
class names these are. Its code as written cannot run; `SimpleUNetConfig` says what is mended.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.layers import Conv2d, ConvTranspose2d, GroupNorm, Linear

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.article_003 import SimpleUNetConfig

LONGEST_PERIOD = 10_000


class TimeEmbedding(nn.Module):
    """Timesteps `(B,)` as sines and cosines, and a small MLP: `(B, 4 dim)`.

    Args:
        dim: sines and cosines, half each.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim
        self.mlp = nn.Sequential(Linear(dim, 4 * dim), nn.SiLU(), Linear(4 * dim, 4 * dim))

    def forward(self, t: Tensor) -> Tensor:
        """`(B,)` to `(B, 4 dim)`."""
        half = self.dim // 2
        steps = torch.arange(half, dtype=torch.float32, device=t.device)
        frequencies = torch.exp(-math.log(LONGEST_PERIOD) / (half - 1) * steps)
        angles = t[:, None] * frequencies[None, :]
        waves = torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)
        embedding: Tensor = self.mlp(waves.to(next(self.mlp.parameters()).dtype))
        return embedding


class ResBlock(nn.Module):
    """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`, conditioned on the time step.

    Args:
        in_channels: channels of the input; in an up block those of the skip count too.
        out_channels: channels of the output.
        time_emb_dim: dimension of the embedded time.
        groups: groups of the two norms.
    """

    def __init__(
        self, in_channels: int, out_channels: int, time_emb_dim: int, *, groups: tuple[int, int]
    ):
        super().__init__()
        self.conv1 = Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.conv2 = Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.time_mlp = Linear(time_emb_dim, out_channels)
        self.skip = (
            nn.Identity()
            if in_channels == out_channels
            else Conv2d(in_channels, out_channels, kernel_size=1)
        )
        self.norm1 = GroupNorm(groups[0], in_channels)
        self.norm2 = GroupNorm(groups[1], out_channels)

    def forward(self, x: Tensor, t_emb: Tensor) -> Tensor:
        """Transform `x` `(B, C, H, W)` at the embedded time `(B, time_emb_dim)`."""
        h = self.conv1(torch.relu(self.norm1(x)))
        h = h + self.time_mlp(t_emb)[:, :, None, None]
        h = self.conv2(torch.relu(self.norm2(h)))
        output: Tensor = h + self.skip(x)
        return output


class SelfAttention(nn.Module):
    """Pixels read each other, with one head: `(B, C, H, W)` to the same."""

    def __init__(self, channels: int, *, groups: int):
        super().__init__()
        self.norm = GroupNorm(groups, channels)
        self.qkv = Conv2d(channels, 3 * channels, kernel_size=1)
        self.out = Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, H, W)`."""
        q, k, v = (part.flatten(2).transpose(1, 2) for part in self.qkv(self.norm(x)).chunk(3, 1))
        scores = torch.matmul(q, k.transpose(-2, -1)) / q.shape[-1] ** 0.5
        read = torch.matmul(torch.softmax(scores, dim=-1), v)
        output: Tensor = x + self.out(read.transpose(1, 2).contiguous().view(x.shape))
        return output


class AttnResBlock(nn.Module):
    """A `ResBlock` with self-attention behind it, which the article defines and nowhere uses."""

    def __init__(self, channels: int, time_emb_dim: int, *, groups: int):
        super().__init__()
        self.res = ResBlock(channels, channels, time_emb_dim, groups=(groups, groups))
        self.attn = SelfAttention(channels, groups=groups)

    def forward(self, x: Tensor, t_emb: Tensor) -> Tensor:
        """`(B, C, H, W)` at the embedded time `(B, time_emb_dim)` to `(B, C, H, W)`."""
        output: Tensor = self.attn(self.res(x, t_emb))
        return output


class DownBlock(nn.Module):
    """A `ResBlock`, whose output is the skip, and a convolution that halves."""

    def __init__(
        self, in_channels: int, out_channels: int, time_emb_dim: int, *, groups: tuple[int, int]
    ):
        super().__init__()
        self.res = ResBlock(in_channels, out_channels, time_emb_dim, groups=groups)
        self.down = Conv2d(out_channels, out_channels, kernel_size=3, stride=2, padding=1)

    def forward(self, x: Tensor, t_emb: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, C, H, W)` to the features `(B, C', H/2, W/2)` and the skip `(B, C', H, W)`."""
        skip = self.res(x, t_emb)
        return self.down(skip), skip


class UpBlock(nn.Module):
    """A convolution that doubles, and a `ResBlock` that also reads the skip.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, and of the doubled features.
        res_channels: channels that the `ResBlock` takes.
        time_emb_dim: dimension of the embedded time.
        groups: groups of the norms.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        res_channels: int,
        time_emb_dim: int,
        *,
        groups: int,
    ):
        super().__init__()
        self.up = ConvTranspose2d(in_channels, out_channels, kernel_size=4, stride=2, padding=1)
        self.res = ResBlock(res_channels, out_channels, time_emb_dim, groups=(groups, groups))

    def forward(self, x: Tensor, skip: Tensor, t_emb: Tensor) -> Tensor:
        """`(B, C, H, W)` and the skip `(B, S, 2H, 2W)` to `(B, C', 2H, 2W)`."""
        joined = torch.cat([self.up(x), skip], dim=1)
        output: Tensor = self.res(joined, t_emb)
        return output


class SimpleUNet(nn.Module):
    """Predict the noise in a sample, given the time.

    Args:
        config: its options.
    """

    def __init__(self, config: SimpleUNetConfig):
        super().__init__()
        base, groups = config.base_channels, config.norm_groups
        time = 4 * base
        self.time_embed = TimeEmbedding(base)
        first_groups = (config.input_norm_groups, groups)
        self.down1 = DownBlock(config.in_channels, base, time, groups=first_groups)
        self.down2 = DownBlock(base, 2 * base, time, groups=(groups, groups))
        self.bottleneck = (
            AttnResBlock(2 * base, time, groups=groups)
            if config.attention == "bottleneck"
            else ResBlock(2 * base, 2 * base, time, groups=(groups, groups))
        )
        self.up1, self.up2 = (
            UpBlock(given, out, config.res_channels(skip, out), time, groups=groups)
            for given, skip, out in config.up_blocks
        )
        self.out = Conv2d(base, config.out_channels, kernel_size=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Predict the noise.

        Args:
            x: the noisy sample `(B, in_channels, H, W)`.
            t: timesteps `(B,)`.

        Returns:
            The noise `(B, out_channels, H, W)`.
        """
        t_emb = self.time_embed(t)
        h, skip1 = self.down1(x, t_emb)
        h, skip2 = self.down2(h, t_emb)
        h = self.bottleneck(h, t_emb)
        h = self.up1(h, skip2, t_emb)
        h = self.up2(h, skip1, t_emb)
        noise: Tensor = self.out(h)
        return noise
