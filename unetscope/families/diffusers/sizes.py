"""Which input sizes diffusers' UNets take.

Source: the networks' `forward` in diffusers 0.42. Where a block fits the size of the skip, odd
sizes work; where all just double, each level must be twice the next.
"""

from __future__ import annotations

from typing import Any

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.sizes import Size

MIRRORED = 2
"""Pixels that a filter of four needs along a side, with one more at each end."""


def maps(unet: UNet2DConditionConfig | UNet2DConfig, side: int) -> list[int]:
    """One side of the feature map at each level; empty if a filter finds too few pixels."""
    sides = [_same(side, _kernel(unet, "conv_in_kernel"))]
    for name in unet.down_block_types[:-1]:
        block_type = DOWN_BLOCKS.get(name, BlockType())
        if block_type.resnet in ("fir", "k") and sides[-1] < MIRRORED:
            return []
        sides.append(_halved(sides[-1], unet, block_type))
    return sides


def takes(unet: UNet2DConditionConfig | UNet2DConfig, size: Size) -> bool:
    """Whether a sample of this height and width passes, every feature map joining its skip."""
    levels = len(unet.down_block_types)
    exact = all(side % 2 ** (levels - 1) == 0 for side in size)
    fits = isinstance(unet, UNet2DConditionConfig) and not exact
    return all(_passes(unet, side, fits=fits) for side in size)


def controlnet_maps(config: ControlNetConfig, side: int) -> list[int]:
    """One side of the feature map at each level, as in the UNet that it steers."""
    return maps(config.unet(), side)


def controlnet_takes(config: ControlNetConfig, size: Size) -> bool:
    """Whether a sample of this height and width passes; nothing is joined."""
    return all(min(controlnet_maps(config, side), default=0) > 0 for side in size)


def _passes(unet: UNet2DConditionConfig | UNet2DConfig, side: int, *, fits: bool) -> bool:
    sides = maps(unet, side)
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
