r"""JSON text into plain values that remember where each one stands, within the bounds of YAML's.

YAML's reader takes most JSON too, but neither `\ud83d\ude00`, which Python writes for a character
of four bytes, nor the errors that people who write JSON expect.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, NoReturn

from unetscope.config.document import SURROGATE, Document, Places, Scalar, duplicate_key, resolve
from unetscope.errors import ConfigError, Place
from unetscope.findings import Path
from unetscope.wording import quoted

_BLANK = re.compile(r"[ \t\r\n]*")
_MARKS = "{}[]:,"
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_WORD = re.compile(r'[^\s{}\[\]:,"]+')
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": float("nan"),  # not JSON, but what Python writes
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


@dataclass
class _Reader:
    """Reads one value after the other; `at` is where the next token begins or, at last, ends."""

    text: str
    file: str
    at: int = 0
    places: Places = field(default_factory=Places)
    lines: list[int] = field(default_factory=list)

    def document(self) -> Any:
        self.lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self._skip()
        value = self._value((), self._place())
        if self._next():
            self._fail("the end")
        return value

    def _value(self, path: Path, place: Place) -> Any:
        self.places.add(path, place)
        match self._next():
            case "{":
                return self._entries(path)
            case "[":
                return self._items(path)
            case '"':
                return self._string()
        return self._word()

    def _entries(self, path: Path) -> dict[str, Any]:
        self._take("{")
        entries: dict[str, Any] = {}
        while self._next() != "}":
            if entries:
                self._take(",", "a comma or }")
            if self._next() != '"':
                self._fail("a key in double quotes")
            place, key = self._place(), self._string()
            inner = (*path, key)
            if key in entries:
                raise duplicate_key(inner, self.places[inner], place)
            self._take(":")
            entries[key] = self._value(inner, place)
        self._take("}")
        return entries

    def _items(self, path: Path) -> list[Any]:
        self._take("[")
        items: list[Any] = []
        while self._next() != "]":
            if items:
                self._take(",", "a comma or ]")
                self._next()
            items.append(self._value((*path, len(items)), self._place()))
        self._take("]")
        return items

    def _string(self) -> str:
        match = _STRING.match(self.text, self.at)
        if match is None:
            self._fail("a string that ends on its line, with JSON's escapes")
        value: str = json.loads(match[0])
        if SURROGATE.search(value):
            self._fail("a string of Unicode characters")
        self.at = match.end()
        return value

    def _word(self) -> Scalar:
        match = _WORD.match(self.text, self.at)
        word = match[0] if match else ""
        if word not in _WORDS and not _NUMBER.fullmatch(word):
            self._fail("a value")
        try:
            value = _WORDS[word] if word in _WORDS else resolve(word)
        except ValueError as error:
            raise ConfigError(str(error), place=self._place()) from None
        self.at += len(word)
        return value

    def _next(self) -> str:
        """The first character of the next token; nothing at the end."""
        self._skip()
        return self.text[self.at : self.at + 1]

    def _skip(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def _take(self, mark: str, expected: str | None = None) -> None:
        if self._next() != mark:
            self._fail(expected or mark)
        self.at += 1

    def _fail(self, expected: str) -> NoReturn:
        first = self.text[self.at : self.at + 1]
        word = _WORD.match(self.text, self.at)
        rest = word[0] if word else self.text[self.at :].partition("\n")[0]
        found = first if first and first in _MARKS else quoted(rest) if first else "the end"
        raise ConfigError(f"not JSON: expected {expected}, found {found}", place=self._place())

    def _place(self) -> Place:
        line = bisect_right(self.lines, self.at)
        return Place(self.file, line, self.at - self.lines[line - 1] + 1)


def read_json(text: str, file: str) -> Document:
    """Read JSON text; an empty one is None.

    Args:
        text: JSON.
        file: its name, for places.

    Raises:
        ConfigError: it is not JSON, or larger or deeper than a config.
    """
    if not text.strip(" \t\r\n"):
        return Document(None, {(): Place(file)})
    reader = _Reader(text, file)
    return Document(reader.document(), reader.places)
