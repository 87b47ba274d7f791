"""Finding skips in the data flow of one pass.

A skip is a join (`torch.cat` and its like, `lerp`, `+`) of two tensors of which one is an ancestor
of the other, with modules in between. For `lerp` and `+` the resolution must have changed in
between too, on every way from one to the other, else it is a residual. A tensor that was scaled,
shifted, filtered, gated or added to on its way to the join is still the tensor that was pushed.
Where a body that joins skips joins a tensor to itself, no block stood between encoder and decoder:
that is a pop too. Last-in-first-out is found, never assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from unetscope.analysis.graph import Graph
from unetscope.ops import OpKind
from unetscope.record import SkipEvent, Trace

Shape = tuple[int, ...]

# What these return is a new feature, not its input on the way to a join.
_LEARNED = (
    OpKind.CONVOLUTION,
    OpKind.LINEAR,
    OpKind.MATRIX_PRODUCT,
    OpKind.ATTENTION,
    OpKind.JOIN,
)
_ON_MAPS = (OpKind.CONVOLUTION, OpKind.POOLING, OpKind.RESAMPLING)
"""These work on feature maps `(B, C, *spatial)`."""


def find_skips(trace: Trace) -> tuple[SkipEvent, ...]:
    """Every skip of a pass, in the order of the joins; `trace.skips` need not be known.

    The network's inputs beside the first, such as text tokens, are no skips: joined to the features
    that attend to them, they are added keys and values.
    """
    return tuple(_Search(Graph(trace)).skips())


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


class _Search:
    """The search for skips, join by join."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._values, self._ops = graph.trace.values, graph.trace.ops
        self._context = {argument.value for argument in graph.trace.inputs[1:]}
        self._resolutions = [self._resolution(value) for value in range(len(self._values))]
        self._sizes = {size for size in self._resolutions if size is not None}
        # The skips found so far: by join, what was pushed, by the operand that it arrived as.
        self._arrived: dict[int, dict[int, int]] = {}

    def skips(self) -> Iterator[SkipEvent]:
        """Every skip, in the order of the joins."""
        joins = [i for i, kind in enumerate(self._graph.kinds) if kind in (OpKind.JOIN, OpKind.SUM)]
        found = [(pushed, join, *at) for join in joins for pushed, *at in self._joined(join)]
        # With no block between encoder and decoder the deepest tensor is popped onto itself.
        bodies = {self._ops[join].step for _, join, *_ in found}
        for join in joins:
            op = self._ops[join]
            doubled = len(op.inputs) == 2 and len(set(op.inputs)) == 1
            if doubled and self._graph.kinds[join] is OpKind.JOIN and op.step in bodies:
                found.append((op.inputs[0], join, 1, op.inputs[0]))
        found.sort(key=lambda row: row[1])
        numbers = {value: push for push, value in enumerate(sorted({row[0] for row in found}))}
        for pushed, join, operand, onto in found:
            yield SkipEvent(numbers[pushed], pushed, join, operand, onto)

    def _joined(self, join: int) -> Iterator[tuple[int, int, int]]:
        """The skips among the operands of a join: (pushed value, operand, value joined onto)."""
        operands = self._ops[join].inputs
        if self._graph.kinds[join] is OpKind.SUM:
            operands = operands[:2]  # lerp's third is its weight
            if len({self._values[operand].spec for operand in operands}) > 1:
                return
        matches = {operand: self._match(operand, operands, join) for operand in set(operands)}
        for position, operand in enumerate(operands):
            match = matches.pop(operand, None)  # an operand that stands twice counts once
            if match is None:
                continue
            origin, other = match
            # A gate reads the decoder: then each side descends from the other's past, and the
            # older of the two was pushed.
            back = matches.get(other)
            if back is not None and back[1] == operand:
                if back[0] < origin:
                    continue
                del matches[other]
            self._arrived.setdefault(join, {})[operand] = origin
            yield origin, position, other

    def _match(self, operand: int, operands: Sequence[int], join: int) -> tuple[int, int] | None:
        """What was pushed, if `operand` is a skip, and the operand that was computed from it."""
        # Newest first: most likely the decoder's own tensor.
        others = sorted(set(operands) - {operand}, reverse=True)
        for origin in self._graph.back(operand, along=self._unchanged):
            for other in others:
                if origin not in self._context and self._skipped(origin, other, join):
                    return origin, other
        return None

    def _skipped(self, early: int, late: int, join: int) -> bool:
        """Whether `late` was computed from `early` by modules that ended before the join."""
        graph, born, end = self._graph, self._graph.born(early), self._ops[join].clock

        def by_a_module(value: int) -> bool:
            return graph.made_inside(value, born, end)

        if graph.kinds[join] is OpKind.JOIN:
            return graph.descends(late, early, through=by_a_module)
        sizes = self._sizes_of(late)

        def resized(value: int) -> bool:
            return self._is_resized(value, late, sizes) and by_a_module(value)

        def rescaled(value: int) -> bool:  # a global average (1 x 1) is no resolution
            return resized(value) and max(self._resolutions[value] or (), default=1) > 1

        def at_this_resolution(value: int) -> Iterable[int]:
            """The parents by which a way keeps the resolution; earlier joins of `early` are none.

            Attention whose keys and values are pooled keeps it: its queries are not pooled.
            """
            if resized(value):
                return ()
            made_by = self._values[value].op
            arrived = {} if made_by is None else self._arrived.get(made_by, {})
            return [parent for parent in graph.parents[value] if arrived.get(parent) != early]

        return (
            not self._sizes.issubset(sizes)
            and graph.descends(late, early, through=rescaled)
            and not graph.descends(late, early, along=at_this_resolution)
        )

    def _unchanged(self, value: int) -> Sequence[int]:
        """What a tensor was before a function scaled, shifted or filtered it on its way."""
        if self._is_new(value):
            return ()
        # What has the result's shape was changed; factors and shifts are broadcast to it.
        parents, shape = self._graph.parents[value], self._values[value].spec.shape
        return [p for p in parents if self._values[p].spec.shape == shape] or parents

    def _is_new(self, value: int) -> bool:
        """Whether a value is a feature of its own, not another one on its way to a join."""
        kind, parents = self._graph.kind(value), self._graph.parents[value]
        if kind in _LEARNED:
            return True
        if kind is OpKind.PRODUCT:  # a gate may be a module of its own
            return False
        if self._values[value].call is not None:
            return True
        if kind is OpKind.SUM and len(parents) > 1:  # a residual block written in the open
            early, late = sorted(parents[:2])
            return self._graph.descends(late, early)
        return False

    def _is_resized(self, value: int, joined: int, sizes: Collection[Shape]) -> bool:
        """Whether a feature map has another size than the one that was joined.

        Windows of an image (another batch size) are none of it.
        """
        size = self._resolutions[value]
        new, old = self._values[value].spec.shape, self._values[joined].spec.shape
        return (
            size is not None and len(new) == len(old) and new[:1] == old[:1] and size not in sizes
        )

    def _sizes_of(self, value: int) -> tuple[Shape, ...]:
        """The height and width that a feature map may have.

        What made it or one of its shape before it tells; if nothing does, its channels are its
        second dim or its last.
        """
        shape = self._values[value].spec.shape
        while (size := self._resolutions[value]) is None:
            alike = [p for p in self._graph.parents[value] if self._values[p].spec.shape == shape]
            if not alike:
                return shape[2:], shape[1:-1]
            value = alike[0]
        return (size,)

    def _resolution(self, value: int) -> Shape | None:
        """Height and width of a feature map, None for other tensors, such as an attention's heads.

        Which dims they are is known from what made it: `(B, C, H, W)` comes from a convolution,
        `(B, H, W, C)` from a linear layer.
        """
        kind = self._graph.kind(value)
        if kind in _ON_MAPS:
            return self._values[value].spec.shape[2:]
        return self._values[value].spec.shape[1:-1] if kind is OpKind.LINEAR else None
