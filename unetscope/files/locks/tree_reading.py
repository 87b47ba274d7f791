"""The modules of a lock from an indented tree; `tree_writing` is the way there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unetscope.files.locks.following import (
    Around,
    Bodies,
    Own,
    Stated,
    Usual,
    called_there,
    restored,
)
from unetscope.files.locks.layers import CONTAINER, Body
from unetscope.files.locks.lines import Line
from unetscope.files.locks.spelling import Scanner, SpellingError, name
from unetscope.files.locks.tree_lines import BARE, Head, Node, entries, flat
from unetscope.files.locks.tree_writing import (
    BODY_AS,
    CALL,
    MOST,
    NETWORK,
)
from unetscope.lock import LockedModule, LockedTensor, body_key


@dataclass
class Tree:
    """The modules of a network.

    Attributes:
        modules: in the order of `named_modules()`.
        tensors: the own ones of each, by their full names.
        functions: the bodies by their keys.
    """

    modules: list[LockedModule] = field(default_factory=list)
    tensors: list[list[LockedTensor]] = field(default_factory=list)
    functions: dict[str, Body] = field(default_factory=dict)


def network(line: Line, usual: Usual, dtype: str | None) -> Tree:
    """All modules, by the line of the network and those below it.

    Args:
        line: that of the network.
        usual: the settings of modules that state no others, by class.
        dtype: the type of tensors that state none.

    Raises:
        LineError: a line is not as expected, or they stand for too much.
    """
    head = line.read(Head.read, after=NETWORK)
    reading = _Modules(usual, dtype)
    reading.add(Node.of(line, "", None, head, dtype), "")
    return reading.tree


def settings(lines: list[Line]) -> dict[str, dict[str, Any]]:
    """What is usual, by class.

    Raises:
        LineError: a line says something else.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        node = Node.of(line, "", None, line.read(Head.read), None)
        told = node.told
        if node.head != Head(told.kind, named=node.head.named) or node.more_than_settings:
            raise line.misplaced("expected a class and settings with their names, found more")
        if told.kind in found:
            raise line.misplaced(f"expected each class once, found {name(told.kind)} again")
        found[told.kind] = dict(told.named)
    return found


