"""Which form a number has that follows one size, from its values at some sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from unetscope.analysis.forms import Form, Part, Term, line

Point = tuple[int, Fraction]
"""A size, and the number there."""

_LEAST_OF_LINES = 3
"""Points that a line needs: two make it, the third verifies it."""
_LEAST_OF_STAIRS = 4
"""Points that a rounded quotient needs."""
_MOST_RIVALS = 64
"""Forms among which one is sought at once."""
_PERIODS = (*range(2, 129), 160, 192, 224, 256, 384, 512, 1024)
"""By what sizes are divided: strides of all layers together, patches, windows."""


@dataclass(frozen=True)
class Fit:
    """A number that is `times * part + plus` at every size that was seen."""

    times: Fraction
    part: Part
    plus: Fraction

    def at(self, size: int) -> Fraction:
        """The number at a size."""
        return self.times * self.part.at({self.part.symbol: size}) + self.plus

    @property
    def form(self) -> Form:
        """As a form."""
        if self.part == Part(self.part.symbol):
            return line(self.part.symbol, self.times, self.plus)
        return Form((Term(self.times, (self.part,)),), self.plus)

    @property
    def factors(self) -> Iterator[Part]:
        """What may be a factor of a product: the part, and the whole number over its coefficient.

        As `T+1` of `4T+4`.
        """
        yield self.part
        more = self.plus / self.times
        if more and more.denominator == 1:
            yield _moved(self.part, more.numerator)


def fits(symbol: str, points: Sequence[Point]) -> list[Fit]:
    """Every form that goes through all points, the plainest first; none if they are too few.

    More than one are rounded quotients that these sizes do not tell apart.
    """
    numbers = dict(points)
    if len(numbers) < _LEAST_OF_LINES or any(numbers[x] != number for x, number in points):
        return []
    seen = sorted(numbers.items())
    (x0, first), (x1, last) = seen[0], seen[-1]
    slope = (last - first) / (x1 - x0)
    if all(number == first + slope * (x - x0) for x, number in seen):
        return [Fit(slope, Part(symbol), first - slope * x0)] if slope else []
    if len(seen) < _LEAST_OF_STAIRS or slope <= 0:
        return []
    whole = lcm(*(number.denominator for number in numbers.values()))
    stairs = [(x, int(number * whole)) for x, number in seen]
    found = sorted(_stairs(symbol, stairs, slope * whole), key=_plainness)
    return [Fit(fit.times / whole, fit.part, fit.plus / whole) for fit in found]


def telling(rivals: Sequence[Fit], sizes: Iterable[int]) -> int | None:
    """The size that tells most rivals apart; None if none does."""
    some, best, fewest = rivals[:_MOST_RIVALS], None, len(rivals[:_MOST_RIVALS])
    for size in sizes:
        alike = Counter(fit.at(size) for fit in some).most_common(1)[0][1]
        if alike < fewest:
            best, fewest = size, alike
    return best


def _stairs(symbol: str, seen: Sequence[tuple[int, int]], slope: Fraction) -> Iterator[Fit]:
    """The rounded quotients through all points.

    Of a size `x0 + d`, `floor((x0 + d + shift) / per)` is `floor((d + rest) / per)` more than that
    of `x0`, which leaves the rest: so each point bounds the rest.
    """
    x0, first = seen[0]
    for per in _PERIODS:
        near = int(slope * per)
        for times in {near, near + 1} - {0}:
            if any((number - first) % times for _, number in seen):
                continue
            steps = [(x - x0, (number - first) // times) for x, number in seen]
            least = max(0, *(per * step - d for d, step in steps))
            most = min(per - 1, *(per * (step + 1) - d - 1 for d, step in steps))
            for rest in range(least, most + 1):
                shift = (rest - x0) % per
                yield _plain(symbol, times, shift, per, first - times * ((x0 + shift) // per))


def _plain(symbol: str, times: int, shift: int, per: int, plus: int) -> Fit:
    """A number beside a quotient that is not merely rounded up or down goes into it."""
    if plus % times == 0 and shift not in (0, per - 1):
        shift, plus = shift + per * (plus // times), 0
    return Fit(Fraction(times), Part(symbol, shift, per), Fraction(plus))


def _plainness(fit: Fit) -> tuple[bool, bool, Fraction, int, int]:
    part = fit.part
    merely_rounded = part.shift in (0, part.per - 1)
    return not merely_rounded, fit.plus != 0, abs(fit.plus), part.per, abs(part.shift)


def _moved(part: Part, more: int) -> Part:
    if part.per == 1:
        return Part(part.symbol, part.shift + more)
    return Part(part.symbol, part.shift, part.per, part.plus + more)
