"""Skips that are drawn as one: nobody reads hundreds of lines between the same two blocks."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.drawing.figure import Arc
from unetscope.drawing.layout import shape

MANY = 8
"""So many pushes in a row of one shape, of the same two blocks, are drawn as one arc."""


def bundled(arcs: Sequence[Arc]) -> tuple[Arc, ...]:
    """Arcs, with one for each `MANY` or more; it stands where the first of them was popped."""
    whole: dict[int, list[int]] = {}
    for alike in together(arcs):
        for run in _runs(arcs, alike):
            if len(run) >= MANY and not arcs[run[0]].name:
                whole.update(dict.fromkeys(run, run))
    found = []
    for at, arc in enumerate(arcs):
        run = whole.get(at, [at])
        if len(run) == 1:
            found.append(arc)
        elif at == min(run):
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
    number = min(arc.number for arc in arcs)
    return arcs[0]._replace(number=number, name=bundle_label(arcs))


def _runs(arcs: Sequence[Arc], alike: Sequence[int]) -> list[list[int]]:
    """Indices of arcs, parted where their pushes do not follow on each other."""
    found: list[list[int]] = []
    for at in sorted(alike, key=lambda each: arcs[each].number):
        if found and arcs[at].number == arcs[found[-1][-1]].number + 1:
            found[-1].append(at)
        else:
            found.append([at])
    return found
