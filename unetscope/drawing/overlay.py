"""Two networks as one figure: what both have once, and what one of them has with a mark.

`diff` says which module is which and what changed; a block bears the ids under which it lists the
changes within, and those of the skips that it pops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from unetscope.analysis.anatomy import anatomy
from unetscope.analysis.diff import Change, ChangeSeverity, Diff
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.network import Network
from unetscope.drawing.building import figure
from unetscope.drawing.figure import Block, Figure, why_no_u
from unetscope.drawing.layers import Row
from unetscope.drawing.overlaid_skips import Ends, overlaid_skips
from unetscope.drawing.pairing import Both, Boxes, apart, as_u, in_order, paired, rows
from unetscope.drawing.stages import Stage, stages

Names = Mapping[str, str]


@dataclass(frozen=True)
class Overlay(Figure):
    """Two networks in one drawing.

    Shares are of the network that a block is in: of the old one if it is in that alone.

    Attributes:
        old: the figure of the old network alone, whose boxes are split as in the drawing.
        new: that of the new one.
        outside: the changes, or those parts of them, that are in no block.
    """

    old: Figure | None = None
    new: Figure | None = None
    outside: tuple[Change, ...] = ()

    def _of(self, block: Block | Row) -> Figure:
        found = self.old if isinstance(block, Block) and block.mark == "-" else self.new
        assert found is not None
        return found

    def parameter_share(self, block: Block | Row) -> float | None:
        """A block's share of the parameters of the network that it is in."""
        return self._of(block).parameter_share(block)

    def mac_share(self, block: Block | Row) -> float | None:
        """A block's share of the multiply-adds of the network that it is in."""
        return self._of(block).mac_share(block)

    @property
    def rest(self) -> tuple[float, float]:
        """What shares of the new network are in no block."""
        assert self.new is not None
        return self.new.rest


def overlay(
    networks: tuple[Network, Network],
    matching: Matching,
    diff: Diff,
    names: tuple[Names, Names] = ({}, {}),
) -> Overlay:
    """Two networks as one figure.

    Args:
        networks: the old and the new one.
        matching: of their locks.
        diff: what changed.
        names: other names for their modules, by path.
    """
    sides = (
        Boxes(networks[0], _runs(networks[0]), matching.now.get),
        Boxes(networks[1], _runs(networks[1]), {path: path for path in matching.was}.get),
    )
    pairs = paired(*sides, matching)
    old, new = (figure(s.network, n, runs=s.runs) for s, n in zip(sides, names, strict=True))
    is_u = not old.no_u and not new.no_u
    pairs = apart(pairs, old, new) if is_u else pairs
    of_old, of_new, sizes = rows(old, new, pairs)
    alone = [_one(old, new, pair) for pair in pairs]
    rows_of = {True: of_old, False: of_new}
    levels = [rows_of[b is None][block.level] for (_, b), block in zip(pairs, alone, strict=True)]
    order = in_order(pairs, len(new.blocks))
    if is_u:
        order = as_u(order, [block.part for block in alone], levels)
    pairs, levels = [pairs[at] for at in order], [levels[at] for at in order]
    places = (
        {a: at for at, (a, _) in enumerate(pairs) if a is not None},
        {b: at for at, (_, b) in enumerate(pairs) if b is not None},
    )
    arcs, ends = overlaid_skips((old, new), matching, places)
    told, heavy, outside = _told(diff, ends, _Where(sides, places))
    blocks = tuple(
        _block((old, new), pair, level, told.get(at, ()), at in heavy)
        for at, (pair, level) in enumerate(zip(pairs, levels, strict=True))
    )
    handed = (at for at in range(1, len(pairs)) if _hands_on(pairs[at - 1 : at + 1], old, new))
    return Overlay(
        blocks,
        arcs,
        tuple(sizes),
        old.no_u or new.no_u or why_no_u(blocks, arcs),
        new.parameters,
        new.macs,
        tuple(dict.fromkeys((*old.beside, *new.beside))),
        frozenset(handed),
        steering=tuple(dict.fromkeys((*old.steering, *new.steering))),
        old=old,
        new=new,
        outside=outside,
    )


