"""What runs in the bodies of modules: the same tensors, another function.

Two bodies are alike if they run the same functions and call the same modules in the same order.
Modules that only hold others, and differ in how they do, are looked through.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import takewhile

from unetscope.analysis.diff.changes import Change
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.side import Side

Event = tuple[str | None, str]
"""A call of a matched module, by its path; or None and a function."""

_NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(e-?\d+)?")
_DETAIL = re.compile(r"(?<=[\w\]+\-*/@])\(.*", re.DOTALL)


def function_changes(
    matching: Matching, *, told: Container[str], widened: bool
) -> Iterator[Change]:
    """A change for each pair of matched modules whose bodies differ.

    A body that calls what was added or removed differs for that reason, which is told there.

    Args:
        matching: which module is which.
        told: new paths of modules whose attributes changed; the arguments of their functions
            differ with these.
        widened: whether any tensor has another shape; then numbers among the arguments of
            functions differ with the widths.
    """
    old, new = _Bodies(matching.old, matching.now), _Bodies(matching.new, matching.was)
    if not old.lossy and not new.lossy and _named(old.whole(), matching.now) == new.whole():
        return
    for was, now in matching.now.items():
        if not (matching.old.modules[was].calls and matching.new.modules[now].calls):
            continue  # what calls only one of them tells
        before, lossy = old.effective(was)
        after, also_lossy = new.effective(now)
        before = _named(before, matching.now)
        if lossy or also_lossy or before == after or _retyped(matching, was, now):
            continue
        if now in told:
            before, after = _bare(before), _bare(after)
        elif widened:
            before, after = _numberless(before), _numberless(after)
        if before != after:
            gone, come = _middle(before, after)
            gone = _named(gone, matching.was)
            yield Change("op-changed", was, now, _told(gone, was), _told(come, now))


def _named(events: Sequence[Event], names: Mapping[str, str]) -> list[Event]:
    """The events with the other side's names of what they call."""
    return [(path and names[path], text) for path, text in events]


def _retyped(matching: Matching, was: str, now: str) -> bool:
    """Whether a module's own tensors have another rank: another layer, as its tensors tell."""
    sides = ((matching.old, was), (matching.new, now))
    before, after = ([len(t.shape) for t in side.tensors[path]] for side, path in sides)
    return before != after


class _Bodies:
    """The bodies of one side, with modules that have no counterpart looked through."""

    def __init__(self, side: Side, matched: Container[str]) -> None:
        self._side = side
        self._matched = matched
        holders = (p for owner in side.owners if owner in matched for p in _upwards(side, owner))
        self._holders = set(holders)
        self.lossy = any(owner not in matched for owner in side.owners)

    def effective(self, path: str) -> tuple[list[Event], bool]:
        """What runs in a module's body, and whether calls of new or gone modules are left out."""
        found: list[Event] = []
        lossy = self._follow(path, found, (path,), through_matched=False)
        return found, lossy

    def whole(self) -> list[Event]:
        """All functions of the network, and the calls of modules that hold tensors."""
        found: list[Event] = []
        self._follow("", found, ("",), through_matched=True)
        return found

    def _follow(
        self, path: str, found: list[Event], above: tuple[str, ...], *, through_matched: bool
    ) -> bool:
        side, lossy = self._side, False
        for called, text in side.body(path):
            if called is None:
                found.append((None, text))
            elif called in self._matched and not through_matched:
                found.append((called, ""))
            else:
                added_or_removed = bool(side.owners_below[called]) and called not in self._holders
                if added_or_removed:
                    lossy = True
                elif called not in above:
                    if side.tensors[called]:
                        found.append((called, ""))
                    inner = (*above, called)
                    lossy |= self._follow(called, found, inner, through_matched=through_matched)
        return lossy


def _upwards(side: Side, path: str) -> Iterator[str]:
    yield path
    while path:
        path = side.parent(path)
        yield path


def _bare(events: Sequence[Event]) -> list[Event]:
    return [(path, _DETAIL.sub("", text)) for path, text in events]


def _numberless(events: Sequence[Event]) -> list[Event]:
    return [(path, _NUMBER.sub("#", text)) for path, text in events]


def _middle(old: Sequence[Event], new: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """What is left of two sequences without what they begin and end with in common."""
    head = sum(1 for _ in takewhile(_equal, zip(old, new, strict=False)))
    rest = old[head:], new[head:]
    ends = zip(reversed(rest[0]), reversed(rest[1]), strict=False)
    tail = sum(1 for _ in takewhile(_equal, ends))
    return list(rest[0][: len(rest[0]) - tail]), list(rest[1][: len(rest[1]) - tail])


def _equal(pair: tuple[Event, Event]) -> bool:
    return pair[0] == pair[1]


def _told(events: Sequence[Event], path: str) -> tuple[str, ...]:
    """Events as code reads: calls by their paths below the caller's."""
    inside = f"{path}." if path else ""
    return tuple(
        text if called is None else f"self.{called.removeprefix(inside)}" for called, text in events
    )
