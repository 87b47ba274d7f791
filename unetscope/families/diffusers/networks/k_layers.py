"""The layers of k-diffusion's UNet: the time scales and shifts every norm, fixed filters resample.

Source: K. Crowson's k-diffusion (2022), `stabilityai/sd-x2-latent-upscaler`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.families.diffusers.blocks import K_GROUP_SIZE
from unetscope.families.diffusers.networks.attention import (
    Attention,
    MultiHeadAttention,
    to_image,
    to_tokens,
)
from unetscope.families.layers import (
    Conv2d,
    LayerNorm,
    Linear,
    activation,
    published_as,
)

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.diffusers.networks.building import Parts


class AdaGroupNorm(nn.Module):
    """A group norm whose scale and shift come from the time.

    Args:
        temb_channels: dimension of the time embedding.
        channels: channels of input and output.
        groups: number of groups.
        eps: of the norm.
    """

    def __init__(self, temb_channels: int, channels: int, groups: int, *, eps: float = 1e-5):
        super().__init__()
        self.num_groups = groups
        self.eps = eps
        self.linear = Linear(temb_channels, 2 * channels)

    def forward(self, hidden_states: Tensor, temb: Tensor) -> Tensor:
        """Norm `(B, C, H, W)` at time `temb` `(B, temb_channels)`."""
        scale, shift = self.linear(temb)[:, :, None, None].chunk(2, dim=1)
        normed: Tensor = F.group_norm(hidden_states, self.num_groups, eps=self.eps)
        scaled: Tensor = normed * (1 + scale) + shift
        return scaled


class ResnetBlockCondNorm2D(nn.Module):
    """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`, the time in both norms.

    Args:
        in_channels: channels of the input.
        channels: channels in between.
        out_channels: channels of the output.
        groups_out: groups of the second norm.
        parts: the options of ResNets.
    """

    def __init__(
        self, in_channels: int, channels: int, out_channels: int, *, groups_out: int, parts: Parts
    ):
        super().__init__()
        temb_channels, eps = parts.temb_channels, parts.eps
        groups = in_channels // K_GROUP_SIZE
        self.norm1 = AdaGroupNorm(temb_channels, in_channels, groups, eps=eps)
        self.conv1 = Conv2d(in_channels, channels, kernel_size=3, padding=1)
        self.norm2 = AdaGroupNorm(temb_channels, channels, groups_out, eps=eps)
        self.dropout = nn.Dropout(parts.dropout)
        self.conv2 = Conv2d(channels, out_channels, kernel_size=3, padding=1)
        self.nonlinearity = activation(parts.act_fn)
        self.conv_shortcut = (
            Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
            if in_channels != out_channels
            else None
        )

    def forward(self, input_tensor: Tensor, temb: Tensor) -> Tensor:
        """Transform `input_tensor` `(B, C, H, W)` at time `temb` `(B, temb_channels)`."""
        hidden_states = self.conv1(self.nonlinearity(self.norm1(input_tensor, temb)))
        hidden_states = self.nonlinearity(self.norm2(hidden_states, temb))
        hidden_states = self.conv2(self.dropout(hidden_states))
        if self.conv_shortcut is not None:
            input_tensor = self.conv_shortcut(input_tensor)
        output: Tensor = input_tensor + hidden_states
        return output


@published_as("Attention")
class NormedCrossAttention(MultiHeadAttention):
    """Attention from `(B, N, query_dim)` to tokens `(B, M, context_dim)` that are normed first."""

    def __init__(self, query_dim: int, context_dim: int, *, heads: int, head_dim: int):
        super().__init__()
        inner_dim = heads * head_dim
        self.heads = heads
        self.norm_cross = LayerNorm(context_dim)
        self.to_q = Linear(query_dim, inner_dim)
        self.to_k = Linear(context_dim, inner_dim)
        self.to_v = Linear(context_dim, inner_dim)
        self.to_out = nn.ModuleList([Linear(inner_dim, query_dim), nn.Dropout(0.0)])

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Let `hidden_states` read the tokens."""
        context = self.norm_cross(encoder_hidden_states)
        return self.attend(self.to_q(hidden_states), self.to_k(context), self.to_v(context))


class KAttentionBlock(nn.Module):
    """The pixels of `(B, C, H, W)` read the text, and before it each other if they are few.

    Args:
        channels: C.
        context_dim: dimension of the text's tokens.
        head_dim: channels of each head.
        temb_channels: dimension of the time embedding.
        self_attention: whether the pixels read each other.
    """

    def __init__(
        self,
        channels: int,
        context_dim: int,
        *,
        head_dim: int,
        temb_channels: int,
        self_attention: bool,
    ):
        super().__init__()
        heads = channels // head_dim
        groups = max(1, channels // K_GROUP_SIZE)
        self.self_attention = self_attention
        if self_attention:
            self.norm1 = AdaGroupNorm(temb_channels, channels, groups)
            self.attn1 = Attention(channels, channels, heads=heads, head_dim=head_dim, bias=True)
        self.norm2 = AdaGroupNorm(temb_channels, channels, groups)
        self.attn2 = NormedCrossAttention(channels, context_dim, heads=heads, head_dim=head_dim)

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor, temb: Tensor) -> Tensor:
        """Transform `(B, C, H, W)` at time `temb` `(B, temb_channels)`."""
        shape = hidden_states.shape
        if self.self_attention:
            attended = self.attn1(to_tokens(self.norm1(hidden_states, temb)))
            hidden_states = to_image(attended, shape) + hidden_states
        attended = self.attn2(to_tokens(self.norm2(hidden_states, temb)), encoder_hidden_states)
        return to_image(attended, shape) + hidden_states


class _Filter(nn.Module):
    """The smoothing filter `(1, 3, 3, 1) / 8`, once along each side, on every channel by itself."""

    kernel: Tensor

    def __init__(self, gain: float):
        super().__init__()
        line = [gain * weight / 8 for weight in (1, 3, 3, 1)]
        kernel = torch.tensor([[across * down for across in line] for down in line])
        self.register_buffer("kernel", kernel, persistent=False)

    def weight(self, hidden_states: Tensor) -> Tensor:
        """As a convolution from all channels to all, which is how the published code runs it."""
        channels = hidden_states.shape[1]
        each = torch.eye(channels, dtype=hidden_states.dtype, device=hidden_states.device)
        return each[:, :, None, None] * self.kernel.to(hidden_states.dtype)


class KDownsample2D(_Filter):
    """Halve height and width: `(B, C, H, W)` to `(B, C, H/2, W/2)`."""

    def __init__(self) -> None:
        super().__init__(gain=1)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Smooth, and keep every other pixel."""
        padded = F.pad(hidden_states, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.weight(padded), stride=2)


class KUpsample2D(_Filter):
    """Double height and width: `(B, C, H, W)` to `(B, C, 2H, 2W)`."""

    def __init__(self) -> None:
        super().__init__(gain=2)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Spread the pixels, and smooth."""
        padded = F.pad(hidden_states, (1, 1, 1, 1), mode="reflect")
        return F.conv_transpose2d(padded, self.weight(padded), stride=2, padding=3)
