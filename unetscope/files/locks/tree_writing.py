"""The modules of a lock as an indented tree; `tree_reading` is the way back.

A subtree that occurs again is written once. Equal modules with consecutive numbers share their
lines, and a later one is `CLASS as PATH`, with lines for the few modules in it that differ.
Modules that only hold others have no line: `resnets.0` says that there are `resnets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from unetscope.errors import UnetscopeError
from unetscope.files.locks import spelling
from unetscope.files.locks.following import (
    Around,
    Bodies,
    Own,
    Stated,
    Usual,
    by_module,
    called_there,
    restored,
    stated,
)
from unetscope.files.locks.layers import CONTAINER, Body
from unetscope.files.locks.lines import Line
from unetscope.files.locks.spelling import WIDTH, name
from unetscope.lock import FLOW, Lock, LockedModule, parted

NETWORK = "network: "
AS, TIMES, ALL_STATED = " as ", " ×", "*"
RAN, MORE = "| ", "|   "
BODY_AS, CALL = "body as ", "in call "
DEEPEST = 200
"""Modules around a module."""
MOST = 300_000
"""Modules, tensors and entries of bodies in all, counting those that one line stands for."""
_FEW = 4
"""A subtree is told by its differences from another if at most one in so many modules differs."""


def network(lock: Lock, usual: Usual, dtype: str | None) -> Line:
    """The lines of all modules.

    Args:
        lock: holds them.
        usual: settings that are left out, by class.
        dtype: the type of tensors that is left out.

    Raises:
        UnetscopeError: they are no tree, or too many.
    """
    _refuse_disorder(lock)
    return _Modules(lock, usual, dtype).network()


def settings(usual: Usual) -> list[Line]:
    """The lines of what is usual."""
    return [_header("", Stated(kind, named=each)) for kind, each in usual.items()]


def _header(start: str, told: Stated, end: str = "") -> Line:
    """A module's class and settings: `Conv2d(4, 320, 3, padding=1)`; if long, a line for each."""
    pairs = [(name(key), spelling.value(value)) for key, value in told.named.items()]
    first = [ALL_STATED] * told.whole + [spelling.value(value) for value in told.first]
    kind = f"{start}{name(told.kind)}"
    inside = ", ".join([*first, *(f"{key}={value}" for key, value in pairs)])
    line = Line(f"{kind}({inside}){end}" if inside else f"{kind}{end}")
    if len(line.text) > WIDTH and pairs:
        line = Line(f"{kind}({', '.join(first)}){end}" if first else f"{kind}{end}")
        line.inner = [Line(f"{key} = {value}") for key, value in pairs]
    return line


@dataclass
class _Part:
    """One module in the tree.

    Attributes:
        name: its name in the module around it.
        told: what its text states of its class, settings and tensors.
        own: what follows from that.
        look: a number that equal subtrees share, wherever they stand.
        shape: one that subtrees share which have modules of the same names and classes.
    """

    module: LockedModule
    name: str
    told: Stated
    own: Own
    children: list[_Part] = field(default_factory=list)
    look: int = 0
    shape: int = 0

    @property
    def bare(self) -> bool:
        """Whether it only holds modules, so that their names tell all of it."""
        module = self.module
        plain = not (module.attributes or module.functions or module.calls or self.own.tensors)
        return module.kind == CONTAINER and plain and bool(self.children)

    @cached_property
    def around(self) -> Around:
        """Where it stands."""
        return Around(
            called_there(self.module.path),
            [(child.name, child.module.kind) for child in self.children],
            [len(child.children) if child.bare else 0 for child in self.children],
        )

    def shown(self, prefix: str = "") -> Iterator[tuple[str, _Part]]:
        """The modules that have lines below its own, by their names there."""
        for child in self.children:
            called = f"{prefix}{child.name}"
            if child.bare:
                yield from child.shown(f"{called}.")
            else:
                yield called, child

    def all(self) -> Iterator[_Part]:
        """It and all modules in it, in order."""
        yield self
        for child in self.children:
            yield from child.all()


