"""Which module of one network is which module of the other.

Modules match by name where names and tensors agree, else by the names and shapes of their tensors,
in the order in which they are called. A wrong match hides nothing: what differs between two matched
modules, and where they are called, is found afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from unetscope.analysis.diff.side import Side

T = TypeVar("T")
Key = Callable[[Side, str], Hashable]

_MOST_ALIGNED = 4_000_000
"""The most pairs of items that may be compared to align two sequences."""


class Matching:
    """Pairs of modules, by path.

    Attributes:
        now: old path -> new path.
        was: new path -> old path.

    `known` are pairs, from old to new path, that need no search.
    """

    def __init__(self, old: Side, new: Side, known: Mapping[str, str] | None = None) -> None:
        self.old, self.new = old, new
        self.now: dict[str, str] = {}
        self.was: dict[str, str] = {}
        if set(old.modules) == set(new.modules) and _alike(old, new):
            self.now = {path: path for path in old.modules}
            self.was = dict(self.now)
            return
        for pair in (known or {}).items():
            self._pair(*pair)
        self._pair("", "")
        self._roots = _wrapped(old, new)
        self._top_down(*self._roots)
        self._top_down("", "")
        self._aligned()
        self._containers()

    def _pair(self, old: str, new: str) -> None:
        self.now[old] = new
        self.was[new] = old

    def _top_down(self, old: str, new: str) -> None:
        """Match what two matched modules hold, by one key after the other.

        A name that both have stands for the same module, unless it is an index: a list may have
        been reshuffled.
        """
        before, after = self.old.children[old], self.new.children[new]
        both = {_last(path) for path in before} & {_last(path) for path in after}

        def unnamed(looks: Key) -> Key:
            def key(side: Side, path: str) -> Hashable:
                name = _last(path)
                if (name in both and not name.isdigit()) or not side.owners_below[path]:
                    return None
                return side.role(path), looks(side, path)

            return key

        def named(looks: Key) -> Key:
            return lambda side, path: (_last(path), side.role(path), looks(side, path))

        def name(side: Side, path: str) -> Hashable:
            index = _last(path).isdigit() and not self._same_place(old, new)
            return _last(path), side.ranks(path) if index else None

        found: list[tuple[str, str]] = []
        for key in (
            named(Side.settings),
            unnamed(Side.settings),
            named(Side.signature),
            unnamed(Side.signature),
            name,
            unnamed(Side.ranks),
        ):
            pairs = paired(
                [path for path in before if path not in self.now],
                [path for path in after if path not in self.was],
                partial(key, self.old),
                partial(key, self.new),
            )
            for pair in pairs:
                self._pair(*pair)
            found += pairs
        for pair in found:
            self._top_down(*pair)

    def _same_place(self, old: str, new: str) -> bool:
        """Whether two modules have one path, or had before one network was put into another."""
        was, now = (f"{root}." if root else "" for root in self._roots)
        return old == new or (
            old.startswith(was) and new.startswith(now) and old[len(was) :] == new[len(now) :]
        )

    def _aligned(self) -> None:
        """Match single modules that hold tensors, in the order of their calls.

        Where few of them find a partner, these are no renamed modules but other ones that happen
        to look alike.
        """
        before = [path for path in self.old.owners if path not in self.now]
        after = [path for path in self.new.owners if path not in self.was]
        looks = [self.old.looks[p] for p in before], [self.new.looks[p] for p in after]
        pairs = alignment(*looks)
        if 2 * len(pairs) > max(len(before), len(after)):
            for i, j in pairs:
                self._pair(before[i], after[j])

    def _containers(self) -> None:
        """Match modules that hold the same matched modules, the outermost first."""
        old, new = self.old, self.new
        before = [p for p in old.modules if p not in self.now and old.owners_below[p]]
        after = [p for p in new.modules if p not in self.was]

        def image(path: str) -> Hashable:
            return old.role(path), frozenset(self.now.get(p) for p in old.owners_below[path])

        def held(path: str) -> Hashable:
            return new.role(path), frozenset(new.owners_below[path])

        for pair in paired(before, after, image, held):
            self._pair(*pair)


def paired(
    before: Iterable[T],
    after: Iterable[T],
    old_key: Callable[[T], Hashable],
    new_key: Callable[[T], Hashable],
) -> list[tuple[T, T]]:
    """Pairs of items with equal keys, the first with the first; the key None has no partner."""
    waiting: dict[Hashable, list[T]] = {}
    for item in after:
        waiting.setdefault(new_key(item), []).append(item)
    waiting.pop(None, None)
    found = []
    for item in before:
        if fitting := waiting.get(old_key(item)):
            found.append((item, fitting.pop(0)))
    return found


def _alike(old: Side, new: Side) -> bool:
    """Whether all tensors have their names and shapes."""
    return old.looks == new.looks


def _wrapped(old: Side, new: Side) -> tuple[str, str]:
    """The module of one network that holds what the other one's root does; both roots if none does.

    Such a network was put into another one, as beside a ControlNet. By the names of what they hold
    it is told from others that look like parts of it.
    """

    def inside(side: Side, path: str) -> set[str]:
        start = len(path) + 1 if path else 0
        return {owner[start:] for owner in side.owners_below[path]}

    held = inside(old, ""), inside(new, "")
    most, found = len(held[0] & held[1]), ("", "")
    for path in new.modules:
        if (alike := len(held[0] & inside(new, path))) > most:
            most, found = alike, ("", path)
    for path in old.modules:
        if (alike := len(held[1] & inside(old, path))) > most:
            most, found = alike, (path, "")
    least = min(map(len, held))
    return found if 2 * most > least else ("", "")


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def alignment(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest pairs of equal items that keep the order of both; the same from either side."""
    both = set(old) & set(new)
    before = [index for index, item in enumerate(old) if item in both]
    after = [index for index, item in enumerate(new) if item in both]
    left, right = [old[index] for index in before], [new[index] for index in after]
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    pairs = [(index, index) for index in range(head)]
    rest = left[head:], right[head:]
    if len(rest[0]) * len(rest[1]) <= _MOST_ALIGNED:
        # Of several alignments as long, which is taken must not depend on who is called old.
        mirrored = (len(rest[1]), str(rest[1])) < (len(rest[0]), str(rest[0]))
        found = _longest(*(rest[::-1] if mirrored else rest))
        pairs += [(head + (j if mirrored else i), head + (i if mirrored else j)) for i, j in found]
    return [(before[i], after[j]) for i, j in pairs]


def _longest(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """A longest common subsequence, as pairs of indices."""
    table = [[0] * (len(right) + 1)]
    for item in reversed(left):
        below, row = table[-1], [0]
        for index in range(len(right) - 1, -1, -1):
            along = below[len(right) - index - 1] + 1
            row.append(along if item == right[index] else max(row[-1], below[len(right) - index]))
        table.append(row)
    table.reverse()
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][len(right) - j] >= table[i][len(right) - j - 1]:
            i += 1
        else:
            j += 1
    return pairs
