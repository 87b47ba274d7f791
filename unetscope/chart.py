"""The form between views and renderers for what is drawn: bars, each a stack of values."""

from __future__ import annotations

from dataclasses import dataclass

from unetscope.table import Kind


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: what it is drawn for.
        values: its stacked parts, one a series, from the bottom.
        note: what is written at its end, beside the total.
    """

    label: str
    values: tuple[int, ...]
    note: str = ""

    @property
    def total(self) -> int:
        """The length of the bar."""
        return sum(self.values)


@dataclass(frozen=True)
class Chart:
    """Bars that share an axis from 0.

    Attributes:
        title: what it shows.
        axis: what the labels name.
        series: the title of each part of a bar, from the bottom.
        bars: in order.
        kind: how the values are written.
    """

    title: str
    axis: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    kind: Kind
