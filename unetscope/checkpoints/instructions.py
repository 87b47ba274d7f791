"""What the instructions of a pickle do to a machine that resolves nothing.

Source: CPython, `Lib/pickletools.py`, which describes each of them under the name beside it here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from unetscope.checkpoints.machine import LONGEST_NUMBER, PERSISTENT, Global, Machine, Opaque

_FOUR = struct.Struct("<I")


def _written(text: str) -> int | bool:
    """A whole number in decimal digits; before pickles of version 2, truth values as well."""
    if text in ("00", "01"):
        return text == "01"
    _bounded(text)
    return int(text.rstrip("L"))


def _packed(number: bytes) -> int:
    """A whole number of any length, in bytes."""
    _bounded(number)
    return int.from_bytes(number, "little", signed=True)


def _bounded(number: str | bytes) -> None:
    if len(number) > LONGEST_NUMBER:
        raise ValueError("a number of too many digits")


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


STOP = ord(".")
_OUTSIDE = Global(PERSISTENT)
_BY_CODE: dict[bytes, Callable[[Machine], Any]] = {
    b"(": _mark,  # MARK
    b"0": _pop,  # POP
    b"1": lambda m: m.marked(),  # POP_MARK
    b"2": lambda m: m.stack.append(m.stack[-1]),  # DUP
    b"F": _pushed(lambda m: float(m.line())),  # FLOAT
    b"I": _pushed(lambda m: _written(m.line())),  # INT
    b"L": _pushed(lambda m: _written(m.line())),  # LONG
    b"J": _pushed(lambda m: struct.unpack("<i", m.take(4))[0]),  # BININT
    b"K": _byte,  # BININT1
    b"M": _pushed(lambda m: m.number(2)),  # BININT2
    b"\x8a": _pushed(lambda m: _packed(m.take(m.number(1)))),  # LONG1
    b"\x8b": _pushed(lambda m: _packed(m.take(m.number(4)))),  # LONG4
    b"G": _pushed(lambda m: struct.unpack(">d", m.take(8))[0]),  # BINFLOAT
    b"N": _constant(None),  # NONE
    b"\x88": _constant(True),  # NEWTRUE
    b"\x89": _constant(False),  # NEWFALSE
    b"S": _pushed(lambda m: m.line().strip("'\"")),  # STRING
    b"V": _pushed(lambda m: m.line()),  # UNICODE
    b"T": _text(4, "replace"),  # BINSTRING
    b"U": _text(1, "replace"),  # SHORT_BINSTRING
    b"X": _text(4),  # BINUNICODE
    b"\x8c": _text(1),  # SHORT_BINUNICODE
    b"\x8d": _text(8),  # BINUNICODE8
    b"B": _data(4),  # BINBYTES
    b"C": _data(1),  # SHORT_BINBYTES
    b"\x8e": _data(8),  # BINBYTES8
    b"\x96": _data(8),  # BYTEARRAY8
    b"P": _pushed(lambda m: m.called(_OUTSIDE, m.line())),  # PERSID
    b"Q": _pushed(lambda m: m.called(_OUTSIDE, m.stack.pop())),  # BINPERSID
    b"R": _reduce,  # REDUCE
    b"b": _build,  # BUILD
    b"c": lambda m: m.imported(m.line(), m.line()),  # GLOBAL
    b"\x93": _stack_global,  # STACK_GLOBAL
    b"i": _instance,  # INST
    b"o": _object,  # OBJ
    b"\x81": _reduce,  # NEWOBJ
    b"\x92": _new_with_names,  # NEWOBJ_EX
    b"\x82": _extension(1),  # EXT1
    b"\x83": _extension(2),  # EXT2
    b"\x84": _extension(4),  # EXT4
    b"]": _fresh(list),  # EMPTY_LIST
    b"}": _fresh(dict),  # EMPTY_DICT
    b")": _constant(()),  # EMPTY_TUPLE
    b"\x8f": _fresh(list),  # EMPTY_SET
    b"l": _pushed(lambda m: m.marked()),  # LIST
    b"t": _pushed(lambda m: tuple(m.marked())),  # TUPLE
    b"\x91": _pushed(lambda m: m.marked()),  # FROZENSET
    b"\x85": _grouped(1),  # TUPLE1
    b"\x86": _grouped(2),  # TUPLE2
    b"\x87": _grouped(3),  # TUPLE3
    b"d": _dictionary,  # DICT
    b"a": lambda m: _append(m, [m.stack.pop()]),  # APPEND
    b"e": lambda m: _append(m, m.marked()),  # APPENDS
    b"\x90": lambda m: _append(m, m.marked()),  # ADDITEMS
    b"s": lambda m: _set_items(m, [m.stack.pop(-2), m.stack.pop()]),  # SETITEM
    b"u": lambda m: _set_items(m, m.marked()),  # SETITEMS
    b"g": _pushed(lambda m: m.memo[_written(m.line())]),  # GET
    b"h": _got,  # BINGET
    b"j": _pushed(lambda m: m.memo[m.number(4)]),  # LONG_BINGET
    b"p": lambda m: _memoize(m, _written(m.line())),  # PUT
    b"q": _kept,  # BINPUT
    b"r": _kept_far,  # LONG_BINPUT
    b"\x94": lambda m: _memoize(m, len(m.memo)),  # MEMOIZE
    b"\x80": lambda m: m.take(1),  # PROTO
    b"\x95": lambda m: m.take(8),  # FRAME
    b"\x97": _fresh(lambda: Opaque(Global("a buffer outside of the pickle"))),  # NEXT_BUFFER
    b"\x98": lambda _: None,  # READONLY_BUFFER
}
INSTRUCTIONS = [_BY_CODE.get(bytes([code])) for code in range(256)]
"""What each byte does; None where it is no instruction."""
