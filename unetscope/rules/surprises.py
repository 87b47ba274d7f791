"""What a config may say, but hardly means.

Each warning is silent on what is published, unless that too is odd.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from unetscope.config.spec import Inputs
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.levels import attention_blocks, levels_of
from unetscope.families.diffusers.text_encoders import TEXT_DIMS, nearest_dim
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import Family, Options
from unetscope.findings import Finding, Path, Severity, rule
from unetscope.record import TensorSpec

NARROWEST_HEAD, WIDEST_HEAD = 16, 160
"""Channels of a head; Stable Diffusion 1's are 40, 80 and 160 wide."""
USUAL_HEAD = 64
"""Channels of a head in Stable Diffusion 2 and XL."""
ALIGNED = 8
"""Half-precision matrices want dims that are multiples of this.

Source: NVIDIA, "Matrix Multiplication Background User's Guide", on tensor cores.
"""
_WIDTHS = ("block_out_channels", "base_channels", "channels", "cross_attention_dim", "d_context")


def surprises(
    family: Family[Any], unet: Options, inputs: Inputs, written: Collection[Path]
) -> Iterator[Finding]:
    """What may surprise in a network that can be built.

    Args:
        family: of the network.
        unet: options without faults.
        inputs: what it is given.
        written: the paths that the config writes.
    """
    for finding in _of_options(family, unet, inputs):
        yield replace(finding, path=("unet", *finding.path))
    yield from odd_size(family, unet, inputs, written)


def _of_options(family: Family[Any], unet: Options, inputs: Inputs) -> Iterator[Finding]:
    of_text = list(text_width(family, unet, inputs))
    yield from of_text
    said = {finding.path for finding in of_text}
    yield from (finding for finding in width_not_8(unet) if finding.path not in said)
    if isinstance(unet, UNet2DConditionConfig | UNet2DConfig):
        yield from not_mirrored(unet)
    if isinstance(unet, UNet2DConditionConfig):
        yield from head_count(unet, "attention_head_dim")
    if isinstance(unet, ControlNetConfig):
        own = unet.num_attention_heads is not None
        yield from head_count(unet.unet(), "num_attention_heads" if own else "attention_head_dim")


@rule(
    "head-count",
    Severity.WARNING,
    "attention_head_dim is a number of heads, which makes them unusually wide.",
)
def head_count(unet: UNet2DConditionConfig, key: str) -> Iterator[Finding]:
    """In transformers `attention_head_dim` is a number of heads, and who meant a width errs."""
    levels = levels_of(unet)
    reading = {b.level for b in attention_blocks(unet) if b.kind == "transformer"}
    if any(levels[level].channels % levels[level].heads for level in reading):
        return  # an error says so
    widths = {level: levels[level].channels // levels[level].heads for level in sorted(reading)}
    odd = [level for level, width in widths.items() if _is_unusual(width)]
    if not odd:
        return
    is_list = isinstance(unet.attention_head_dim, tuple)
    for entry in odd if is_list else [None]:
        shown = [widths[entry]] if entry is not None else list(dict.fromkeys(widths.values()))
        heads = levels[odd[0] if entry is None else entry].heads
        counts = [max(level.channels // USUAL_HEAD, 1) for level in levels]
        value = counts if entry is None else counts[entry]
        yield head_count.at(
            (key,) if entry is None else (key, entry),
            f"{heads} is the number of heads, whatever the key's name says, so that they are "
            f"{_listed(shown)} channels wide",
            hint=f"{value} makes heads of about {USUAL_HEAD} channels; "
            f"most published ones have {NARROWEST_HEAD} to {WIDEST_HEAD}, multiples of {ALIGNED}",
        )


def _is_unusual(width: int) -> bool:
    return not NARROWEST_HEAD <= width <= WIDEST_HEAD or width % ALIGNED != 0


@rule(
    "not-mirrored",
    Severity.WARNING,
    "The decoder's blocks are other than the encoder's at the same level.",
)
def not_mirrored(unet: UNet2DConditionConfig | UNet2DConfig) -> Iterator[Finding]:
    """At each level the decoder does what the encoder did."""
    mirrored = zip(reversed(unet.down_block_types), unet.up_block_types, strict=True)
    for index, (down, up) in enumerate(mirrored):
        if DOWN_BLOCKS[down] != UP_BLOCKS[up]:
            match = next(name for name, kind in UP_BLOCKS.items() if kind == DOWN_BLOCKS[down])
            yield not_mirrored.at(
                ("up_block_types", index),
                f"{up} does not mirror {down}, the encoder's block at its resolution",
                hint=f"{match} would",
            )


@rule(
    "width-not-8",
    Severity.WARNING,
    "A number of channels is no multiple of 8, which tensor cores want.",
)
def width_not_8(unet: Options) -> Iterator[Finding]:
    """The dims of matrices in half precision are multiples of 8."""
    for key in _WIDTHS:
        value = getattr(unet, key, None)
        entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for index, width in entries:
            if isinstance(width, int) and width % ALIGNED:
                below = width // ALIGNED * ALIGNED
                near = f"{below} or {below + ALIGNED}" if below else str(ALIGNED)
                yield width_not_8.at(
                    (key,) if index is None else (key, index),
                    f"{width} channels are no multiple of {ALIGNED}, so that tensor cores are "
                    "used badly or not at all",
                    hint=f"{near} would fit",
                )


@rule("text-width", Severity.WARNING, "No known text encoder gives tokens of so many channels.")
def text_width(family: Family[Any], unet: Options, inputs: Inputs) -> Iterator[Finding]:
    """The tokens that the network is given come from an encoder that somebody trained."""
    tensors = family.inputs(unet, inputs.batch, (inputs.height, inputs.width), inputs.tokens)
    given = tensors.get("encoder_hidden_states", tensors.get("context"))
    if not isinstance(given, TensorSpec) or (width := given.shape[-1]) in TEXT_DIMS:
        return
    keys = ("encoder_hid_dim", "cross_attention_dim", "d_context")
    key = next(k for k in keys if _is_or_holds(getattr(unet, k, None), width))
    near = nearest_dim(width)
    yield text_width.at(
        (key,),
        f"no known text encoder gives tokens of {width} channels",
        hint=f"the nearest are {near}: {TEXT_DIMS[near]}",
    )


def _is_or_holds(value: object, width: int) -> bool:
    return value == width or (isinstance(value, tuple) and width in value)


@rule("odd-size", Severity.WARNING, "A feature map with an odd side is halved.")
def odd_size(
    family: Family[Any], unet: Options, inputs: Inputs, written: Collection[Path]
) -> Iterator[Finding]:
    """A map with an odd side loses half a pixel when it is halved."""
    if not family.sizes.takes(unet, (inputs.height, inputs.width)):
        return  # an error says so
    for key, side in (("height", inputs.height), ("width", inputs.width)):
        sides = family.sizes.maps(unet, side)
        level = next((i for i, of_level in enumerate(sides[:-1]) if of_level % 2), None)
        if level is None:
            continue
        implied = ("inputs", key) not in written and ("unet", "sample_size") in written
        factor = 2 ** (len(sides) - 1)
        near = [n for n in (side // factor * factor, (side // factor + 1) * factor) if n]
        yield odd_size.at(
            ("unet", "sample_size") if implied else ("inputs", key),
            f"a {key} of {side} makes feature maps of {_listed(sides)}: {sides[level]} is odd, "
            f"and is halved to {sides[level + 1]}",
            hint=f"multiples of {factor}, such as {' or '.join(map(str, near))}, halve evenly",
        )
        if implied and inputs.height == inputs.width:
            return


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
