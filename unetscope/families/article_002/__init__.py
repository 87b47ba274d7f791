"""`Diffusion`, an article's rewriting of Stable Diffusion 1.5.

Source: "Stable diffusion代码" (Stable Diffusion in code), 15 September 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import lcm

from unetscope.errors import Place
from unetscope.families.family import Count, Family, Options, Tensors
from unetscope.families.sizes import halving
from unetscope.findings import GROUPS, HEADS, Finding, Path
from unetscope.record import TensorSpec

NORM_GROUPS = 32
"""Groups of every norm."""


class DiffusionConfig(Options, frozen=True, kw_only=True):
    """What a `Diffusion` is made of.

    Attributes:
        in_channels: channels of the latent.
        out_channels: channels of the predicted noise.
        channels: of the first level; the others have twice, four and four times as many. The time
            is given as a vector of this many channels.
        n_head: attention heads at every level.
        d_context: channels of the text's tokens; 768 for CLIP ViT-L/14.
        attention_in_proj_bias: whether the projections to queries, keys and values add a bias. The
            article imports its attention without showing it; Stable Diffusion 1.5 adds none.
    """

    in_channels: Count = 4
    out_channels: Count = 4
    channels: Count = 320
    n_head: Count = 8
    d_context: Count = 768
    attention_in_proj_bias: bool = False

    @property
    def level_channels(self) -> tuple[int, int, int, int]:
        """Channels of each level, from the full resolution down."""
        return (self.channels, 2 * self.channels, 4 * self.channels, 4 * self.channels)


def _inputs(unet: DiffusionConfig, batch: int, size: tuple[int, int], tokens: int) -> Tensors:
    """`latent` `(B, C, H, W)`, `context` `(B, T, d_context)` and `time` `(1, channels)`."""
    return {
        "latent": TensorSpec((batch, unet.in_channels, *size), "float32"),
        "context": TensorSpec((batch, tokens, unet.d_context), "float32"),
        "time": TensorSpec((1, unet.channels), "float32"),
    }


def _rules(unet: DiffusionConfig, _written: Mapping[Path, Place]) -> Iterator[Finding]:
    """Groups and heads divide the channels."""
    if unet.channels % NORM_GROUPS:
        yield GROUPS.at(
            ("channels",),
            f"expected a multiple of the norms' {NORM_GROUPS} groups, found {unet.channels}",
        )
    if unet.channels % unet.n_head:
        yield HEADS.at(
            ("n_head",),
            f"expected a divisor of the first level's {unet.channels} channels, "
            f"found {unet.n_head}",
            beside=("channels",),
        )


def _narrower(unet: DiffusionConfig) -> Iterator[tuple[str, ...]]:
    """As few channels as heads and groups allow."""
    yield (f"channels={lcm(NORM_GROUPS, unet.n_head)}",)


FAMILY = Family(
    name="Diffusion",
    network="unetscope.families.article_002.network:Diffusion",
    options=DiffusionConfig,
    inputs=_inputs,
    channels=lambda unet: unet.level_channels,
    narrower=_narrower,
    sizes=halving(levels=4),
    rules=_rules,
    channel_keys=("channels", "d_context"),
    text_keys=("d_context",),
)
