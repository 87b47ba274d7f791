"""One network at several sizes of its inputs: what it costs, and which dims grow with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from unetscope.analysis.cost import ATTENTION
from unetscope.errors import UnetscopeError
from unetscope.record import Trace

Dim = int | str


@dataclass(frozen=True)
class Point:
    """One size of the inputs and what the network costs there.

    Attributes:
        sizes: batch, height, width and tokens, by these names.
        parameters: of the network, the same everywhere.
        kinds: multiply-adds of each kind that occurs (see `cost.CLASSES`).
        unknown: functions without a formula, and how often each ran.
        activation_bytes: the peak of the activations, in float32.
    """

    sizes: dict[str, int]
    parameters: int
    kinds: dict[str, int]
    unknown: dict[str, int]
    activation_bytes: int

    @property
    def macs(self) -> int:
        """All multiply-adds that are known."""
        return sum(self.kinds.values())

    @property
    def attention(self) -> int:
        """Those of attention's products."""
        return sum(macs for kind, macs in self.kinds.items() if kind in ATTENTION)

    @property
    def attention_share(self) -> float:
        """Attention's part of all multiply-adds, 0 to 1."""
        return self.attention / self.macs if self.macs else 0.0


def symbolic_dims(
    base: Trace, doubled: Mapping[str, Trace], sizes: Mapping[str, int]
) -> list[tuple[Dim, ...]]:
    """The dims of every value of `base`, as numbers or in symbols: `B`, `H/8`, `HW/64`, `2B`.

    Args:
        base: a pass at `sizes`.
        doubled: for each symbol, a pass with that one size doubled.
        sizes: what each symbol stands for in `base`.

    Raises:
        UnetscopeError: the network does other things at other sizes.
    """
    for symbol, trace in doubled.items():
        if len(trace.values) != len(base.values):
            raise UnetscopeError(f"the network runs differently when {symbol} changes")

    def scaling(index: int, axis: int) -> list[str]:
        """The symbols that one dim of one value grows with."""
        dim = base.values[index].spec.shape[axis]
        return [s for s, t in doubled.items() if t.values[index].spec.shape[axis] == 2 * dim]

    return [
        tuple(_spell(dim, scaling(index, axis), sizes) for axis, dim in enumerate(value.spec.shape))
        for index, value in enumerate(base.values)
    ]


def _spell(dim: int, symbols: list[str], sizes: Mapping[str, int]) -> Dim:
    """`dim` as a multiple of the product of `symbols`."""
    if not symbols:
        return dim
    product = 1
    for symbol in symbols:
        product *= sizes[symbol]
    factor = Fraction(dim, product)
    times = "" if factor.numerator == 1 else str(factor.numerator)
    over = "" if factor.denominator == 1 else f"/{factor.denominator}"
    return f"{times}{''.join(symbols)}{over}"
