"""The network as a whole: its inputs and outputs, its skips, its totals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeVar

from unetscope.analysis.diff.changes import COSTS, Change, Total
from unetscope.analysis.diff.matching import Matching, paired
from unetscope.analysis.diff.side import Side
from unetscope.lock import Lock, LockedSkip, LockedTensor

T = TypeVar("T")
End = tuple[str, str]
"""Where a skip begins or ends: a module by its new path, and the function that made it if any."""


def io_changes(old: Lock, new: Lock) -> Iterator[Change]:
    """A change for each input or output that callers would have to treat differently.

    A pass at another batch, height, width or number of tokens is no change of the network: where
    inputs differ in those alone, outputs may too.
    """
    inputs = list(_compared(old.inputs, new.inputs))
    resized = any(change.id == "io-resized" for change in inputs)
    yield from inputs
    for change in _compared(old.outputs, new.outputs):
        if change.id == "io-reshaped" or resized:
            yield change
        else:
            yield Change("io-reshaped", change.was, change.now, change.old, change.new)


def _compared(old: Sequence[LockedTensor], new: Sequence[LockedTensor]) -> Iterator[Change]:
    for before, after in counterparts(old, new):
        was = None if before is None else before.name
        now = None if after is None else after.name
        if before is None or after is None:
            old_shape, new_shape = (None if end is None else end.shape for end in (before, after))
            yield Change("io-reshaped", was, now, old_shape, new_shape)
            continue
        if was != now:
            yield Change("io-renamed", was, now, was, now)
        if before.shape != after.shape:
            name = "io-resized" if _same_but_size(before.shape, after.shape) else "io-reshaped"
            yield Change(name, was, now, before.shape, after.shape)
        if before.dtype != after.dtype:
            yield Change("attr-changed", was, now, before.dtype, after.dtype, "dtype")


def counterparts(
    old: Sequence[LockedTensor], new: Sequence[LockedTensor]
) -> list[tuple[LockedTensor | None, LockedTensor | None]]:
    """Pairs of the same name, then of the same shape and dtype, then what only one side has."""
    gone, come = list(old), list(new)
    keys = (attrgetter("name"), attrgetter("shape", "dtype"))
    both = [pair for key in keys for pair in _taken(gone, come, key, key)]
    return [*both, *((tensor, None) for tensor in gone), *((None, tensor) for tensor in come)]


def _taken(
    gone: list[T], come: list[T], old_key: Callable[[T], Hashable], new_key: Callable[[T], Hashable]
) -> list[tuple[T, T]]:
    """Take the items with equal keys out of both lists, the first with the first."""
    pairs = paired(gone, come, old_key, new_key)
    for one, other in pairs:
        gone.remove(one)
        come.remove(other)
    return pairs


def _same_but_size(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Whether two shapes differ in batch, tokens or spatial dims alone.

    Those of a feature map `(B, C, H, W)` are all but the second, of tokens `(B, T, C)` all but the
    last, of a vector `(B, C)` the first.
    """
    if len(old) != len(new):
        return False
    kept = -1 if len(old) == 3 else 1
    return len(old) < 2 or old[kept] == new[kept]


class SkipPairs(NamedTuple):
    """Which skip of one network is which of the other.

    Attributes:
        kept: those that begin and end at the same modules.
        repaired: those of which one end is the same.
        gone: those of the old network alone.
        come: those of the new one alone.
    """

    kept: list[tuple[LockedSkip, LockedSkip]]
    repaired: list[tuple[LockedSkip, LockedSkip]]
    gone: list[LockedSkip]
    come: list[LockedSkip]


def skip_pairs(matching: Matching) -> SkipPairs:
    """Pairs of skips, by the modules at which they begin and end."""
    old, new = _ends(matching)
    gone, come = list(matching.old.lock.skips), list(matching.new.lock.skips)
    kept = _taken(gone, come, old.both, new.both)
    ends = (old.producer, new.producer), (old.consumer, new.consumer)
    repaired = [pair for end in ends for pair in _taken(gone, come, *end)]
    return SkipPairs(kept, repaired, gone, come)


