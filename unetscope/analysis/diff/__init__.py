"""What changed from one lock to another, as typed values.

Views word them, the gate judges them. `diff(a, b)` is the mirror image of `diff(b, a)`.
"""

from __future__ import annotations

from unetscope.analysis.diff.bare import bare, dialect, other_names, shapes_of
from unetscope.analysis.diff.changes import (
    COSTS,
    SEVERITIES,
    Change,
    ConfigChange,
    Diff,
    Severity,
    Total,
)
from unetscope.analysis.diff.configs import config_changes
from unetscope.analysis.diff.folding import folded
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.modules import (
    attribute_changes,
    function_changes,
    name_changes,
    renamed_tensors,
    tensor_changes,
)
from unetscope.analysis.diff.side import Side
from unetscope.analysis.diff.whole import end_changes, skip_changes, totals
from unetscope.lock import Lock

__all__ = [
    "COSTS",
    "SEVERITIES",
    "Change",
    "ConfigChange",
    "Diff",
    "Severity",
    "Total",
    "diff",
    "tensor_diff",
]

_ORDER = list(SEVERITIES)


def diff(old: Lock, new: Lock) -> Diff:
    """All that changed from one network to another; of equal ones nothing."""
    matching = Matching(Side(old), Side(new))
    tensors = list(tensor_changes(matching))
    ends = list(end_changes(old, new))
    widened = any(change.id == "param-reshaped" for change in tensors)
    attributes = list(attribute_changes(matching, widened=widened))
    told = {change.now for change in attributes if change.now is not None}
    changes = folded(
        [
            *tensors,
            *skip_changes(matching),
            *ends,
            *attributes,
            *function_changes(matching, told=told, widened=widened),
            *name_changes(matching),
        ],
        matching,
    )
    numbers = totals(old, new)
    changes += [Change(t.id, "", "", t.old, t.new) for t in numbers if t.old != t.new]
    changes.sort(key=lambda change: (_ORDER.index(change.id), _place(change, matching)))
    return Diff(
        old.name,
        new.name,
        tuple(changes),
        numbers,
        config_changes(old.config, new.config),
        tuple(renamed_tensors(matching)),
    )


def tensor_diff(old: Lock, new: Lock) -> Diff:
    """What changed of the tensors: all there is to compare where either is a checkpoint."""
    names = [tensor.name for lock in (old, new) for tensor in lock.tensors if not tensor.buffer]
    old, new = (bare(lock.name, shapes_of(lock, names)) for lock in (old, new))
    known = other_names(old, new)
    matching = Matching(Side(old), Side(new), known)
    names_changed = list(name_changes(matching))
    changes = folded(tensor_changes(matching), matching)
    if known:
        dialects = dialect(old), dialect(new)
        holders = [change for change in names_changed if matching.new.tensors[change.where]]
        holders.sort(key=lambda change: _place(change, matching))
        if holders:
            changes.append(Change("module-renamed", "", "", *dialects, parts=tuple(holders)))
    else:
        changes += folded(names_changed, matching)
    parameters = totals(old, new)[:1]
    changes += [Change(t.id, "", "", t.old, t.new) for t in parameters if t.old != t.new]
    changes.sort(key=lambda change: (_ORDER.index(change.id), _place(change, matching)))
    renamed = tuple(renamed_tensors(matching))
    return Diff(old.name, new.name, tuple(changes), parameters, names=renamed, tensors_only=True)


def _place(change: Change, matching: Matching) -> int:
    """Where in the order of the calls a change lies."""
    first = change.singles()[0]
    for side, where in ((matching.new, first.now), (matching.old, first.was)):
        if where is not None:
            module = where if where in side.modules else where.rpartition(".")[0]
            return side.order.get(module, 0)
    return 0
