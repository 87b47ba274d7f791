"""Skips that are drawn as one: nobody reads hundreds of lines between the same two blocks."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.drawing.figure import Arc
from unetscope.drawing.layout import arc_label, shape

MANY = 8
"""So many pushes in a row of one shape, of the same two blocks, are drawn as one arc."""


def bundled(arcs: Sequence[Arc]) -> tuple[Arc, ...]:
    """Arcs, with one for each `MANY` or more; it stands where the first of them was popped."""
    whole: dict[int, list[int]] = {}
    for alike in together(arcs):
        for run in _runs(arcs, alike):
            if len(run) >= MANY:
                whole.update(dict.fromkeys(run, run))
    found = []
    for at, arc in enumerate(arcs):
        run = whole.get(at, [at])
        if len(run) == 1:
            found.append(arc)
        elif at == min(run):  # the first pop
            found.append(_one([arcs[each] for each in run]))
    return tuple(found)


def together(arcs: Sequence[Arc]) -> list[list[int]]:
    """The indices of arcs that would lie one on the other, in order.

    They are of the same two blocks, one shape and one mark, and popped in order or none of them.
    """
    found: dict[object, list[int]] = {}
    for at, arc in enumerate(arcs):
        found.setdefault((arc.start, arc.end, arc.crossing, arc.mark, arc.shape), []).append(at)
    return list(found.values())


def bundle_label(arcs: Sequence[Arc]) -> str:
    """What stands at arcs that are drawn as one: `#3-5 320x64x64` or `#3 #7 320x64x64`."""
    numbers = sorted(arc.number for arc in arcs)
    first, last = numbers[0], numbers[-1]
    told = " ".join(f"#{number}" for number in numbers)
    if len(numbers) > 1 and numbers == list(range(first, last + 1)):
        told = f"#{first}-{last}"
    return f"{told} {shape(arcs[0].shape)}"


def _one(arcs: Sequence[Arc]) -> Arc:
    """One arc for a run of them, named as they are: `#1-9`, of two networks `#1-9>3-11`."""
    first, last = arcs[0], arcs[-1]
    (begin, told), (end, _) = _named(first), _named(last)
    numbers = zip(begin.split(">"), end.split(">"), strict=True)
    name = f"#{'>'.join(f'{a}-{b}' for a, b in numbers)} {told}"
    return first._replace(name=name)


def _named(arc: Arc) -> tuple[str, str]:
    """What stands at an arc: its number, or those in two networks, and its shape."""
    numbers, _, told = arc_label(arc).removeprefix(arc.mark).partition(" ")
    return numbers.removeprefix("#"), told


def _runs(arcs: Sequence[Arc], alike: Sequence[int]) -> list[list[int]]:
    """Indices of arcs by their pushes, parted where these do not follow on each other."""
    found: list[list[int]] = []
    for at in sorted(alike, key=lambda each: arcs[each].number):
        before = arcs[found[-1][-1]] if found else None
        if before and arcs[at].number == before.number + 1 and _alike(before, arcs[at]):
            found[-1].append(at)
        else:
            found.append([at])
    return found


def _alike(one: Arc, other: Arc) -> bool:
    """Whether as many networks have both, and the same shapes there."""
    (numbers, told), (others, also) = _named(one), _named(other)
    return told == also and numbers.count(">") == others.count(">")
