"""Which functions of a pass combine tensors, how, and which tensors those are."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from unetscope.analysis.maps import FLOATING, WRITES
from unetscope.analysis.ways import MapFlow
from unetscope.ops import OpKind
from unetscope.record import Op, Value


class Manner(Enum):
    """How a function combines its operands."""

    BESIDE = "beside"
    """Along a dim, or by writing into places of a new tensor."""
    SUM = "sum"
    PRODUCT = "product"
    WEIGHING = "weighing"
    """A matrix product, alone or as a part of attention."""
    OTHER = "other"


class Combination(NamedTuple):
    """One function that combines tensors."""

    op: int
    """Its index."""
    manner: Manner
    operands: tuple[int, ...]
    """The values that it combines, each once; copies as what they copy."""


_SUMS = {"sub": 2, "addcmul": 3, "addcdiv": 3, "logaddexp": 2}
"""Functions that add up beside those of kind `SUM`, and how many of their inputs are operands."""


def combinations(flow: MapFlow) -> dict[int, Combination]:
    """The functions of a pass that combine tensors, by the value that each returns.

    Those that only scale by a parameter are none, nor are layers with their weights.
    """
    found: dict[int, Combination] = {}
    values, ops = flow.graph.trace.values, flow.graph.trace.ops
    known: set[int] = set()
    for value, record in enumerate(values):
        if record.op is None or (record.op in known and not record.updated):
            continue
        op, row = ops[record.op], flow.rows[record.op]
        if not record.updated and (len(op.inputs) < 2 or _is_plain(flow, row.kind, op)):
            continue
        manner, operands = _operands(flow, record, op, flow.parents[value])
        told = tuple(dict.fromkeys(flow.handed[v] for v in operands if _is_feature(values[v])))
        if manner is Manner.BESIDE and (record.updated or row.name in WRITES):
            told = tuple(v for v in told if _is_filled(flow, v))
        if _combines(flow, manner, told) or _is_doubled(flow, manner, op):
            found[value] = Combination(record.op, manner, told)
            known.add(record.op)
    return found


def _is_plain(flow: MapFlow, kind: OpKind, op: Op) -> bool:
    """Whether a function is a layer with parameters for its weights, as most are."""
    if kind not in (OpKind.CONVOLUTION, OpKind.LINEAR, OpKind.NORM):
        return False
    values = flow.graph.trace.values
    return all(values[v].op is None for v in op.inputs[1:])


def _operands(
    flow: MapFlow, record: Value, op: Op, parents: tuple[int, ...]
) -> tuple[Manner, tuple[int, ...]]:
    """How a function combines its inputs, and those of them that it combines."""
    row = flow.rows[record.op or 0]
    if record.updated:
        return Manner.BESIDE, parents
    if row.name in WRITES:
        return Manner.BESIDE, (op.inputs[0], flow.written(op))
    if row.kind is OpKind.JOIN or row.name == "stack":
        return Manner.BESIDE, op.inputs
    if row.kind is OpKind.SUM or row.name in _SUMS:  # lerp's third input is its weight
        return Manner.SUM, op.inputs[: _SUMS.get(row.name, 2)]
    if row.kind is OpKind.PRODUCT:
        return Manner.PRODUCT, op.inputs
    if row.kind is OpKind.COMPARISON:
        return Manner.OTHER, ()
    if row.kind in (OpKind.MATRIX_PRODUCT, OpKind.ATTENTION):
        return Manner.WEIGHING, op.inputs
    return Manner.OTHER, op.inputs[1:] if row.name == "where" else op.inputs


def _combines(flow: MapFlow, manner: Manner, operands: tuple[int, ...]) -> bool:
    """Whether operands make a join, rather than a layer with its weights or a scaled tensor."""
    maps = [v for v in operands if flow.maps[v] is not None]
    fed = [v for v in operands if flow.graph.fed(v) or flow.maps[v] is not None]
    if manner in (Manner.BESIDE, Manner.SUM):
        return len(operands) > 1 and bool(fed)
    return len(fed) > 1 and (manner is Manner.PRODUCT or bool(maps))


def _is_doubled(flow: MapFlow, manner: Manner, op: Op) -> bool:
    """Whether a map is put beside itself."""
    alone = len(op.inputs) == 2 and len({*op.inputs}) == 1
    return manner is Manner.BESIDE and alone and flow.maps[op.inputs[0]] is not None


def _is_filled(flow: MapFlow, value: int) -> bool:
    """Whether a tensor holds more than the numbers that it was made of."""
    made_by = flow.graph.kind(value)
    return flow.graph.fed(value) and made_by is not OpKind.CREATION


def _is_feature(value: Value) -> bool:
    """Whether a tensor has more than one element, and they are no counts or truth values."""
    return value.spec.numel > 1 and value.spec.dtype.startswith(FLOATING)
