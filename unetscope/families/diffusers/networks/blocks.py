"""Down, middle and up blocks: ResNets, each with an attention behind it if the block type has one.

Three classes do the work; the published ones at the end differ by their description alone, which
the rules read too. Blocks whose decoder is wired otherwise are in `fir_blocks` and `k_blocks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.diffusers.networks.resnet import ResnetBlock2D

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from unetscope.families.diffusers.networks.building import BlockSpec


class Block(nn.Module):
    """What all blocks hold: ResNets, and the attentions behind them."""

    resnets: nn.ModuleList

    def __init__(self, spec: BlockSpec):
        super().__init__()
        self.block_type = spec.block_type
        # Not public: the published blocks have no such settings, and a lock would tell of them.
        self._pushed, self._joins = spec.residuals, spec.joins

    @property
    def takes(self) -> int:
        """How many residuals an up block is handed: all of its resolution, joined or not."""
        return self._pushed

    @property
    def reads_text(self) -> bool:
        """Whether it is given the text's tokens."""
        return self.block_type.reads_text

    def _add_attentions(self, spec: BlockSpec, layers: int) -> None:
        if (attention := spec.attention) is not None:
            self.attentions = nn.ModuleList(
                attention(spec.channels, i)  # type: ignore[misc]  # may be None
                for i in range(layers)
            )

    def _attend(
        self,
        index: int,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        **objects: Tensor,
    ) -> Tensor:
        """The attention behind a ResNet, if there is one."""
        if self.block_type.attention is None or (attention := self.attentions[index]) is None:
            return hidden_states
        tokens = (encoder_hidden_states,) if self.reads_text else ()
        attended: Tensor = attention(hidden_states, *tokens, **objects)
        return attended


class DownBlock(Block):
    """Encode at one resolution, then halve it; every result is a residual for the decoder."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, layers, parts = spec.channels, spec.layers, spec.parts
        inputs = [spec.in_channels] + [channels] * (layers - 1)
        self._add_attentions(spec, layers)
        self.resnets = nn.ModuleList(parts.resnet(each, channels) for each in inputs)
        self.downsamplers = nn.ModuleList([parts.downsampler(channels)]) if spec.resamples else None

    def forward(
        self,
        hidden_states: Tensor,
        temb: Tensor,
        encoder_hidden_states: Tensor | None = None,
        **objects: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Encode `(B, C, H, W)`.

        Returns:
            The last result, and all results in the order of computation.
        """
        residuals: list[Tensor] = []
        for index, resnet in enumerate(self.resnets):
            hidden_states = resnet(hidden_states, temb)
            hidden_states = self._attend(index, hidden_states, encoder_hidden_states, **objects)
            residuals.append(hidden_states)
        for downsampler in self.downsamplers or ():
            time = (temb,) if isinstance(downsampler, ResnetBlock2D) else ()
            hidden_states = downsampler(hidden_states, *time)
            residuals.append(hidden_states)
        return hidden_states, tuple(residuals)


class MidBlock(Block):
    """A ResNet at the lowest resolution, and behind it further ones, each after an attention."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, layers, parts, attention = spec.channels, spec.layers, spec.parts, spec.attention
        self.attentions = nn.ModuleList(
            None if attention is None else attention(channels, i)  # type: ignore[misc]
            for i in range(layers)
        )
        self.resnets = nn.ModuleList(parts.resnet(channels, channels) for _ in range(1 + layers))

    def forward(
        self,
        hidden_states: Tensor,
        temb: Tensor,
        encoder_hidden_states: Tensor | None = None,
        **objects: Tensor,
    ) -> Tensor:
        """Transform `(B, C, H, W)`."""
        first, *others = self.resnets
        hidden_states = first(hidden_states, temb)
        for attention, resnet in zip(self.attentions, others, strict=True):
            if self.reads_text:
                hidden_states = attention(hidden_states, encoder_hidden_states, **objects)
            elif attention is not None:
                hidden_states = attention(hidden_states)
            hidden_states = resnet(hidden_states, temb)
        return hidden_states


class UpBlock(Block):
    """Decode at one resolution, joining a residual before each ResNet, then double it."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, parts = spec.channels, spec.parts
        inputs = [spec.in_channels] + [channels] * (len(spec.joins) - 1)
        self._add_attentions(spec, len(spec.joins))
        self.resnets = nn.ModuleList(
            parts.resnet(each + joined, channels)
            for each, joined in zip(inputs, spec.joined_channels, strict=True)
        )
        self.upsamplers = nn.ModuleList([parts.upsampler(channels)]) if spec.resamples else None

    def forward(
        self,
        hidden_states: Tensor,
        residuals: tuple[Tensor, ...],
        temb: Tensor,
        encoder_hidden_states: Tensor | None = None,
        upsample_size: Sequence[int] | None = None,
        **objects: Tensor,
    ) -> Tensor:
        """Decode `(B, C, H, W)`, joining one of `residuals` a ResNet, the last one first.

        In a pruned network some may not be joined.

        `upsample_size` is the height and width to grow to where doubling would miss them; only
        `CrossAttnUpBlock2D` and `UpBlock2D` read it.
        """
        stack = residuals[::-1]
        for index, (resnet, joined) in enumerate(zip(self.resnets, self._joins, strict=True)):
            if joined is not None:
                hidden_states = torch.cat([hidden_states, stack[joined]], dim=1)
            hidden_states = resnet(hidden_states, temb)
            hidden_states = self._attend(index, hidden_states, encoder_hidden_states, **objects)
        for upsampler in self.upsamplers or ():
            if isinstance(upsampler, ResnetBlock2D):
                hidden_states = upsampler(hidden_states, temb)
            else:
                size = upsample_size if self.block_type.fits_size else None
                hidden_states = upsampler(hidden_states, size)
        return hidden_states


class DownBlock2D(DownBlock):
    """ResNets alone."""


class AttnDownBlock2D(DownBlock):
    """The pixels read each other behind each ResNet."""


class CrossAttnDownBlock2D(DownBlock):
    """A transformer behind each ResNet; the pixels read the text."""


class ResnetDownsampleBlock2D(DownBlock):
    """ResNets alone; one more halves the resolution."""


class SimpleCrossAttnDownBlock2D(DownBlock):
    """One attention to pixels and text behind each ResNet; one more ResNet halves."""


class UNetMidBlock2D(MidBlock):
    """The pixels read each other between the ResNets."""


class UNetMidBlock2DCrossAttn(MidBlock):
    """A transformer between the ResNets; the pixels read the text."""


class UNetMidBlock2DSimpleCrossAttn(MidBlock):
    """One attention to pixels and text between the ResNets."""


class UpBlock2D(UpBlock):
    """ResNets alone."""


class AttnUpBlock2D(UpBlock):
    """The pixels read each other behind each ResNet."""


class CrossAttnUpBlock2D(UpBlock):
    """A transformer behind each ResNet; the pixels read the text."""


class ResnetUpsampleBlock2D(UpBlock):
    """ResNets alone; one more doubles the resolution."""


class SimpleCrossAttnUpBlock2D(UpBlock):
    """One attention to pixels and text behind each ResNet; one more ResNet doubles."""