class _Modules:
    """Puts together the modules of a text, with what follows."""

    def __init__(self, usual: Usual, dtype: str | None) -> None:
        self.tree = Tree()
        self._usual = usual
        self._dtype = dtype
        self._bodies = Bodies()
        self._keys: dict[Body, str] = {}
        self._places: dict[str, int] = {}
        """Paths -> places among the modules."""
        self._ends: dict[int, int] = {}
        """Places -> the place after the last module in one, once that is known."""
        self._room = MOST

    def add(self, node: Node, path: str) -> None:
        """Add a module with those in it."""
        place = len(self.tree.modules)
        if node.head.like is not None:
            self._add_like(node, path)
            return
        around = self._around(node, path)
        self._append(*self._own(node, path, around))
        for inner in node.inside:
            for index, called in enumerate(inner.names):
                within = f"{path}.{called}" if path else called
                if index == 0:
                    first = len(self.tree.modules)
                    self.add(inner, within)
                else:
                    self._copy(first, within, inner.line)
        self._ends[place] = len(self.tree.modules)

    def _around(self, node: Node, path: str) -> Around:
        """Where a module stands."""
        for inner in node.inside:
            self._spend(inner.count, inner.line)
        children = [(called, each.head.kind) for each in node.inside for called in each.names]
        counts = [
            sum(inner.count for inner in each.inside) if each.head is BARE else 0
            for each in node.inside
            for _ in each.names
        ]
        return Around(called_there(path), children, counts)

    def _around_of(self, place: int, path: str) -> Around:
        """The same of a module that is there."""
        modules, tensors = self.tree.modules, self.tree.tensors

        def children(place: int) -> list[int]:
            found, at = [], place + 1
            while at < self._ends[place]:
                found.append(at)
                at = self._ends[at]
            return found

        def bare(place: int) -> bool:
            module = modules[place]
            plain = not (module.attributes or module.functions or module.calls or tensors[place])
            return module.kind == CONTAINER and plain

        inside = children(place)
        return Around(
            called_there(path),
            [(modules[at].path.rpartition(".")[2], modules[at].kind) for at in inside],
            [len(children(at)) if bare(at) else 0 for at in inside],
        )

    def _append(self, module: LockedModule, tensors: list[LockedTensor]) -> None:
        self._places.setdefault(module.path, len(self.tree.modules))
        self.tree.modules.append(module)
        self.tree.tensors.append(tensors)

    def _own(
        self, node: Node, path: str, around: Around
    ) -> tuple[LockedModule, list[LockedTensor]]:
        """A module for itself."""
        head = node.head
        try:
            own = restored(node.told, self._usual.get(head.kind, {}), self._dtype)
        except SpellingError as error:
            raise node.line.misplaced(error) from None
        self._spend(1 + len(own.tensors), node.line)
        functions = self._functions(node, own, around)
        calls = len(functions) if head.calls is None else head.calls
        stem = f"{path}." if path else ""
        tensors = [_named(tensor, f"{stem}{tensor.name}") for tensor in own.tensors]
        return LockedModule(path, head.kind, dict(own.settings), functions, calls), tensors

    def _functions(self, node: Node, own: Own, around: Around) -> tuple[str, ...]:
        """The keys of the bodies of a module."""
        lines = node.bodies
        if lines and lines[0].text.startswith(CALL):
            return self._calls(lines)
        if not lines and (not own.layer.called or node.head.calls == 0):
            return ()
        body = self._stated_body(lines) if lines else self._bodies.follow(own, around)
        if body is None:
            raise node.line.misplaced("expected a body, which follows from nothing, found none")
        self._bodies.learn(own, around, body)
        return (self._key(body, node.line),)

    def _stated_body(self, lines: list[Line]) -> Body:
        if not lines[0].text.startswith(BODY_AS):
            return tuple(entries(lines))
        if len(lines) > 1:
            raise lines[1].misplaced("expected one body, found more")
        path = lines[0].alone(Scanner.name, after=BODY_AS)
        place = self._places.get(path)
        keys = () if place is None else self.tree.modules[place].functions
        if len(keys) != 1:
            raise lines[0].misplaced(f"expected a module above with one body, found {name(path)}")
        return self.tree.functions[keys[0]]

    def _calls(self, lines: list[Line]) -> tuple[str, ...]:
        """The keys of bodies that are stated for each call."""

        def places(scan: Scanner) -> list[int]:
            found = [scan.number()]
            while scan.skip(", "):
                found.append(scan.number())
            return found

        keys: dict[int, str] = {}
        for line in lines:
            numbers = line.read(places, after=CALL)
            key = self._key(tuple(entries(line.inner)), line)
            for number in numbers:
                if number in keys:
                    raise line.misplaced(f"expected each call once, found {number} again")
                keys[number] = key
        if sorted(keys) != list(range(len(keys))):
            raise lines[-1].misplaced("expected the calls from 0 on, found one missing")
        return tuple(keys[number] for number in range(len(keys)))

    def _key(self, body: Body, line: Line) -> str:
        self._spend(len(body), line)
        if body not in self._keys:
            self._keys[body] = body_key(body)
            self.tree.functions.setdefault(self._keys[body], body)
        return self._keys[body]

    def _add_like(self, node: Node, path: str) -> None:
        """Add a subtree that is an earlier one, but for the modules that have lines."""
        head, like = node.head, node.head.like or ""
        place = self._places.get(like)
        if place is None or place not in self._ends:
            raise node.line.misplaced(f"expected the path of a module above, found {name(like)}")
        if self.tree.modules[place].kind != head.kind or node.told != Stated(head.kind):
            raise node.line.misplaced(f"expected the class of {name(like)} alone, found another")
        if node.bodies or head.calls is not None:
            raise node.line.misplaced("expected modules that differ, found more")
        changes: dict[str, Node] = {}
        for inner, inside in flat(node.inside):
            if inner in changes or f"{like}.{inner}" not in self._places:
                raise inside.line.misplaced(f"expected modules of {name(like)}, each once")
            if inside.inside or inside.last is not None or inside.head.like is not None:
                raise inside.line.misplaced("expected one module for itself, found several")
            changes[inner] = inside
        self._copy(place, path, node.line, changes)

    def _copy(
        self, place: int, path: str, line: Line, changes: dict[str, Node] | None = None
    ) -> None:
        """Add a subtree that is there once more, with some modules in it changed."""
        start, end = len(self.tree.modules), self._ends[place]
        skip = len(self.tree.modules[place].path)
        for at in range(place, end):
            module, held = self.tree.modules[at], self.tree.tensors[at]
            inner = f"{path}{module.path[skip:]}" if path else module.path[skip + 1 :]
            change = (changes or {}).get(module.path[skip + 1 :])
            if change is not None:
                self._append(*self._own(change, inner, self._around_of(at, inner)))
            else:
                entries = sum(len(self.tree.functions[key]) for key in module.functions)
                self._spend(1 + len(held) + entries, line)
                copy = LockedModule(
                    inner, module.kind, module.attributes, module.functions, module.calls
                )
                cut = len(module.path)
                self._append(copy, [_named(tensor, inner + tensor.name[cut:]) for tensor in held])
            self._ends[start + at - place] = self._ends[at] - place + start

    def _spend(self, things: int, line: Line) -> None:
        """See that the lines do not stand for too much."""
        self._room -= things
        if self._room < 0:
            raise line.misplaced(
                f"expected at most {MOST:,} modules, tensors and entries of bodies, found more"
            )


def _named(tensor: LockedTensor, called: str) -> LockedTensor:
    return LockedTensor(**{**vars(tensor), "name": called})
