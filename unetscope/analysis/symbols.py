"""The dims of a network's tensors in terms of the sizes of its inputs, from passes at some sizes.

Nothing is assumed of how a network makes its dims: a form is one that gives the number that was
seen in every pass. Passes in which one size differs from the first tell what a dim depends on, and
those in which all differ whether a form holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod

from unetscope.analysis.fitting import Fit, Point, fits
from unetscope.analysis.forms import Form, Part

Shapes = Sequence[Sequence[int]]
"""The dims of each tensor of a pass."""
Numbers = tuple[Fraction, ...]
"""One dim in each pass."""
Wanted = tuple[str, tuple[Fit, ...]]
"""A symbol of which more sizes would tell these forms apart; or find one, if there are none."""


@dataclass(frozen=True)
class Pass:
    """What one pass showed.

    Attributes:
        sizes: what each symbol stood for.
        shapes: of the values, which are the same in all passes.
    """

    sizes: Mapping[str, int]
    shapes: Shapes


@dataclass(frozen=True)
class Dims:
    """The forms that were found.

    Attributes:
        forms: by the numbers of a dim in all passes; None where there is none.
        passes: those numbers come from these, the first one being the one that is shown.
        wanted: of what more sizes would tell more.
    """

    forms: Mapping[Numbers, Form | None]
    passes: Sequence[Pass]
    wanted: Sequence[Wanted] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The sizes that change."""
        return tuple(self.passes[0].sizes)

    def __getitem__(self, value: int) -> tuple[Form | int | None, ...]:
        """Of each dim of a value its form, its number where it is always that, or None."""
        found = (self.forms[numbers] for numbers in _numbers(self.passes, value))
        return tuple(int(f.plus) if f is not None and not f.terms else f for f in found)


def find(passes: Sequence[Pass]) -> Dims:
    """The forms of all dims."""
    seen = {n: None for v in range(len(passes[0].shapes)) for n in _numbers(passes, v)}
    search = _Search(passes)
    forms: dict[Numbers, Form | None] = {}
    for numbers in sorted(seen, key=lambda each: len(search.moving(each))):
        forms[numbers] = search.form(numbers)
    return Dims(forms, passes, tuple(dict.fromkeys(search.wanted)))


def _numbers(passes: Sequence[Pass], value: int) -> Iterator[Numbers]:
    """Each dim of a value in all passes."""
    for dim in zip(*(each.shapes[value] for each in passes), strict=True):
        yield tuple(map(Fraction, dim))


