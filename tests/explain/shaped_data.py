"""From what was seen of perturbed networks to the options of each role.

python tests/explain/shaped_data.py   # writes unetscope/analysis/shaped_by.json
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from perturbed_bases import bases
from perturbed_networks import Base
from perturbing import Observed

from unetscope.analysis.shaped import ANY, DATA, OWN, POSITIONS, entries, last_indices, spelled
from unetscope.config.sections import keys_of
from unetscope.families import FAMILIES, find

ANCHORS = ("i", "m", "0", "-1", "i-1", "i+1", "m-1", "m+1")

MOST_ANCHORS = 3
"""Anchors for one option of a role; more would tell no more than the option."""
MOST_PLACES = 2
"""Indices on the way to a module that are told apart by their positions at once."""

Key = tuple[str, ...]
"""The way to a module, with each index as `N` or as its position."""


@dataclass(frozen=True)
class Seen:
    """What one option did to one module of one base.

    Attributes:
        base: the number of the base; None for a module that a variant added.
        general: the way to the module, each index as `N`.
        exact: the same, each index as its position.
        index: the first on the way.
        length: of the option's list; 0 if the option as a whole was changed.
        entries: that change the module; `{0}` if the option as a whole does.
    """

    base: int | None
    general: Key
    exact: Key
    index: int | None
    length: int
    entries: frozenset[int]

    def keyed(self, positions: Iterable[int]) -> Key:
        """Its way with the indices at some places as their positions."""
        key = list(self.general)
        for place in positions:
            key[place] = self.exact[place]
        return tuple(key)


def way(path: str, kinds: dict[str, str], last: dict[str, int]) -> tuple[Key, Key]:
    """The way to a module, general and exact."""
    spellings = list(spelled(path, kinds, last)) if path else []
    return tuple(each[0] for each in spellings), tuple(each[-1] for each in spellings)


def sightings(
    found: Sequence[tuple[Base, Observed]],
) -> dict[tuple[str, bool, Key], list[Seen]]:
    """By option, whether it is about being there, and general way."""
    grouped: dict[tuple[str, bool, Key], list[Seen]] = defaultdict(list)
    for number, (_, seen) in enumerate(found):
        last = last_indices(seen.kinds)
        for path in seen.kinds:
            general, exact = way(path, seen.kinds, last)
            changes = seen.changes.get(path, ())
            for option, length in seen.tried:
                for exists in (False, True):
                    hit = frozenset(
                        change.entry or 0
                        for change in changes
                        if (change.option, change.exists, change.length) == (option, exists, length)
                    )
                    grouped[option, exists, general].append(
                        Seen(number, general, exact, _index(path), length, hit)
                    )
        for kinds, path, change in seen.added:
            general, exact = way(path, kinds, last_indices(kinds))
            hit = frozenset({change.entry or 0})
            grouped[change.option, change.exists, general].append(
                Seen(None, general, exact, _index(path), change.length, hit)
            )
    return grouped


def _index(path: str) -> int | None:
    return next((int(part) for part in path.split(".") if part.isdigit()), None)


def fitted(seen: Sequence[Seen], anchors: Sequence[str]) -> str | None:
    """What a role says of an option, such as `@i`; None if it is not the same for all of it.

    Args:
        seen: of the role.
        anchors: likely ones first, since a few levels may leave it open which one holds.
    """
    # Where an option changes nothing of a role in a base, another overrides it there.
    acting = {(one.base, bool(one.length)) for one in seen if one.entries}
    counting = [one for one in seen if (one.base, bool(one.length)) in acting]
    if any(not one.entries for one in counting if not one.length):
        return None
    listed = [one for one in counting if one.length]
    if not listed:
        return ""
    own = [one for one in listed if one.base is not None]
    good = [a for a in anchors if all(meant(a, one) <= one.entries for one in own)]
    chosen: list[str] = []
    missing = [(one, set(one.entries)) for one in listed]
    for anchor in good:
        if any(left & meant(anchor, one) for one, left in missing):
            chosen.append(anchor)
            missing = [(one, left - meant(anchor, one)) for one, left in missing]
    if any(left for _, left in missing):
        return None
    # What an earlier anchor took may be covered by the later ones.
    for anchor in list(chosen):
        rest = [a for a in chosen if a != anchor]
        if rest and all(one.entries <= entries(rest, one.index, one.length) for one in listed):
            chosen = rest
    return "@" + ",".join(chosen)


def covering(seen: Sequence[Seen], anchors: Sequence[str]) -> str:
    """What tells of all entries that ever counted, and of some that did not; all of the list, if
    that takes many anchors.
    """
    missing = [(one, set(one.entries)) for one in seen if one.length and one.entries]
    chosen: list[str] = []
    while any(left for _, left in missing):
        gains = {a: sum(len(left & meant(a, one)) for one, left in missing) for a in anchors}
        best = max(gains, key=lambda anchor: gains[anchor])
        if not gains[best] or len(chosen) == MOST_ANCHORS:
            return ""
        chosen.append(best)
        missing = [(one, left - meant(best, one)) for one, left in missing]
    return "@" + ",".join(chosen) if chosen else ""


def meant(anchor: str, one: Seen) -> set[int]:
    """The entries that an anchor means."""
    return entries([anchor], one.index, one.length)


def likely(seen: Sequence[Seen]) -> list[str]:
    """The anchors, those first that tell best for all of a role which entries change it."""
    listed = [one for one in seen if one.length]

    def right(anchor: str) -> int:
        """The modules of which it is right, less those of which it is wrong."""
        told = [(meant(anchor, one), one.entries) for one in listed]
        return sum(1 if said <= held else -1 for said, held in told if said)

    return sorted(ANCHORS, key=right, reverse=True)


def told(seen: Sequence[Seen]) -> Iterator[tuple[Key, str]]:
    """The keys under which an option is named, and what of it.

    Indices are told apart by their positions only where that makes a difference. There, what holds
    at any position is taken to hold at those that no base has. Where something besides makes a
    difference, an option is named though it may not act.
    """
    if not any(one.entries for one in seen):
        return
    anchors = likely(seen)
    chosen, groups = min(_splits(seen), key=lambda split: _undecided(*split, anchors))
    acting = {
        key: covering(group, anchors) if (fit := fitted(group, anchors)) is None else fit
        for key, group in groups.items()
        if any(one.entries for one in group)
    }
    yield from acting.items()
    for key in _unseen(seen[0].general, chosen, groups):
        yield from ((key, what) for what in set(acting.values()))


def _splits(seen: Sequence[Seen]) -> Iterator[tuple[Sequence[int], dict[Key, list[Seen]]]]:
    """The ways to tell a role's modules apart by positions of at most two indices."""
    places = [n for n, part in enumerate(seen[0].general) if part.partition(":")[0] == ANY]
    for size in range(min(len(places), MOST_PLACES) + 1):
        for chosen in combinations(places, size):
            groups: dict[Key, list[Seen]] = defaultdict(list)
            for one in seen:
                groups[one.keyed(chosen)].append(one)
            yield chosen, groups


