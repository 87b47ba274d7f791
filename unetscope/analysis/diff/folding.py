"""Changes that are alike become one: of one block, to one value, or renamed as a whole."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from unetscope.analysis.diff.changes import Change
from unetscope.analysis.diff.matching import Matching

_RENAMED = ("module-renamed", "module-moved")
_TENSORS = ("param-added", "param-removed", "param-reshaped", "buffer-added", "buffer-removed")


def folded(changes: Iterable[Change], matching: Matching) -> list[Change]:
    """The changes with those alike as parts of one, in the order of their first."""
    groups: dict[Hashable, list[Change]] = {}
    for change in changes:
        groups.setdefault(_key(change, matching), []).append(change)
    found: list[Change] = []
    for group in groups.values():
        if group[0].id in _RENAMED:
            found += _renamed(group, matching)
        else:
            found.append(group[0] if len(group) == 1 else _one(group, matching))
    return found


def _key(change: Change, matching: Matching) -> tuple[Hashable, ...]:
    match change.id:
        case name if name in _RENAMED:
            return (change.id,)
        case "class-renamed" | "op-changed" | "flow-changed" | "unread-result":
            return (change.id, change.old, change.new)
        case "skip-summed":
            return (change.id, _upper(change.old), _upper(change.new))
        case "attr-changed" | "training-changed":
            # `True` and `1` are equal, but not the same setting.
            return (change.id, change.about, repr(change.old), repr(change.new))
        case name if name in _TENSORS:
            return (name, *_blocks(change, matching))
        case _:
            return (change.id, id(change))


def _upper(paths: Iterable[str]) -> frozenset[str]:
    """The first levels of paths."""
    return frozenset(path.partition(".")[0] for path in paths)


def _one(group: list[Change], matching: Matching) -> Change:
    """One change for several: of a block, or of the network if they lie in several."""
    first = group[0]
    blocks = {_blocks(change, matching) for change in group}
    was, now = blocks.pop() if len(blocks) == 1 else ("", "")
    if first.id in (*_TENSORS, "skip-summed"):
        return Change(first.id, was, now, parts=tuple(group))
    return Change(first.id, was, now, first.old, first.new, first.about, tuple(group))


def _blocks(change: Change, matching: Matching) -> tuple[str | None, str | None]:
    """The blocks, old and new, in which a change is."""
    was = None if change.was is None else matching.old.block(_module(change, change.was))
    now = None if change.now is None else matching.new.block(_module(change, change.now))
    return was, now


def _module(change: Change, where: str) -> str:
    """The module that holds what changed."""
    return where.rpartition(".")[0] if change.id in _TENSORS else where


def _renamed(group: list[Change], matching: Matching) -> list[Change]:
    """Renamed modules: what moved with its holder under it, then what moved alike in one line."""

    def holders(change: Change) -> tuple[str, str]:
        return matching.old.parent(change.was or ""), matching.new.parent(change.now or "")

    within: dict[tuple[str, str], list[Change]] = {}
    for change in _under_holders(group, matching):
        within.setdefault(holders(change), []).append(change)
    found: list[Change] = []
    alike: dict[tuple[str, str], list[Change]] = {}
    for (was, now), changes in within.items():
        if len(changes) > 1:
            found.append(Change(group[0].id, was, now, parts=tuple(changes)))
        else:
            alike.setdefault(_own_names(changes[0]), []).append(changes[0])
    for (old, new), changes in alike.items():
        alone = len(changes) == 1
        whole = Change(group[0].id, "", "", old, new, parts=tuple(changes))
        found.append(changes[0] if alone else whole)
    return found


def _own_names(change: Change) -> tuple[str, str]:
    """The last levels of both paths."""
    return (change.was or "").rpartition(".")[2], (change.now or "").rpartition(".")[2]


def _under_holders(group: list[Change], matching: Matching) -> list[Change]:
    """The renamed modules that lie in no other renamed one, each with those that lie in it."""
    renamed = {change.was for change in group}
    inside: dict[str, list[Change]] = {}
    tops = []
    for change in group:
        holder = outermost = change.was or ""
        while holder:
            holder = matching.old.parent(holder)
            image = matching.now.get(holder)
            if holder in renamed and f"{change.now}.".startswith(f"{image}."):
                outermost = holder
        if outermost == change.was:
            tops.append(change)
        else:
            inside.setdefault(outermost, []).append(change)
    return [
        replace(top, parts=(top, *inside[top.was])) if top.was in inside else top for top in tops
    ]
