"""The skips of one pass, and what happened to them on their way; `joins` says what a skip is.

Where a body that joins skips joins a tensor to itself, no block stood between encoder and decoder:
that is a pop too. Last-in-first-out is found, never assumed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from unetscope.analysis.graph import Graph
from unetscope.analysis.joins import find_joins
from unetscope.analysis.network import Network
from unetscope.ops import OpKind
from unetscope.record import Op, SkipEvent, Trace


def find_skips(trace: Trace) -> tuple[SkipEvent, ...]:
    """Every skip of a pass, in the order of the joins; `trace.skips` need not be known.

    The network's inputs beside the first, such as text tokens, are no skips: joined to the features
    that attend to them, they are added keys and values.
    """
    joins = find_joins(Network(trace))
    pushed = sorted({skip.pushed for join in joins for skip in join.skips})
    numbers = {value: push for push, value in enumerate(pushed)}
    return tuple(
        SkipEvent(numbers[skip.pushed], skip.pushed, join.op, skip.place, skip.onto)
        for join in joins
        for skip in join.skips
    )


def through(graph: Graph, skip: SkipEvent) -> list[str]:
    """What a skip passes on its way to the join, in order: paths of modules, names of functions.

    A call that began after the push stands for all inside it where all that it returns is on the
    way. What only hands a tensor on in another form, such as a view or a cast, is left out, and so
    is a sum with what `added` tells.
    """
    way = _short_way(graph, skip)
    if not way:
        return []
    join = graph.trace.ops[skip.op]
    parts = _parts_of_join(graph, skip)
    extra = set(added(graph, skip))
    found: dict[tuple[int | None, int | None], str] = {}
    for value in sorted(way - parts):
        op = graph.op(value)
        if op is None or _hands_on(graph, value):
            continue
        call = _call_on_the_way(graph, op, way, graph.born(skip.value), join.clock)
        if call is not None:
            found[call, None] = graph.trace.steps[call].module
        elif graph.kind(value) is not OpKind.SUM or extra.isdisjoint(op.inputs):
            found[None, graph.trace.values[value].op] = op.name
    return list(found.values())


def _short_way(graph: Graph, skip: SkipEvent) -> set[int]:
    """The values from the pushed one, which is left out, to the one that is joined."""

    def earlier(value: int) -> list[int]:
        content = dict.fromkeys(graph.content(value))
        return [parent for parent in content if parent >= skip.value and graph.fed(parent)]

    arrived = graph.trace.ops[skip.op].inputs[skip.operand]
    ways = {value: earlier(value) for value in graph.back(arrived, along=earlier)}
    ways.pop(skip.value, None)
    if skip.onto in ways or any(_is_read_elsewhere(graph, v, skip.op, ways) for v in ways):
        # Some of these ways come from the decoder, as a gate's signal does.
        decoder = set(graph.back(skip.onto, along=earlier)) - {skip.value}

        def short(value: int) -> list[int]:
            return [parent for parent in earlier(value) if parent not in decoder]

        ways = {value: short(value) for value in graph.back(arrived, along=short)}
        ways.pop(skip.value, None)
    return graph.between(skip.value, ways)


def _is_read_elsewhere(graph: Graph, value: int, join: int, way: Container[int]) -> bool:
    """Whether a function that is neither on a way nor the join at its end takes a value."""
    return any(
        reader != join and not any(made in way for made in graph.trace.ops[reader].outputs)
        for reader in graph.readers[value]
    )


def _parts_of_join(graph: Graph, skip: SkipEvent) -> set[int]:
    """What is only a part of the join of a skip.

    That is a concatenation among the operands of another, or a place in a tensor that the operands
    are written into.
    """
    joined_by = graph.kinds[skip.op]
    if joined_by is OpKind.SUM or (joined_by is not OpKind.JOIN and skip.operand > 0):
        return set()
    part = OpKind.JOIN if joined_by is OpKind.JOIN else OpKind.VIEW
    found: set[int] = set()
    waiting = [graph.trace.ops[skip.op].inputs[skip.operand]]
    for value in waiting:  # which grows meanwhile
        if graph.kind(value) is part and value not in found:
            found.add(value)
            waiting += graph.parents[value]
    return found


def _hands_on(graph: Graph, value: int) -> bool:
    """Whether a function returned all that it was given and changed none of it."""
    kind = graph.kind(value)
    if kind is OpKind.VIEW:  # which may be a crop
        values = graph.trace.values
        return values[graph.parents[value][0]].spec.numel == values[value].spec.numel
    return kind in (OpKind.COPY, OpKind.CAST, OpKind.DROPOUT)


def _call_on_the_way(graph: Graph, op: Op, way: set[int], start: int, end: int) -> int | None:
    """The outermost call between two clocks, around a function, whose whole output is on a way."""
    found, call = None, op.step
    while call is not None:
        step = graph.trace.steps[call]
        if step.start < start:
            break
        whole = len(step.outputs) == 1 and step.outputs[0] in way
        if whole and step.end is not None and step.end < end:
            found = call
        call = step.parent
    return found


def added(graph: Graph, skip: SkipEvent) -> list[int]:
    """What was added to a skip on its way to the join, such as a ControlNet's residual.

    Nothing that was computed from the skip is, nor what a module on the way adds.
    """
    way = _short_way(graph, skip)
    born, end = graph.born(skip.value), graph.trace.ops[skip.op].clock

    def by_functions(value: int) -> Iterable[int]:
        return graph.parents[value] if graph.producer(value) is None else ()

    found = []
    value = graph.trace.ops[skip.op].inputs[skip.operand]
    while (op := graph.op(value)) is not None:
        ways = [
            v
            for v in op.inputs
            if v == skip.value or graph.descends(v, skip.value, along=by_functions)
        ]
        if not ways:
            break
        call = _call_on_the_way(graph, op, way, born, end)
        if graph.kind(value) is OpKind.SUM and call is None:
            others = [v for v in op.inputs[:2] if v not in ways]  # lerp has a weight too
            found += [v for v in others if v not in way]
        value = ways[0]
    return found
