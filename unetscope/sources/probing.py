"""Passes over one network at sizes that tell how its dims follow those of its inputs."""

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
from unetscope.sources.trial_sizes import SEVERAL, STEPS, Free, starts

if TYPE_CHECKING:
    from unetscope.record import Trace

Key = tuple[tuple[Axis, int], ...]
"""The sizes that differ from those of the first pass."""

_MOST_WANTED = 16
"""About how many more sizes are tried, where those so far do not tell forms apart."""


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


def probe(network: Runnable, traced: Trace) -> Probed:
    """Passes at other sizes, until they tell the forms of dims apart.

    Args:
        network: what was traced; where that was not on meta, it runs there if it can.
        traced: the pass that is shown.

    Raises:
        UnetscopeError: the network cannot be built again.
    """
    probing = _Probing(network, traced)
    free: list[Free] = []
    refused: dict[str, Refused] = {}
    for slot in axes(probing.network, probing.model, probing.given):
        taken = {place for one in free for place in one.axis.places}
        if slot[0].places[0] in taken:  # with those of another tensor
            continue
        found, symbol = probing.free(slot), slot[0].symbol
        if isinstance(found, Refused):
            if symbol[0] not in refused:
                refused[symbol] = found
        else:
            free.append(found)
    probing.together(free)
    for one in list(free):
        singles = ({one.axis: one.near(number, 0)} for number in range(2 * SEVERAL))
        if not probing.seen_thrice(one.axis) and not any(map(probing.takes, singles)):
            free.remove(one)
            refused[one.axis.symbol] = probing.forget(one)
    probing.together(free)
    return Probed(probing.told(free), refused)


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
        shown = self.network
        self.like = _structure(self.traced)
        with redirect_stderr(io.StringIO()):  # it printed the same before
            for device in dict.fromkeys(("meta", shown.request.device)):
                self.real = device != "meta"
                self.network = shown.on(device)
                self.network.info = _nothing
                if device == shown.request.device or self._runs_alike():
                    self.model = self.network.build()
                    self.given = self.network.inputs(self.model)
                    return

    def _runs_alike(self) -> bool:
        try:
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

    def together(self, free: Sequence[Free]) -> None:
        """Passes in which all sizes differ from the first, the farthest apart first."""
        for away in (Free.far, Free.near, Free.smaller, Free.nearest) if free else ():
            for number in range(SEVERAL):
                if sum(len(key) == len(free) > 1 for key in self.passes) >= SEVERAL:
                    return
                sizes = {one.axis: away(one, number, place) for place, one in enumerate(free)}
                if not self.takes(sizes) and number == 0:
                    break

    def free(self, slot: Sequence[Axis]) -> Free | Refused:
        """The first of some axes whose size can change, and how."""
        refused, lone = None, None
        for tried in zip_longest(*(starts(axis.size, small=self.real) for axis in slot)):
            for axis, start in zip(slot, tried, strict=True):
                if start is None:
                    continue
                size, step = start
                if not self.takes({axis: size}):
                    refused = refused or Refused(axis.size, size, self.reason)
                    continue
                found = Free(axis, size, step or self._step(axis, size))
                if step or self.takes({axis: found.beyond}):
                    return found
                lone = lone or found
        assert refused is not None, "a slot has an axis, and an axis other sizes"
        self.first[slot[0].symbol] = refused
        return lone or refused

    def _step(self, axis: Axis, start: int) -> int:
        """By what sizes of a network may differ that may not take all."""
        away = start - axis.size
        steps = (step for step in STEPS if step < abs(away))
        sign = 1 if away > 0 else -1
        return next((s for s in steps if self.takes({axis: start - sign * s})), abs(away))

    def seen_thrice(self, axis: Axis) -> bool:
        """Whether there are passes at three sizes, so that a form can be verified."""
        sizes = {one.sizes[axis.symbol] for one in self.passes.values() if axis.symbol in one.sizes}
        return len(sizes) >= 2

    def forget(self, one: Free) -> Refused:
        """Leave a size alone that can be two and no third; what was refused of it."""
        axis, reason = one.axis, self.reason
        kept = {key: each for key, each in self.passes.items() if axis.symbol not in each.sizes}
        self.passes = kept
        tried = one.near(2 * SEVERAL - 1, 0)
        return self.first.get(axis.symbol) or Refused(axis.size, tried, reason)

    def told(self, free: Sequence[Free]) -> Dims:
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

    def _telling(self, one: Free, rivals: Sequence[Fit]) -> Iterator[int]:
        """A size that tells rivals apart; without any, some of all kinds."""
        if not rivals:
            yield from (one.far(number, 0) for number in range(SEVERAL))
            return
        sizes = {self._shown(one.axis, size): size for size in one.row()}
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
