"""The blocks of k-diffusion's UNet, which upscales Stable Diffusion's latents by two.

A decoder block joins one residual only, the last of its level; at the lowest resolution, where the
encoder block hands it nothing, it joins none.

Source: K. Crowson's k-diffusion (2022), `stabilityai/sd-x2-latent-upscaler`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.diffusers.blocks import K_GROUP_SIZE
from unetscope.families.diffusers.networks.blocks import Block
from unetscope.families.diffusers.networks.k_layers import (
    KDownsample2D,
    KUpsample2D,
    ResnetBlockCondNorm2D,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from unetscope.families.diffusers.networks.building import BlockSpec


class KBlock(Block):
    """What both kinds share."""

    def _attend_in_time(
        self,
        index: int,
        hidden_states: Tensor,
        temb: Tensor,
        encoder_hidden_states: Tensor | None,
    ) -> Tensor:
        """The attention behind a ResNet, if there is one; the time is in its norms too."""
        if self.reads_text:
            hidden_states = self.attentions[index](hidden_states, encoder_hidden_states, temb)
        return hidden_states


class KDownBlock(KBlock):
    """Encode at one resolution, then halve it."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, layers, parts = spec.channels, spec.layers, spec.parts
        inputs = [spec.in_channels] + [channels] * (layers - 1)
        groups = channels // K_GROUP_SIZE
        self.resnets = nn.ModuleList(
            ResnetBlockCondNorm2D(each, channels, channels, groups_out=groups, parts=parts)
            for each in inputs
        )
        self._add_attentions(spec, layers)
        self.downsamplers = nn.ModuleList([KDownsample2D()]) if spec.resamples else None

    def forward(
        self, hidden_states: Tensor, temb: Tensor, encoder_hidden_states: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        """Encode `(B, C, H, W)`.

        Returns:
            The last result, and a residual of each layer; with attention at the lowest resolution
            they are None.
        """
        hands_over = self.downsamplers is not None or not self.reads_text
        residuals: list[Tensor | None] = []
        for index, resnet in enumerate(self.resnets):
            hidden_states = resnet(hidden_states, temb)
            hidden_states = self._attend_in_time(index, hidden_states, temb, encoder_hidden_states)
            residuals.append(hidden_states if hands_over else None)
        for downsampler in self.downsamplers or ():
            hidden_states = downsampler(hidden_states)
        return hidden_states, tuple(residuals)


class KUpBlock(KBlock):
    """Decode at one resolution, joining one residual before all ResNets, then double it."""

    def __init__(self, spec: BlockSpec):
        super().__init__(spec)
        channels, layers, parts = spec.channels, spec.layers, spec.parts
        # The published code knows the lowest resolution by equal channels.
        is_lowest = self.reads_text and spec.above == channels == parts.temb_channels
        first = spec.in_channels if is_lowest else spec.in_channels + channels
        inputs = [first] + [channels] * (layers - 1)
        results = [channels] * (layers - 1) + [spec.above]
        # Where there is no attention, the last ResNet narrows before its second norm.
        inner = [channels] * layers if self.reads_text else results
        groups = channels // K_GROUP_SIZE
        self.resnets = nn.ModuleList(
            ResnetBlockCondNorm2D(*channels_of, groups_out=groups, parts=parts)
            for channels_of in zip(inputs, inner, results, strict=True)
        )
        if (attention := spec.attention) is not None:
            self.attentions = nn.ModuleList(
                attention(each, layer)  # type: ignore[misc]  # never None here
                for layer, each in enumerate(results)
            )
        self.upsamplers = nn.ModuleList([KUpsample2D()]) if spec.resamples else None

    @property
    def takes(self) -> int:
        """One residual a ResNet, of which only the last is joined."""
        return len(self.resnets)

    def forward(
        self,
        hidden_states: Tensor,
        residuals: tuple[Tensor | None, ...],
        temb: Tensor,
        encoder_hidden_states: Tensor | None = None,
        upsample_size: Sequence[int] | None = None,  # noqa: ARG002  # it just doubles
    ) -> Tensor:
        """Decode `(B, C, H, W)`, taking the last of `residuals` if there is one."""
        if residuals[-1] is not None:
            hidden_states = torch.cat([hidden_states, residuals[-1]], dim=1)
        for index, resnet in enumerate(self.resnets):
            hidden_states = resnet(hidden_states, temb)
            hidden_states = self._attend_in_time(index, hidden_states, temb, encoder_hidden_states)
        for upsampler in self.upsamplers or ():
            hidden_states = upsampler(hidden_states)
        return hidden_states


class KDownBlock2D(KDownBlock):
    """ResNets alone."""


class KCrossAttnDownBlock2D(KDownBlock):
    """The pixels read the text behind each ResNet."""


class KUpBlock2D(KUpBlock):
    """ResNets alone."""


class KCrossAttnUpBlock2D(KUpBlock):
    """The pixels read the text behind each ResNet."""