def _runs(network: Network) -> list[Stage]:
    return stages(network, anatomy(network))


def _hands_on(pairs: Sequence[Both], old: Figure, new: Figure) -> bool:
    """Whether, in either network, the first of two boxes hands on to the second, its next."""
    (a, b), (to_a, to_b) = pairs
    return any(
        at is not None and to is not None and to == at + 1 and to in side.handed
        for at, to, side in ((a, to_a, old), (b, to_b, new))
    )


def _one(old: Figure, new: Figure, pair: Both) -> Block:
    """A block as the new network has it, or as the old one if it is in that alone."""
    a, b = pair
    if b is not None:
        return new.blocks[b]
    assert a is not None
    return old.blocks[a]


def _block(
    sides: tuple[Figure, Figure], pair: Both, level: int, told: tuple[str, ...], heavy: bool
) -> Block:
    (old, new), (a, b) = sides, pair
    if a is None or b is None:
        mark = "-" if b is None else "+"
        return _one(old, new, pair)._replace(level=level, mark=mark, told=told)
    was, now = old.blocks[a], new.blocks[b]
    name = now.name if was.name == now.name else f"{was.name} > {now.name}"
    changed = heavy or (was.given, was.made, was.times) != (now.given, now.made, now.times)
    mark = "~" if changed else ""
    return now._replace(name=name, level=level, mark=mark, was=was, told=told)


class _Where:
    """The boxes of a drawing in which modules are, by the paths of either network."""

    def __init__(
        self, sides: tuple[Boxes, Boxes], places: tuple[Mapping[int, int], Mapping[int, int]]
    ) -> None:
        self._held: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
        self._above: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
        for at, side in enumerate(sides):
            for box, call, _ in side.calls():
                path = side.network.path(call)
                self._held[at].setdefault(path, set()).add(places[at][box])
                while path := path.rpartition(".")[0]:
                    self._above[at].setdefault(path, set()).add(places[at][box])

    def find(self, change: Change) -> set[int]:
        """The boxes of a single change; none if it is in no box, or holds several."""
        found: set[int] = set()
        for side, path in enumerate((change.was, change.now)):
            found |= set() if path is None else self._boxes(side, path)
        return found

    def _boxes(self, side: int, path: str) -> set[int]:
        inside = self._above[side].get(path, set())
        around = path
        while around:
            if around in self._held[side]:
                return self._held[side][around]
            around = around.rpartition(".")[0]
        return inside if len(inside) == 1 else set()


def _told(
    diff: Diff, ends: Ends, where: _Where
) -> tuple[dict[int, tuple[str, ...]], set[int], tuple[Change, ...]]:
    """The ids that each box bears, the boxes that computed otherwise, and what is in no box.

    Of several changes with one id in a box, it bears their number.
    """
    held: dict[int, Counter[str]] = {}
    heavy: set[int] = set()
    outside = []
    for change in diff.changes:
        boxes: set[int] = set()
        left = []
        for single in change.singles():
            of_skip = change.id.startswith("skip-")
            found = _ends_of(single, ends) if of_skip else where.find(single)
            boxes |= found
            left += [] if found else [single]
            if not of_skip and change.severity > ChangeSeverity.COSMETIC:
                heavy |= found
        for at in sorted(boxes):
            held.setdefault(at, Counter())[f"{change.mark} {change.id}"] += 1
        if left and len(left) < change.count:
            outside.append(replace(change, parts=tuple(left)))
        elif left:
            outside.append(change)
    told = {
        at: tuple(f"{id_} x {n}" if n > 1 else id_ for id_, n in ids.items())
        for at, ids in held.items()
    }
    return told, heavy, tuple(outside)


def _ends_of(single: Change, ends: Ends) -> set[int]:
    return {at for change, found in ends if change == single for at in found}
