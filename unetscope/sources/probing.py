"""Passes over one network at sizes that tell how its dims follow those of its inputs.

Sizes are chosen so that they leave many rests when they are divided by what networks divide by:
one that takes all sizes shows whether it rounds up or down. Of one that takes only multiples of 8,
or of 7, such sizes are found by trying.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from unetscope.analysis import symbols
from unetscope.analysis.fitting import Fit, telling
from unetscope.analysis.symbols import Dims, Pass
from unetscope.errors import UnetscopeError
from unetscope.sources.axes import Axis, axes, resized
from unetscope.sources.source import Runnable

if TYPE_CHECKING:
    from unetscope.record import Trace

Key = tuple[tuple[Axis, int], ...]
"""The sizes that differ from those of the first pass."""

_STEPS = (1, 2, 4, 8, 16, 32, 64)
"""By what sizes may differ in a network that halves them."""
_NEAR = (1, 8, 64)
"""By what they may differ at least."""
_JOINT = 3
"""Passes in which all sizes differ from the first."""
_MOST_WANTED = 16
"""About how many more sizes are tried, where those so far do not tell forms apart."""
_AROUND = 64
"""How many sizes in a row may be tried."""
_RESTS = (-1, 6, 36)
"""What far sizes leave when they are divided by 64: of all kinds that halving tells apart."""
_FAR = 2048
"""About how large the largest size is."""


@dataclass(frozen=True)
class Refused:
    """A size that cannot change.

    Attributes:
        size: what it is.
        tried: another, at which the network did not run.
        reason: what it said; empty if it ran, but did other things.
    """

    size: int
    tried: int
    reason: str


@dataclass(frozen=True)
class Probed:
    """What the passes told.

    Attributes:
        dims: the forms.
        refused: by symbol, the sizes that cannot change.
    """

    dims: Dims
    refused: Mapping[str, Refused]


@dataclass
class _Free:
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


def probe(network: Runnable, traced: Trace) -> Probed:
    """Passes at other sizes, until they tell the forms of dims apart.

    Args:
        network: what was traced; where that was not on meta, it runs there if it can.
        traced: the pass that is shown.

    Raises:
        UnetscopeError: the network cannot be built again.
    """
    probing = _Probing(network, traced)
    free, refused = [], {}
    for slot in axes(probing.network, probing.model, probing.given):
        found = probing.free(slot)
        if isinstance(found, Refused):
            refused[slot[0].symbol] = found
        else:
            free.append(found)
    probing.together(free)
    for one in list(free):
        singles = ({one.axis: one.near(number, 0)} for number in range(2 * _JOINT))
        if not probing.seen_thrice(one.axis) and not any(map(probing.takes, singles)):
            free.remove(one)
            refused[one.axis.symbol] = probing.forget(one.axis.symbol)
    probing.together(free)
    return Probed(probing.told(free), refused)


def _grid(size: int) -> int:
    """What most networks divide by divides it."""
    return 64 if size >= 16 else 8


@dataclass
class _Probing:
    """A network that was built once, and the passes over it so far."""

    network: Runnable
    traced: Trace
    reason: str = ""
    passes: dict[Key, Pass] = field(default_factory=dict)
    refusals: dict[Key, str] = field(default_factory=dict)
    first: dict[str, Refused] = field(default_factory=dict)

    def __post_init__(self) -> None:
        network, device = self.network, self.network.request.device
        self.like = _structure(self.traced)
        for place in dict.fromkeys(("meta", device)):
            self.real = place != "meta"
            self.network = network if place == device else network.on(place)
            self.network.info = _nothing
            if not self.real and device != "meta" and not self._runs_on_meta():
                continue
            self.model = self.network.build()
            self.given = self.network.inputs(self.model)
            break

    def _runs_on_meta(self) -> bool:
        try:
            with redirect_stderr(io.StringIO()):
                return _structure(self.network.trace()) == self.like
        except UnetscopeError:
            return False

    def takes(self, sizes: Mapping[Axis, int]) -> bool:
        """Whether the network does the same at other sizes; what it does is kept."""
        key = tuple(sizes.items())
        if key not in self.passes and key not in self.refusals:
            try:
                with redirect_stderr(io.StringIO()):
                    trace = self.network.run(self.model, resized(self.given, sizes))
            except UnetscopeError as error:
                self.refusals[key] = error.message.partition("\n")[0]
            else:
                if _structure(trace) == self.like:
                    shown = {axis.symbol: self._shown(axis, size) for axis, size in key}
                    self.passes[key] = Pass(shown, [value.spec.shape for value in trace.values])
                else:
                    self.refusals[key] = ""
        self.reason = self.refusals.get(key, "")
        return key in self.passes

    def together(self, free: Sequence[_Free]) -> None:
        """Passes in which all sizes differ from the first, the farthest apart first."""
        for away in (_Free.far, _Free.near, _Free.smaller, _Free.nearest) if free else ():
            for number in range(_JOINT):
                if sum(len(key) == len(free) > 1 for key in self.passes) >= _JOINT:
                    return
                sizes = {one.axis: away(one, number, place) for place, one in enumerate(free)}
                if not self.takes(sizes) and number == 0:
                    break

    def free(self, slot: Sequence[Axis]) -> _Free | Refused:
        """The first of some axes whose size can change, and how."""
        refused, lone = None, None
        for starts in zip_longest(*(self._starts(axis.size) for axis in slot)):
            for axis, start in zip(slot, starts, strict=True):
                if start is None:
                    continue
                size, step = start
                if not self.takes({axis: size}):
                    refused = refused or Refused(axis.size, size, self.reason)
                    continue
                found = _Free(axis, size, step or self._step(axis, size))
                if step or self.takes({axis: found.beyond}):
                    return found
                lone = lone or found
        assert refused is not None, "a slot has an axis, and an axis other sizes"
        self.first[slot[0].symbol] = refused
        return lone or refused

    def _starts(self, size: int) -> Iterator[tuple[int, int]]:
        """Sizes to try, far ones first, each with the step from there; 0 for one to be found."""
        grid = _grid(size)
        if not self.real:
            yield grid * -(-2 * size // grid) + 1 + size % 2, 1
            yield 2 * size, 0
        if size > grid // 2:
            yield size // 2 + 1, 0
            yield size // 2, 0
        for step in _NEAR:
            yield size + step, 0
            if step < size:
                yield size - step, 0

    def _step(self, axis: Axis, start: int) -> int:
        """By what sizes of a network may differ that may not take all."""
        away = start - axis.size
        steps = (step for step in _STEPS if step < abs(away))
        sign = 1 if away > 0 else -1
        return next((s for s in steps if self.takes({axis: start - sign * s})), abs(away))

    def seen_thrice(self, axis: Axis) -> bool:
        """Whether there are passes at three sizes, so that a form can be verified."""
        sizes = {one.sizes[axis.symbol] for one in self.passes.values() if axis.symbol in one.sizes}
        return len(sizes) >= 2

    def forget(self, symbol: str) -> Refused:
        """Leave a size alone that can be two and no third; what was refused of it first."""
        self.passes = {key: each for key, each in self.passes.items() if symbol not in each.sizes}
        return self.first[symbol]

    def told(self, free: Sequence[_Free]) -> Dims:
        """The forms, with more passes where they would tell more."""
        shapes = [value.spec.shape for value in self.traced.values]
        first = {one.axis.symbol: self._shown(one.axis, one.axis.size) for one in free}
        tried: set[tuple[str, int]] = set()
        while True:
            others = [Pass({**first, **p.sizes}, p.shapes) for p in self.passes.values()]
            dims = symbols.find([Pass(first, shapes), *others])
            wanted = {
                (one.axis.symbol, size): one.axis
                for one in free
                for symbol, rivals in dims.wanted
                if symbol == one.axis.symbol
                for size in self._telling(one, rivals)
                if (symbol, size) not in tried
            }
            for (symbol, size), axis in wanted.items():
                tried.add((symbol, size))
                self.takes({axis: size})
            if not wanted or len(tried) >= _MOST_WANTED:
                return dims

    def _telling(self, one: _Free, rivals: Sequence[Fit]) -> Iterator[int]:
        """A size that tells rivals apart; without any, some of all kinds."""
        if not rivals:
            yield from (one.far(number, 0) for number in range(_JOINT))
            return
        anchors = one.start, one.far(_JOINT - 1, 0)
        sizes = {
            self._shown(one.axis, size): size
            for anchor in anchors
            for size in range(anchor, anchor + _AROUND * one.step, one.step)
        }
        if (size := telling(rivals, sizes)) is not None:
            yield sizes[size]

    def _shown(self, axis: Axis, size: int) -> int:
        """A size as its symbol means it: height and width are perhaps the image's."""
        return size * self.network.scale if axis.symbol in ("H", "W") else size


def _structure(trace: Trace) -> tuple[object, ...]:
    """What passes have in common whose dims can be compared."""
    return (
        [(op.name, op.inputs, op.outputs) for op in trace.ops],
        [len(value.spec.shape) for value in trace.values],
    )


def _nothing(text: str) -> None:
    """What was guessed was said of the pass that is shown."""
