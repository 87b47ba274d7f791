"""Which input sizes a `UNet2DConditionModel` can take.

Source: `diffusers.UNet2DConditionModel.forward`, 0.42. If a side is no multiple of the total
halving, each upsampling goes to the size of the skip, so that odd sizes work; if both are, it
doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from unetscope.config.findings import Finding
from unetscope.units import size as spell

if TYPE_CHECKING:
    from unetscope.config.unet2d_condition import UNet2DConditionConfig

Size = tuple[int, int]

MOST_POSITIONS = 2**28
"""Rows times columns times batch, and tokens times batch: 16,384 x 16,384."""

_FARTHEST = 1_024


def check_sizes(
    unet: UNet2DConditionConfig, batch: int, size: Size, tokens: int
) -> Iterator[Finding]:
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
        side = "height" if size[0] <= size[1] else "width"
        yield Finding(
            "size",
            ("inputs", side),
            f"the network cannot take a sample of {spell(size)}",
            hint=f"the nearest that work are {near}" if near else None,
        )


def takes(unet: UNet2DConditionConfig, size: Size) -> bool:
    """Whether a sample of this height and width passes, every feature map joining its skip."""
    levels = len(unet.block_out_channels)
    doubles = all(side % 2 ** (levels - 1) == 0 for side in size)
    for side in size:
        sides = [_same(side, unet.conv_in_kernel)]
        for _ in range(levels - 1):
            sides.append(_halved(sides[-1], unet.downsample_padding))
        if min(sides) < 1 or _same(sides[0], unet.conv_out_kernel) < 1:
            return False
        if doubles and any(fine != 2 * coarse for fine, coarse in pairwise(sides)):
            return False
    return True


def _same(side: int, kernel: int) -> int:
    """After a convolution that keeps the size; one with an even kernel loses a pixel."""
    return side + 2 * ((kernel - 1) // 2) - kernel + 1


def _halved(side: int, padding: int) -> int:
    """After a 3 x 3 convolution of stride 2; unpadded, it is given one pixel at the far end."""
    return (side + 2 * padding - 3) // 2 + 1 if padding else (side + 1 - 3) // 2 + 1


def _nearest(unet: UNet2DConditionConfig, size: Size) -> list[Size]:
    """The nearest size below that works and the nearest above, both sides moved alike."""
    found = []
    for sign in (-1, 1):
        moved = ((size[0] + sign * step, size[1] + sign * step) for step in range(1, _FARTHEST))
        works = (other for other in moved if min(other) > 0 and takes(unet, other))
        found += [other for other in [next(works, None)] if other]
    return found
