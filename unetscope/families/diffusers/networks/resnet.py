"""The ResNet block, and the layers that change the resolution.

DDPM (2020), section 4 and appendix B: group norm, SiLU and a 3x3 convolution, twice, with the time
embedding added in between; a stride-2 convolution halves, nearest-neighbour upsampling and a
convolution double. Improved DDPM (2021) lets the time scale and shift the second norm instead, and
ADM ("Diffusion Models Beat GANs", 2021) halves and doubles inside a ResNet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from unetscope.families.layers import Conv2d, GroupNorm, Linear, activation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


class ResnetBlock2D(nn.Module):
    """`(B, in_channels, H, W)` to `(B, out_channels, H, W)`, conditioned on the time step.

    Args:
        in_channels: channels of the input; in an up block those of the skip count too.
        out_channels: channels of the output; if they differ, a 1x1 convolution carries the input.
        temb_channels: dimension of the time embedding.
        groups: groups of the first norm.
        groups_out: groups of the second norm, if not as many.
        eps: of both norms.
        act_fn: activation after both norms, and before the time embedding's projection.
        dropout: probability before the second convolution.
        scale_shift: the time scales and shifts what the second norm returns, instead of being
            added before it.
        skip_time_act: project the time embedding without activating it.
        output_scale_factor: what the sum of the two paths is divided by.
        downsample: halves both paths, behind the first norm.
        upsample: doubles both paths, behind the first norm.
        conv_shortcut: carry the input by a convolution even if the channels are equal.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        temb_channels: int,
        groups: int,
        groups_out: int | None = None,
        eps: float,
        act_fn: str,
        dropout: float = 0.0,
        scale_shift: bool = False,
        skip_time_act: bool = False,
        output_scale_factor: float = 1.0,
        downsample: Callable[[Tensor], Tensor] | None = None,
        upsample: Callable[[Tensor], Tensor] | None = None,
        conv_shortcut: bool = False,
    ):
        super().__init__()
        self.scale_shift = scale_shift
        self.skip_time_act = skip_time_act
        self.output_scale_factor = output_scale_factor
        self.norm1 = GroupNorm(groups, in_channels, eps=eps)
        self.conv1 = Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.time_emb_proj = Linear(temb_channels, (1 + scale_shift) * out_channels)
        self.norm2 = GroupNorm(groups_out or groups, out_channels, eps=eps)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.nonlinearity = activation(act_fn)
        self.upsample = upsample
        self.downsample = downsample
        self.conv_shortcut = (
            Conv2d(in_channels, out_channels, kernel_size=1)
            if conv_shortcut or in_channels != out_channels
            else None
        )

    def forward(self, input_tensor: Tensor, temb: Tensor) -> Tensor:
        """Transform `input_tensor` `(B, C, H, W)` at time `temb` `(B, temb_channels)`."""
        hidden_states: Tensor = self.nonlinearity(self.norm1(input_tensor))
        resample = self.upsample or self.downsample
        if resample is not None:
            input_tensor = resample(input_tensor)
            hidden_states = resample(hidden_states)
        hidden_states = self.conv1(hidden_states)
        if not self.skip_time_act:
            temb = self.nonlinearity(temb)
        time = self.time_emb_proj(temb)[:, :, None, None]
        if self.scale_shift:
            scale, shift = time.chunk(2, dim=1)
            hidden_states = self.norm2(hidden_states)
            hidden_states = hidden_states * (1 + scale) + shift
        else:
            hidden_states = hidden_states + time
            hidden_states = self.norm2(hidden_states)
        hidden_states = self.nonlinearity(hidden_states)
        hidden_states = self.conv2(self.dropout(hidden_states))
        if self.conv_shortcut is not None:
            input_tensor = self.conv_shortcut(input_tensor)
        return (input_tensor + hidden_states) / self.output_scale_factor


class Downsample2D(nn.Module):
    """Halve height and width: by a stride-2 convolution, or by the mean of each 2x2 pixels.

    Args:
        channels: channels of input and output.
        padding: 1 pads all sides; 0 pads one row below and one column to the right, as DDPM's
            TensorFlow code does; None takes means.
    """

    def __init__(self, channels: int, *, padding: int | None):
        super().__init__()
        self.padding = padding
        self.conv = (
            nn.AvgPool2d(kernel_size=2, stride=2)
            if padding is None
            else Conv2d(channels, channels, kernel_size=3, stride=2, padding=padding)
        )

    def forward(self, hidden_states: Tensor) -> Tensor:
        """`(B, C, H, W)` to `(B, C, H/2, W/2)`; with padding 1 odd sizes round up."""
        if self.padding == 0:
            hidden_states = F.pad(hidden_states, (0, 1, 0, 1))
        downsampled: Tensor = self.conv(hidden_states)
        return downsampled


class Upsample2D(nn.Module):
    """Double height and width: repeat each pixel, then smooth by a convolution.

    Args:
        channels: channels of input and output.
        conv: whether to smooth.
    """

    def __init__(self, channels: int, *, conv: bool = True):
        super().__init__()
        self.conv = Conv2d(channels, channels, kernel_size=3, padding=1) if conv else None

    def forward(self, hidden_states: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """`(B, C, H, W)` to `(B, C, 2H, 2W)`, or to `output_size` where a skip has an odd one."""
        if output_size is None:
            hidden_states = F.interpolate(hidden_states, scale_factor=2.0, mode="nearest")
        else:
            hidden_states = F.interpolate(hidden_states, size=output_size, mode="nearest")
        return hidden_states if self.conv is None else self.conv(hidden_states)
