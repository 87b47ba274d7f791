"""The options of `SimpleUNet`, the small UNet that an article teaches.

Source: "第19章:UNet — Diffusion 的骨干网络" (chapter 19: UNet, the backbone of diffusion).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from unetscope.families.bounds import Width
from unetscope.families.family import FamilyOptions, largest_divisor
from unetscope.findings import Finding
from unetscope.record import TensorSpec

FEWEST_CHANNELS = 4
"""Two sines and two cosines of the time: the frequencies are spaced between the first and last."""


class SimpleUNetConfig(FamilyOptions, frozen=True, kw_only=True):
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
            writes, which is another number where the skip is wider than the output.
        attention: `bottleneck` for the article's self-attention behind the bottleneck's ResBlock;
            null for none, as in its `SimpleUNet`.
    """

    in_channels: Width = 4
    out_channels: Width = 4
    base_channels: Width = 64
    input_norm_groups: Width = 4
    norm_groups: Width = 8
    up_res_channels: str = "concatenated"
    attention: str | None = None

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels of the two levels with skips, and of the bottleneck."""
        return (self.base_channels, 2 * self.base_channels, 2 * self.base_channels)

    def narrowest(self) -> tuple[str, ...]:
        """Overrides that leave as few channels as groups and sinusoids allow."""
        return (f"base_channels={lcm(FEWEST_CHANNELS, self.norm_groups)}",)

    @property
    def up_blocks(self) -> tuple[tuple[int, int, int], ...]:
        """Of `up1` and `up2`: channels that come in, of the skip, and that go out."""
        base = self.base_channels
        return ((2 * base, 2 * base, base), (base, base, base))

    def res_channels(self, skip: int, out: int) -> int:
        """What an up block's ResBlock is built to take."""
        return 2 * out if self.up_res_channels == "doubled" else out + skip

    def tensors(
        self,
        batch: int,
        size: tuple[int, int],
        tokens: int,  # noqa: ARG002  # it reads no text
    ) -> dict[str, TensorSpec | dict[str, TensorSpec]]:
        """`x` `(B, C, H, W)` and the timesteps `t` `(B,)`."""
        return {
            "x": TensorSpec((batch, self.in_channels, *size), "float32"),
            "t": TensorSpec((batch,), "int64"),
        }

    def findings(self) -> Iterator[Finding]:
        """Groups that do not divide channels, and ResBlocks that expect other channels."""
        for groups_key, channels_key, where in (
            ("input_norm_groups", "in_channels", "down1.res.norm1: "),
            ("norm_groups", "base_channels", ""),
        ):
            groups, channels = getattr(self, groups_key), getattr(self, channels_key)
            if channels % groups:
                yield Finding(
                    "groups",
                    (groups_key,),
                    f"{where}expected a divisor of {channels_key}, {channels}, found {groups}",
                    hint=f"{largest_divisor(channels, groups)} would do",
                )
        if self.base_channels % 2 or self.base_channels < FEWEST_CHANNELS:
            message = f"expected an even number of at least {FEWEST_CHANNELS}, half of them sines"
            yield Finding("wiring", ("base_channels",), f"{message}, found {self.base_channels}")
        for number, (_, skip, out) in enumerate(self.up_blocks, start=1):
            if (built := self.res_channels(skip, out)) != out + skip:
                yield Finding(
                    "skip-channels",
                    ("up_res_channels",),
                    f"up{number}.res: expected {out + skip} channels, which concatenating "
                    f"{out} upsampled and {skip} of the skip gives, found {built}, "
                    f"twice the {out} that go out, in norm1, conv1 and skip",
                    hint=f"concatenated builds up{number}.res for {out + skip}",
                )
