"""Which boxes of two networks are one box in a drawing of both, and where each stands.

Modules are paired by `diff`'s matching, never anew. Boxes that hold the calls of several are split
until each has one counterpart at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import prod

from unetscope.analysis.anatomy import Anatomy
from unetscope.analysis.diff.matching import Matching, alignment
from unetscope.analysis.diff.side import Side
from unetscope.analysis.network import Network
from unetscope.drawing.figure import LEFT, RIGHT, Dims, Figure
from unetscope.drawing.stages import Stage

Both = tuple[int | None, int | None]
"""A box of two networks by its place in the old one and in the new one."""
_SAME_BOX = 100
"""How much more a box that stands at two levels ties them than that their sizes are equal."""


@dataclass
class Boxes:
    """The boxes of one of two networks.

    Attributes:
        network: the network.
        runs: what the boxes are.
        names: of each path, the path that both networks share, if both have it.
    """

    network: Network
    runs: list[Stage]
    names: Callable[[str], Hashable]

    def calls(self) -> Iterator[tuple[int, int, Hashable]]:
        """Each call with the number of its box, and a key that its counterpart has too."""
        met = Counter[Hashable]()
        for at, run in enumerate(self.runs):
            for call in run.calls:
                name = self.names(self.network.path(call))
                met[name] += 1
                yield at, call, None if name is None else (name, met[name])

    def holders(self) -> dict[Hashable, int]:
        """The number of the box that holds each key."""
        return {key: at for at, _, key in self.calls() if key is not None}

    def split(self, other: dict[Hashable, int]) -> None:
        """Let each box hold calls of one box of the other network alone, or of none."""
        found: list[Stage] = []
        for at, calls in groupby(list(self.calls()), lambda each: each[0]):
            run = self.runs[at]
            targets = [(call, None if k is None else other.get(k)) for _, call, k in calls]
            if self._is_entry(run):
                targets = _filled(targets)
            for _, same in groupby(targets, lambda pair: pair[1]):
                found.append(run._replace(calls=tuple(call for call, _ in same)))
        self.runs[:] = found

    def _is_entry(self, run: Stage) -> bool:
        """Whether its calls stand in one entry of a list, as `downs.0.1`, and stay together."""
        above = {self.network.path(call).rpartition(".")[0] for call in run.calls}
        return len(above) == 1 and above.pop().rpartition(".")[2].isdigit()


def _filled(targets: list[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """What has no counterpart goes with what stands before it, else with what comes behind."""
    last = next((target for _, target in targets if target is not None), None)
    found = []
    for call, target in targets:
        last = last if target is None else target
        found.append((call, last))
    return found


def paired(old: Boxes, new: Boxes, matching: Matching) -> list[Both]:
    """The boxes of both networks, split so that each has one counterpart at most, as pairs.

    Returns:
        Each box of either, by the places in `runs`: first those of the new network.
    """
    count = 0
    while count != len(old.runs) + len(new.runs):
        count = len(old.runs) + len(new.runs)
        old.split(new.holders())
        new.split(old.holders())
    held = old.holders()
    now: dict[int, int] = {}
    for at, _, key in new.calls():
        if key in held:
            now.setdefault(held[key], at)
    now |= _without_tensors(old, new, now, matching)
    was = {b: a for a, b in now.items()}
    pairs: list[Both] = [(was.get(b), b) for b in range(len(new.runs))]
    return [*pairs, *((a, None) for a in range(len(old.runs)) if a not in now)]


def _without_tensors(
    old: Boxes, new: Boxes, now: dict[int, int], matching: Matching
) -> dict[int, int]:
    """Pairs of boxes of one class that hold no tensors and stand between the same others.

    No matching looks at them, as nothing tells them apart.
    """
    looks = _looks(old, matching.old, set(now)), _looks(new, matching.new, set(now.values()))
    anchors = [(-1, -1), *sorted(now.items()), (len(old.runs), len(new.runs))]
    found: dict[int, int] = {}
    for (a, b), (to_a, to_b) in pairwise(anchors):
        left = [i for i in range(a + 1, to_a) if i in looks[0]]
        right = [j for j in range(b + 1, to_b) if j in looks[1] and j not in found.values()]
        between = [looks[0][i] for i in left], [looks[1][j] for j in right]
        found |= {left[i]: right[j] for i, j in alignment(*between)}
    return found


def _looks(boxes: Boxes, side: Side, known: Collection[int]) -> dict[int, Hashable]:
    """Part and classes of each box that has no counterpart and holds no tensors."""
    found: dict[int, Hashable] = {}
    for at, run in enumerate(boxes.runs):
        paths = [boxes.network.path(call) for call in run.calls]
        if at not in known and not any(side.owners_below[path] for path in paths):
            found[at] = (run.part, *(side.modules[path].kind for path in paths))
    return found


def apart(pairs: Sequence[Both], old: Figure, new: Figure) -> list[Both]:
    """The pairs without those that stand on both sides of the U, which stand at both places then.

    A block without skips may be encoder in one network and middle in the other.
    """
    busy = [{at for arc in side.arcs for at in (arc.start, arc.end)} for side in (old, new)]

    def moved(a: int | None, b: int | None) -> bool:
        if a is None or b is None:
            return False
        parts = old.blocks[a].part, new.blocks[b].part
        places = {(part in LEFT) - (part in RIGHT) for part in parts}
        return places == {1, -1} or (len(places) > 1 and (a in busy[0] or b in busy[1]))

    kept = [(None if moved(a, b) else a, b) for a, b in pairs]
    return [*kept, *((a, None) for a, b in pairs if moved(a, b))]


def rows(
    old: Figure, new: Figure, pairs: Sequence[Both]
) -> tuple[list[int], list[int], list[Dims]]:
    """The levels of both networks as rows of one drawing, and the size of each row.

    Levels of both are one row where boxes stand at both or, without such boxes, where their sizes
    are equal.

    Returns:
        The row of each level of the old network, of each of the new one, and the sizes, the new
        network's where that has the row.
    """
    ties = Counter[tuple[int, int]]()
    for a, b in pairs:
        if a is not None and b is not None:
            ties[old.blocks[a].level, new.blocks[b].level] += _SAME_BOX
    for i, size in enumerate(old.sizes):
        ties[i, new.sizes.index(size) if size in new.sizes else -1] += 1
    both = _heaviest(len(old.sizes), len(new.sizes), ties)
    where: tuple[list[int], list[int]] = [0] * len(old.sizes), [0] * len(new.sizes)
    sizes: list[Dims] = []
    for (a, b), (to_a, to_b) in pairwise([(-1, -1), *both, (len(old.sizes), len(new.sizes))]):
        between = [(prod(old.sizes[i]), 1, 0, i) for i in range(a + 1, to_a)]
        between += [(prod(new.sizes[i]), 0, 1, i) for i in range(b + 1, to_b)]
        for _, _, side, i in sorted(between, key=lambda each: (-each[0], -each[1])):
            where[side][i] = len(sizes)
            sizes.append((old, new)[side].sizes[i])
        if to_a < len(old.sizes) and to_b < len(new.sizes):
            where[0][to_a] = where[1][to_b] = len(sizes)
            sizes.append(new.sizes[to_b])
    return *where, sizes


def _heaviest(rows_: int, columns: int, weights: Counter[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs of the largest weight of which each next one is further on in both."""
    best: list[list[tuple[int, list[tuple[int, int]]]]] = [
        [(0, [])] * (columns + 1) for _ in range(rows_ + 1)
    ]
    for i in reversed(range(rows_)):
        for j in reversed(range(columns)):
            weight, chain = best[i + 1][j + 1]
            options = [best[i + 1][j], best[i][j + 1]]
            if own := weights[i, j]:
                options.insert(0, (weight + own, [(i, j), *chain]))
            best[i][j] = max(options, key=lambda option: option[0])
    return best[0][0][1]


def in_order(pairs: Sequence[Both], count: int) -> list[int]:
    """The places of pairs, of which the first `count` are of the new network, in the order of both.

    What only the old network has stands behind what it stood behind there.
    """
    order = list(range(count))
    of_old = {a: at for at, (a, _) in enumerate(pairs) if a is not None}
    behind = -1
    for a in sorted(of_old):
        at = of_old[a]
        if at < count:
            behind = order.index(at)
        else:
            behind += 1
            order.insert(behind, at)
    return order


def as_u(order: Sequence[int], parts: Sequence[str], levels: Sequence[int]) -> list[int]:
    """The same order, but the parts one after the other, and each side by its rows."""
    known = list(Anatomy.__annotations__)

    def key(at: int) -> tuple[int, int]:
        part, level = parts[at], levels[at]
        row = 0 if part == "middle" else -level if part in RIGHT else level
        return known.index(part), row

    return sorted(order, key=key)
