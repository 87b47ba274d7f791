"""The skips of two networks as arcs of one drawing, by `diff`'s own pairs of skips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unetscope.analysis.diff import Change
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.modules import same_flow
from unetscope.analysis.diff.whole import changed_skips, skip_pairs
from unetscope.drawing.figure import Arc, Figure
from unetscope.drawing.layout import shape
from unetscope.lock import LockedSkip

Ends = list[tuple[Change, set[int]]]
"""Changes of skips, each with the boxes that pop them."""
Places = tuple[Mapping[int, int], Mapping[int, int]]
"""Of each box of both networks by its number, its place in the drawing."""


def overlaid_skips(
    sides: tuple[Figure, Figure], matching: Matching, places: Places
) -> tuple[tuple[Arc, ...], Ends]:
    """The skips of both networks, and for each change of a skip the boxes that pop it.

    A skip of both whose ends are the same boxes is one arc; another one is two, as it was and as it
    is.
    """
    old, new = (_placed(side, where) for side, where in zip(sides, places, strict=True))
    found = skip_pairs(matching)
    pairs = [*found.kept, *found.repaired]
    changes: Ends = []
    changed: set[int] = set()
    if same_flow(matching):  # then `diff` reports none
        pairs += zip(found.gone, found.come, strict=False)
    else:
        for change, was, now in changed_skips(matching):
            changes.append((change, _popped(was, old) | _popped(now, new)))
            changed.update([now.pop] if was is not None and now is not None else [])
    pops = [(was.pop, now.pop) for was, now in pairs if was.pop < len(old) and now.pop < len(new)]
    whole = {b: a for a, b in pops if _ends(old[a]) == _ends(new[b])}
    pushes = _merged(_by_push(old), _by_push(new), whole, behind=True)
    rank = {each: number for number, each in enumerate(pushes)}
    arcs = []
    for side, index in _merged(range(len(old)), range(len(new)), whole, behind=False):
        arc = (old, new)[side][index]
        before = old[whole[index]] if side and index in whole else arc
        mark = "~" if index in changed or before.shape != arc.shape else ""
        if before is arc:
            mark = "+" if side else "-"
        name = _name(before, arc)
        arcs.append(arc._replace(number=rank[side, index], mark=mark, name=name))
    return tuple(arcs), changes


def _placed(side: Figure, where: Mapping[int, int]) -> list[Arc]:
    return [arc._replace(start=where[arc.start], end=where[arc.end]) for arc in side.arcs]


def _ends(arc: Arc) -> tuple[int, int]:
    return arc.start, arc.end


def _popped(skip: LockedSkip | None, arcs: Sequence[Arc]) -> set[int]:
    return {arcs[skip.pop].end} if skip is not None and skip.pop < len(arcs) else set()


def _by_push(arcs: Sequence[Arc]) -> list[int]:
    return sorted(range(len(arcs)), key=lambda index: (arcs[index].number, index))


def _merged(
    old: Sequence[int], new: Sequence[int], whole: Mapping[int, int], *, behind: bool
) -> list[tuple[int, int]]:
    """The arcs of both networks in one order, each as its side and its index there.

    What only the old network has stands right behind what it stood behind there, or right before
    what it stood before: so pushes and pops of a stack stay the reverse of each other.

    Args:
        old: the order in the old network.
        new: that in the new one.
        whole: the old index of each new arc that is in both.
        behind: which of the two.
    """
    order = [(1, index) for index in new]
    there = {a: (1, b) for b, a in whole.items()}
    place = 0 if behind else len(order)
    for index in old if behind else reversed(old):
        if index in there:
            place = order.index(there[index]) + behind
        else:
            order.insert(place, (0, index))
            place += behind
    return order


def _name(was: Arc, now: Arc) -> str:
    """Number and shape, of both networks where they differ: `#3>#2 640>320x16x16`."""
    numbers = _both(str(was.number), str(now.number))
    if was.shape == now.shape:
        return f"#{numbers} {shape(now.shape)}"
    dims = (was.shape[:1], now.shape[:1]), (was.shape[1:], now.shape[1:])
    told = [_both(*map(shape, pair)) for pair in dims if any(pair)]
    return f"#{numbers} {'x'.join(told)}"


def _both(old: str, new: str) -> str:
    return old if old == new else f"{old}>{new}"
