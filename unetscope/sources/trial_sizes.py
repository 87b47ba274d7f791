"""Which sizes of an input are tried, to see how the dims of a network follow them.

Sizes are chosen so that they leave many rests when they are divided by what networks divide by:
one that takes all sizes shows whether it rounds up or down. Of one that takes only multiples of 8,
or of 7, such sizes are found by trying.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unetscope.sources.axes import Axis

STEPS = (1, 2, 4, 8, 16, 32, 64)
"""By what sizes may differ in a network that halves them."""
SEVERAL = 3
"""How many sizes of one sort there are."""
_NEAR = (1, 8, 64)
"""By what sizes differ at least, if no others are taken."""
_AROUND = 64
"""How many sizes in a row may be tried."""
_RESTS = (-1, 6, 36)
"""What far sizes leave when they are divided by 64: of all kinds that halving tells apart."""
_FAR = 2048
"""About how large the largest size is."""


@dataclass(frozen=True)
class Free:
    """A size that can change.

    Attributes:
        axis: which dims have it.
        start: another, at which the network runs.
        step: by what others differ from that one.
    """

    axis: Axis
    start: int
    step: int

    @property
    def beyond(self) -> int:
        """A third size."""
        away = self.start - self.axis.size
        step = self.step if away > 0 else -self.step
        return max(self.start + (step if self.step == abs(away) else -step), 1)

    def row(self) -> Iterable[int]:
        """Sizes among which one may be sought, near ones and far ones."""
        for anchor in (self.start, self.far(SEVERAL - 1, 0)):
            yield from range(anchor, anchor + _AROUND * self.step, self.step)

    def far(self, number: int, place: int) -> int:
        """One of several sizes far from the first, apart from those of other symbols.

        Args:
            number: which of them.
            place: that of the symbol among others.
        """
        size, step = self.axis.size, self.step
        if self.start < 2 * size:
            return self.near(number, place)
        times = (3, 4, max(5, min(16, _FAR // size)))[number]
        if step > 1:
            return self.start + step * ((times - 1) * -(-size // step) + 2 * place + number)
        grid = _grid(size)
        return grid * (-(-times * size // grid) + place) + _RESTS[number]

    def near(self, number: int, place: int) -> int:
        """One of several sizes between the first and `start`, or else beyond."""
        size, count = self.axis.size, number + place + 1
        away = self.start - size
        step = self.step if away > 0 else -self.step
        between = range(self.start - step, size, -step)
        return between[count % len(between)] if between else max(self.start + count * away, 1)

    def nearest(self, number: int, place: int) -> int:
        """One of several sizes next to the first, on the side of `start`."""
        size, count = self.axis.size, 1 + (number + place) // 2
        return max(size + count * (self.step if self.start > size else -self.step), 1)

    def smaller(self, number: int, place: int) -> int:
        """One of several sizes below the first, if that is not among the smallest."""
        size, count = self.axis.size, number + place + 1
        smaller = range(size - self.step, 1, -self.step)
        return smaller[(len(smaller) // 2 + count) % len(smaller)] if smaller else size + count


def starts(size: int, *, small: bool) -> Iterator[tuple[int, int]]:
    """Sizes to try instead of one, the most telling first.

    Args:
        size: what it is.
        small: whether larger ones cost much.

    Yields:
        The size, and the step from there to others; 0 for one to be found.
    """
    grid = _grid(size)
    if not small:
        yield grid * -(-2 * size // grid) + 1 + size % 2, 1
        yield 2 * size, 0
    if size > grid // 2:
        yield size // 2 + 1, 0
        yield size // 2, 0
    for step in _NEAR:
        yield size + step, 0
        if step < size:
            yield size - step, 0


def _grid(size: int) -> int:
    """What most networks divide by divides it."""
    return 64 if size >= 16 else 8
