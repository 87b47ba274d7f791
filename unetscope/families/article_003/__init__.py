"""`SimpleUNet`, the small UNet that an article teaches.

Source: "第19章:UNet — Diffusion 的骨干网络" (chapter 19: UNet, the backbone of diffusion).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import lcm

from unetscope.errors import Place
from unetscope.families.family import Count, Covered, Family, Options, Tensors, largest_divisor
from unetscope.families.sizes import halving
from unetscope.findings import GROUPS, SKIP_CHANNELS, WIRING, Finding, Path
from unetscope.record import TensorSpec

FEWEST_CHANNELS = 4
"""Two sines and two cosines of the time: the frequencies are spaced between the first and last."""


class SimpleUNetConfig(Options, frozen=True, kw_only=True):
    """What a `SimpleUNet` is made of.

    Attributes:
        in_channels: channels of the noisy sample.
        out_channels: channels of the predicted noise.
        base_channels: of the first level; the second has twice as many.
        input_norm_groups: groups of the norm over the sample's own channels. The article writes 8
            here too, which does not divide 4 channels.
        norm_groups: groups of all other norms.
        up_res_channels: what an up block's ResBlock takes: `concatenated`, the channels of the
            upsampled features and of the skip; or `doubled`, twice its output's, as the article
            writes, which is another number where the skip has more channels than the output.
        attention: `bottleneck` for the article's self-attention behind the bottleneck's ResBlock;
            null for none, as in its `SimpleUNet`.
    """

    in_channels: Count = 4
    out_channels: Count = 4
    base_channels: Count = 64
    input_norm_groups: Count = 4
    norm_groups: Count = 8
    up_res_channels: str = "concatenated"
    attention: str | None = None

    @property
    def up_blocks(self) -> tuple[tuple[int, int, int], ...]:
        """Of `up1` and `up2`: channels that come in, of the skip, and that go out."""
        base = self.base_channels
        return ((2 * base, 2 * base, base), (base, base, base))

    def res_channels(self, skip: int, out: int) -> int:
        """What an up block's ResBlock is built to take."""
        return 2 * out if self.up_res_channels == "doubled" else out + skip


def _inputs(unet: SimpleUNetConfig, batch: int, size: tuple[int, int], _tokens: int) -> Tensors:
    """`x` `(B, C, H, W)` and the timesteps `t` `(B,)`; it reads no text."""
    return {
        "x": TensorSpec((batch, unet.in_channels, *size), "float32"),
        "t": TensorSpec((batch,), "int64"),
    }


def _channels(unet: SimpleUNetConfig) -> tuple[int, int, int]:
    """Of the two levels with skips, and of the bottleneck."""
    return (unet.base_channels, 2 * unet.base_channels, 2 * unet.base_channels)


def _rules(unet: SimpleUNetConfig, _written: Mapping[Path, Place]) -> Iterator[Finding]:
    """Groups divide the channels, sines and cosines halve them, ResBlocks fit their skips."""
    yield from _groups(unet)
    if unet.base_channels % 2 or unet.base_channels < FEWEST_CHANNELS:
        message = f"expected an even number of at least {FEWEST_CHANNELS}, half of them sines"
        yield WIRING.at(("base_channels",), f"{message}, found {unet.base_channels}")
    for number, (_, skip, out) in enumerate(unet.up_blocks, start=1):
        if (built := unet.res_channels(skip, out)) != out + skip:
            yield SKIP_CHANNELS.at(
                ("up_res_channels",),
                f"up{number}.res: expected {out + skip} channels, which concatenating "
                f"{out} upsampled and {skip} of the skip gives, found {built}, "
                f"twice the {out} that go out, in norm1, conv1 and skip",
                hint=f"concatenated builds up{number}.res for {out + skip}",
                beside=("base_channels",),
            )


def _groups(unet: SimpleUNetConfig) -> Iterator[Finding]:
    for groups_key, channels_key, where in (
        ("input_norm_groups", "in_channels", "down1.res.norm1: "),
        ("norm_groups", "base_channels", ""),
    ):
        groups, channels = getattr(unet, groups_key), getattr(unet, channels_key)
        if channels % groups:
            yield GROUPS.at(
                (groups_key,),
                f"{where}expected a divisor of {channels_key}, {channels}, found {groups}",
                hint=f"{largest_divisor(channels, groups)} would do",
                beside=(channels_key,),
            )


def _narrower(unet: SimpleUNetConfig) -> Iterator[tuple[str, ...]]:
    """As few channels as groups and sinusoids allow."""
    yield (f"base_channels={lcm(FEWEST_CHANNELS, unet.norm_groups)}",)


FAMILY = Family(
    name="SimpleUNet",
    network="unetscope.families.article_003.network:SimpleUNet",
    options=SimpleUNetConfig,
    inputs=_inputs,
    channels=_channels,
    narrower=_narrower,
    sizes=halving(levels=3),
    covered=Covered(
        {"up_res_channels": ("concatenated", "doubled"), "attention": ("bottleneck", None)}
    ),
    rules=_rules,
    channel_keys=("base_channels",),
)
