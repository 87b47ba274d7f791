"""How numbers and shapes are spelled: the only place that rounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from unetscope.table import Kind

Dim = int | str


def shape(dims: Sequence[Dim]) -> str:
    """Spell dims as a tensor's shape: `[B, 1280, 8, 8]`."""
    return f"[{', '.join(map(str, dims))}]"


def size(dims: Sequence[Dim]) -> str:
    """Spell spatial dims, height first: `64x64`; no dims at all are spelled `1`."""
    return "x".join(bracketed(str(dim)) for dim in dims) or "1"


def bracketed(dim: str) -> str:
    """A dim in brackets if it is a sum: `(H+1)`, but `H` and `ceil(H/2)`."""
    bare = dim
    while (shorter := re.sub(r"\([^()]*\)", "", bare)) != bare:
        bare = shorter
    return f"({dim})" if re.search("[+-]", bare) else dim


def scaled(number: float, unit: str) -> str:
    """Spell a large count with an SI prefix and four digits at most: `401.6 GMACs`."""
    digits, prefix = _rounded(number, 1000, ("", "k", "M", "G", "T", "P"))
    return f"{digits} {prefix}{unit}".rstrip()


def nbytes(number: int) -> str:
    """Spell bytes in binary units: `5.0 MiB`, `640 B`."""
    return " ".join(_rounded(number, 1024, ("B", "KiB", "MiB", "GiB", "TiB")))


def seconds(number: float) -> str:
    """Spell a duration: `12.3 ms`, `1.23 s`."""
    return f"{number:.2f} s" if round(number, 4) >= 1 else f"{1000 * number:.1f} ms"


def _rounded(number: float, base: int, units: Sequence[str]) -> tuple[str, str]:
    """The rounded digits and the first unit in which they are below `base`, else the last unit."""
    value, digits = float(number), f"{number:.0f}"
    for unit in units[:-1]:
        if abs(float(digits)) < base:
            return digits, unit
        value /= base
        digits = f"{value:.1f}"
    return digits, units[-1]


def _tuple(dims: Sequence[Dim]) -> str:
    return f"({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"


_SPELLINGS: dict[Kind, Callable[[Any], str]] = {
    Kind.COUNT: lambda value: f"{value:,}",
    Kind.BYTES: nbytes,
    Kind.DECIMAL_BYTES: lambda value: scaled(value, "B"),
    Kind.SECONDS: seconds,
    Kind.MACS: lambda value: scaled(value, "MACs"),
    Kind.FLOPS: lambda value: scaled(value, "FLOPs"),
    Kind.SHARE: lambda value: f"{100 * value:.1f} %",
    Kind.RATIO: lambda value: f"{value:.2f}x" if 0.1 <= value < 1000 else f"{value:,.2g}x",
    Kind.NUMBER: lambda value: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}",
    Kind.FRACTION: lambda value: f"{round(value, 4) + 0:.4f}",
    Kind.DIFFERENCE: lambda value: f"{value:.1e}" if value else "0",
    Kind.SHAPE: shape,
    Kind.TUPLE: _tuple,
    Kind.SIZE: size,
    Kind.CHANNELS_AND_SIZE: lambda dims: f"({dims[0]}, {size(dims[1:])})",
}


def spell(value: Any, kind: Kind = Kind.TEXT) -> str:
    """Spell one value for people; None, an unknown value, is spelled `-`."""
    if value is None:
        return "-"
    return _SPELLINGS.get(kind, str)(value)
