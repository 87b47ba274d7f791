"""The structure of a pickle, by a machine that resolves nothing: no import, no call, no object.

A pickle is a program that may call anything. Here its instructions build dictionaries, lists,
tuples, texts and numbers; what it would import stands as a `Global`, what it would call or fill as
an `Opaque`. Instructions, bytes and depth are bounded, and no value is ever hashed or compared that
may hold others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from unetscope.checkpoints.instructions import INSTRUCTIONS, STOP
from unetscope.checkpoints.machine import CutShortError, Machine, Rebuild

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
    data, table = machine.data, INSTRUCTIONS
    for _ in range(MOST_INSTRUCTIONS):
        code = data[machine.at]
        machine.at += 1
        if code == STOP:
            return Unpickled(machine.stack.pop(), machine.at, tuple(machine.globals))
        instruction = table[code]
        if instruction is None:
            raise ValueError(f"no pickle: byte {machine.at - 1:,} is no instruction")
        instruction(machine)
    raise ValueError(f"more than {MOST_INSTRUCTIONS:,} instructions, the bound for a pickle")