def skip_changes(matching: Matching) -> Iterator[Change]:
    """A change for each skip that is not there in both networks, or not in the same order.

    Its place is where the skip is joined; old and new are the modules that the skip comes from.
    """
    return (change for change, _, _ in changed_skips(matching))


def changed_skips(
    matching: Matching,
) -> Iterator[tuple[Change, LockedSkip | None, LockedSkip | None]]:
    """The same changes, each with its skip as the old and as the new network has it."""
    pairs = skip_pairs(matching)
    yield from _reordered(pairs.kept)
    yield from _summed(pairs.kept, *_ends(matching))
    for before, after in pairs.repaired:
        yield _change("skip-repaired", before, after), before, after
    for skip in pairs.gone:
        yield _change("skip-removed", skip, None), skip, None
    for skip in pairs.come:
        yield _change("skip-added", None, skip), None, skip


def _ends(matching: Matching) -> tuple[_Ends, _Ends]:
    return (
        _Ends(matching.old, matching.now, "gone"),
        _Ends(matching.new, {path: path for path in matching.was}, "new"),
    )


_Kept = list[tuple[LockedSkip, LockedSkip]]


def _reordered(kept: _Kept) -> Iterator[tuple[Change, LockedSkip, LockedSkip]]:
    """Of the skips in both networks, those that are popped, or stand in their join, elsewhere."""
    places = sorted(range(len(kept)), key=lambda index: kept[index][1].pop)
    for place, index in enumerate(places):
        before, after = kept[index]
        changed = {"pop": (index, place), "operand": (before.operand, after.operand)}
        for about, (old, new) in changed.items():
            if old != new:
                ends = before.consumer, after.consumer
                yield Change("skip-reordered", *ends, old, new, about), before, after


def _summed(kept: _Kept, old: _Ends, new: _Ends) -> Iterator[tuple[Change, LockedSkip, LockedSkip]]:
    """Of the skips in both networks, those to which something else is added on the way."""
    for before, after in kept:
        if sorted(old.added(before)) != sorted(new.added(after)):
            ends = before.consumer, after.consumer
            yield Change("skip-summed", *ends, before.added, after.added), before, after


def _change(name: str, old: LockedSkip | None, new: LockedSkip | None) -> Change:
    was, now = (None if skip is None else skip.consumer for skip in (old, new))
    before, after = (None if skip is None else skip.producer for skip in (old, new))
    return Change(name, was, now, before, after)


class _Ends:
    """Where the skips of one side begin and end, in terms that both sides share."""

    def __init__(self, side: Side, names: Mapping[str, str], unmatched: str) -> None:
        self._side = side
        self._names = names
        self._unmatched = unmatched

    def producer(self, skip: LockedSkip) -> End:
        return self._end(skip.producer, last=True), skip.function or ""

    def consumer(self, skip: LockedSkip) -> End:
        return self._end(skip.consumer, last=False), ""

    def added(self, skip: LockedSkip) -> list[str]:
        return [self._end(path, last=True) for path in skip.added]

    def both(self, skip: LockedSkip) -> tuple[End, End]:
        return self.producer(skip), self.consumer(skip)

    def _end(self, path: str, *, last: bool) -> str:
        """A module's new name; of one without a counterpart, its last or first one with some."""
        seen = set()
        while path not in self._names and path not in seen:
            seen.add(path)
            called = [inner for inner, _ in self._side.body(path) if inner is not None]
            if not called:
                break
            path = called[-1 if last else 0]
        return self._names.get(path, f"{self._unmatched} {path}")


def totals(old: Lock, new: Lock) -> tuple[Total, ...]:
    """Parameters, multiply-adds and activation memory, before and after."""
    before, after = old.totals, new.totals
    numbers = (
        (before.parameters, after.parameters),
        (before.macs, after.macs),
        (before.activation_bytes, after.activation_bytes),
    )
    return tuple(Total(name, *pair) for name, pair in zip(COSTS, numbers, strict=True))
