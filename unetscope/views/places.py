"""Where changes are: paths that differ in numbers alone as one, `down_blocks.0..2.resnets.1`.

A range stands for exactly the paths that it was made of, never for more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

Run: TypeAlias = "tuple[int, int]"
"""The first and the last of numbers in a row."""
_NUMBER = re.compile(r"(?<!\d)(0|[1-9]\d{0,8})(?!\d)", re.ASCII)


class Range(NamedTuple):
    """Some paths as one.

    Attributes:
        text: how they are written: `up_blocks.1..3.attentions.0..2.{proj_in,proj_out}`.
        paths: which these are.
    """

    text: str
    paths: tuple[str, ...]


def ranges(paths: Iterable[str]) -> list[Range]:
    """Few ranges that hold each path once, in the order of their first paths."""
    alike: dict[tuple[str, ...], set[tuple[int, ...]]] = {}
    for path in dict.fromkeys(paths):
        pieces = _NUMBER.split(path)  # words at even places, numbers at odd ones
        alike.setdefault(tuple(pieces[::2]), set()).add(tuple(map(int, pieces[1::2])))
    boxes = [(words, box) for words, found in alike.items() for box in _boxes(found)]
    return [_range(words, box) for words, box in _braced(boxes)]


def pairs(names: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Old and new names as pairs of ranges, where those hold the same pairs."""
    there = dict(names)
    old, new = ranges(there), ranges(there.values())
    unique = len(set(there.values())) == len(there) == len(names)
    if unique and len(old) == len(new):
        both = list(zip(old, new, strict=True))
        if all([there[path] for path in one.paths] == list(other.paths) for one, other in both):
            return [(one.text, other.text) for one, other in both]
    return list(dict.fromkeys(names))


Words: TypeAlias = "tuple[tuple[str, ...], ...]"
"""At each place the words that may stand there."""
Box: TypeAlias = "tuple[Run, ...]"


def _braced(boxes: Iterable[tuple[tuple[str, ...], Box]]) -> list[tuple[Words, Box]]:
    """Boxes of the same numbers as one, where their words differ in one level of their paths."""
    found: list[tuple[Words, Box]] = []
    for words, box in boxes:
        for index, (others, other) in enumerate(found):
            place = _one_level(others, words) if box == other else None
            if place is not None:
                both = (*others[place], words[place])
                found[index] = (*others[:place], both, *others[place + 1 :]), box
                break
        else:
            found.append((tuple((word,) for word in words), box))
    return found


def _one_level(others: Words, words: Sequence[str]) -> int | None:
    """Which of their words differ, if these are the only ones, and differ in one level of many."""
    if len(others) != len(words):
        return None
    places = [
        n for n, (known, word) in enumerate(zip(others, words, strict=True)) if known != (word,)
    ]
    if len(places) != 1:
        return None
    lists = [word.split(".") for word in (*others[places[0]], words[places[0]])]
    alike = [len(set(level)) == 1 for level in zip(*lists, strict=False)]
    one = len({len(levels) for levels in lists}) == 1 and alike.count(False) == 1
    return places[0] if one and (len(words) > 1 or len(alike) > 1) else None


def _range(words: Words, box: Box) -> Range:
    texts = [_alternatives(place) for place in words]
    runs = [str(a) if a == b else f"{a}..{b}" for a, b in box]
    text = "".join(piece for pair in zip(texts, [*runs, ""], strict=True) for piece in pair)
    numbers = [[str(n) for n in range(a, b + 1)] for a, b in box]
    choices = [each for pair in zip(words, [*numbers, [""]], strict=True) for each in pair]
    return Range(text, tuple(map("".join, product(*choices))))


def _alternatives(words: Sequence[str]) -> str:
    """`.{proj_in,proj_out}`: what whole levels differ in, in braces."""
    if len(words) == 1:
        return words[0]
    lists = [word.split(".") for word in words]
    head = 0
    while all(len(ls) > head + 1 and ls[head] == lists[0][head] for ls in lists):
        head += 1
    tail = 0
    while all(len(ls) > head + tail + 1 and ls[-1 - tail] == lists[0][-1 - tail] for ls in lists):
        tail += 1
    inner = ",".join(".".join(ls[head : len(ls) - tail]) for ls in lists)
    before, after = lists[0][:head], lists[0][len(lists[0]) - tail :]
    return ".".join([*before, f"{{{inner}}}", *after])


def _boxes(found: set[tuple[int, ...]]) -> Iterator[Box]:
    """Boxes of which each tuple lies in one: the last number in runs, then those before it."""
    if not next(iter(found)):
        yield ()
        return
    last: dict[tuple[int, ...], list[int]] = {}
    for numbers in sorted(found):
        last.setdefault(numbers[:-1], []).append(numbers[-1])
    alike: dict[Run, set[tuple[int, ...]]] = {}
    for above, row in last.items():
        for run in _runs(row):
            alike.setdefault(run, set()).add(above)
    for run, rest in alike.items():
        yield from ((*box, run) for box in _boxes(rest))


def _runs(numbers: Sequence[int]) -> list[Run]:
    """Rising numbers as runs."""
    found: list[Run] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found
