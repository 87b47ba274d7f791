"""Where two bodies differ, and in how little: entries that came, went or take other operands.

Entries are aligned by what they call. An operand that only follows such an entry, as that of the
line below an inserted function, is no difference of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from unetscope.analysis.diff.changes import Edit
from unetscope.analysis.diff.flow import Blur, Flow
from unetscope.analysis.diff.matching import alignment
from unetscope.lock import RETURN, Results, entry, held, parted
from unetscope.ops import operation

Pair = tuple[int, int]


class Line(NamedTuple):
    """An entry of a body without its operands: what it is compared by, and how it is written."""

    key: Hashable
    text: str


class Operand(NamedTuple):
    """What an entry takes.

    Attributes:
        role: the callee's input that it is for, as both sides have it; empty for a function's.
        prefix: the same as it is written: `hidden_states=`.
        made: the number of the entry that made it; None if none of the body did.
        place: which of several results it is: `[1]`.
        given: its name, and a name that both sides have, if no entry made it.
    """

    role: str
    prefix: str
    made: int | None
    place: str
    given: tuple[str, str]


class Body(NamedTuple):
    """One body of a module, with what its entries take and the names of what they make."""

    lines: list[Line]
    operands: list[list[Operand]]
    names: list[str]

    @classmethod
    def of(cls, flow: Flow, path: str, key: str, blur: Blur) -> Body:
        """The body of a digest, which is that of a module's call."""
        body, results = cls([], [], []), Results()
        entries = [parted(each) for each in flow.side.lock.functions[key]]
        often = Counter(_function(text) for text, _ in entries)
        for text, given in entries:
            callee = held(path, text)
            body.operands.append([_operand(o, flow, path, callee, results) for o in given])
            called = None if callee is None else flow.names.get(callee, f"another {callee}")
            body.lines.append(Line((called, blur(text) if callee is None else ""), text))
            name = results.add(text)
            alone = callee is None and often[_function(text)] == 1
            body.names.append(_function(text) if alone else name)
        return body


def line_edits(old: Sequence[Line], new: Sequence[Line]) -> tuple[Edit, ...]:
    """Where entries came or went."""
    return tuple(edit for _, edit in _hunks(old, new, _aligned(old, new)))


def body_edits(old: Body, new: Body) -> tuple[Edit, ...]:
    """Where entries came, went or take other operands."""
    pairs = _aligned(old.lines, new.lines)
    found = list(_hunks(old.lines, new.lines, pairs))
    before, after = _Seen(old, dict(pairs), new), _Seen(new, {j: j for _, j in pairs}, new)
    for number, (i, j) in enumerate(pairs):
        left, right = before.operands(i), after.operands(j)
        if operation(_function(new.lines[j].text)).commutative:
            left, right = _in_common_first(left, right)
        if _differ(left, right):
            text, other = old.lines[i].text, new.lines[j].text
            edit = Edit(
                (entry(text, [label for _, label in left]),),
                (entry(other, [label for _, label in right]),),
                _pair(old.lines, new.lines, pairs[number - 1]) if number else ("", ""),
                _pair(old.lines, new.lines, (*pairs, (-1, -1))[number + 1]),
            )
            found.append((i + j, edit))
    return tuple(edit for _, edit in sorted(found, key=lambda each: each[0]))


_Operand = tuple[Hashable, str]


class _Seen:
    """The operands of one body as both sides see them.

    Args:
        body: whose they are.
        there: the entries that both bodies have, by the numbers that they have in the new one.
        new: the new body, whose names they bear.
    """

    def __init__(self, body: Body, there: Mapping[int, int], new: Body) -> None:
        self._body, self._there, self._new = body, there, new

    def operands(self, number: int) -> list[_Operand]:
        """Of each operand what tells it from others, None if an edit does; how it is written."""
        found: list[_Operand] = []
        for operand in self._body.operands[number]:
            known: Hashable = (operand.role, operand.given[1])
            name = operand.given[0]
            if operand.made is not None:
                image = self._there.get(operand.made)
                known = None if image is None else (operand.role, image, operand.place)
                names = self._body.names if image is None else self._new.names
                name = names[operand.made if image is None else image] + operand.place
            found.append((known, operand.prefix + name))
        return found


def _operand(written: str, flow: Flow, path: str, callee: str | None, results: Results) -> Operand:
    name, _, value = ("", "", written) if callee is None else written.partition("=")
    prefix = f"{name}=" if name else ""
    role = name if callee is None else flow.inputs(callee).get(name, name)
    source = results.find(value)
    if source is not None:
        made, place = source
        return Operand(role, prefix, made, "" if place is None else f"[{place}]", ("", ""))
    tensor = held(path, value)
    both = flow.inputs(path).get(value, value) if tensor is None else flow.tensor(tensor)
    return Operand(role, prefix, None, "", (value, both))


def _differ(left: Sequence[_Operand], right: Sequence[_Operand]) -> bool:
    if len(left) != len(right):
        return True
    return any(a != b and None not in (a, b) for (a, _), (b, _) in zip(left, right, strict=True))


def _in_common_first(
    left: Sequence[_Operand], right: Sequence[_Operand]
) -> tuple[list[_Operand], list[_Operand]]:
    """Operands that may change places: those of both sides, in one order, before the others."""
    both = Counter(key for key, _ in left) & Counter(key for key, _ in right)
    order = sorted(both.elements(), key=repr)

    def sorted_(operands: Sequence[_Operand]) -> list[_Operand]:
        rest, found = list(operands), []
        for key in order:
            found.append(rest.pop([known for known, _ in rest].index(key)))
        return found + rest

    return sorted_(left), sorted_(right)


def _function(text: str) -> str:
    return text.partition("(")[0]


def _aligned(old: Sequence[Line], new: Sequence[Line]) -> list[Pair]:
    """Pairs of the numbers of entries that both bodies have."""
    left, right = [line.key for line in old], [line.key for line in new]
    tail = 0
    while tail < min(len(left), len(right)) and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    ends = len(left) - tail, len(right) - tail
    found = sorted(alignment(left[: ends[0]], right[: ends[1]]))
    return [*found, *((ends[0] + n, ends[1] + n) for n in range(tail))]


def _hunks(
    old: Sequence[Line], new: Sequence[Line], pairs: Sequence[Pair]
) -> Iterator[tuple[int, Edit]]:
    """What lies between entries that both have, each with a number in the order of the bodies."""
    i = j = 0
    above = ("", "")
    for pair in [*pairs, (len(old), len(new))]:
        gone = tuple(line.text for line in old[i : pair[0]])
        come = tuple(line.text for line in new[j : pair[1]])
        below = _pair(old, new, pair if pair[0] < len(old) else (-1, -1))
        if gone or come:
            yield i + j, Edit(gone, come, above, below)
        above = below
        i, j = pair[0] + 1, pair[1] + 1


def _pair(old: Sequence[Line], new: Sequence[Line], pair: Pair) -> tuple[str, str]:
    """How both sides write an entry; nothing for the end of the body."""
    texts = ("", "") if -1 in pair else (old[pair[0]].text, new[pair[1]].text)
    return ("", "") if RETURN in texts else texts
