"""What one forward pass holds in memory: how much, where, why, and for how long."""

from __future__ import annotations

from collections.abc import Callable

from unetscope.analysis.measurement import Measurement
from unetscope.errors import UnetscopeError, nearest
from unetscope.table import Table
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
    return [table for name in _choose(names) for table in SECTIONS[name](report)]


def _choose(names: str | None) -> list[str]:
    if names is None:
        return list(SECTIONS)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in SECTIONS:
            close = nearest(name, SECTIONS)
            raise UnetscopeError(
                f"no section `{name}`: expected {', '.join(SECTIONS)}",
                hint=f"did you mean `{close}`?" if close else None,
            )
    return chosen
