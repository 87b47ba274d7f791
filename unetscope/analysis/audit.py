"""Our count of multiply-adds beside another's, and what each difference comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod

from unetscope.analysis.cost import CONVOLUTION, LINEAR, Cost
from unetscope.ops import OpKind, operation
from unetscope.record import Op

PRODUCTS, ELEMENTWISE, TOTAL = "products", "element_wise", "total"
_ROUNDING = 1e-3


class Reason(Enum):
    """Why two counts differ; the views put it in words."""

    FILED = "filed"
    """The same products, filed by kernel there and by what is multiplied here."""
    NO_VECTORS = "no_vectors"
    """torch has no formula for products with a vector."""
    NO_ATTENTION = "no_attention"
    """fvcore has none for fused attention."""
    NO_BADDBMM = "no_baddbmm"
    """fvcore has none for `baddbmm`."""
    BROADCASTING = "broadcasting"
    """fvcore's formula for matmul ignores broadcasting."""
    ROUNDING = "rounding"
    """fvcore's einsum rounds to four digits."""
    ELEMENTWISE = "counts_element_wise"
    """Norms and resampling, which are element-wise work here."""


@dataclass(frozen=True)
class Line:
    """One class of functions, counted twice.

    Attributes:
        kind: `convolution`, `linear`, `products`, `element_wise` or `total`.
        ours: multiply-adds.
        theirs: multiply-adds.
        reasons: what the difference comes from, and how much of it.
    """

    kind: str
    ours: int
    theirs: int
    reasons: tuple[tuple[Reason, int], ...] = ()

    @property
    def difference(self) -> int:
        """How many more they count."""
        return self.theirs - self.ours

    @property
    def explained(self) -> bool:
        """Whether the reasons make up the difference to the last multiply-add."""
        return self.difference == sum(amount for _, amount in self.reasons)


@dataclass(frozen=True)
class Audit:
    """One engine's count beside ours.

    Attributes:
        engine: its name and version.
        network: what was counted.
        lines: class by class.
        unknown: the functions that we have no formula for.
    """

    engine: str
    network: str
    lines: Sequence[Line]
    unknown: Sequence[str] = ()

    @property
    def explained(self) -> bool:
        """Whether every difference is."""
        return all(line.explained for line in self.lines)


def against_torch(cost: Cost, counted: Mapping[str, int]) -> list[Line]:
    """Our count beside that of `FlopCounterMode`, as `engines.by_torch` returns it."""
    vectors = sum(op.macs or 0 for op in cost.network.trace.ops if _takes_vector(cost, op))
    return _lines(cost, counted, [(Reason.NO_VECTORS, -vectors)])


def against_fvcore(cost: Cost, counted: Mapping[str, int]) -> list[Line]:
    """Our count beside that of `FlopCountAnalysis`, as `engines.by_fvcore` returns it."""
    ops = cost.network.trace.ops
    fused = sum(op.attention_macs for op in ops if op.attention_macs)
    baddbmm = sum(op.macs or 0 for op in ops if operation(op.name).name == "baddbmm")
    broadcast = sum(_misread(cost, op) for op in ops if operation(op.name).name == "matmul")
    expected = [
        (Reason.NO_ATTENTION, -fused),
        (Reason.NO_BADDBMM, -baddbmm),
        (Reason.BROADCASTING, broadcast),
    ]
    einsums = sum(op.macs or 0 for op in ops if operation(op.name).name == "einsum")
    return _lines(cost, counted, expected, rounded=einsums)


def _lines(
    cost: Cost,
    counted: Mapping[str, int],
    expected: list[tuple[Reason, int]],
    rounded: int = 0,
) -> list[Line]:
    """The lines of one engine.

    Args:
        cost: our count.
        counted: theirs, by `convolution`, `unbatched`, `batched` and `element-wise`.
        expected: differences that must be there among the products.
        rounded: multiply-adds that they know to four digits.
    """
    kinds = cost.by_kind()
    convolutions, linear = kinds.pop(CONVOLUTION, 0), kinds.pop(LINEAR, 0)
    products = sum(kinds.values())
    theirs = {kind: counted.get(kind, 0) for kind in ("convolution", "unbatched", "batched")}
    expected = [(reason, amount) for reason, amount in expected if amount]
    known = sum(amount for _, amount in expected)
    rest = theirs["unbatched"] + theirs["batched"] - linear - products - known
    if rest and abs(rest) <= _ROUNDING * rounded:
        expected.append((Reason.ROUNDING, rest))
        rest = 0
    filed = 0 if rest else theirs["unbatched"] - linear
    moved = [(Reason.FILED, filed)] if filed else []
    back = [(Reason.FILED, -filed)] if filed else []
    lines = [
        Line(CONVOLUTION, convolutions, theirs["convolution"]),
        Line(LINEAR, linear, theirs["unbatched"], tuple(moved)),
        Line(PRODUCTS, products, theirs["batched"], (*back, *expected)),
    ]
    if more := counted.get("element-wise", 0):
        lines.append(Line(ELEMENTWISE, 0, more, ((Reason.ELEMENTWISE, more),)))
    ours, total = (sum(getattr(line, side) for line in lines) for side in ("ours", "theirs"))
    reasons = [reason for line in lines for reason in line.reasons if reason[0] != Reason.FILED]
    return [*lines, Line(TOTAL, ours, total, tuple(reasons))]


def _takes_vector(cost: Cost, op: Op) -> bool:
    """Whether a function that is no layer multiplies by a tensor of one dim."""
    if not op.macs or operation(op.name).kind is not OpKind.MATRIX_PRODUCT:
        return False
    return any(len(cost.network.spec(value).shape) == 1 for value in op.inputs[-2:])


def _misread(cost: Cost, op: Op) -> int:
    """How far fvcore's formula for matmul is off: it takes the first tensor for all there is."""
    first, second = (cost.network.spec(value).shape for value in op.inputs[:2])
    if len(second) < 2:
        return 0
    return prod(first) * second[-1] - (op.macs or 0)
