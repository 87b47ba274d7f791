"""What a block is drawn with inside: its layers and, if wanted, their functions, as indented rows.

Entries of a list that are alike and run one after the other are one row, and so is what is in them;
its costs are those of all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from unetscope.analysis.map_shapes import map_shape
from unetscope.analysis.memory import Memory
from unetscope.analysis.network import Network
from unetscope.analysis.subtotals import subtotals
from unetscope.drawing.stages import joined
from unetscope.wording import harmless

DETAILS = ("block", "layer", "op")
"""Blocks alone; with the modules in them, down to those that call no others; functions too."""


class Row(NamedTuple):
    """A module within a block or a function within a module.

    Attributes:
        name: below the module that called it.
        depth: how many rows it lies in.
        times: how many calls alike in a row it stands for.
        width: of a module the channels, or features of tokens, of what goes in and out; None where
            there are none.
        made: of a function what it returns, without the batch.
        parameters: of it and all in it; None if they were counted with an earlier call.
        macs: the multiply-adds that are known.
        failed: whether the pass stopped in it.
        made_bytes: of the activations that it makes.
        held: the most bytes at once while it runs.
    """

    name: str
    depth: int
    times: int
    width: tuple[int | None, int | None]
    made: tuple[int, ...]
    parameters: int | None
    macs: int
    failed: bool
    made_bytes: int
    held: int


class Inside:
    """The rows of any block of a network.

    Args:
        network: a traced network.
        names: other names for modules, by path.
        functions: whether functions are wanted too.
    """

    def __init__(self, network: Network, names: Mapping[str, str], *, functions: bool) -> None:
        self._network, self._names, self._functions = network, names, functions
        self._sums = subtotals(network)
        self._memory = Memory(network)
        self._alike = self._kinds()

    def rows(self, calls: Sequence[int]) -> tuple[Row, ...]:
        """The rows of the calls that one block stands for."""
        if len(calls) == 1:
            return tuple(self._in((calls[0],), 0))
        above = self._network.path(calls[0]).rpartition(".")[0]
        return tuple(self._runs([(call,) for call in calls], above, 0))

    def _kinds(self) -> list[int]:
        """A number for each call, the same for those that are alike in all that rows show."""
        network, known = self._network, dict[Hashable, int]()
        found = [0] * len(network.trace.steps)
        for call in reversed(range(len(found))):
            step, module = network.step(call), network.module(call)
            key: Hashable = (
                module.kind,
                module.own_parameters,
                tuple(network.spec(each.value).shape for each in step.inputs),
                tuple(network.spec(value).shape for value in step.outputs),
                tuple(found[child] for child in network.children[call]),
                tuple(network.trace.ops[op].name for op in network.ops[call]),
            )
            key = call if step.end is None else key
            found[call] = known.setdefault(key, len(known))
        return found

    def _in(self, calls: tuple[int, ...], depth: int) -> Iterator[Row]:
        """The rows in calls that are alike, of all of them together."""
        network = self._network
        inner = list(zip(*(network.children[call] for call in calls), strict=True))
        path = network.path(calls[0])
        if not self._functions:
            yield from self._runs(inner, path, depth)
            return
        ops = list(zip(*(network.ops[call] for call in calls), strict=True))
        ends = [network.trace.ops[op[0]].clock for op in ops]
        events = [(network.step(child[0]).start, False, child) for child in inner]
        events += [(clock, True, op) for clock, op in zip(ends, ops, strict=True)]
        for is_op, group in groupby(sorted(events), lambda event: event[1]):
            alike = [event[2] for event in group]
            if is_op:
                yield from self._of_ops(alike, depth)
            else:
                yield from self._runs(alike, path, depth)

    def _runs(self, events: Sequence[tuple[int, ...]], above: str, depth: int) -> Iterator[Row]:
        """The rows of calls that follow each other, those alike as one; of each, calls like it."""
        for _, group in groupby(events, lambda calls: self._key(calls[0])):
            entries = list(group)
            calls = tuple(call for entry in entries for call in entry)
            names = [self._below(entry[0], above) for entry in entries]
            yield from self._of_calls(calls, (names[0], names[-1]), len(entries), depth)

    def _key(self, call: int) -> Hashable:
        """What entries of one list, or calls of one module, have in common that are alike."""
        path = self._network.path(call)
        above, _, last = path.rpartition(".")
        return self._alike[call], above if last.isdigit() else path

    def _of_calls(
        self, calls: tuple[int, ...], names: tuple[str, str], times: int, depth: int
    ) -> Iterator[Row]:
        network, call = self._network, calls[0]
        step = network.step(call)
        inner, ops = network.children[call], network.ops[call]
        if times == 1 and len(inner) == 1 and not ops:  # what only hands on is no row of its own
            below = tuple(network.children[each][0] for each in calls)
            name = f"{names[0]}.{self._below(below[0], network.path(call))}"
            yield from self._of_calls(below, (name, name), 1, depth)
            return
        name = joined(*names)
        single = self._functions and not inner and len(ops) == 1
        if single:
            name = f"{name}  {network.trace.ops[ops[0]].name}"
        sums = [self._sums[each] for each in calls]
        counted = all(each.counted_before for each in sums)
        yield Row(
            harmless(name),
            depth,
            times,
            self._width(next((each.value for each in step.inputs), None), step.outputs[:1]),
            (),
            None if counted else sum(each.parameters for each in sums),
            sum(each.macs for each in sums),
            step.end is None,
            sum(map(self._memory.made_in, calls)),
            max(map(self._memory.held_in, calls)),
        )
        if not single:
            yield from self._in(calls, depth + 1)

    def _of_ops(self, events: Sequence[tuple[int, ...]], depth: int) -> Iterator[Row]:
        trace = self._network.trace

        def key(ops: tuple[int, ...]) -> Hashable:
            op = trace.ops[ops[0]]
            shapes = [self._network.spec(v).shape for v in (*op.inputs, *op.outputs)]
            return op.name, op.detail, *shapes

        for _, group in groupby(events, key):
            entries = list(group)
            ops = [trace.ops[op] for entry in entries for op in entry]
            yield Row(
                harmless(ops[0].name),
                depth,
                len(entries),
                (None, None),
                next((self._network.spec(v).shape[1:] for v in ops[0].outputs), ()),
                None,
                sum(op.macs or 0 for op in ops),
                False,
                sum(self._memory.made_at(op.clock) for op in ops),
                max(self._memory.held[op.clock] for op in ops),
            )

    def _width(self, given: int | None, made: tuple[int, ...]) -> tuple[int | None, int | None]:
        return self._channels(given), self._channels(next(iter(made), None))

    def _channels(self, value: int | None) -> int | None:
        """Channels of a feature map, features of others."""
        if value is None:
            return None
        if self._network.is_map(value):
            return map_shape(self._network, value)[0]
        shape = self._network.spec(value).shape
        return shape[-1] if len(shape) > 1 else None

    def _below(self, call: int, above: str) -> str:
        path = self._network.path(call)
        name, over = self._names.get(path, path), self._names.get(above, above)
        return name.removeprefix(f"{over}.") if over else name
