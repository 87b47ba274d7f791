"""What a forward pass costs, piece by piece: every total is a sum of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.attention import operands, readings
from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.ops import OpKind, in_place, operation
from unetscope.record import Op, Trace

CONVOLUTION, LINEAR, PRODUCT = "convolution", "linear", "product"
SELF, CROSS, JOINT = "self_attention", "cross_attention", "joint_attention"
CLASSES = (CONVOLUTION, LINEAR, SELF, CROSS, JOINT, PRODUCT)
"""Kinds of multiply-adds: convolutions; weights applied to vectors; the two products of an
attention, whose keys and values come from the source of its queries, from another tensor or from
both; other products of two computed tensors."""
ATTENTION = (SELF, CROSS, JOINT)


@dataclass(frozen=True, slots=True)
class Piece:
    """Multiply-adds of one kind in one function."""

    op: int
    """Index of the function."""
    module: str
    """Path of the module in whose body it ran."""
    kind: str
    """One of `CLASSES`."""
    macs: int


class Cost:
    """The multiply-adds of a traced network."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def kinds(self) -> list[tuple[str, str] | None]:
        """For each function the kind of its attention's products and that of all others.

        None where no multiply-adds are known. Two passes of one network that run the same
        functions have the same kinds, whatever their sizes.
        """
        graph = self.network.graph
        found = readings(graph)
        kinds: list[tuple[str, str] | None] = []
        for index, op in enumerate(self.network.trace.ops):
            if not op.macs:
                kinds.append(None)
                continue
            reading = found.get(index)
            other = _kind(op, graph)
            if reading is None:
                kinds.append((other, other))
            elif op.attention_macs:
                kinds.append((reading.value, LINEAR))
            else:
                kinds.append((reading.value, reading.value))
        return kinds

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """All multiply-adds that are known, in the order of the functions."""
        return tuple(pieces(self.network.trace, self.kinds))

    @cached_property
    def total(self) -> int:
        """All multiply-adds that are known."""
        return total(self.network.trace)

    @cached_property
    def unknown(self) -> dict[str, int]:
        """The functions without a formula, and how often each ran."""
        return unknown(self.network.trace)

    def by_kind(self) -> dict[str, int]:
        """The multiply-adds of each kind that occurs."""
        sums = Counter[str]()
        for piece in self.pieces:
            sums[piece.kind] += piece.macs
        return {kind: sums[kind] for kind in CLASSES if kind in sums}

    def by_group(self, groups: Mapping[str, str]) -> dict[str, int]:
        """The multiply-adds of each group of modules."""
        sums = Counter[str]()
        for piece in self.pieces:
            sums[groups[piece.module]] += piece.macs
        return dict(sums)

    @cached_property
    def uncounted(self) -> dict[str, tuple[int, int]]:
        """The functions without multiply-adds: how often each ran, and how many elements it made.

        Views make none, and are left out.
        """
        trace = self.network.trace
        found: dict[str, tuple[int, int]] = {}
        for op in trace.ops:
            elements = sum(_made(trace, op))
            if op.macs == 0 and elements:
                times, before = found.get(op.name, (0, 0))
                found[op.name] = times + 1, before + elements
        return found


def pieces(trace: Trace, kinds: Sequence[tuple[str, str] | None]) -> list[Piece]:
    """The pieces of a pass whose functions are of known kinds."""
    found = []
    for index, (op, kind) in enumerate(zip(trace.ops, kinds, strict=True)):
        if kind is None or not op.macs:
            continue
        path = "" if op.step is None else trace.steps[op.step].module
        inside = op.attention_macs
        if inside:
            found.append(Piece(index, path, kind[0], inside))
        if op.macs > inside:
            found.append(Piece(index, path, kind[1], op.macs - inside))
    return found


def total(trace: Trace) -> int:
    """The multiply-adds of a pass that are known."""
    return sum(op.macs or 0 for op in trace.ops)


def unknown(trace: Trace) -> dict[str, int]:
    """The functions of a pass without a formula, and how often each ran."""
    return dict(Counter(op.name for op in trace.ops if op.macs is None))


def _kind(op: Op, graph: Graph) -> str:
    """The kind of what a function does beside attention."""
    kind = operation(op.name).kind
    if kind is OpKind.CONVOLUTION:
        return CONVOLUTION
    if kind is OpKind.LINEAR or not all(map(graph.fed, operands(op))):
        return LINEAR
    return PRODUCT


def _made(trace: Trace, op: Op) -> list[int]:
    """The elements of each output that is no view of an input."""
    given = {trace.values[value].storage for value in op.inputs}
    written = in_place(op.name)
    outputs = [trace.values[value] for value in op.outputs]
    return [v.spec.numel for v in outputs if written or v.storage not in given]
