"""Down, middle and up blocks: ResNets, each with a transformer if the block type has them.

A handful of classes read the descriptions in `unetscope.config.blocks`; the classes in the three
dicts at the end differ by their description alone and carry the published names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import torch
from torch import nn

from unetscope.config.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.resnet import Downsample2D, Upsample2D

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from unetscope.families.attention import Transformer2DModel
    from unetscope.families.resnet import ResnetBlock2D


class MakeResnet(Protocol):
    """Makes a ResNet with the network's time embedding, norms and activation."""

    def __call__(self, in_channels: int, out_channels: int) -> ResnetBlock2D:
        """Make one from `in_channels` to `out_channels`."""


class MakeTransformer(Protocol):
    """Makes a transformer with a level's channels, heads and context."""

    def __call__(self, *, depth: int) -> Transformer2DModel:
        """Make one of `depth` transformer blocks."""


class Block(nn.Module):
    """What all blocks hold: ResNets, and the transformers between them."""

    block_type: ClassVar[BlockType]

    @property
    def has_cross_attention(self) -> bool:
        """Whether it reads the text's tokens."""
        return self.block_type.transformer


class DownBlock(Block):
    """Encode at one resolution, then halve it; every result is a residual for the decoder.

    Args:
        in_channels: channels of the input.
        channels: channels of every result.
        layers: number of ResNets.
        depths: transformer blocks after each ResNet; unread if the block has no transformers.
        resnet: makes a ResNet.
        transformer: makes a transformer.
        downsample_padding: padding of the halving convolution; None to keep the resolution.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        layers: int,
        depths: Sequence[int],
        *,
        resnet: MakeResnet,
        transformer: MakeTransformer,
        downsample_padding: int | None,
    ):
        super().__init__()
        widths = [in_channels] + [channels] * (layers - 1)
        if self.has_cross_attention:
            self.attentions = nn.ModuleList(transformer(depth=depths[i]) for i in range(layers))
        self.resnets = nn.ModuleList(resnet(width, channels) for width in widths)
        self.downsamplers = (
            nn.ModuleList([Downsample2D(channels, padding=downsample_padding)])
            if downsample_padding is not None
            else None
        )

    def forward(
        self, hidden_states: Tensor, temb: Tensor, encoder_hidden_states: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Encode `(B, C, H, W)`.

        Returns:
            The last result, and all of them in the order of their making.
        """
        residuals: list[Tensor] = []
        for index, resnet in enumerate(self.resnets):
            hidden_states = resnet(hidden_states, temb)
            if self.has_cross_attention:
                hidden_states = self.attentions[index](hidden_states, encoder_hidden_states)
            residuals.append(hidden_states)
        for downsampler in self.downsamplers or ():
            hidden_states = downsampler(hidden_states)
            residuals.append(hidden_states)
        return hidden_states, tuple(residuals)


class MidBlock(Block):
    """One ResNet at the lowest resolution; if it has a transformer, that and a second ResNet.

    Args:
        channels: channels of input and result.
        depth: transformer blocks in its transformer.
        resnet: makes a ResNet.
        transformer: makes a transformer.
    """

    def __init__(
        self, channels: int, depth: int, *, resnet: MakeResnet, transformer: MakeTransformer
    ):
        super().__init__()
        depths = [depth] if self.has_cross_attention else []
        self.attentions = nn.ModuleList(transformer(depth=depth) for depth in depths)
        self.resnets = nn.ModuleList(resnet(channels, channels) for _ in range(1 + len(depths)))

    def forward(
        self, hidden_states: Tensor, temb: Tensor, encoder_hidden_states: Tensor | None = None
    ) -> Tensor:
        """Transform `(B, C, H, W)`."""
        first, *others = self.resnets
        hidden_states = first(hidden_states, temb)
        for attention, resnet in zip(self.attentions, others, strict=True):
            hidden_states = attention(hidden_states, encoder_hidden_states)
            hidden_states = resnet(hidden_states, temb)
        return hidden_states


class UpBlock(Block):
    """Decode at one resolution, joining a residual before each ResNet, then double it.

    Args:
        in_channels: channels of the input.
        channels: channels of every result.
        skip_channels: channels of the residual before each ResNet.
        depths: transformer blocks after each ResNet; unread if the block has no transformers.
        resnet: makes a ResNet.
        transformer: makes a transformer.
        upsample: whether it doubles the resolution.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        skip_channels: Sequence[int],
        depths: Sequence[int],
        *,
        resnet: MakeResnet,
        transformer: MakeTransformer,
        upsample: bool,
    ):
        super().__init__()
        layers = len(skip_channels)
        widths = [in_channels] + [channels] * (layers - 1)
        if self.has_cross_attention:
            self.attentions = nn.ModuleList(transformer(depth=depths[i]) for i in range(layers))
        self.resnets = nn.ModuleList(
            resnet(width + skip, channels)
            for width, skip in zip(widths, skip_channels, strict=True)
        )
        self.upsamplers = nn.ModuleList([Upsample2D(channels)]) if upsample else None

    def forward(
        self,
        hidden_states: Tensor,
        residuals: tuple[Tensor, ...],
        temb: Tensor,
        encoder_hidden_states: Tensor | None = None,
        upsample_size: Sequence[int] | None = None,
    ) -> Tensor:
        """Decode `(B, C, H, W)`, taking one of `residuals` a ResNet, the last one first.

        `upsample_size` is the height and width to grow to where doubling would miss them.
        """
        stack = list(residuals)
        for index, resnet in enumerate(self.resnets):
            hidden_states = torch.cat([hidden_states, stack.pop()], dim=1)
            hidden_states = resnet(hidden_states, temb)
            if self.has_cross_attention:
                hidden_states = self.attentions[index](hidden_states, encoder_hidden_states)
        for upsampler in self.upsamplers or ():
            hidden_states = upsampler(hidden_states, upsample_size)
        return hidden_states


B = TypeVar("B", bound=Block)


def _published(base: type[B], types: dict[str, BlockType]) -> dict[str, type[B]]:
    """A class for each description, under its published name."""
    return {
        name: type(name, (base,), {"block_type": block_type, "__doc__": base.__doc__})
        for name, block_type in types.items()
    }


DOWN = _published(DownBlock, DOWN_BLOCKS)
MID = _published(MidBlock, MID_BLOCKS)
UP = _published(UpBlock, UP_BLOCKS)
