"""The published block types of the `UNet2DConditionModel` family, as small descriptions.

A class in `unetscope.families` reads a description and builds the block; the rules of the config
room read the same one, without torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BlockType:
    """What tells one published block type from another.

    Attributes:
        transformer: each ResNet is followed by a `Transformer2DModel` that reads the text tokens.
    """

    transformer: bool = False


DOWN_BLOCKS = {
    "DownBlock2D": BlockType(),
    "CrossAttnDownBlock2D": BlockType(transformer=True),
}
MID_BLOCKS = {
    "UNetMidBlock2D": BlockType(),
    "UNetMidBlock2DCrossAttn": BlockType(transformer=True),
}
UP_BLOCKS = {
    "UpBlock2D": BlockType(),
    "CrossAttnUpBlock2D": BlockType(transformer=True),
}

UNCOVERED = frozenset(
    {
        "AttnDownBlock2D",
        "AttnDownEncoderBlock2D",
        "AttnSkipDownBlock2D",
        "AttnSkipUpBlock2D",
        "AttnUpBlock2D",
        "AttnUpDecoderBlock2D",
        "DownEncoderBlock2D",
        "KCrossAttnDownBlock2D",
        "KCrossAttnUpBlock2D",
        "KDownBlock2D",
        "KUpBlock2D",
        "ResnetDownsampleBlock2D",
        "ResnetUpsampleBlock2D",
        "SimpleCrossAttnDownBlock2D",
        "SimpleCrossAttnUpBlock2D",
        "SkipDownBlock2D",
        "SkipUpBlock2D",
        "UNetMidBlock2DSimpleCrossAttn",
        "UpDecoderBlock2D",
    }
)
"""Published names that no description here covers yet. Source: diffusers 0.42."""
