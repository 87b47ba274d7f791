"""Text as a tree of lines: what stands two columns further to the right belongs to the line above.

Empty lines mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from unetscope.files.locks.spelling import Scanner, SpellingError

T = TypeVar("T")
DEEPEST = 200
"""Levels of lines."""
MOST = 300_000
"""Lines of a text."""
_STEP = "  "
_LONGEST = 300
"""Characters of a message."""


class LineError(Exception):
    """A line is not as expected; the message says how.

    Attributes:
        number: of the line, from 1.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


@dataclass
class Line:
    """One line with those that belong to it."""

    text: str
    inner: list[Line] = field(default_factory=list)
    number: int = 0
    """From 1 where it was read."""

    def add(self, text: str) -> Line:
        """Append a line that belongs to this one."""
        line = Line(text)
        self.inner.append(line)
        return line

    def read(self, one: Callable[[Scanner], T], after: str = "") -> T:
        """What the line says up to its end.

        Args:
            one: reads it.
            after: its start, which `one` does not see.

        Raises:
            LineError: it says something else.
        """
        scan = Scanner(self.text)
        try:
            scan.expect(after)
            found = one(scan)
            scan.end()
        except SpellingError as error:
            raise self.misplaced(error) from None
        return found

    def alone(self, one: Callable[[Scanner], T], after: str = "") -> T:
        """The same of a line to which no other belongs."""
        self.refuse_inner()
        return self.read(one, after)

    def refuse_inner(self) -> None:
        """See that no line belongs to it."""
        if self.inner:
            raise self.inner[0].misplaced("expected a line no further right than the one above")

    def misplaced(self, why: str | SpellingError) -> LineError:
        """What to raise where the line is not as expected; a long message is cut."""
        message = str(why)
        cut = f"{message[:_LONGEST]}…" if len(message) > _LONGEST else message
        return LineError(cut, self.number)


def written(lines: Iterable[Line], depth: int = 0) -> Iterator[str]:
    """The text of lines, line by line."""
    for line in lines:
        yield _STEP * depth + line.text
        yield from written(line.inner, depth + 1)


def read(text: str) -> list[Line]:
    """The tree of the lines of a text.

    Raises:
        LineError: a line stands where none belongs.
    """
    if text.count("\n") > MOST:
        raise LineError(f"expected at most {MOST:,} lines, found more", MOST)
    top = Line("")
    around = [top]
    for number, whole in enumerate(text.split("\n"), 1):
        found = whole.lstrip(" ")
        if not found:
            continue
        depth, odd = divmod(len(whole) - len(found), len(_STEP))
        if odd or depth >= len(around):
            raise LineError("expected two columns more than the line that it belongs to", number)
        if depth >= DEEPEST:
            raise LineError(f"nested deeper than {DEEPEST} levels", number)
        line = Line(found, number=number)
        around[depth].inner.append(line)
        around[depth + 1 :] = [line]
    return top.inner
