"""What a network costs at many sizes of its inputs, as a table and as a chart."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.analysis.cost import CLASSES, CONVOLUTION, CROSS, LINEAR, SELF
from unetscope.analysis.scaling import Point
from unetscope.table import Bar, Cell, Chart, Column, Kind, Table
from unetscope.units import spell
from unetscope.views.view import without_formula
from unetscope.words import Words

_ALWAYS = (CONVOLUTION, LINEAR, SELF, CROSS)


def sweep(words: Words, points: Sequence[Point]) -> list[Table]:
    """One row a size: parameters, multiply-adds, those of each kind, attention's share, memory."""
    kinds = [
        kind for kind in CLASSES if kind in _ALWAYS or any(kind in point.kinds for point in points)
    ]
    columns = (
        *(Column(name, _size(words, name)) for name in _sizes(points)),
        Column("parameters", words.parameters, Kind.COUNT, priority=3),
        Column("macs", words.macs, Kind.MACS),
        Column("flops", words.flops, Kind.FLOPS, priority=4),
        *(Column(f"{kind}_macs", words.work_kinds[kind], Kind.MACS, priority=4) for kind in kinds),
        Column("attention_share", words.attention_share, Kind.SHARE, priority=1),
        Column("activation_peak_bytes", words.activation_peak, Kind.BYTES, priority=2),
    )
    rows = tuple(
        (
            *point.sizes.values(),
            point.parameters,
            point.macs,
            2 * point.macs,
            *(point.kinds.get(kind, 0) for kind in kinds),
            point.attention_share,
            point.activation_bytes,
        )
        for point in points
    )
    unknown = {name: None for point in points for name in point.unknown}
    after = [Cell.of(words.flops_convention)]
    if unknown:
        after.append(without_formula(words, unknown))
    data = {"without_formula": list(unknown)}
    return [Table("sweep", words.sweep, columns, rows, after=tuple(after), data=data)]


def chart(words: Words, name: str, points: Sequence[Point], swept: Sequence[str]) -> Chart:
    """One bar a size: attention's products above all other multiply-adds.

    Args:
        words: the language.
        name: of the network.
        points: the sizes and what they cost.
        swept: the sizes that change, which label the bars.
    """
    bars = tuple(
        Bar(
            "x".join(str(point.sizes[name]) for name in swept),
            (point.macs - point.attention, point.attention),
            spell(point.attention_share, Kind.SHARE),
        )
        for point in points
    )
    axis = " x ".join(_size(words, name) for name in swept)
    return Chart(f"{words.sweep}: {name}", axis, (words.all_else, words.attention), bars, Kind.MACS)


def _sizes(points: Sequence[Point]) -> list[str]:
    return list(points[0].sizes) if points else []


def _size(words: Words, name: str) -> str:
    return {
        "batch": words.batch,
        "height": words.height,
        "width": words.width,
        "tokens": words.text_tokens,
    }[name]
