"""Which form a number has that follows one size, from its values at some sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_PERIODS = (*range(2, 65), 72, 80, 96, 112, 128, 160, 192, 224, 256, 384, 512, 1024)
"""By what sizes are divided: strides of all layers together, patches, windows."""


@dataclass(frozen=True)
class Fit:
    """A number that is `times * part + plus` at every size that was seen."""

    times: Fraction
    part: Part
    plus: Fraction

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

    More than one are rounded quotients of one period that were not told apart by these sizes.
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
    found = _stairs(symbol, stairs, slope * whole)
    return [Fit(fit.times / whole, fit.part, fit.plus / whole) for fit in found]


def telling(rivals: Sequence[Fit]) -> tuple[str, int, int] | None:
    """A size that tells about half of the rivals from the others; None if there are none.

    Returns:
        Its symbol, the period, and what the size leaves when it is divided by that.
    """
    if len(rivals) < 2:
        return None
    part, plus = rivals[0].part, rivals[0].plus
    shifts = sorted(
        fit.part.shift + part.per * int((fit.plus - plus) / fit.times) for fit in rivals
    )
    return part.symbol, part.per, -shifts[len(shifts) // 2] % part.per


def _stairs(symbol: str, seen: Sequence[tuple[int, int]], slope: Fraction) -> list[Fit]:
    """The rounded quotients through all points, of the smallest period that has any."""
    x0, first = seen[0]
    for per in _PERIODS:
        near = int(slope * per)
        for times in {near, near + 1} - {0}:
            found = []
            for shift in range(per):
                plus = first - times * ((x0 + shift) // per)
                if all(times * ((x + shift) // per) + plus == number for x, number in seen):
                    found.append(_plain(symbol, times, shift, per, plus))
            if found:
                return sorted(found, key=_plainness)
    return []


def _plain(symbol: str, times: int, shift: int, per: int, plus: int) -> Fit:
    """A number beside a quotient that is not merely rounded up or down goes into it."""
    if plus % times == 0 and shift not in (0, per - 1):
        shift, plus = shift + per * (plus // times), 0
    return Fit(Fraction(times), Part(symbol, shift, per), Fraction(plus))


def _plainness(fit: Fit) -> tuple[bool, bool, Fraction, int]:
    merely_rounded = fit.part.shift in (0, fit.part.per - 1)
    return not merely_rounded, fit.plus != 0, abs(fit.plus), abs(fit.part.shift)


def _moved(part: Part, more: int) -> Part:
    if part.per == 1:
        return Part(part.symbol, part.shift + more)
    return Part(part.symbol, part.shift, part.per, part.plus + more)
