"""What the lines of the modules of a lock say; `tree_reading` puts the modules together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from unetscope.files.locks.following import Stated
from unetscope.files.locks.layers import CONTAINER
from unetscope.files.locks.lines import Line
from unetscope.files.locks.spelling import Scanner, SpellingError, name
from unetscope.files.locks.tree_writing import (
    ALL_STATED,
    AS,
    BODY_AS,
    CALL,
    DEEPEST,
    MORE,
    RAN,
    TIMES,
)
from unetscope.lock import FLOW, LockedTensor


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Head:
    """What a module's own line says after its name.

    Attributes:
        kind: its class.
        first: settings without their names.
        named: those with their names.
        whole: whether nothing follows from the class.
        like: the path of the subtree that it is, but for what is said below.
        calls: their number, if it is stated.
    """

    kind: str
    first: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    whole: bool = False
    like: str | None = None
    calls: int | None = None

    @classmethod
    def read(cls, scan: Scanner) -> Head:
        """`Conv2d(4, 320, 3, padding=1) ×2`, `ResnetBlock2D as down_blocks.0.resnets.0`."""
        kind = scan.name("a class")
        first: list[Any] = []
        named: dict[str, Any] = {}
        whole = False
        if scan.skip("("):
            whole = scan.skip(ALL_STATED)
            more = not whole or scan.expect(", ", ")") == ", "
            while more:
                key = scan.naming("=")
                if key is not None:
                    if key in named:
                        raise SpellingError(f"expected each setting once, found {name(key)} again")
                    named[key] = _frozen(scan.value())
                elif named or whole:
                    raise scan.fail("a setting with its name")
                else:
                    first.append(_frozen(scan.value("a setting")))
                more = scan.expect(", ", ")") == ", "
        like = scan.name("a path") if scan.skip(AS) else None
        calls = scan.number() if scan.skip(TIMES) else None
        return cls(kind, tuple(first), named, whole, like, calls)


@dataclass
class Node:
    """A line of a module, and what the lines that belong to it say.

    Attributes:
        line: its own.
        name: its name in the module around it; of several equal ones the first.
        last: the number of the last of several.
        head: what its own line says.
        settings: those on lines of their own.
        tensors: those that are stated.
        bodies: the lines of its bodies.
        inside: the modules in it.
    """

    line: Line
    name: str
    last: int | None
    head: Head
    settings: dict[str, Any] = field(default_factory=dict)
    tensors: list[LockedTensor] = field(default_factory=list)
    bodies: list[Line] = field(default_factory=list)
    inside: list[Node] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        line: Line,
        called: str,
        last: int | None,
        head: Head,
        dtype: str | None,
        depth: int = 0,
    ) -> Node:
        """What the lines of a module say, and those of the modules in it."""
        node = cls(line, called, last, head)
        for inner in line.inner:
            if inner.text.startswith((RAN, BODY_AS, CALL)):
                node.bodies.append(inner)
            else:
                inner.read(partial(node._add, inner, dtype, depth))
        node.inside = _nested(node.inside)
        return node

    def _add(self, line: Line, dtype: str | None, depth: int, scan: Scanner) -> None:
        """Take in a line that belongs to it: a setting, a tensor, or a module in it."""
        if (setting := scan.naming(" = ")) is not None:
            if setting in self.head.named or setting in self.settings:
                raise SpellingError(f"expected each setting once, found {name(setting)} again")
            line.refuse_inner()
            self.settings[setting] = _frozen(scan.value())
            return
        called = scan.name()
        last = scan.number() if scan.skip("..") else None
        scan.expect(": ")
        if scan.next_is("[") and last is None:
            line.refuse_inner()
            self.tensors.append(scan.tensor(called, dtype))
            return
        if last is not None:
            digits = called.rpartition(".")[2]
            if not (digits.isdecimal() and digits == str(int(digits[:9])) and int(digits) < last):
                raise SpellingError(f"expected a range of numbers, found {digits}..{last}")
        within = depth + called.count(".") + 1
        if within > DEEPEST:
            raise SpellingError(f"expected at most {DEEPEST} modules around a module, found more")
        head = Head.read(scan)
        scan.end()
        self.inside.append(Node.of(line, called, last, head, dtype, within))

    @property
    def told(self) -> Stated:
        """What its text states."""
        head = self.head
        named = {**head.named, **self.settings}
        return Stated(head.kind, head.first, named, head.whole, tuple(self.tensors))

    @property
    def more_than_settings(self) -> bool:
        """Whether lines below it state tensors, bodies, or modules."""
        return bool(self.tensors or self.bodies or self.inside)

    @property
    def count(self) -> int:
        """How many modules it stands for."""
        return 1 if self.last is None else self.last - int(self.name) + 1

    @property
    def names(self) -> Iterator[str]:
        """The names of the modules that it stands for."""
        if self.last is None:
            yield self.name
        else:
            yield from map(str, range(int(self.name), self.last + 1))


def _nested(nodes: list[Node]) -> list[Node]:
    """Modules in those that have no line: `resnets.0` stands in `resnets`."""
    found: list[Node] = []
    for node in nodes:
        first, dot, rest = node.name.partition(".")
        if dot:
            if not (found and found[-1].head is BARE and found[-1].name == first):
                found.append(Node(node.line, first, None, BARE))
            node.name = rest
            found[-1].inside.append(node)
        else:
            found.append(node)
    for node in found:
        if node.head is BARE:
            node.inside = _nested(node.inside)
    return found


BARE = Head(CONTAINER)
"""Of a module that only holds others, for which the text has no line."""


def flat(nodes: list[Node], stem: str = "") -> Iterator[tuple[str, Node]]:
    """Modules by their whole names."""
    for node in nodes:
        if node.head is BARE:
            yield from flat(node.inside, f"{stem}{node.name}.")
        else:
            yield f"{stem}{node.name}", node


def entries(lines: list[Line]) -> Iterator[str]:
    """The entries of a body; one may have a line for each operand."""
    open_: list[str] = []
    for line in lines:
        text = line.text
        if not text.startswith(RAN) or line.inner:
            raise line.misplaced(f"expected an entry of a body, found {text}")
        if text.startswith(MORE) and open_:
            open_.append(text[len(MORE) :])
            if not text.endswith(","):
                yield open_[0] + FLOW + " ".join(open_[1:])
                open_ = []
            continue
        if open_:
            raise line.misplaced(f"expected another operand, found {text}")
        whole = text[len(RAN) :]
        if whole.endswith(FLOW.rstrip()) and not whole.startswith('"'):
            open_ = [whole.removesuffix(FLOW.rstrip())]
        else:
            yield line.read(Scanner.rest, after=RAN)
    if open_:
        raise lines[-1].misplaced("expected another operand, found none")
