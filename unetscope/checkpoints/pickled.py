"""The structure of a pickle, by a machine that resolves nothing: no import, no call, no object.

A pickle is a program that may call anything. Here its instructions build dictionaries, lists,
tuples, texts and numbers; what it would import stands as a `Global`, what it would call or fill as
an `Opaque`. Instructions, bytes and depth are bounded, and no value is ever hashed or compared that
may hold others.

Source: CPython, `Lib/pickletools.py`, which describes each instruction.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unetscope.checkpoints.machine import (
    LONGEST_NUMBER,
    PERSISTENT,
    CutShortError,
    Global,
    Machine,
    Opaque,
    Rebuild,
)

_FOUR = struct.Struct("<I")
MOST_INSTRUCTIONS = 2_000_000
"""Instructions that are followed; a tensor takes some 45 of them."""


@dataclass
class Unpickled:
    """One value, and all that loading it would import, in the pickle's order."""

    value: Any
    end: int
    """The offset behind the pickle."""
    imports: tuple[str, ...]


def unpickled(data: bytes, start: int, rebuild: Rebuild) -> Unpickled:
    """The value of the pickle at an offset.

    Raises:
        CutShortError: the pickle does not end in these bytes.
        ValueError: it is damaged, or has more than `MOST_INSTRUCTIONS`.
    """
    machine = Machine(data, start, rebuild)
    try:
        return _run(machine)
    except (IndexError, struct.error):
        if machine.at >= len(data):
            raise CutShortError("the pickle breaks off") from None
        raise ValueError(f"no pickle at byte {machine.at:,}") from None
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"no pickle at byte {machine.at:,}") from None


def _run(machine: Machine) -> Unpickled:
    """Follows the instructions to the end."""
    data, table = machine.data, _INSTRUCTIONS
    for _ in range(MOST_INSTRUCTIONS):
        code = data[machine.at]
        machine.at += 1
        if code == _STOP:
            return Unpickled(machine.stack.pop(), machine.at, tuple(machine.globals))
        instruction = table[code]
        if instruction is None:
            raise ValueError(f"no pickle: byte {machine.at - 1:,} is no instruction")
        instruction(machine)
    raise ValueError(f"more than {MOST_INSTRUCTIONS:,} instructions, the bound for a pickle")


def _whole(text: str) -> int | bool:
    if text in ("00", "01"):
        return text == "01"
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number of too many digits")
    return int(text.rstrip("L"))


def _short(found: bytes) -> int:
    if len(found) > LONGEST_NUMBER:
        raise ValueError("a number of too many digits")
    return int.from_bytes(found, "little", signed=True)


