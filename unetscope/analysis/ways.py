"""The data flow of a pass between feature maps alone: what each was computed from, and read by."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.analysis.graph import Graph
from unetscope.analysis.maps import WRITES, feature_maps
from unetscope.ops import OpKind, operation
from unetscope.record import Op

_INDEXED = ("getitem", "index_select", "gather", "take", "take_along_dim", "masked_select")
"""Functions whose further inputs say which elements are taken."""
UNLEARNED = (
    OpKind.NORM,
    OpKind.ACTIVATION,
    OpKind.POINTWISE,
    OpKind.VIEW,
    OpKind.COPY,
    OpKind.CAST,
    OpKind.MOVEMENT,
    OpKind.POOLING,
    OpKind.RESAMPLING,
    OpKind.DROPOUT,
    OpKind.FOURIER,
    OpKind.PRODUCT,
    OpKind.SUM,
    OpKind.JOIN,
    OpKind.REDUCTION,
    OpKind.SOFTMAX,
)
"""What these return is what they were given, on its way: they mix no channels."""


class MapFlow:
    """The feature maps of a pass and the ways between them.

    Attributes:
        graph: the data flow that it is a part of.
        rows: of each function its row in the table of operations.
        parents: of each value those that it was computed from; indices and what a write overwrites
            are none.
        maps: what is known of each value as a map; None if it is none.
        handed: for each value the one that it is a mere copy of, mostly itself.
        ways: of each value the maps among its parents; a copy stands for what it copies.
        children: of each map those that were computed from it.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._values, self._ops = graph.trace.values, graph.trace.ops
        self.rows = [operation(op.name) for op in self._ops]
        self.parents = [
            self._read(value) if len(given) > 1 or self._values[value].updated else given
            for value, given in enumerate(graph.parents)
        ]
        self.maps = feature_maps(graph.trace, self.parents)
        self.handed = self._hand_through()
        self.ways = [parents and self._maps_among(parents) for parents in self.parents]
        self.children = self._find_children()

    def _read(self, value: int) -> tuple[int, ...]:
        """What a value was computed from: what a write overwrites is none of it."""
        record, given = self._values[value], self.graph.parents[value]
        if record.updated:
            return tuple(p for p in record.updated if p < value)
        assert record.op is not None
        op, name = self._ops[record.op], self.rows[record.op].name
        if name in _INDEXED:
            return given[:1]
        if name == "copy":  # overwrites all
            return given[1:]
        return (op.inputs[0], self.written(op)) if name in WRITES else given

    def _maps_among(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """The maps among values, each once; what is a copy stands for what it copies."""
        found = [self.handed[v] for v in values if self.maps[v] is not None]
        return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))

    def written(self, op: Op) -> int:
        """What a function writes into places of another tensor."""
        at = WRITES[operation(op.name).name]
        return op.inputs[at if at < len(op.inputs) else -1]

    def _hand_through(self) -> list[int]:
        """For each value the one that it is a mere copy of."""
        handed = list(range(len(self._values)))
        for op, row in enumerate(self.rows):
            if row.kind not in (OpKind.COPY, OpKind.CAST, OpKind.DROPOUT):
                continue
            for value in self._ops[op].outputs:
                record, parents = self._values[value], self.parents[value]
                if record.op == op and not record.updated and len(parents) == 1:
                    handed[value] = handed[parents[0]]
        return handed

    def _find_children(self) -> list[list[int]]:
        none: list[int] = []  # of parameters, which are most values
        children = [none if known is None else [] for known in self.maps]
        for value, ways in enumerate(self.ways):
            if self.maps[value] is not None and self.handed[value] == value:
                for parent in ways:
                    children[parent].append(value)
        return children

    def resolution(self, value: int) -> int:
        """The resolution of a map, as `unetscope.analysis.maps` counts it; 0 for other values."""
        found = self.maps[value]
        return 0 if found is None else found.resolution

    def is_layer(self, value: int) -> bool:
        """Whether a layer made a value, at the resolution that it has."""
        found = self.maps[value]
        return found is not None and found.layer

    def before(self, value: int) -> Iterator[int]:
        """A value and what it was before functions of one map, without weights, changed it."""
        while True:
            yield value
            op = self._values[value].op
            if op is None or len(self.ways[value]) != 1 or self.rows[op].kind not in UNLEARNED:
                return
            (value,) = self.ways[value]
