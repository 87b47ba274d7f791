"""A lock as text and back, section by section: each is written and read side by side.

`tree_writing` and `tree_reading` do the modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from unetscope.files.locks import spelling, tree_reading, tree_writing
from unetscope.files.locks.following import (
    usual_blocks,
    usual_dtype,
    usual_settings,
    usual_skip,
)
from unetscope.files.locks.lines import Line, LineError, read, written
from unetscope.files.locks.spelling import WIDTH, Scanner, name
from unetscope.lock import FLOW, Lock, LockedSkip, LockedTensor, Totals
from unetscope.units import shape

T = TypeVar("T")
_BLOCKS_OF = "blocks: called by "
_ITEM = "- "
_FUNCTION = "function "
_PLUS = "plus "


def dumps(lock: Lock) -> str:
    """The text of a lock, below its first line.

    Raises:
        UnetscopeError: its modules are no tree in order, or too many.
    """
    dtype = usual_dtype(lock.tensors)
    usual = usual_settings(lock.modules)
    sections = [
        [Line(f"name: {spelling.value(lock.name)}")],
        _section("tools", _mapping(lock.tools)),
        _section("config", _mapping(lock.config)),
        _section("inputs", list(map(_tensor, lock.inputs))),
        _section("outputs", list(map(_tensor, lock.outputs))),
        [Line(f"dtype: {name(dtype)}")] if dtype is not None else [],
        _section("usual", tree_writing.settings(usual)),
        [tree_writing.network(lock, usual, dtype)],
        _section("skips", [_skip(skip, *at) for skip, at in _placed(lock.skips)]),
        _blocks(lock),
        [_totals(lock)],
    ]
    return "\n".join("".join(f"{line}\n" for line in written(each)) for each in sections if each)


def loads(text: str) -> Lock:
    """The lock of a text, the first line of which is not looked at.

    Raises:
        LineError: a line is not as expected.
    """
    top = _Sections(read(text)[1:], last=text.count("\n") + 1)
    named = top.take("name: ", Scanner.value)
    tools = _read_mapping(top.inner("tools"))
    config = _read_mapping(top.inner("config"))
    inputs, outputs = (tuple(_read_tensors(top.inner(title))) for title in ("inputs", "outputs"))
    dtype = top.take("dtype: ", Scanner.name) if top.next_is("dtype: ") else None
    usual = tree_reading.settings(top.inner("usual"))
    tree = tree_reading.network(top.line(tree_writing.NETWORK), usual, dtype)
    skips = top.inner("skips")
    lock = Lock(
        name=str(named),
        config=config,
        inputs=inputs,
        outputs=outputs,
        totals=Totals(0, 0, 0),
        macs={},
        uncounted={},
        blocks=(),
        modules=tuple(tree.modules),
        tensors=tuple(tensor for held in tree.tensors for tensor in held),
        skips=tuple(_read_skip(line, at, len(skips)) for at, line in enumerate(skips)),
        functions=tree.functions,
        tools={tool: str(version) for tool, version in tools.items()},
    )
    lock = _read_totals(top, replace(lock, blocks=_read_blocks(top, lock)))
    top.end()
    return lock


class _Sections:
    """The sections of a text, which are taken one after the other.

    Attributes:
        last: the number of the line at which the text ends, for what is missing there.
    """

    def __init__(self, lines: list[Line], last: int) -> None:
        self._left = lines[::-1]
        self.last = last

    def next_is(self, start: str) -> bool:
        """Whether the next line starts so."""
        return bool(self._left) and self._left[-1].text.startswith(start)

    def line(self, start: str) -> Line:
        """The next line, which must start so."""
        if not self._left:
            raise LineError(f"expected `{start.strip()}`, found the end of the text", self.last)
        if not self.next_is(start):
            line = self._left[-1]
            raise line.misplaced(f"expected `{start.strip()}`, found {line.text}")
        return self._left.pop()

    def take(self, start: str, one: Callable[[Scanner], T]) -> T:
        """What the next line says after its start, alone."""
        return self.line(start).alone(one, after=start)

    def inner(self, title: str) -> list[Line]:
        """The lines of the next section if it has that title; else none."""
        found = bool(self._left) and self._left[-1].text == title
        return self._left.pop().inner if found else []

    def end(self) -> None:
        """See that nothing is left."""
        if self._left:
            line = self._left[-1]
            raise line.misplaced(f"expected the end of the text, found {line.text}")


def _section(title: str, inner: list[Line]) -> list[Line]:
    return [Line(title, inner)] if inner else []


def _mapping(values: Mapping[str, Any]) -> list[Line]:
    """A line for each key; below it a mapping, a list of words, and what is too long for a line."""
    lines = []
    for key, value in values.items():
        whole = f"{spelling.key(key)}: {spelling.value(value)}"
        listed = isinstance(value, list) and any(isinstance(item, str) for item in value)
        if isinstance(value, dict) and value:
            lines.append(Line(spelling.key(key), _mapping(value)))
        elif isinstance(value, list) and value and (listed or len(whole) > WIDTH):
            items = [Line(f"{_ITEM}{spelling.value(item)}") for item in value]
            lines.append(Line(spelling.key(key), items))
        else:
            lines.append(Line(whole))
    return lines


def _read_mapping(lines: list[Line]) -> dict[str, Any]:
    return _unique(lines, _read_pair)


def _read_pair(line: Line) -> tuple[str, Any]:
    if not line.inner:
        return line.alone(lambda scan: (scan.key(), scan.past(": ").value()))
    key = line.read(Scanner.key)
    if not line.inner[0].text.startswith(_ITEM):
        return key, _read_mapping(line.inner)
    return key, [item.alone(Scanner.value, after=_ITEM) for item in line.inner]


def _unique(lines: list[Line], one: Callable[[Line], tuple[str, T]]) -> dict[str, T]:
    """Pairs of keys and values; no key may come twice."""
    found: dict[str, T] = {}
    for line in lines:
        key, value = one(line)
        if key in found:
            raise line.misplaced(f"expected each key once, found {name(key)} again")
        found[key] = value
    return found


def _tensor(tensor: LockedTensor) -> Line:
    return Line(f"{name(tensor.name)}: {spelling.tensor(tensor)}")


def _read_tensors(lines: list[Line]) -> Iterator[LockedTensor]:
    for line in lines:
        yield line.alone(lambda scan: scan.tensor(scan.name(), after=": "))


def _placed(skips: tuple[LockedSkip, ...]) -> Iterator[tuple[LockedSkip, tuple[int, int]]]:
    for place, skip in enumerate(skips):
        yield skip, (place, len(skips))


def _skip(skip: LockedSkip, place: int, count: int) -> Line:
    parts = [f"{name(skip.consumer)}{FLOW}{name(skip.producer)} {shape(skip.shape)}"]
    for each, usual in usual_skip(place, count).items():
        if getattr(skip, each) != usual:
            parts.append(f"{each} {getattr(skip, each)}")
    parts += [f"{_PLUS}{name(path)}" for path in skip.added]
    if skip.function is not None:
        parts.append(f"{_FUNCTION}{spelling.raw(skip.function)}")
    return Line(", ".join(parts))


def _read_skip(line: Line, place: int, count: int) -> LockedSkip:
    def one(scan: Scanner) -> LockedSkip:
        consumer = scan.name()
        producer = scan.past(FLOW).name()
        shape = scan.past(" ").dims()
        numbers = usual_skip(place, count)
        function, added = None, list[str]()
        while function is None and scan.skip(", "):
            what = scan.expect(*(f"{each} " for each in numbers), _PLUS, _FUNCTION)
            if what == _FUNCTION:
                function = scan.rest()
            elif what == _PLUS:
                added.append(scan.name())
            else:
                numbers[what.strip()] = scan.number()
        return LockedSkip(
            producer=producer,
            consumer=consumer,
            shape=shape,
            function=function,
            added=tuple(added),
            **numbers,
        )

    return line.alone(one)


def _blocks(lock: Lock) -> list[Line]:
    """Nothing if they are what the network itself calls."""
    for module in lock.modules:
        if lock.blocks == usual_blocks(module, lock.functions):
            if not module.path:
                return []
            if lock.blocks:
                return [Line(f"{_BLOCKS_OF}{name(module.path)}")]
    return [Line("blocks", [Line(name(block)) for block in lock.blocks])]


def _read_blocks(top: _Sections, lock: Lock) -> tuple[str, ...]:
    if top.next_is("blocks") and not top.next_is(_BLOCKS_OF):
        return tuple(line.alone(Scanner.name) for line in top.line("blocks").inner)
    path = top.take(_BLOCKS_OF, Scanner.name) if top.next_is(_BLOCKS_OF) else ""
    modules = (module for module in lock.modules if module.path == path)
    return next((usual_blocks(module, lock.functions) for module in modules), ())


def _totals(lock: Lock) -> Line:
    def counts(numbers: Mapping[str, int]) -> list[Line]:
        return [Line(f"{spelling.key(key)}: {number:,}") for key, number in numbers.items()]

    totals = lock.totals
    lines = [
        Line(f"parameters: {totals.parameters:,}"),
        Line(f"activation_bytes: {totals.activation_bytes:,}"),
        Line(f"macs: {totals.macs:,}", counts(lock.macs)),
        *_section("uncounted", counts(lock.uncounted)),
    ]
    return Line("totals", lines)


def _read_totals(top: _Sections, lock: Lock) -> Lock:
    def counts(lines: list[Line]) -> dict[str, int]:
        return _unique(
            lines, lambda line: line.alone(lambda scan: (scan.key(), scan.past(": ").count()))
        )

    within = _Sections(top.line("totals").inner, top.last)
    parameters = within.take("parameters: ", Scanner.count)
    held = within.take("activation_bytes: ", Scanner.count)
    macs = within.line("macs: ")
    uncounted = counts(within.inner("uncounted"))
    within.end()
    totals = Totals(parameters, macs.read(Scanner.count, after="macs: "), held)
    return replace(lock, totals=totals, macs=counts(macs.inner), uncounted=uncounted)