class _Search:
    """The search for forms, which knows those that it found in one size."""

    def __init__(self, passes: Sequence[Pass]) -> None:
        self.sizes = [each.sizes for each in passes]
        self.symbols = tuple(self.sizes[0])
        self.wanted: list[Wanted] = []
        self._undecided: list[Wanted] = []
        self._singles = {symbol: self._passes_of(symbol) for symbol in self.symbols}
        self._parts: dict[str, dict[Part, None]] = {s: {Part(s): None} for s in self.symbols}

    def _passes_of(self, symbol: str) -> list[int]:
        """The passes in which one size alone differs from the first."""
        first = self.sizes[0]
        differs = [{s for s in sizes if sizes[s] != first[s]} for sizes in self.sizes]
        return [index for index, symbols in enumerate(differs) if symbols == {symbol}]

    def moving(self, numbers: Numbers) -> tuple[str, ...]:
        """The symbols that a number depends on, as far as one alone shows it."""
        return tuple(
            symbol
            for symbol, singles in self._singles.items()
            if any(numbers[index] != numbers[0] for index in singles)
        )

    def form(self, numbers: Numbers) -> Form | None:
        """The plainest form that gives these numbers, verified where all sizes differ."""
        moving = self.moving(numbers)
        if len(moving) == 1:
            return self._alone(moving[0], numbers)
        if len(moving) > 1 and not self._all_differ(moving):
            return None
        self._undecided.clear()
        found = self._form(numbers)
        more: list[Wanted] = [(symbol, ()) for symbol in moving or self.symbols]
        self.wanted += more if found is None else self._undecided
        return found

    def _all_differ(self, symbols: Sequence[str]) -> bool:
        first = self.sizes[0]
        return any(all(sizes[s] != first[s] for s in symbols) for sizes in self.sizes)

    def _alone(self, symbol: str, numbers: Numbers) -> Form | None:
        found = fits(symbol, self._points(symbol, numbers, range(len(numbers))))
        if not found:
            self.wanted.append((symbol, ()))
            return None
        if len(found) > 1:
            self.wanted.append((symbol, tuple(found)))
        self._parts[symbol].update(dict.fromkeys(found[0].factors))
        return found[0].form

    def _points(self, symbol: str, numbers: Numbers, passes: Sequence[int]) -> list[Point]:
        return [(self.sizes[index][symbol], numbers[index]) for index in passes]

    def _form(self, numbers: Numbers) -> Form | None:
        moving = self.moving(numbers)
        if not moving:
            return Form((), numbers[0]) if len(set(numbers)) == 1 else None
        if len(moving) == 1:
            found = fits(moving[0], self._points(moving[0], numbers, range(len(numbers))))
            if len(found) > 1:
                self._undecided.append((moving[0], tuple(found)))
            return found[0].form if found else None
        for symbol in moving:
            for part in self._factors(symbol, numbers):
                values = [part.at(sizes) for sizes in self.sizes]
                rest = self._form(tuple(n / v for n, v in zip(numbers, values, strict=True)))
                if rest is not None:
                    return rest.times(part)
        for symbol in moving:
            for times, part in self._summands(symbol, numbers):
                values = [times * part.at(sizes) for sizes in self.sizes]
                rest = self._form(tuple(n - v for n, v in zip(numbers, values, strict=True)))
                if rest is not None:
                    return rest.added(times, part)
        return self._product_and_number(moving, numbers)

    def _product_and_number(self, moving: Sequence[str], numbers: Numbers) -> Form | None:
        """A form such as `HW/64+32`."""
        for parts in product(*(self._likely(symbol, numbers) for symbol in moving)):
            values = [prod(part.at(sizes) for part in parts) for sizes in self.sizes]
            last = next((i for i, value in enumerate(values) if value != values[0]), None)
            if last is None:
                continue
            times = (numbers[last] - numbers[0]) / (values[last] - values[0])
            rest = {n - times * value for n, value in zip(numbers, values, strict=True)}
            if times and len(rest) == 1:
                return reduce(Form.times, parts, Form((), times)).plus_number(rest.pop())
        return None

    def _factors(self, symbol: str, numbers: Numbers) -> Iterator[Part]:
        """The parts that a number is proportional to where their size alone differs."""
        singles = self._singles[symbol]
        for part in self._likely(symbol, numbers):
            first = part.at(self.sizes[0])
            values = [part.at(sizes) for sizes in self.sizes]
            if all(values) and all(numbers[i] * first == numbers[0] * values[i] for i in singles):
                yield part

    def _summands(self, symbol: str, numbers: Numbers) -> Iterator[tuple[Fraction, Part]]:
        """The parts that a number differs by a multiple of, where their size alone differs."""
        singles = self._singles[symbol]
        for part in self._likely(symbol, numbers):
            steps = {i: part.at(self.sizes[i]) - part.at(self.sizes[0]) for i in singles}
            if not all(steps.values()):
                continue
            times = {(numbers[i] - numbers[0]) / step for i, step in steps.items()}
            if len(times) == 1:
                yield times.pop(), part

    def _likely(self, symbol: str, numbers: Numbers) -> list[Part]:
        """Parts that a number may be made of: those of other dims, and what this one shows."""
        parts = dict(self._parts[symbol])
        singles = self._singles[symbol]
        size, other = (self.sizes[index][symbol] for index in (0, singles[0]))
        step = numbers[singles[0]] - numbers[0]
        if step:
            shift = numbers[0] * (other - size) / step - size
            if shift.denominator == 1:
                parts[Part(symbol, shift.numerator)] = None
        shown = fits(symbol, self._points(symbol, numbers, (0, *singles)))
        if len(shown) > 1:
            self._undecided.append((symbol, tuple(shown)))
        for fit in shown:
            parts.update(dict.fromkeys(fit.factors))
        return list(parts)
