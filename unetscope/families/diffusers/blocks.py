"""The published block types, as small descriptions.

A class in `unetscope.families` reads a description and builds the block; the rules of the config
room read the same one, without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ResnetKind = Literal["plain", "guided", "fir", "k"]
AttentionKind = Literal["self", "transformer", "added_kv", "k"]


@dataclass(frozen=True)
class BlockType:
    """What distinguishes one published block type from another.

    Attributes:
        resnet: whose ResNets it holds, and with them what changes the resolution.
            `plain`: DDPM's (2020); convolutions halve and double.
            `guided`: ADM's ("Diffusion Models Beat GANs", 2021); further ResNets halve and double.
            `fir`: NCSN++'s ("Score-Based Generative Modeling through SDEs", 2020); they halve and
            double by a smoothing filter, beside which a small image is carried along.
            `k`: k-diffusion's; the time scales their norms, a fixed filter halves and doubles.
        attention: what follows each ResNet.
            `self`: the pixels read each other.
            `transformer`: a `Transformer2DModel`, which reads the text too.
            `added_kv`: one attention to the pixels and the text at once.
            `k`: attention to the text, at the lowest resolution after one to the pixels.
    """

    resnet: ResnetKind = "plain"
    attention: AttentionKind | None = None

    @property
    def reads_text(self) -> bool:
        """Whether it is given the text's tokens."""
        return self.attention not in (None, "self")

    @property
    def fits_size(self) -> bool:
        """As an up block: whether it grows to the size of the skip; others just double."""
        return self.resnet == "plain" and self.attention != "self"


DOWN_BLOCKS = {
    "DownBlock2D": BlockType(),
    "AttnDownBlock2D": BlockType(attention="self"),
    "CrossAttnDownBlock2D": BlockType(attention="transformer"),
    "ResnetDownsampleBlock2D": BlockType("guided"),
    "SimpleCrossAttnDownBlock2D": BlockType("guided", "added_kv"),
    "SkipDownBlock2D": BlockType("fir"),
    "AttnSkipDownBlock2D": BlockType("fir", "self"),
    "KDownBlock2D": BlockType("k"),
    "KCrossAttnDownBlock2D": BlockType("k", "k"),
}
MID_BLOCKS = {
    "UNetMidBlock2D": BlockType(),
    "UNetMidBlock2DCrossAttn": BlockType(attention="transformer"),
    "UNetMidBlock2DSimpleCrossAttn": BlockType("guided", "added_kv"),
}
UP_BLOCKS = {
    "UpBlock2D": BlockType(),
    "AttnUpBlock2D": BlockType(attention="self"),
    "CrossAttnUpBlock2D": BlockType(attention="transformer"),
    "ResnetUpsampleBlock2D": BlockType("guided"),
    "SimpleCrossAttnUpBlock2D": BlockType("guided", "added_kv"),
    "SkipUpBlock2D": BlockType("fir"),
    "AttnSkipUpBlock2D": BlockType("fir", "self"),
    "KUpBlock2D": BlockType("k"),
    "KCrossAttnUpBlock2D": BlockType("k", "k"),
}

UNCOVERED = frozenset(
    {
        "AttnDownEncoderBlock2D",
        "AttnUpDecoderBlock2D",
        "DownEncoderBlock2D",
        "UpDecoderBlock2D",
    }
)
"""Published names of autoencoders' blocks, which have no description. Source: diffusers 0.42."""

K_GROUP_SIZE = 32
"""Channels of each group in the norms of `k` blocks, which read no `norm_num_groups`."""

FIR_IMAGE_CHANNELS = 3
"""Channels of the image that `fir` blocks carry along."""
FIR_ATTENTION_GROUPS = 32
"""Groups of the norm in their attentions, which read no `norm_num_groups`."""

CROSS_NORM_GROUPS = 32
"""Groups of the norm of the text (`cross_attention_norm`), which reads no `norm_num_groups`."""
