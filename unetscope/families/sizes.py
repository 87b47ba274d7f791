"""Which input sizes a network can take, and the nearest that work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from unetscope.findings import SIZE, TOO_LARGE, Finding
from unetscope.units import size as spell

if TYPE_CHECKING:
    from unetscope.families.family import Family

Size = tuple[int, int]
"""Height and width."""

MOST_POSITIONS = 2**28
"""Rows times columns times batch, and tokens times batch: 16,384 x 16,384."""

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True)
class Sizes(Generic[OptionsT]):
    """Which samples the networks of a family take.

    Attributes:
        maps: one side of the feature map at each level of the encoder, from a side of the sample;
            empty if a filter finds too few pixels.
        takes: whether a sample of this height and width passes, every feature map joining its skip.
    """

    maps: Callable[[OptionsT, int], Sequence[int]]
    takes: Callable[[OptionsT, Size], bool]


def halving(levels: int) -> Sizes[Any]:
    """Sizes of networks whose levels are halved by convolutions of stride 2 and doubled exactly."""

    def maps(_options: Any, side: int) -> Sequence[int]:
        return [side // 2**level for level in range(levels)]

    def takes(_options: Any, size: Size) -> bool:
        return all(side % 2 ** (levels - 1) == 0 for side in size)

    return Sizes(maps, takes)


def check_sizes(
    family: Family[Any], options: Any, batch: int, size: Size, tokens: int
) -> Iterator[Finding]:
    """What keeps a network from taking inputs of these sizes, with paths in the config."""
    counts = {
        "height": ("batch x height x width", batch * size[0] * size[1]),
        "tokens": ("batch x tokens", batch * tokens),
    }
    shaping = tuple(("unet", key) for key in (*family.level_keys, *family.size_keys))
    for key, (product, count) in counts.items():
        if count > MOST_POSITIONS:
            message = f"expected {product} of at most {MOST_POSITIONS:,}, found {count:,}"
            yield TOO_LARGE.at((key,), message, beside=product.split(" x ")).within("inputs")

    def takes(height: int, width: int) -> bool:
        return family.sizes.takes(options, (height, width))

    if not takes(*size):
        reach = 2 ** len(family.channels(options)) + 1
        near = " and ".join(spell(other) for other in _nearest(takes, size, reach))
        side = "height" if _is_height_at_fault(takes, size) else "width"
        yield SIZE.at(
            (side,),
            f"the network cannot take a sample of {spell(size)}",
            hint=f"the nearest that work are {near}" if near else None,
        ).within("inputs", *shaping)
    yield from family.check_tokens(options, tokens)


def _is_height_at_fault(takes: Callable[[int, int], bool], size: Size) -> bool:
    """Whether the height is at fault, rather than the width."""
    alone = [takes(side, side) for side in size]
    return size[0] <= size[1] if alone[0] == alone[1] else alone[1]


def _nearest(takes: Callable[[int, int], bool], size: Size, reach: int) -> list[Size]:
    """The nearest size below that works and the nearest above; a side that works alone stays."""
    found = []
    for sign in (-1, 1):
        height, width = (_nearest_side(takes, side, sign, reach) for side in size)
        if height and width and takes(height, width):
            found.append((height, width))
    return list(dict.fromkeys(found))


def _nearest_side(
    takes: Callable[[int, int], bool], side: int, sign: int, reach: int
) -> int | None:
    """The nearest side of a square that works, downwards or upwards."""
    tried = (side + sign * step for step in range(reach))
    return next((other for other in tried if other > 0 and takes(other, other)), None)
