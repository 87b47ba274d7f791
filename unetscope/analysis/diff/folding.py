"""Changes that are alike become one: of one module, to one value, or renamed as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace

from unetscope.analysis.diff.changes import Change
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.side import Side

_RENAMED = ("module-renamed", "module-moved")
_SKIPS = ("skip-added", "skip-removed", "skip-repaired")
_CAME_OR_WENT = ("param-added", "param-removed", "buffer-added", "buffer-removed")
_TENSORS = (*_CAME_OR_WENT, "param-reshaped", "persistence-changed")
_RESHAPED = ("param-reshaped", "io-resized")
_INDEX = re.compile(r"(?<![^.])\d+(?![^.])")


def folded(changes: Iterable[Change], matching: Matching) -> list[Change]:
    """The changes with those alike as parts of one, in the order of their first."""
    found: list[Change] = []
    for group in _grouped(_by_module(list(changes), matching), lambda c: _key(c, matching)):
        if group[0].id in _RENAMED:
            found += _renamed(group, matching)
        else:
            found.append(_one(group, matching))
    return [_one(group, matching) for group in _grouped(found, _resizing)]


def _grouped(changes: Iterable[Change], key: Callable[[Change], Hashable]) -> list[list[Change]]:
    groups: dict[Hashable, list[Change]] = {}
    for change in changes:
        groups.setdefault(key(change), []).append(change)
    return list(groups.values())


def _key(change: Change, matching: Matching) -> tuple[Hashable, ...]:
    name = change.id
    if name in (*_RENAMED, *_SKIPS, "io-resized"):
        return (name,)
    if name in _CAME_OR_WENT:
        if not change.parts:  # of a module that is still there
            return (name, change.where.rpartition(".")[2])
        looks = tuple((p.where[len(change.where) :], p.old, p.new) for p in change.parts)
        return (name, change.old, change.new, _INDEX.sub("#", change.where), looks)
    match name:
        case "skip-reordered":
            return (name, change.about, change.old, change.new)
        case "skip-summed":
            return (name, _upper(change.old), _upper(change.new))
        case "class-renamed" | "unread-result" | "io-reshaped":
            return (name, change.old, change.new)
        case "op-changed" | "flow-changed":
            return (name, change.old, change.new, change.edits)
        case "attr-changed" | "training-changed":
            # `True` and `1` are equal, but not the same setting.
            return (name, change.about, repr(change.old), repr(change.new))
        case "param-reshaped":
            return (name, *_blocks(change, matching))
        case _:
            return (name, id(change))


def _resizing(change: Change) -> Hashable:
    """What became of the dims of reshaped tensors; blocks in which that is the same are one."""
    if change.id != "param-reshaped":
        return id(change)
    return frozenset(pair for single in change.singles() for pair in changed_dims(single))


def changed_dims(change: Change) -> list[tuple[int | str, int | str]]:
    """Which dims of a tensor became which; of one with another rank, the ranks: `4-D`, `2-D`."""
    old, new = change.old, change.new
    if len(old) != len(new):
        return [(f"{len(old)}-D", f"{len(new)}-D")]
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def _by_module(changes: list[Change], matching: Matching) -> list[Change]:
    """The changes, with the tensors that came or went with a module as parts of one."""
    sides = {
        True: (matching.old, _holders(matching.old, matching.now)),
        False: (matching.new, _holders(matching.new, matching.was)),
    }

    def module(change: Change) -> str | None:
        """The outermost module that came or went as a whole with a tensor; None if it stays."""
        if change.id not in _CAME_OR_WENT:
            return None
        side, kept = sides[change.now is None]
        found, path = None, change.where.rpartition(".")[0]
        while path and path not in kept:
            if not side.lists(path):
                found = path
            path = side.parent(path)
        return found

    found = []
    for group in _grouped(changes, lambda c: (c.id, module(c) or id(c))):
        first, path = group[0], module(group[0])
        if path is None:
            found += group
            continue
        kind = sides[first.now is None][0].modules[path].kind
        if len(group) == 1 and not kind:
            found += group  # of a checkpoint: its module is but the half of a name
            continue
        if first.now is None:
            found.append(Change(first.id, path, None, kind, parts=tuple(group)))
        else:
            found.append(Change(first.id, None, path, new=kind, parts=tuple(group)))
    return found


def _holders(side: Side, known: Iterable[str]) -> set[str]:
    """The modules with a counterpart, and those that hold some with tensors."""
    kept = set(known)
    for path in [path for path in kept if side.tensors[path]]:
        while path and (path := side.parent(path)) not in kept:
            kept.add(path)
    return kept


def _upper(paths: Iterable[str]) -> frozenset[str]:
    """The first levels of paths."""
    return frozenset(path.partition(".")[0] for path in paths)


def _one(group: list[Change], matching: Matching) -> Change:
    """One change for several: of a block, or of the network if they lie in several."""
    first = group[0]
    if len(group) == 1:
        return first
    blocks = {_blocks(change, matching) for change in group}
    was, now = blocks.pop() if len(blocks) == 1 else ("", "")
    if first.was is None or first.now is None:
        was, now = (None if first.was is None else was), (None if first.now is None else now)
    alone = first.id in (*_CAME_OR_WENT, *_SKIPS, *_RESHAPED, "skip-summed") and not first.parts
    old, new = (None, None) if alone else (first.old, first.new)
    return Change(first.id, was, now, old, new, first.about, tuple(group), first.edits)


def _blocks(change: Change, matching: Matching) -> tuple[str | None, str | None]:
    """The blocks, old and new, in which a change is."""
    was = None if change.was is None else matching.old.block(_module(change, change.was))
    now = None if change.now is None else matching.new.block(_module(change, change.now))
    return was, now


def _module(change: Change, where: str) -> str:
    """The module that holds what changed."""
    own = change.id in _TENSORS and not change.parts
    return where.rpartition(".")[0] if own else where


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
