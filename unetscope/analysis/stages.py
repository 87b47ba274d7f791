"""What a network does at which resolution: parameters, multiply-adds, and skips that come and go.

Every function and every parameter is at one stage, so stages add up to the totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.analysis.parameters import Held, parameters
from unetscope.analysis.producers import Producer, at_work, function_at
from unetscope.analysis.ways_down import PARTS, Place, channels_at, places

_MOST_STAGES = 2
"""A call that works at more stages is no part of one: what makes vectors in it stands apart."""


@dataclass
class Stage:
    """One resolution on the way down, at the bottom or on the way up.

    Attributes:
        part: one of `PARTS`; None where the network has no such, or of what makes no feature map.
        maps: the feature maps, in the order of their making; none of what makes no feature map.
        modules: the outermost calls that worked here alone, and functions and modules beside them.
        parameters: read here first, or by modules here that were never called.
        macs: multiply-adds that are known.
        pushed: the numbers of the skips that were made here.
        popped: the numbers of the skips that were joined here, as they were pushed.
    """

    part: str | None
    maps: list[int]
    modules: list[Producer] = field(default_factory=list)
    parameters: int = 0
    macs: int = 0
    pushed: list[int] = field(default_factory=list)
    popped: list[int] = field(default_factory=list)


def stages(network: Network) -> list[Stage]:
    """The stages in the order of the pass; what makes no feature map is the last, if there is any.

    What makes vectors inside a block, such as its projection of the time, is at the block's stage.
    """
    return _Stages(network).found()


def channels(network: Network, value: int) -> int | None:
    """The channels of a feature map; None if it is not known where they lie."""
    shape, dims = network.spec(value).shape, channels_at(network, value)
    return prod(shape[dim] for dim in dims) if dims else None


def entered(network: Network, stage: Stage) -> int | None:
    """The feature map that a stage was given first; None if there is none."""
    value, ways = stage.maps[0] if stage.maps else None, network.flow.ways
    while value is not None:
        value = next(iter(ways[value]), None)
        if value is None or channels_at(network, value):
            break
    return value


def left(network: Network, stage: Stage) -> int | None:
    """The last feature map of a stage that is read outside it; None if there is none."""
    inside, ops, outputs = set(stage.maps), network.trace.ops, network.trace.outputs
    for value in reversed(stage.maps):
        read_by = (ops[reader].outputs for reader in network.graph.readers[value])
        if value in outputs or any(not inside.issuperset(made) for made in read_by):
            return value
    return None


def sizes(network: Network, stage: Stage) -> list[tuple[int, tuple[int, ...]]]:
    """The first and the last map of a stage that show its size, each with its spatial dims.

    A map shows it if all its other dims are the batch and channels, best of all if it has as many
    dims as most, and a layer made it: padding alone adds an edge. One where both are as large; none
    where no map shows it.
    """
    found = []
    for value in stage.maps:
        dims, shape = channels_at(network, value), network.spec(value).shape
        spatial = tuple(dim for dim in range(1, len(shape)) if dim not in dims)
        if dims and 0 not in dims:
            best = (len(shape) == network.rank, network.flow.is_layer(value))
            found.append((best, value, spatial))
    most = max((best for best, _, _ in found), default=None)
    shown = [(value, spatial) for best, value, spatial in found if best == most]
    if not shown:
        return []
    first, last = (
        [network.spec(value).shape[dim] for dim in spatial]
        for value, spatial in (shown[0], shown[-1])
    )
    return [shown[0], shown[-1]] if first != last else [shown[-1]]


class _Stages:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.trace = network.trace
        self.places = places(network)

    def found(self) -> list[Stage]:
        """The stages in the order of the pass."""
        network, trace = self.network, self.trace
        found: dict[Place | None, Stage] = {}
        for place in sorted(dict.fromkeys(self.places.values()), key=_order):
            found[place] = Stage(place[0], [])
        found[None] = Stage(None, [])
        for value, place in self.places.items():
            found[place].maps.append(value)
        for op, at in zip(trace.ops, self.of_op, strict=True):
            found[at].macs += op.macs or 0
        for held, at, _ in self._read:
            found[at].parameters += held.spec.numel
        self._add_skips(found)
        for at, worker in dict.fromkeys(self._workers()):
            found[at].modules.append(worker)
        for skip in trace.skips:
            if not (stage := found[self.of_op[skip.op]]).modules:
                stage.modules.append(function_at(network, skip.op))
        return [stage for stage in found.values() if stage.maps or stage.parameters or stage.macs]

    def _add_skips(self, found: Mapping[Place | None, Stage]) -> None:
        for skip in self.trace.skips:
            found[self.of_op[skip.op]].popped.append(skip.push)
        for push, value in enumerate(self.network.pushed):
            made_by = self.trace.values[value].op
            if made_by is not None:
                found[self.of_op[made_by]].pushed.append(push)

    @cached_property
    def of_op(self) -> list[Place | None]:
        """The stage of every function."""
        return [
            self._of_call(op.step) if place is None else place
            for op, place in zip(self.trace.ops, self._made, strict=True)
        ]

    @cached_property
    def _made(self) -> list[Place | None]:
        """The place of the first feature map that each function returned; None if it did none."""
        return [
            next((self.places[v] for v in op.outputs if v in self.places), None)
            for op in self.trace.ops
        ]

    @cached_property
    def _inside(self) -> list[set[Place]]:
        """The places of the feature maps that were made during each call."""
        steps = self.trace.steps
        found: list[set[Place]] = [set() for _ in steps]
        for op, place in zip(self.trace.ops, self._made, strict=True):
            if op.step is not None and place is not None:
                found[op.step].add(place)
        for call in reversed(range(len(steps))):
            parent = steps[call].parent
            if parent is not None:
                found[parent] |= found[call]
        return found

    @cached_property
    def _around_all(self) -> set[int]:
        """The calls during which all feature maps were made: the root and what only wraps it."""
        made = [op.step for op, place in zip(self.trace.ops, self._made, strict=True) if place]
        return set(self.network.holding(self.network.common(*made)))

    def _of_call(self, call: int | None) -> Place | None:
        """The stage of a call, or of the one around it that works at few stages."""
        while call is not None and call not in self._around_all:
            inside = self._inside[call]
            if len(inside) > _MOST_STAGES:
                return None
            if inside:
                outputs = (self.places.get(v) for v in self.network.step(call).outputs)
                return next(
                    (place for place in outputs if place in inside), max(inside, key=_order)
                )
            call = self.network.step(call).parent
        return None

    def _of_module(self, path: str) -> Place | None:
        """The stage of a module whose parameters no function was seen to read."""
        while path and path not in self._first_calls:
            path = path.rpartition(".")[0]
        return self._of_call(self._first_calls.get(path))

    @cached_property
    def _first_calls(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for call, step in enumerate(self.trace.steps):
            found.setdefault(step.module, call)
        return found

    @cached_property
    def _read(self) -> list[tuple[Held, Place | None, int | None]]:
        """Each parameter, its stage, and the first function that makes use of it, if one was seen.

        A function that only makes another weight out of it, as weight standardisation does, is
        none.
        """
        graph = self.network.graph
        sources = {v.source: index for index, v in enumerate(self.trace.values) if v.source}
        found = []
        for held in parameters(self.trace):
            reader = self._reader(graph, sources.get(held.name))
            place = self._of_module(held.module) if reader is None else self.of_op[reader]
            found.append((held, place, reader))
        return found

    def _reader(self, graph: Graph, value: int | None) -> int | None:
        if value is None:
            return None
        waiting, seen = [value], {value}
        for current in waiting:  # which grows meanwhile
            for reader in graph.readers[current]:
                made = self.trace.ops[reader].outputs
                if any(map(graph.fed, made)):
                    return reader
                waiting += [v for v in made if v not in seen]
                seen.update(made)
        return None

    def _workers(self) -> Iterator[tuple[Place | None, Producer]]:
        """The outermost calls that worked at one stage, and what did something beside them.

        That are functions in bodies of several stages, and modules whose parameters nothing read.
        """
        trace, network = self.trace, self.network
        reading = {reader for _, _, reader in self._read}
        worked: list[set[Place | None]] = [set() for _ in trace.steps]
        for op, place in zip(trace.ops, self.of_op, strict=True):
            if op.step is not None:
                worked[op.step].add(place)
        for call in reversed(range(len(trace.steps))):
            parent = trace.steps[call].parent
            if parent is not None:
                worked[parent] |= worked[call]
        for call, step in enumerate(trace.steps):
            around = step.parent
            if len(worked[call]) == 1 and (around is None or len(worked[around]) > 1):
                yield next(iter(worked[call])), at_work(network, call)
        for index, op in enumerate(trace.ops):
            alone = op.step is None or len(worked[op.step]) > 1
            if alone and (op.macs or index in reading):
                yield self.of_op[index], function_at(network, index)
        for held, place, reader in self._read:
            if reader is None:
                yield place, Producer(held.module)


def _order(place: Place | None) -> tuple[int, int]:
    """Down, bottom, up; resolutions fall until the bottom and rise after it."""
    if place is None:
        return len(PARTS), 0
    part, resolution = place
    number = PARTS.index(part) if part is not None else 0
    return number, resolution if part == PARTS[-1] else -resolution
