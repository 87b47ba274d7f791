"""Which input sizes a network can take.

Source: the networks' `forward` in diffusers 0.42. Where a block fits the size of the skip, odd
sizes work; where all just double, each level must be twice the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unetscope.config.sections import Options
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.conditions import DUAL_TOKENS
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import FamilyOptions
from unetscope.findings import Finding
from unetscope.units import size as spell

Size = tuple[int, int]

MOST_POSITIONS = 2**28
"""Rows times columns times batch, and tokens times batch: 16,384 x 16,384."""
MIRRORED = 2
"""Pixels that a filter of four needs along a side, with one more at each end."""


def check_sizes(unet: Options, batch: int, size: Size, tokens: int) -> Iterator[Finding]:
    """What keeps the network from taking inputs of these sizes."""
    counts = {
        "height": ("batch x height x width", batch * size[0] * size[1]),
        "tokens": ("batch x tokens", batch * tokens),
    }
    for key, (product, count) in counts.items():
        if count > MOST_POSITIONS:
            message = f"expected {product} of at most {MOST_POSITIONS:,}, found {count:,}"
            yield Finding("too-large", ("inputs", key), message)
    if not takes(unet, size):
        near = " and ".join(spell(other) for other in _nearest(unet, size))
        side = "height" if _is_at_fault(unet, size) else "width"
        yield Finding(
            "size",
            ("inputs", side),
            f"the network cannot take a sample of {spell(size)}",
            hint=f"the nearest that work are {near}" if near else None,
        )
    is_dual = isinstance(unet, UNet2DConditionConfig) and unet.dual_cross_attention
    if is_dual and tokens <= DUAL_TOKENS[0]:
        yield Finding(
            "size",
            ("inputs", "tokens"),
            f"expected {DUAL_TOKENS[0]} tokens of a text and after them those of an image, since "
            f"dual_cross_attention is true, found {tokens}",
        )


def takes(unet: Options, size: Size) -> bool:
    """Whether a sample of this height and width passes, every feature map joining its skip."""
    if isinstance(unet, FamilyOptions):
        return unet.takes(size)
    if isinstance(unet, ControlNetConfig):
        return all(min(_encoded(unet.unet(), side), default=0) > 0 for side in size)
    levels = len(unet.down_block_types)
    exact = all(side % 2 ** (levels - 1) == 0 for side in size)
    fits = isinstance(unet, UNet2DConditionConfig) and not exact
    return all(_passes(unet, side, fits=fits) for side in size)


def maps(unet: Options, side: int) -> list[int]:
    """One side of the feature map at each level of the encoder, from a side of the sample."""
    if isinstance(unet, FamilyOptions):
        return [side // 2**level for level in range(unet.levels)]
    return _encoded(unet.unet() if isinstance(unet, ControlNetConfig) else unet, side)


def _passes(unet: UNet2DConditionConfig | UNet2DConfig, side: int, *, fits: bool) -> bool:
    sides = _encoded(unet, side)
    if not sides or min(sides) < 1:
        return False
    *upwards, finest = reversed(sides)
    for index, (coarse, name) in enumerate(zip(upwards, unet.up_block_types, strict=False)):
        block_type = UP_BLOCKS.get(name, BlockType())
        fine = sides[len(upwards) - 1 - index]
        if block_type.resnet == "k" and coarse < MIRRORED:
            return False
        if fine != 2 * coarse and not (fits and block_type.fits_size):
            return False
    return _same(finest, _kernel(unet, "conv_out_kernel")) >= 1


def _encoded(unet: UNet2DConditionConfig | UNet2DConfig, side: int) -> list[int]:
    """One side of the feature map at each level; empty if a filter finds too few pixels."""
    sides = [_same(side, _kernel(unet, "conv_in_kernel"))]
    for name in unet.down_block_types[:-1]:
        block_type = DOWN_BLOCKS.get(name, BlockType())
        if block_type.resnet in ("fir", "k") and sides[-1] < MIRRORED:
            return []
        sides.append(_halved(sides[-1], unet, block_type))
    return sides


def _kernel(unet: Any, key: str) -> int:
    kernel: int = getattr(unet, key, 3)
    return kernel


def _same(side: int, kernel: int) -> int:
    """After a convolution that keeps the size; one with an even kernel loses a pixel."""
    return side + 2 * ((kernel - 1) // 2) - kernel + 1


def _halved(side: int, unet: UNet2DConditionConfig | UNet2DConfig, block_type: BlockType) -> int:
    """After what halves: a mean or a filter, or a 3 x 3 convolution of stride 2.

    An unpadded convolution is given one pixel at the far end.
    """
    by_resnet = (
        isinstance(unet, UNet2DConfig)
        and block_type.attention == "self"
        and unet.downsample_type == "resnet"
    )
    if by_resnet or block_type.resnet != "plain":
        return side // 2
    padding = unet.downsample_padding
    return (side + 2 * padding - 3) // 2 + 1 if padding else (side + 1 - 3) // 2 + 1


def _is_at_fault(unet: Options, size: Size) -> bool:
    """Whether the height is, rather than the width."""
    alone = [takes(unet, (side, side)) for side in size]
    return size[0] <= size[1] if alone[0] == alone[1] else alone[1]


def _nearest(unet: Options, size: Size) -> list[Size]:
    """The nearest size below that works and the nearest above; a side that works alone stays."""
    found = []
    for sign in (-1, 1):
        height, width = (_nearest_side(unet, side, sign) for side in size)
        if height and width and takes(unet, (height, width)):
            found.append((height, width))
    return list(dict.fromkeys(found))


def _nearest_side(unet: Options, side: int, sign: int) -> int | None:
    """The nearest side of a square that works, downwards or upwards."""
    levels = unet.levels if isinstance(unet, FamilyOptions) else len(unet.down_block_types)
    reach = 2**levels + 1
    tried = (side + sign * step for step in range(reach))
    return next((other for other in tried if other > 0 and takes(unet, (other, other))), None)
