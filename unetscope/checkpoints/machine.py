"""A machine for the instructions of a pickle: its stack, marks and memo, and values of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONGEST_NUMBER = 100
"""Characters or bytes of a whole number."""
LONGEST_LINE = 10_000
"""Bytes of a text that ends with its line."""
PERSISTENT = "<persistent>"
"""The name under which `Rebuild` is asked for what stands outside of the pickle."""


class CutShortError(ValueError):
    """The pickle goes on past the bytes that are there."""


@dataclass(slots=True, eq=False)
class Global:
    """A name that loading the pickle would import."""

    name: str


@dataclass(slots=True, eq=False)
class Opaque:
    """What a call in the pickle would have returned."""

    made_by: Global
    arguments: Any = ()
    state: Any = None


Rebuild = Callable[[str, Any], Any]
"""What is known of a call, from the name of the function and its arguments; None if nothing is."""


_KEYS = (str, int, float, bool, bytes, type(None))


class Machine:
    """The stack, the marks and the memo of one pickle."""

    def __init__(self, data: bytes, start: int, rebuild: Rebuild) -> None:
        self.data, self.at = data, start
        self.rebuild = rebuild
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[str, Global] = {}

    def take(self, length: int) -> bytes:
        """The next bytes."""
        end = self.at + length
        if length < 0:
            raise ValueError(f"no pickle at byte {self.at:,}")
        if end > len(self.data):
            self.at = len(self.data)
            raise CutShortError("the pickle breaks off")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        """The next whole number, without a sign."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """The text up to the end of the line."""
        end = self.data.find(b"\n", self.at, self.at + LONGEST_LINE)
        if end < 0:
            if len(self.data) - self.at > LONGEST_LINE:
                raise ValueError(f"no pickle at byte {self.at:,}")
            self.at = len(self.data)
            raise CutShortError("the pickle breaks off")
        found = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return found

    def marked(self) -> list[Any]:
        """What was pushed since the last mark."""
        found = self.stack
        self.stack = self.marks.pop()
        return found

    def imported(self, module: str, name: str) -> None:
        """Pushes a name that would be imported."""
        known = f"{module}.{name}"[: LONGEST_NUMBER * 5]
        self.stack.append(self.globals.setdefault(known, Global(known)))

    def called(self, function: Any, arguments: Any) -> Any:
        """What a call stands for."""
        if not isinstance(function, Global):
            return Opaque(Global(_kind(function)), arguments)
        known = self.rebuild(function.name, arguments)
        return Opaque(function, arguments) if known is None else known

    def put(self, into: Any, key: Any, value: Any) -> None:
        """Adds an item to a dictionary; keys that hold other values cannot be names."""
        if isinstance(into, Opaque):
            into.state = into.state if isinstance(into.state, dict) else {}
            into = into.state
        into[key if isinstance(key, _KEYS) else f"<{_kind(key)}>"] = value


def _kind(value: Any) -> str:
    if isinstance(value, Opaque):
        return value.made_by.name
    return value.name if isinstance(value, Global) else type(value).__name__
