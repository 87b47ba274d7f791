"""The options of `Diffusion`, an article's rewriting of Stable Diffusion 1.5.

Source: "Stable diffusion代码" (Stable Diffusion in code), 15 September 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from unetscope.families.bounds import Width
from unetscope.families.family import FamilyOptions
from unetscope.findings import Finding
from unetscope.record import TensorSpec

NORM_GROUPS = 32
"""Groups of every norm."""


class DiffusionConfig(FamilyOptions, frozen=True, kw_only=True):
    """What a `Diffusion` is made of.

    Attributes:
        in_channels: channels of the latent.
        out_channels: channels of the predicted noise.
        channels: of the first level; the others have twice, four and four times as many. The time
            comes as a vector as wide.
        n_head: attention heads at every level.
        d_context: width of the text's tokens; 768 for CLIP ViT-L/14.
        attention_in_proj_bias: whether the projections to queries, keys and values add a bias. The
            article imports its attention without showing it; Stable Diffusion 1.5 adds none.
    """

    in_channels: Width = 4
    out_channels: Width = 4
    channels: Width = 320
    n_head: Width = 8
    d_context: Width = 768
    attention_in_proj_bias: bool = False

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of each level, from the full resolution down."""
        return (self.channels, 2 * self.channels, 4 * self.channels, 4 * self.channels)

    def narrowest(self) -> tuple[str, ...]:
        """Overrides that leave as few channels as heads and groups allow."""
        return (f"channels={lcm(NORM_GROUPS, self.n_head)}",)

    def tensors(
        self, batch: int, size: tuple[int, int], tokens: int
    ) -> dict[str, TensorSpec | dict[str, TensorSpec]]:
        """`latent` `(B, C, H, W)`, `context` `(B, T, d_context)` and `time` `(1, channels)`."""
        return {
            "latent": TensorSpec((batch, self.in_channels, *size), "float32"),
            "context": TensorSpec((batch, tokens, self.d_context), "float32"),
            "time": TensorSpec((1, self.channels), "float32"),
        }

    def findings(self) -> Iterator[Finding]:
        """What does not divide the channels."""
        if self.channels % NORM_GROUPS:
            yield Finding(
                "groups",
                ("channels",),
                f"expected a multiple of the norms' {NORM_GROUPS} groups, found {self.channels}",
            )
        if self.channels % self.n_head:
            yield Finding(
                "heads",
                ("n_head",),
                f"expected a divisor of the first level's {self.channels} channels, "
                f"found {self.n_head}",
            )
