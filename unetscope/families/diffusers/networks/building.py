"""The blocks of a network, one a level, from descriptions and options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from torch import nn

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.levels import Level
from unetscope.families.diffusers.networks.blocks import DOWN, UP
from unetscope.families.diffusers.networks.fir_blocks import FIR_DOWN, FIR_UP
from unetscope.families.diffusers.networks.k_blocks import K_DOWN, K_UP

if TYPE_CHECKING:
    from unetscope.families.diffusers.networks.parts import MakeAttention, Parts

L = TypeVar("L", bound=Level)

_DOWN: dict[str, Any] = {**DOWN, **FIR_DOWN, **K_DOWN}
_UP: dict[str, Any] = {**UP, **FIR_UP, **K_UP}


class Builder(ABC, Generic[L]):
    """Builds encoder and decoder; a family says what they are made of.

    Args:
        levels: from the full resolution down.
    """

    def __init__(self, levels: Sequence[L]) -> None:
        self.levels = levels

    @abstractmethod
    def parts(self, block_type: BlockType) -> Parts:
        """What makes the ResNets of such a block."""

    @abstractmethod
    def attention(self, block_type: BlockType, level: L, *, decoder: bool) -> MakeAttention:
        """What makes the attentions of such a block at that level."""

    def down(self, names: Sequence[str]) -> nn.ModuleList:
        """The encoder's blocks, from the full resolution down."""
        blocks = nn.ModuleList()
        channels = self.levels[0].channels
        for level, name in zip(self.levels, names, strict=True):
            block_type = DOWN_BLOCKS[name]
            blocks.append(
                _DOWN[name](
                    channels,
                    level.channels,
                    level.layers,
                    parts=self.parts(block_type),
                    attention=self.attention(block_type, level, decoder=False),
                    downsample=level is not self.levels[-1],
                )
            )
            channels = level.channels
        return blocks

    def up(self, names: Sequence[str]) -> nn.ModuleList:
        """The decoder's blocks, from the lowest resolution up."""
        blocks = nn.ModuleList()
        channels = self.levels[-1].channels
        upwards = [*reversed(self.levels), self.levels[0]]
        for (level, higher), name in zip(pairwise(upwards), names, strict=True):
            block_type = UP_BLOCKS[name]
            blocks.append(
                _UP[name](
                    channels,
                    level.channels,
                    higher.channels,
                    level.layers,
                    parts=self.parts(block_type),
                    attention=self.attention(block_type, level, decoder=True),
                    upsample=level is not self.levels[0],
                )
            )
            channels = higher.channels if block_type.resnet == "k" else level.channels
        return blocks