def _undecided(
    chosen: Sequence[int], groups: dict[Key, list[Seen]], anchors: Sequence[str]
) -> tuple[int, int]:
    """How much of a split is not the same for all of a group; and how fine the split is."""
    unfit = sum(len(group) for group in groups.values() if fitted(group, anchors) is None)
    return unfit, len(chosen)


def _unseen(general: Key, chosen: Sequence[int], groups: Collection[Key]) -> Iterator[Key]:
    """The ways with other positions at some places than those that were seen."""
    for positions in product(POSITIONS, repeat=len(chosen)):
        key = list(general)
        for place, position in zip(chosen, positions, strict=True):
            key[place] = position + key[place].removeprefix(ANY)
        if tuple(key) not in groups:
            yield tuple(key)


def family_data(name: str, found: Sequence[tuple[Base, Observed]]) -> dict[str, Any]:
    """What was seen of one family; see `unetscope.analysis.shaped.data`."""
    tree: dict[str, Any] = {}
    for _, seen in found:
        last = last_indices(seen.kinds)
        for path in seen.kinds:
            _node(tree, way(path, seen.kinds, last)[0])
    shaping = set()
    for (option, exists, _), seen in sightings(found).items():
        for key, what in told(seen):
            node = _node(tree, key)
            mark = "+" if exists else ""
            node[OWN] = " ".join(sorted({*node.get(OWN, "").split(), f"{mark}{option}{what}"}))
            shaping.add(option)
    tried = {option for _, seen in found for option, _ in seen.tried}
    options = defaults(name)
    return {
        "options": options,
        "shapes_nothing": [key for key in options if key in tried and key not in shaping],
        "not_decided": [key for key in options if key not in tried],
        "modules": _sorted(tree),
    }


def defaults(name: str) -> dict[str, Any]:
    """The options of a family with their defaults, as plain values."""
    found = {key: option.default for key, option in keys_of(find(name).options).items()}
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def _node(tree: dict[str, Any], key: Key) -> dict[str, Any]:
    for part in key:
        tree = tree.setdefault(part, {})
    return tree


def _sorted(tree: Any) -> Any:
    """The tree in order, a role with none in it as its own options alone."""
    if not isinstance(tree, dict):
        return tree
    if tree.keys() <= {OWN}:
        return tree.get(OWN, "")
    return {key: _sorted(each) for key, each in sorted(tree.items())}


def regenerated(name: str) -> dict[str, Any]:
    return family_data(name, bases(name))


def written(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        everything = dict(zip(FAMILIES, pool.map(regenerated, FAMILIES), strict=True))
    DATA.write_text(written(everything), encoding="utf-8")
