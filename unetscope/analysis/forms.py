"""How a dim depends on the sizes of the inputs: `H/8`, `H+1`, `ceil(H/8)`, `HW/64+T`, `B*(T+1)`.

A form is a sum of terms and a number; a term is a coefficient times factors, each of which follows
one size, or is a sum itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

from unetscope.units import bracketed

ORDER = ("B", "F", "H", "W", "T")
"""Batch, frames, height, width, tokens: the symbols in the order in which they are written.

Those of further inputs have a number: `H2`.
"""

Place = tuple[str, int]
"""A place in that order."""
Sizes = Mapping[str, int]
"""What each symbol stands for."""


@dataclass(frozen=True)
class Part:
    """A whole number that follows one size: `floor((size + shift) / per) + plus`."""

    symbol: str
    shift: int = 0
    per: int = 1
    plus: int = 0

    @property
    def place(self) -> Place:
        """Where it stands among other factors."""
        return place(self.symbol)

    def at(self, sizes: Sizes) -> Fraction:
        """Its value."""
        return Fraction((sizes[self.symbol] + self.shift) // self.per + self.plus)

    def __str__(self) -> str:
        if self.per == 1:
            return f"{self.symbol}{_signed(self.shift + self.plus)}"
        if self.shift == self.per - 1:
            rounded = f"ceil({self.symbol}/{self.per})"
        elif self.shift == 0:
            rounded = f"floor({self.symbol}/{self.per})"
        else:
            rounded = f"floor(({self.symbol}{_signed(self.shift)})/{self.per})"
        return f"{rounded}{_signed(self.plus)}"


@dataclass(frozen=True)
class Term:
    """A coefficient times factors."""

    times: Fraction
    factors: tuple[Part | Form, ...]

    @property
    def place(self) -> Place:
        """Where it stands among other terms and factors."""
        return min(factor.place for factor in self.factors)

    def at(self, sizes: Sizes) -> Fraction:
        """Its value."""
        product = self.times
        for factor in self.factors:
            product *= factor.at(sizes)
        return product

    def __str__(self) -> str:
        """With the sign of its coefficient; `HW`, but `B*(T+1)`."""
        alone = len(self.factors) == 1 and self.times == 1
        spelled = [str(f) if alone else bracketed(str(f)) for f in self.factors]
        number = abs(self.times.numerator)
        if number != 1:
            spelled.insert(0, str(number))
        text = spelled[0]
        for before, after in pairwise(spelled):
            beside = after.isalpha() and (before.isalpha() or before.isdecimal())
            text += after if beside else f"*{after}"
        over = "" if self.times.denominator == 1 else f"/{self.times.denominator}"
        return f"{'-' if self.times < 0 else ''}{text}{over}"


@dataclass(frozen=True)
class Form:
    """A sum of terms and a number."""

    terms: tuple[Term, ...]
    plus: Fraction = Fraction(0)

    @property
    def place(self) -> Place:
        """Where it stands among other factors."""
        return min(term.place for term in self.terms)

    def at(self, sizes: Sizes) -> Fraction:
        """Its value."""
        return sum((term.at(sizes) for term in self.terms), self.plus)

    def __str__(self) -> str:
        text = "".join(f"{'' if str(term)[0] == '-' else '+'}{term}" for term in self.terms)
        return f"{text.removeprefix('+')}{_signed(self.plus)}" if text else str(self.plus)

    def times(self, factor: Part) -> Form:
        """This form times a factor that follows another size."""
        if not self.terms:
            return Form((Term(self.plus, (factor,)),))
        if len(self.terms) == 1 and self.plus == 0:
            (term,) = self.terms
            return Form((Term(term.times, _ordered((factor, *term.factors))),))
        return Form((Term(Fraction(1), _ordered((factor, self))),))

    def plus_number(self, number: Fraction) -> Form:
        """This form and a number."""
        return Form(self.terms, self.plus + number)

    def added(self, times: Fraction, part: Part) -> Form:
        """This form and a term that follows another size."""
        terms = sorted((*self.terms, Term(times, (part,))), key=lambda term: term.place)
        return Form(tuple(terms), self.plus)


def place(symbol: str) -> Place:
    """Where a symbol stands among others."""
    return symbol[1:], ORDER.index(symbol[0])


def line(symbol: str, slope: Fraction, plus: Fraction) -> Form:
    """The form `slope * size + plus`: `H/8+1`, `(H+7)/8`, `(3H+1)/2`."""
    size = Part(symbol)
    shift = plus / slope
    if plus.denominator == 1:
        return Form((Term(slope, (size,)),), plus)
    if shift.denominator == 1:
        return Form((Term(slope, (Part(symbol, shift.numerator),)),))
    over = Fraction(1, lcm(slope.denominator, plus.denominator))
    inner = Form((Term(slope / over, (size,)),), plus / over)
    return Form((Term(over, (inner,)),))


def _signed(number: int | Fraction) -> str:
    """As it stands behind another: `+1`, `-2`, nothing for 0."""
    return f"{'+' if number > 0 else ''}{number}" if number else ""


def _ordered(factors: tuple[Part | Form, ...]) -> tuple[Part | Form, ...]:
    return tuple(sorted(factors, key=lambda factor: factor.place))
