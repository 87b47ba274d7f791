"""What one forward pass holds in memory: how much, where, why, and for how long."""

from __future__ import annotations

from collections.abc import Callable

from unetscope.analysis.measurement import Measurement
from unetscope.table import Table
from unetscope.views.choosing import choose
from unetscope.views.memory.lifetimes import alive, blocks, skips
from unetscope.views.memory.measured import measured
from unetscope.views.memory.report import Report
from unetscope.views.memory.totals import summary, training, weights
from unetscope.views.view import View

SECTIONS: dict[str, Callable[[Report], list[Table]]] = {
    "memory": summary,
    "measured": measured,
    "weights": weights,
    "peak": alive,
    "blocks": blocks,
    "skips": skips,
    "training": training,
}
"""The sections of `unetscope memory`, in the order of printing."""


def memory(
    view: View, names: str | None, top: int | None = 10, measurement: Measurement | None = None
) -> list[Table]:
    """The sections in a comma-separated list, or all.

    Args:
        view: the network as it is to be shown.
        names: the sections, or None.
        top: how many of the tensors that are alive at the peak to show; None for all.
        measurement: what a real run took.

    Raises:
        UnetscopeError: a name is no section.
    """
    report = Report(view, top, measurement)
    return [table for name in choose(names, SECTIONS) for table in SECTIONS[name](report)]