def _pushed(read: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    def push(machine: Machine) -> None:
        value = read(machine)  # which may put another stack in place
        machine.stack.append(value)

    return push


# The next four are two thirds of a checkpoint's instructions: they read without a call.
def _byte(machine: Machine) -> None:
    machine.stack.append(machine.data[machine.at])
    machine.at += 1


def _got(machine: Machine) -> None:
    machine.stack.append(machine.memo[machine.data[machine.at]])
    machine.at += 1


def _kept(machine: Machine) -> None:
    machine.memo[machine.data[machine.at]] = machine.stack[-1]
    machine.at += 1


def _kept_far(machine: Machine) -> None:
    if machine.at + 4 > len(machine.data):
        machine.take(4)
    machine.memo[_FOUR.unpack_from(machine.data, machine.at)[0]] = machine.stack[-1]
    machine.at += 4


def _grouped(count: int) -> Callable[[Machine], None]:
    def group(machine: Machine) -> None:
        if len(machine.stack) < count:
            raise ValueError("no pickle: its stack is empty")
        found = tuple(machine.stack[-count:])
        del machine.stack[-count:]
        machine.stack.append(found)

    return group


def _mark(machine: Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.marked()


def _memoize(machine: Machine, index: int) -> None:
    machine.memo[index] = machine.stack[-1]


def _append(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Opaque):
        if not isinstance(target.state, list):
            target.state = []
        target.state.extend(items)
    else:
        raise ValueError("no pickle: it appends to what is no list")


def _set_items(machine: Machine, items: list[Any]) -> None:
    if len(items) % 2:
        raise ValueError("no pickle: a key without a value")
    target = machine.stack[-1]
    for key, value in zip(items[::2], items[1::2], strict=True):
        machine.put(target, key, value)


def _dictionary(machine: Machine) -> None:
    items = machine.marked()
    machine.stack.append({})
    _set_items(machine, items)


def _reduce(machine: Machine) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.called(machine.stack[-1], arguments)


def _new_with_names(machine: Machine) -> None:
    machine.stack.pop()
    _reduce(machine)


def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, Opaque):
        target.state = state
    # A dictionary keeps its items alone: `state_dict()` hangs the versions of modules on it.


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.imported(
        module if isinstance(module, str) else "<computed>",
        name if isinstance(name, str) else "<computed>",
    )


def _instance(machine: Machine) -> None:
    module, name = machine.line(), machine.line()
    arguments = tuple(machine.marked())
    machine.imported(module, name)
    machine.stack[-1] = machine.called(machine.stack[-1], arguments)


def _object(machine: Machine) -> None:
    function, *arguments = machine.marked()
    machine.stack.append(machine.called(function, tuple(arguments)))


def _extension(size: int) -> Callable[[Machine], None]:
    return lambda machine: machine.imported("copyreg", f"extension {machine.number(size)}")


def _text(size: int, errors: str = "surrogatepass") -> Callable[[Machine], None]:
    return _pushed(lambda machine: machine.take(machine.number(size)).decode("utf-8", errors))


def _data(size: int) -> Callable[[Machine], None]:
    return _pushed(lambda machine: machine.take(machine.number(size)))


def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(value)


def _fresh(make: Callable[[], Any]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(make())


def _nothing(_: Machine) -> None:
    pass


_STOP = ord(".")
_OUTSIDE = Global(PERSISTENT)
_BY_CODE: dict[bytes, Callable[[Machine], Any]] = {
    b"(": _mark,
    b"0": _pop,
    b"1": lambda m: m.marked(),
    b"2": lambda m: m.stack.append(m.stack[-1]),
    b"F": _pushed(lambda m: float(m.line())),
    b"I": _pushed(lambda m: _whole(m.line())),
    b"L": _pushed(lambda m: _whole(m.line())),
    b"J": _pushed(lambda m: struct.unpack("<i", m.take(4))[0]),
    b"K": _byte,
    b"M": _pushed(lambda m: m.number(2)),
    b"\x8a": _pushed(lambda m: _short(m.take(m.number(1)))),
    b"\x8b": _pushed(lambda m: _short(m.take(m.number(4)))),
    b"G": _pushed(lambda m: struct.unpack(">d", m.take(8))[0]),
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"S": _pushed(lambda m: m.line().strip("'\"")),
    b"V": _pushed(lambda m: m.line()),
    b"T": _text(4, "replace"),
    b"U": _text(1, "replace"),
    b"X": _text(4),
    b"\x8c": _text(1),
    b"\x8d": _text(8),
    b"B": _data(4),
    b"C": _data(1),
    b"\x8e": _data(8),
    b"\x96": _data(8),
    b"P": _pushed(lambda m: m.called(_OUTSIDE, m.line())),
    b"Q": _pushed(lambda m: m.called(_OUTSIDE, m.stack.pop())),
    b"R": _reduce,
    b"b": _build,
    b"c": lambda m: m.imported(m.line(), m.line()),
    b"\x93": _stack_global,
    b"i": _instance,
    b"o": _object,
    b"\x81": _reduce,
    b"\x92": _new_with_names,
    b"\x82": _extension(1),
    b"\x83": _extension(2),
    b"\x84": _extension(4),
    b"]": _fresh(list),
    b"}": _fresh(dict),
    b")": _constant(()),
    b"\x8f": _fresh(list),
    b"l": _pushed(lambda m: m.marked()),
    b"t": _pushed(lambda m: tuple(m.marked())),
    b"\x91": _pushed(lambda m: m.marked()),
    b"\x85": _grouped(1),
    b"\x86": _grouped(2),
    b"\x87": _grouped(3),
    b"d": _dictionary,
    b"a": lambda m: _append(m, [m.stack.pop()]),
    b"e": lambda m: _append(m, m.marked()),
    b"\x90": lambda m: _append(m, m.marked()),
    b"s": lambda m: _set_items(m, [m.stack.pop(-2), m.stack.pop()]),
    b"u": lambda m: _set_items(m, m.marked()),
    b"g": _pushed(lambda m: m.memo[_whole(m.line())]),
    b"h": _got,
    b"j": _pushed(lambda m: m.memo[m.number(4)]),
    b"p": lambda m: _memoize(m, _whole(m.line())),
    b"q": _kept,
    b"r": _kept_far,
    b"\x94": lambda m: _memoize(m, len(m.memo)),
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    b"\x97": _constant(Opaque(Global("a buffer outside of the pickle"))),
    b"\x98": _nothing,
}
_INSTRUCTIONS = [_BY_CODE.get(bytes([code])) for code in range(256)]
