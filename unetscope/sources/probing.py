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
from typing import TYPE_CHECKING

from unetscope.analysis import symbols
from unetscope.analysis.symbols import Dims, Pass, Wanted
from unetscope.errors import UnetscopeError
from unetscope.sources.axes import Axis, axes, resized
from unetscope.sources.source import Runnable

if TYPE_CHECKING:
    from unetscope.record import Trace

_STEPS = (1, 2, 4, 8, 16, 32, 64)
"""By what sizes may differ in a network that halves them."""
_JOINT = 3
"""Passes in which all sizes differ from the first."""
_MOST_WANTED = 16
"""About how many more sizes are tried, where those so far do not tell forms apart."""
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
    """A size that can change: `start`, and from there in steps; downwards if they are negative."""

    axis: Axis
    start: int
    step: int
    far: bool

    def joint(self, number: int, place: int) -> int:
        """Its size in one of the passes in which all differ, apart from those of other symbols."""
        size, step = self.axis.size, self.step
        if not self.far:
            return max(self.start + step * (number + place + 1), 1)
        times = (3, 4, max(5, min(16, _FAR // size)))[number]
        if step > 1:
            return self.start + step * ((times - 1) * -(-size // step) + 2 * place + number)
        grid = _grid(size)
        return grid * (-(-times * size // grid) + place) + (-1, 3, 5)[number]


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
    for sizes in _together(free):
        if probing.joint >= _JOINT:
            break
        probing.joint += probing.takes(sizes)
    if probing.joint == 0:
        for one in free:
            for number in range(_JOINT):
                probing.takes({one.axis: one.joint(number, 0)})
    return Probed(probing.told(free), refused)


def _together(free: Sequence[_Free]) -> Iterator[dict[Axis, int]]:
    """Sizes that all differ from the first, the farthest apart first, then near ones."""
    for number in range(_JOINT) if free else ():
        yield {one.axis: one.joint(number, place) for place, one in enumerate(free)}
    if any(one.far for one in free):
        near = [_Free(one.axis, one.axis.size + one.step, one.step, far=False) for one in free]
        for number in range(_JOINT):
            yield {one.axis: one.joint(number, place) for place, one in enumerate(near)}


def _grid(size: int) -> int:
    """What most networks divide by divides it."""
    return 64 if size >= 16 else 8


@dataclass
class _Probing:
    """A network that was built once, and the passes over it so far."""

    network: Runnable
    traced: Trace
    joint: int = 0
    reason: str = ""
    passes: dict[tuple[tuple[str, int], ...], Pass] = field(default_factory=dict)

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
        key = tuple((axis.symbol, self._shown(axis, size)) for axis, size in sizes.items())
        if key in self.passes:
            return True
        try:
            with redirect_stderr(io.StringIO()):
                trace = self.network.run(self.model, resized(self.given, sizes))
        except UnetscopeError as error:
            self.reason = error.message.partition("\n")[0]
            return False
        if _structure(trace) != self.like:
            self.reason = ""
            return False
        self.passes[key] = Pass(dict(key), [value.spec.shape for value in trace.values])
        return True

    def free(self, slot: Sequence[Axis]) -> _Free | Refused:
        """The first of some axes whose size can change, and how."""
        refused = None
        for axis in slot:
            for start, step, far in self._starts(axis.size):
                if not self.takes({axis: start}):
                    refused = refused or Refused(axis.size, start, self.reason)
                    continue
                if far and step == 0:
                    steps = (s for s in _STEPS[1:] if s < axis.size)
                    step = next((s for s in steps if self.takes({axis: start + s})), axis.size)
                return _Free(axis, start, step, far)
        assert refused is not None, "a slot has an axis"
        return refused

    def _starts(self, size: int) -> Iterator[tuple[int, int, bool]]:
        """Sizes to try, with the step from there, 0 for one that is sought, and whether far."""
        if not self.real:
            grid = _grid(size)
            yield grid * -(-2 * size // grid) + 1, 1, True
            yield 2 * size, 0, True
        for step in _STEPS:
            yield size + step, step, False
            if step < size:
                yield size - step, -step, False

    def told(self, free: Sequence[_Free]) -> Dims:
        """The forms, with more passes where they would tell more."""
        of = {one.axis.symbol: one for one in free}
        shapes = [value.spec.shape for value in self.traced.values]
        first = {one.axis.symbol: self._shown(one.axis, one.axis.size) for one in free}
        tried: set[Wanted] = set()
        while True:
            others = (Pass({**first, **p.sizes}, p.shapes) for p in self.passes.values())
            dims = symbols.find([Pass(first, shapes), *others])
            wanted = [each for each in dims.wanted if each not in tried]
            if not wanted or len(tried) >= _MOST_WANTED:
                return dims
            for symbol, per, rest in wanted[:_MOST_WANTED]:
                tried.add((symbol, per, rest))
                self._try(of[symbol], per, rest)

    def _try(self, one: _Free, per: int, rest: int) -> None:
        """A pass at a size that leaves a rest at a division."""
        for count in range(per):
            size = one.start + one.step * count
            if size > 0 and self._shown(one.axis, size) % per == rest:
                self.takes({one.axis: size})
                return

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