def _refuse_disorder(lock: Lock) -> None:
    """See that modules and tensors are such a tree as a text can hold.

    Raises:
        UnetscopeError: its modules are not in the order of `named_modules()`, its tensors are not
            in that of their modules, or there are too many.
    """
    entries = sum(len(lock.functions[key]) for module in lock.modules for key in module.functions)
    if len(lock.modules) + len(lock.tensors) + entries > MOST:
        raise UnetscopeError(f"more than {MOST:,} modules, tensors and entries of bodies")
    around: list[str] = []
    places: dict[str, int] = {}
    for module in lock.modules:
        path = module.path
        parent = path.rpartition(".")[0]
        while around and around[-1] != parent:
            around.pop()
        first = not places
        if first != (path == "") or first == bool(around) or path in places or path[:1] == ".":
            raise UnetscopeError(f"the module `{path}` does not follow the one that holds it")
        if len(around) > DEEPEST:
            raise UnetscopeError(f"the module `{path}` stands in more than {DEEPEST} others")
        around.append(path)
        places[path] = len(places)
    if not places:
        raise UnetscopeError("there are no modules")
    order = [places.get(tensor.name.rpartition(".")[0], -1) for tensor in lock.tensors]
    if -1 in order or order != sorted(order):
        raise UnetscopeError("the tensors are not in the order of their modules")


def _tree(lock: Lock, usual: Usual, dtype: str | None) -> _Part:
    """The network with all that it holds."""
    tensors = by_module(lock.tensors)
    parts: dict[str, _Part] = {}
    for module in lock.modules:
        own = Own(module.kind, module.attributes, tuple(tensors.get(module.path, ())))
        settings = usual.get(module.kind, {})
        told = stated(own, settings, dtype)
        around, _, called = module.path.rpartition(".")
        part = _Part(module, called, told, restored(told, settings, dtype))
        if parts:
            parts[around].children.append(part)
        parts[module.path] = part
    return parts[""]


