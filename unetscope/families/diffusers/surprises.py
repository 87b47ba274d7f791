"""What the options of diffusers' UNets may say, but hardly mean."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.levels import (
    attention_blocks,
    has_transformers,
    levels_of,
)
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import ALIGNED
from unetscope.findings import Finding, Path, Rule, Severity
from unetscope.wording import joined

NARROWEST_HEAD, WIDEST_HEAD = 16, 160
"""Channels of a head; Stable Diffusion 1 has heads of 40, 80 and 160."""
USUAL_HEAD = 64
"""Channels of a head in Stable Diffusion 2 and XL."""

HEAD_COUNT = Rule(
    "head-count",
    Severity.WARNING,
    "attention_head_dim is a number of heads, which makes them unusually wide.",
)
EMPTY_TRANSFORMER = Rule(
    "empty-transformer",
    Severity.WARNING,
    "A transformer without blocks is left, a norm and two projections.",
)
NOT_MIRRORED = Rule(
    "not-mirrored",
    Severity.WARNING,
    "The decoder's blocks are other than the encoder's at the same level.",
)


def unet2d_surprises(unet: UNet2DConfig) -> Iterator[Finding]:
    """What may surprise in the options of a `UNet2DModel`."""
    yield from _mirror(unet)


def condition_surprises(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """What may surprise in the options of a `UNet2DConditionModel`."""
    yield from _mirror(unet)
    yield from _heads(unet, "attention_head_dim")
    yield from _empty_transformers(unet)


def controlnet_surprises(config: ControlNetConfig) -> Iterator[Finding]:
    """What may surprise in the options of a `ControlNetModel`."""
    own = config.num_attention_heads is not None
    yield from _heads(config.unet(), "num_attention_heads" if own else "attention_head_dim")


def _heads(unet: UNet2DConditionConfig, key: str) -> Iterator[Finding]:
    """In transformers `attention_head_dim` is a number of heads, and who meant channels errs."""
    levels = levels_of(unet)
    reading = {b.level for b in attention_blocks(unet) if b.kind == "transformer"}
    if any(levels[level].channels % levels[level].heads for level in reading):
        return  # an error says so
    channels = {level: levels[level].channels // levels[level].heads for level in sorted(reading)}
    odd = [level for level, number in channels.items() if _is_unusual(number)]
    if not odd:
        return
    is_list = isinstance(unet.attention_head_dim, tuple)
    for entry in odd if is_list else [None]:
        shown = channels.values() if entry is None else [channels[entry]]
        heads = levels[odd[0] if entry is None else entry].heads
        counts = [max(level.channels // USUAL_HEAD, 1) for level in levels]
        value = counts if entry is None else counts[entry]
        yield HEAD_COUNT.at(
            (key,) if entry is None else (key, entry),
            f"{heads} is the number of heads, whatever the key's name says, so that they are "
            f"{joined(shown)} channels wide",
            hint=f"{value} makes heads of about {USUAL_HEAD} channels; "
            f"most published ones have {NARROWEST_HEAD} to {WIDEST_HEAD}, multiples of {ALIGNED}",
            beside=("block_out_channels",),
        )


def _empty_transformers(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """Who removes the blocks of a transformer hardly means to keep what stands around them."""
    of_sides = {
        "transformer_layers_per_block": (unet.down_block_types, DOWN_BLOCKS),
        "reverse_transformer_layers_per_block": (unet.up_block_types, UP_BLOCKS),
    }
    for key, (types, known) in of_sides.items():
        value = getattr(unet, key)
        for index, depths in enumerate(value if isinstance(value, tuple) else [value]):
            if isinstance(value, tuple) and not has_transformers(types[index], known):
                continue
            for layer, depth in enumerate(depths if isinstance(depths, tuple) else [depths]):
                if depth == 0:
                    path: Path = (key, index) if isinstance(value, tuple) else (key,)
                    yield EMPTY_TRANSFORMER.at(
                        (*path, layer) if isinstance(depths, tuple) else path,
                        "0 transformer blocks leave, as in diffusers, a transformer's norm and "
                        "its two projections",
                        hint="null in a list leaves no transformer",
                    )


def _is_unusual(channels: int) -> bool:
    return not NARROWEST_HEAD <= channels <= WIDEST_HEAD or channels % ALIGNED != 0


def _mirror(unet: UNet2DConditionConfig | UNet2DConfig) -> Iterator[Finding]:
    """At each level the decoder does what the encoder did."""
    mirrored = zip(reversed(unet.down_block_types), unet.up_block_types, strict=True)
    for index, (down, up) in enumerate(mirrored):
        if DOWN_BLOCKS[down] != UP_BLOCKS[up]:
            match = next(name for name, kind in UP_BLOCKS.items() if kind == DOWN_BLOCKS[down])
            yield NOT_MIRRORED.at(
                ("up_block_types", index),
                f"{up} does not mirror {down}, the encoder's block at its resolution",
                hint=f"{match} would",
                beside=("down_block_types",),
            )
