"""Dims in terms of the inputs' sizes, found by running the network at several of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from unetscope.errors import UnetscopeError
from unetscope.record import Trace

Dim = int | str


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
