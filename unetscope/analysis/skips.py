"""Finding skips in the data flow of one pass.

A skip is a join (`torch.cat` and its like, `lerp`, `+`) of two tensors of which one is an ancestor
of the other, with modules in between. For `lerp` and `+` the resolution must have changed in
between too, on every way from one to the other, else it is a residual. A tensor that was scaled,
shifted, filtered, gated or added to on its way to the join is still the tensor that was pushed.
Where a body that joins skips joins a tensor to itself, no block stood between encoder and decoder:
that is a pop too. Last-in-first-out is found, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterable

from unetscope.analysis.graph import Graph
from unetscope.analysis.joins import find_joins
from unetscope.ops import OpKind
from unetscope.record import Op, SkipEvent, Trace


def find_skips(trace: Trace) -> tuple[SkipEvent, ...]:
    """Every skip of a pass, in the order of the joins; `trace.skips` need not be known.

    The network's inputs beside the first, such as text tokens, are no skips: joined to the features
    that attend to them, they are added keys and values.
    """
    joins = find_joins(Graph(trace))
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
        if graph.kind(value) is OpKind.CREATION:  # such as noise: nothing but a shape came in
            return []
        return [p for p in dict.fromkeys(graph.parents[value]) if p >= skip.value and graph.fed(p)]

    way = []
    value = graph.trace.ops[skip.op].inputs[skip.operand]
    while value != skip.value:
        way.append(value)
        if len(parents := earlier(value)) != 1:
            break
        (value,) = parents
    else:
        return set(way)
    # Of several ways some come from the decoder, as a gate's signal does.
    decoder = set(graph.back(skip.onto, along=earlier)) - {skip.value}
    ways: dict[int, list[int]] = {}
    waiting = way[:1]
    for value in waiting:  # which grows meanwhile
        if value not in ways and value != skip.value:
            ways[value] = [parent for parent in earlier(value) if parent not in decoder]
            waiting += ways[value]
    reached = {skip.value}
    for value in sorted(ways):
        if not reached.isdisjoint(ways[value]):
            reached.add(value)
    return reached - {skip.value}


def _parts_of_join(graph: Graph, skip: SkipEvent) -> set[int]:
    """What is only a part of the join of a skip.

    That is a concatenation among the operands of another, or a place in a tensor that the operands
    are written into.
    """
    joined_by = graph.kinds[skip.op]
    if joined_by is OpKind.SUM:
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
    """What was added to a skip on its way to the join, such as a ControlNet's residual."""

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
        if graph.kind(value) is OpKind.SUM:
            found += [v for v in op.inputs[:2] if v not in ways]  # lerp has a weight too
        value = ways[0]
    return found
