"""What changed from one lock to another, as typed values.

Views put changes into words, and the gate judges them. `diff(a, b)` is the mirror image of
`diff(b, a)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from unetscope.analysis.diff.bare import Written, bare, dialect, other_names, shapes_of
from unetscope.analysis.diff.changes import (
    COSTS,
    SEVERITIES,
    Change,
    ChangeSeverity,
    ComparedOutput,
    ConfigChange,
    Diff,
    Edit,
    Total,
    Verification,
)
from unetscope.analysis.diff.configs import Defaults, config_changes
from unetscope.analysis.diff.folding import changed_dims, folded
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.modules import (
    attribute_changes,
    function_changes,
    matched_tensors,
    name_changes,
    same_flow,
    tensor_changes,
)
from unetscope.analysis.diff.side import Side
from unetscope.analysis.diff.whole import io_changes, skip_changes, totals
from unetscope.lock import Lock
from unetscope.ops import opaque

__all__ = [
    "COSTS",
    "SEVERITIES",
    "Change",
    "ChangeSeverity",
    "ComparedOutput",
    "ConfigChange",
    "Diff",
    "Edit",
    "Total",
    "Verification",
    "changed_dims",
    "diff",
    "tensor_diff",
]

_ORDER = list(SEVERITIES)


def diff(old: Lock, new: Lock, defaults: Defaults = lambda _: {}) -> Diff:
    """All that changed from one network to another; nothing if they are equal.

    Args:
        old: a lock.
        new: another.
        defaults: the options of a family, by its name, that a config may leave out.
    """
    matching = Matching(Side(old), Side(new))
    tensors = list(tensor_changes(matching))
    reshaped = any(change.id == "param-reshaped" for change in tensors)
    attributes = list(attribute_changes(matching, reshaped=reshaped))
    ends = list(io_changes(old, new))
    resized = any(change.id == "io-resized" for change in ends)
    changed = {c.now for c in attributes if c.now is not None and c.id == "attr-changed"}
    bodies: list[Change] = []
    same = same_flow(matching)
    if not same:
        bodies += skip_changes(matching)
        bodies += function_changes(matching, changed=changed, reshaped=reshaped, resized=resized)
    changes = folded(
        [
            *tensors,
            *ends,
            *attributes,
            *bodies,
            *name_changes(matching, same=same),
        ],
        matching,
    )
    numbers = totals(old, new)
    return Diff(
        old.name,
        new.name,
        _in_order(changes, numbers, matching),
        numbers,
        config_changes(old.config, new.config, defaults),
        _renamed(matching),
        opaque=tuple(sorted(name for name in {**old.uncounted, **new.uncounted} if opaque(name))),
    )


def tensor_diff(
    old: Lock, new: Lock, written: tuple[Written, Written] = (Written(), Written())
) -> Diff:
    """What changed among the tensors, which is all that a checkpoint shows of a network.

    Args:
        old: a lock.
        new: another.
        written: whose names the tensors of each have, if those in the locks are translated.
    """
    names = [[tensor.name for tensor in lock.tensors] for lock in (new, old)]
    old, new = (
        bare(lock.name, shapes_of(lock, other))
        for lock, other in zip((old, new), names, strict=True)
    )
    known = other_names(old, new)
    matching = Matching(Side(old), Side(new), known)
    changes = folded(tensor_changes(matching), matching)
    if not known:
        changes += folded(name_changes(matching), matching)
    if holders := tuple(_translated(matching, known, written)):
        was, now = (w.dialect or dialect(n) for w, n in zip(written, (old, new), strict=True))
        changes.append(Change("module-renamed", "", "", was, now, parts=holders))
    numbers = totals(old, new)[:1]  # the parameters
    return Diff(
        old.name,
        new.name,
        _in_order(changes, numbers, matching),
        numbers,
        names=_renamed(matching, written),
        tensors_only=True,
    )


def _translated(
    matching: Matching, known: Mapping[str, str], written: tuple[Written, Written]
) -> Iterator[Change]:
    """A change for each module that has another name in the other network's dialect alone."""
    found = {}
    for pair in matched_tensors(matching):
        was, now = (name.rpartition(".")[0] for name in pair)
        spelled = tuple(
            w.names.get(n, n).rpartition(".")[0] for n, w in zip(pair, written, strict=True)
        )
        if spelled[0] != spelled[1] and (known or was == now):
            found[spelled] = matching.new.order[now]
    for was, now in sorted(found, key=found.__getitem__):
        yield Change("module-renamed", was, now, was, now)


def _renamed(
    matching: Matching, written: tuple[Written, Written] = (Written(), Written())
) -> tuple[tuple[str, str], ...]:
    """Old and new name of each tensor that has another one now, as they stand in the files."""
    before, after = (side.names for side in written)
    pairs = ((before.get(was, was), after.get(now, now)) for was, now in matched_tensors(matching))
    return tuple((was, now) for was, now in pairs if was != now)


def _in_order(
    changes: Iterable[Change], numbers: Iterable[Total], matching: Matching
) -> tuple[Change, ...]:
    """The changes and those of the totals, the worst first, then in the order of the calls."""
    costs = (Change(t.id, "", "", t.old, t.new) for t in numbers if t.old != t.new)
    return tuple(
        sorted(
            [*changes, *costs],
            key=lambda change: (_ORDER.index(change.id), _place(change, matching)),
        )
    )


def _place(change: Change, matching: Matching) -> int:
    """The position of a change in the order of the calls."""
    first = change.singles()[0]
    for side, where in ((matching.new, first.now), (matching.old, first.was)):
        if where is not None:
            module = where if where in side.modules else where.rpartition(".")[0]
            return side.order.get(module, 0)
    return 0
