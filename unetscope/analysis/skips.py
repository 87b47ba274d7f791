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
from unetscope.record import SkipEvent, Trace


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
