"""The order of arcs on both sides of a U, and the least places at which all comes in its order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from unetscope.drawing.figure import Figure


def solved(
    edges: Iterable[tuple[Hashable, Hashable, int]], apart: Iterable[Hashable] = ()
) -> dict[Hashable, int] | None:
    """The least places, from 0, at which each thing comes so far behind those before it.

    Args:
        edges: `(before, after, distance)`.
        apart: things of which no two may have one place.

    Returns:
        None if one of them would have to come behind itself.
    """
    after: dict[Hashable, list[tuple[Hashable, int]]] = {}
    waits: dict[Hashable, int] = {}
    for before, behind, distance in edges:
        after.setdefault(before, []).append((behind, distance))
        waits.setdefault(before, 0)
        waits[behind] = waits.get(behind, 0) + 1
    alone, taken = set(apart), set[int]()
    least = dict.fromkeys(waits, 0)
    ready = [thing for thing, count in waits.items() if not count]
    found: dict[Hashable, int] = {}
    while ready:
        thing = min(ready, key=lambda each: (least[each], str(each)))
        ready.remove(thing)
        place = least[thing]
        while thing in alone and place in taken:
            place += 1
        taken.update({place} if thing in alone else ())
        found[thing] = place
        for behind, distance in after.get(thing, ()):
            least[behind] = max(least[behind], place + distance)
            waits[behind] -= 1
            if not waits[behind]:
                ready.append(behind)
    return found if len(found) == len(waits) else None


def straight(figure: Figure) -> set[int]:
    """The most arcs, in order ones first, that can be drawn without crossing another of them.

    Of the left side seen from above, the next one begins lower and ends lower.
    """
    left, right = ([arc for arcs in side.values() for arc in arcs] for side in sides(figure))
    begin = {arc: at for at, arc in enumerate(left)}
    end = {arc: at for at, arc in enumerate(right)}

    def fits(arc: int) -> bool:
        return all((begin[arc] < begin[other]) == (end[arc] < end[other]) for other in chain)

    chain: list[int] = []
    for crossing in (False, True):
        more = [arc for arc in left if figure.arcs[arc].crossing is crossing and fits(arc)]
        chain = _longest([arc for arc in left if arc in chain or arc in more], end)
    return set(chain)


def _longest(arcs: list[int], rank: Mapping[int, int]) -> list[int]:
    """The longest choice of arcs whose ranks rise."""
    best: dict[int, list[int]] = {}
    for at, arc in enumerate(arcs):
        before = [best[other] for other in arcs[:at] if rank[other] < rank[arc]]
        best[arc] = [*max(before, key=len, default=[]), arc]
    return max(best.values(), key=len, default=[])


def sides(figure: Figure) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Of each block the arcs that leave it, and of each, the last first, those that arrive.

    Both from above, as a U has them.
    """
    arcs = figure.arcs
    pushes = sorted(range(len(arcs)), key=lambda a: (arcs[a].start, arcs[a].number, -a))
    pops = sorted(range(len(arcs)), key=lambda a: (-arcs[a].end, -a))
    left: dict[int, list[int]] = {}
    right: dict[int, list[int]] = {}
    for arc in pushes:
        left.setdefault(arcs[arc].start, []).append(arc)
    for arc in pops:
        right.setdefault(arcs[arc].end, []).append(arc)
    return left, right
