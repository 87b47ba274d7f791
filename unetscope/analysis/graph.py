"""The data flow of one pass: which value was computed from which, by what, and on which ways.

Values are numbered in the order of their making, so a value is computed from earlier ones alone. A
*way* leads from a value to one that was computed from it, from function to function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from unetscope.ops import OpKind, operation
from unetscope.record import Op, Trace

Onwards = Callable[[int], Iterable[int]]
"""From a value the earlier ones from which a walk back goes on."""

_NOWHERE = -1
"""Stands for the value from which all inputs of a network would come."""


class Graph:
    """The data flow of one trace, that of a failed pass too.

    A value is named by its index in `trace.values`, a function by its index in `trace.ops`.

    A value is *fed* if it is an input of the network or was computed from one. Parameters, and what
    is computed from them alone, are not: they do not show where the data comes from.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    # What made a value, and what reads it

    def op(self, value: int) -> Op | None:
        """The function that made a value; None for what was there before the pass."""
        index = self.trace.values[value].op
        return None if index is None else self.trace.ops[index]

    def kind(self, value: int) -> OpKind | None:
        """What the function that made a value does; None for what was there before the pass."""
        index = self.trace.values[value].op
        return None if index is None else self.kinds[index]

    def born(self, value: int) -> int:
        """The clock when a value was made; 0 for what was there before the pass."""
        op = self.op(value)
        return 0 if op is None else op.clock

    def producer(self, value: int) -> int | None:
        """The outermost call whose whole output a value is."""
        return self.trace.values[value].call

    def module(self, value: int) -> str:
        """The path of the module that made a value, whole or in its body; empty for the root."""
        op, call = self.op(value), self.producer(value)
        if call is None and op is not None:
            call = op.step
        return "" if call is None else self.trace.steps[call].module

    @cached_property
    def kinds(self) -> list[OpKind]:
        """What each function does."""
        return [operation(op.name).kind for op in self.trace.ops]

    @cached_property
    def parents(self) -> list[tuple[int, ...]]:
        """For each value those that the function was given that made it."""
        ops = self.trace.ops
        return [
            () if value.op is None else tuple([p for p in ops[value.op].inputs if p < index])
            for index, value in enumerate(self.trace.values)
        ]

    def content(self, value: int) -> tuple[int, ...]:
        """The parents whose content is in a value: `x.new_zeros(…)` holds nothing of `x`."""
        return () if self.kind(value) is OpKind.CREATION else self.parents[value]

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each value the functions that take it, by index, in order."""
        found: list[list[int]] = [[] for _ in self.trace.values]
        for index, op in enumerate(self.trace.ops):
            for value in dict.fromkeys(op.inputs):
                found[value].append(index)
        return found

    # Ways

    def back(self, *values: int, along: Onwards | None = None) -> Iterator[int]:
        """The values that others were computed from, these first, each once and the nearest first.

        Args:
            values: from which to walk back.
            along: from a value those to go on from; its parents by default.
        """
        onwards = along or self.parents.__getitem__
        waiting = list(dict.fromkeys(values))
        seen = set(waiting)
        for value in waiting:  # which grows meanwhile
            yield value
            for parent in onwards(value):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)

    def between(self, early: int, ways: Mapping[int, Iterable[int]]) -> set[int]:
        """The values on ways from an early one, itself not one of them.

        Args:
            early: where they begin.
            ways: of each value that may be on one those that it was computed from.
        """
        reached = {early}
        for value in sorted(ways):
            if not reached.isdisjoint(ways[value]):
                reached.add(value)
        return reached - {early}

    def back_inside(self, call: int, value: int) -> Iterator[int]:
        """The values that a value was computed from, back to those from before a call."""
        start = self.trace.steps[call].start
        return self.back(value, along=lambda v: self.parents[v] if self.born(v) > start else ())

    def descends(
        self,
        late: int,
        early: int,
        *,
        through: Callable[[int], bool] | None = None,
        along: Onwards | None = None,
    ) -> bool:
        """Whether a value was computed from another one.

        Args:
            late: the one that may have been computed from the other.
            early: the other.
            through: some value on the way, `late` included, must be accepted by this.
            along: from a value those by which the way may lead backwards; its parents by default.
        """
        onwards = along or self.parents.__getitem__
        waiting = [(late, through is None)]
        seen: set[tuple[int, bool]] = set()
        while waiting:
            state = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            value, passed = state
            passed = passed or (through is not None and through(value))
            for parent in onwards(value):
                if parent > early:
                    waiting.append((parent, passed))
                elif parent == early and passed:
                    return True
        return False

    def made_inside(self, value: int, start: int, end: int) -> bool:
        """Whether a value was made in the body of a call that ran wholly between two clocks."""
        op = self.op(value)
        if op is None or op.step is None:
            return False
        step = self.trace.steps[op.step]
        return step.start > start and step.end is not None and step.end < end

    def nearest_makers(self, op: Op, wanted: Callable[[Op], bool]) -> list[int]:
        """The nearest functions, by index, that a function's fed inputs were made by.

        Each way is followed back to the first function that is `wanted`.
        """
        found: dict[int, None] = {}
        waiting = list(filter(self.fed, op.inputs))
        seen = set(waiting)
        for value in waiting:  # which grows meanwhile
            maker = self.trace.values[value].op
            if maker is not None and wanted(self.trace.ops[maker]):
                found[maker] = None
            else:
                fresh = [p for p in self._carriers[value] or () if p not in seen]
                seen.update(fresh)
                waiting += fresh
        return list(found)

    def nearest_readers(self, op: Op, wanted: Callable[[Op], bool]) -> list[int]:
        """The nearest functions, by index, that a function's results reach.

        Each way is followed to the first function that is `wanted`.
        """
        found: dict[int, None] = {}
        waiting = list(op.outputs)
        seen = set(waiting)
        for value in waiting:  # which grows meanwhile
            for reader in self.readers[value]:
                if wanted(self.trace.ops[reader]):
                    found[reader] = None
                else:
                    fresh = [v for v in self.trace.ops[reader].outputs if v not in seen]
                    seen.update(fresh)
                    waiting += fresh
        return list(found)

    # What carries the network's inputs

    def fed(self, value: int) -> bool:
        """Whether a value is an input of the network or was computed from one."""
        return self._carriers[value] is not None

    def ancestors(self, value: int) -> set[int]:
        """The fed values that a value was computed from, itself one of them."""
        return set(self.back(value, along=lambda v: self._carriers[v] or ()))

    def source(self, *values: int) -> int | None:
        """The newest value through which all has passed that `values` were computed from."""
        common = values[0]
        for value in values[1:]:
            common = _meet(self._dominators, common, value)
        return None if common == _NOWHERE else common

    def passed(self, value: int) -> list[int]:
        """The values through each of which all has passed that a value was computed from."""
        found = []
        while value != _NOWHERE:
            found.append(value)
            value = self._dominators[value]
        return found

    @cached_property
    def _carriers(self) -> list[tuple[int, ...] | None]:
        """For each value the fed ones among its parents; None if it is not fed itself."""
        found: list[tuple[int, ...] | None] = [None] * len(self.trace.values)
        for argument in self.trace.inputs:
            found[argument.value] = ()
        for value, parents in enumerate(self.parents):
            if parents:  # most values are parameters, and have none
                fed = tuple([parent for parent in parents if found[parent] is not None])
                found[value] = fed or found[value]
        return found

    @cached_property
    def _dominators(self) -> list[int]:
        """For each fed value the nearest one through which all that it is computed from has passed.

        These are immediate dominators (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
        Algorithm", 2001).
        """
        found: list[int] = []
        for carriers in self._carriers:
            nearest = carriers[0] if carriers else _NOWHERE
            for carrier in (carriers or ())[1:]:
                nearest = _meet(found, nearest, carrier)
            found.append(nearest)
        return found


def _meet(dominators: list[int], one: int, other: int) -> int:
    """The nearest value that dominates both of two."""
    while one != other:
        if one > other:
            one = dominators[one]
        else:
            other = dominators[other]
    return one
