"""Whether two networks, or two bodies, compute the same: their data flow, told by hashes.

The hash of a value stands for the function that made it, with its arguments, and for the values
that this took. So what two sides compute alike has equal hashes, in whatever order it ran and
however the code names it. Modules and their tensors enter by what the matching says they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from unetscope.analysis.diff.side import Side
from unetscope.lock import CONSTANT, OUTSIDE, RETURN, Results, held, parted, single
from unetscope.ops import operation

Blur = Callable[[str], str]
"""What of a function, as it is written, is compared."""


class Computed(NamedTuple):
    """What a body computes."""

    returned: list[str]
    """The hashes of what it returns."""
    unread: dict[str, str]
    """By their hashes the functions and calls whose results nothing takes."""


class Flow:
    """The data flow of one side.

    Args:
        side: the network.
        names: a name of each module with a counterpart, which that has too.
        taken: the names of the inputs that the other side's modules are given, by those names.
    """

    def __init__(
        self, side: Side, names: Mapping[str, str], taken: Mapping[str, Sequence[str]]
    ) -> None:
        self.side = side
        self.names = names
        self._taken = taken

    def whole(self) -> Computed:
        """What the network computes, whichever modules its functions stand in."""
        return self._computed("", lambda _: False, str)

    def bodies(self, path: str, blur: Blur) -> list[Computed]:
        """What each call of a module computes; calls of modules with a counterpart stay calls."""
        keys = self.side.modules[path].functions
        return [self._computed(path, self.names.__contains__, blur, key) for key in keys]

    def _computed(
        self, path: str, apart: Callable[[str], bool], blur: Blur, key: str | None = None
    ) -> Computed:
        run = _Run(self, apart, blur)
        inputs = {name: _hashed("input", known) for name, known in self.inputs(path).items()}
        return Computed(run.body(path, inputs, key), run.unread)

    def inputs(self, path: str) -> dict[str, str]:
        """For each input of a module a name that both sides have: its own, else its place."""
        own = self.side.taken.get(path, ())
        theirs = self._taken.get(self.names.get(path, path), ())
        others = [name for name in own if name not in theirs]
        return {name: name if name in theirs else f"#{others.index(name)}" for name in own}

    def tensor(self, name: str) -> str:
        """The hash of a tensor that a module holds, by its full name."""
        holder, _, own = name.rpartition(".")
        return _hashed("tensor", self.names.get(holder, f"another {holder}"), own)


class _Run:
    """One run through a body, and through those of the modules that it calls.

    Args:
        flow: of which side.
        apart: whether the call of a module stays a call; else its body is run through.
        blur: what of a function is compared.

    Attributes:
        unread: by the hashes of their results the functions and calls that nothing reads.
    """

    def __init__(self, flow: Flow, apart: Callable[[str], bool], blur: Blur) -> None:
        self._flow = flow
        self._apart = apart
        self._blur = blur
        self._calls: Counter[str] = Counter()
        self.unread: dict[str, str] = {}

    def body(self, path: str, given: Mapping[str, str], key: str | None = None) -> list[str]:
        """The hashes of what a body returns, from those of its inputs by name."""
        made: list[str | list[str]] = []
        takers: dict[int, Callable[[int], str]] = {}
        texts: list[str] = []
        read: set[int] = set()
        results = Results()

        def value(operand: str) -> str:
            source = results.find(operand)
            if source is None:
                tensor = held(path, operand)
                known = CONSTANT if operand == CONSTANT else OUTSIDE
                return given.get(operand, known) if tensor is None else self._flow.tensor(tensor)
            number, place = source
            read.add(number)
            found = made[number]
            if number in takers and place is not None:
                return takers[number](place)
            if isinstance(found, str):
                return found if place is None else _hashed(found, str(place))
            return found[place or 0] if (place or 0) < len(found) else OUTSIDE

        returned: list[str] = []
        for entry in self._flow.side.lock.functions[key or self._next(path)]:
            text, operands = parted(entry)
            callee = held(path, text)
            if text == RETURN:
                returned = list(map(value, operands))
            elif callee is None:
                taken = list(map(value, operands))
                if single(text, 0) is not None:
                    takers[len(made)] = partial(self._single, text, taken)
                made.append(self._function(text, taken))
            else:
                pairs = (operand.partition("=")[::2] for operand in operands)
                passed = {name: value(operand) for name, operand in pairs}
                found = self._called(callee, passed)
                # A body that hands through what it is given, as that of `Identity`, makes nothing.
                handed = isinstance(found, list) and set(found) <= set(passed.values())
                read |= {len(made)} if handed else set()
                made.append(found)
            results.add(text)
            texts.append(text)
        for number, found in enumerate(made):
            if number not in read:
                self.unread[_hashed(*found) if isinstance(found, list) else found] = texts[number]
        return returned

    def _function(self, text: str, taken: Sequence[str]) -> str:
        """The hash of what a function makes from what it takes."""
        name, mark, arguments = self._blur(text).partition("(")
        function = operation(name)
        if function.name == "einsum":
            arguments = _relettered(arguments)
        operands = sorted(taken) if function.commutative else taken
        return _hashed("function", function.name, mark + arguments, *operands)

    def _single(self, text: str, taken: Sequence[str], place: int) -> str:
        """The hash of one of the results of `split` or `unbind`, as if it were taken alone."""
        return self._function(single(text, place) or text, taken)

    def _called(self, path: str, given: Mapping[str, str]) -> str | list[str]:
        """The hash of a call, or those of what its body returns."""
        if not self._apart(path):
            return self.body(path, given)
        names = self._flow.inputs(path)
        taken = sorted(f"{names[name]}={given[name]}" for name in given)
        return _hashed("call", self._flow.names[path], *taken)

    def _next(self, path: str) -> str:
        """The digest of the body of a module's next call."""
        keys = self._flow.side.modules[path].functions
        call = self._calls[path]
        self._calls[path] += 1
        return keys[min(call, len(keys) - 1)]


def _relettered(equation: str) -> str:
    """An equation of `einsum` with the letters that it would have if they were given in order."""
    letters = dict.fromkeys(filter(str.isalpha, equation))
    return equation.translate({ord(old): chr(97 + i) for i, old in enumerate(letters)})


def _hashed(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