class _Modules:
    """The lines of the modules."""

    def __init__(self, lock: Lock, usual: Usual, dtype: str | None) -> None:
        self._functions = lock.functions
        self._dtype = dtype
        self._bodies = Bodies()
        self._written: dict[Body, str] = {}
        """Bodies that stand in the text -> the path where."""
        self._first: dict[int, str] = {}
        """Looks of subtrees that stand in the text -> the path where."""
        self._like: dict[int, dict[int, _Part]] = {}
        """Shapes of subtrees -> for each of their looks the first."""
        self._numbers: dict[Any, int] = {}
        self._root = _tree(lock, usual, dtype)
        for part in reversed(list(self._root.all())):
            self._look(part)

    def _number(self, thing: Any) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def _look(self, part: _Part) -> None:
        """Give a part its numbers, once those in it have theirs."""
        inside = tuple((child.name, child.look) for child in part.children)
        part.look = self._number((self._alone(part), inside))
        shapes = tuple((child.name, child.shape) for child in part.children)
        part.shape = self._number((part.module.kind, shapes))

    def _alone(self, part: _Part) -> Any:
        """What makes a module what it is but for what it holds."""
        module = part.module
        settings = tuple(sorted((key, spelling.value(v)) for key, v in module.attributes.items()))
        return module.kind, settings, part.own.tensors, module.functions, module.calls

    def network(self) -> Line:
        """The lines of all modules."""
        return self._module(NETWORK, self._root)

    def _module(self, start: str, part: _Part) -> Line:
        """The lines of a subtree: as an earlier one if there is one, else in full."""
        line = self._again(start, part) or self._full(start, part)
        for each in part.all():
            self._first.setdefault(each.look, each.module.path)
            self._like.setdefault(each.shape, {}).setdefault(each.look, each)
        return line

    def _again(self, start: str, part: _Part) -> Line | None:
        """The line of a subtree that is an earlier one, or nearly."""
        size = sum(1 for _ in part.all())
        if size == 1:
            return None
        kind = f"{start}{name(part.module.kind)}"
        if part.look in self._first:
            return Line(f"{kind}{AS}{name(self._first[part.look])}")
        nearest = min(
            ((self._differences(part, other), other) for other in self._candidates(part)),
            key=lambda found: len(found[0]),
            default=None,
        )
        if nearest is None or len(nearest[0]) * _FEW > size:
            return None
        line = Line(f"{kind}{AS}{name(nearest[1].module.path)}")
        for each in nearest[0]:
            inner = each.module.path[len(part.module.path) :].removeprefix(".")
            line.inner.append(self._own(f"{name(inner)}: ", each))
        return line

    def _candidates(self, part: _Part) -> list[_Part]:
        """Earlier subtrees whose modules have the same names and classes, the first the same."""
        alone = self._alone(part)
        like = self._like.get(part.shape, {}).values()
        return [other for other in like if self._alone(other) == alone]

    def _differences(self, part: _Part, other: _Part) -> list[_Part]:
        """The modules of a subtree that differ from those of another of the same shape."""
        if part.look == other.look:
            return []
        found = [] if self._alone(part) == self._alone(other) else [part]
        for one, two in zip(part.children, other.children, strict=True):
            found += self._differences(one, two)
        return found

    def _full(self, start: str, part: _Part) -> Line:
        line = self._own(start, part)
        inside = list(part.shown())
        place = 0
        while place < len(inside):
            called, child = inside[place]
            last = None
            place += 1
            if (number := spelling.numbered(called)) is not None:
                stem, following = number
                while place < len(inside) and inside[place][1].look == child.look:
                    if inside[place][0] != f"{stem}{following + 1}":
                        break
                    following, place = following + 1, place + 1
                    last = following
            line.inner.append(self._module(f"{spelling.range_of(called, last)}: ", child))
        return line

    def _own(self, start: str, part: _Part) -> Line:
        """A module's line with those of its tensors and bodies, but for what it holds."""
        module = part.module
        keys = module.functions
        told = module.calls != len(keys) or (part.own.layer.called and not keys)
        times = f"{TIMES}{module.calls}" if told else ""
        line = _header(start, part.told, times)
        for tensor in part.told.tensors:
            line.add(f"{name(tensor.name)}: {spelling.tensor(tensor, self._dtype)}")
        if len(keys) == 1:
            self._body(line, part, self._functions[keys[0]])
        elif keys:
            for key in dict.fromkeys(keys):
                places = (str(place) for place, other in enumerate(keys) if other == key)
                call = line.add(f"{CALL}{', '.join(places)}")
                _entries(call, self._functions[key])
        return line

    def _body(self, line: Line, part: _Part, body: tuple[str, ...]) -> None:
        """The lines of a body that does not follow."""
        if self._bodies.follow(part.own, part.around) != body:
            if body in self._written:
                line.add(f"{BODY_AS}{name(self._written[body])}")
            else:
                _entries(line, body)
        self._written.setdefault(body, part.module.path)
        self._bodies.learn(part.own, part.around, body)


def _entries(line: Line, body: Sequence[str]) -> None:
    """The lines of a body below another; an entry that is too long has one for each operand."""
    for entry in body:
        text, operands = parted(entry)
        plain = spelling.raw(entry) == entry and spelling.raw(text) == text
        if len(entry) > WIDTH and plain and operands and not entry.endswith(","):
            line.add(f"{RAN}{text}{FLOW}".rstrip())
            line.inner += [Line(f"{MORE}{operand},") for operand in operands[:-1]]
            line.add(MORE + operands[-1])
        else:
            line.add(RAN + spelling.raw(entry))
