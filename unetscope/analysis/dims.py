"""What the recorded arguments of a function say about the dims of its tensors."""

from __future__ import annotations

import re

from unetscope.ops import operation
from unetscope.record import Op

PERMUTING = ("permute", "transpose", "movedim", "T", "mT", "t")
"""Functions that change nothing but the order of the dims."""

_NUMBERS = re.compile(r"(?<!\w)-?\d+")


def numbers(detail: str) -> list[int]:
    """The whole numbers among the arguments of a function."""
    return list(map(int, _NUMBERS.findall(detail)))


def permutation(op: Op, rank: int) -> list[int]:
    """The dims of what a function of `PERMUTING` takes, in the order of what it returns."""
    name = operation(op.name).name
    given = numbers(op.detail)
    dims = list(range(rank))
    if name == "permute":
        return given
    if name in ("T", "t"):
        return dims[::-1]
    if name == "movedim":
        half = len(given) // 2
        moves = sorted(zip(given[half:], given[:half], strict=True))
        dims = [dim for dim in dims if dim not in given[:half]]
        for place, dim in moves:
            dims.insert(place, dim)
        return dims
    one, other = given if name == "transpose" else (rank - 2, rank - 1)
    dims[one], dims[other] = dims[other], dims[one]
    return dims
