"""Which sides of a sample work, by the powers of two that divide them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unetscope.families.family import Family, Options

_PERIODS = 4
"""How far sides are tried, in multiples of the factor that halves evenly at all levels."""


@dataclass(frozen=True)
class SizeClass:
    """Sides that can be halved evenly equally often.

    Attributes:
        factor: the power of two that divides them.
        exact: they halve evenly at all levels; else twice the factor does not divide them.
        works: whether the network takes squares of them; None if some.
        smallest: the smallest that works; None if there is none.
        example: the one nearest to what the config says.
        maps: the sides of the example's feature maps, level by level.
        odd_level: the first level, from 0, whose map has an odd side and is halved.
    """

    factor: int
    exact: bool
    works: bool | None
    smallest: int | None
    example: int
    maps: tuple[int, ...]
    odd_level: int | None


def size_table(family: Family[Any], unet: Options, side: int) -> Iterator[SizeClass]:
    """The classes of sides, those that halve evenly at all levels first.

    Args:
        family: of the network.
        unet: options without faults.
        side: near which examples are sought.
    """
    maps, takes = family.sizes.maps, family.sizes.takes
    largest = 2 ** (len(maps(unet, 2**16)) - 1)
    factor = largest
    while factor:
        exact = factor == largest
        step = factor if exact else 2 * factor
        tried = range(factor, _PERIODS * largest + 1, step)
        working = [n for n in tried if takes(unet, (n, n))]
        example = max(round((side - factor) / step), 0) * step + factor
        sides = tuple(maps(unet, example))
        yield SizeClass(
            factor=factor,
            exact=exact,
            works=None if 0 < len(working) < len(tried) else bool(working),
            smallest=min(working, default=None),
            example=example,
            maps=sides,
            odd_level=next((i for i, of_level in enumerate(sides[:-1]) if of_level % 2), None),
        )
        factor //= 2
