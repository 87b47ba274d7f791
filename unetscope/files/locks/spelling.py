"""How a lock's text spells names, values and tensors, and how they are read back.

What is a plain word stands as it is, everything else in quotes as JSON has it. So each value has
one spelling, which shows its type: `1` is a number, `"1"` a string.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

from unetscope.lock import LockedTensor
from unetscope.units import shape

WIDTH = 100
"""Columns of a line; what is longer is written as several lines where it has parts."""
DEEPEST = 64
"""Levels of lists and mappings in one value."""

_CONSTANTS = {"null": None, "true": True, "false": False}
_INFINITE = ("inf", "-inf", "nan")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)
_WORDS = re.compile(r"(?:-(?=inf|\d))?[\w./][\w./+-]*(?: [\w./+-]+)*", re.ASCII)
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*", re.ASCII)
_COUNT = re.compile(r"\d{1,3}(,\d{3}){0,20}", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_FLAGS = {"buffer": "buffer", "persistent": "not persistent"}
"""Fields of a tensor that are True or False -> the word for what is not the default."""
_TIED = "tied to "
_DEFAULTS = {field.name: field.default for field in fields(LockedTensor)}


class SpellingError(Exception):
    """A text is not what was expected there; the message says what was, and what was found."""


def quoted(text: str) -> str:
    """A string in quotes, with what cannot be printed spelled out."""
    plain = json.dumps(text, ensure_ascii=False)
    if plain.isprintable():
        return plain
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in plain)


def name(text: str) -> str:
    """The name of a module, tensor or class, which has quotes unless it is words and dots."""
    return text if _NAME.fullmatch(text) else quoted(text)


def value(found: Any) -> str:
    """A value of a config or a setting.

    Raises:
        TypeError: it is none that a config can hold.
    """
    match found:
        case None | True | False:
            return next(word for word, constant in _CONSTANTS.items() if constant is found)
        case int() | float():
            return repr(found)
        case str():
            words = _WORDS.fullmatch(found)
            return found if words and _meant(found) == found else quoted(found)
        case list() | tuple():
            return f"[{', '.join(map(value, found))}]"
        case dict():
            return f"{{{', '.join(f'{key(k)}: {value(v)}' for k, v in found.items())}}}"
    raise TypeError(f"no value of a config: {type(found).__name__}")


def key(found: Any) -> str:
    """The key of a value.

    Raises:
        TypeError: it is no string.
    """
    if not isinstance(found, str):
        raise TypeError(f"no key of a config: {found!r}")
    return value(found)


def raw(text: str) -> str:
    """A text that stands for itself up to the end of its line; in quotes if it could not."""
    bare = text.isprintable() and text == text.strip() and text[:1] not in ('"', "")
    return text if bare and not text.endswith("←") else quoted(text)


def tensor(found: LockedTensor, dtype: str | None = None) -> str:
    """A tensor but for its name: `[320, 4, 3, 3] float16, buffer`.

    Args:
        found: the tensor.
        dtype: the one that is left out.
    """
    spelled = shape(found.shape)
    if found.dtype != dtype:
        spelled += f" {name(found.dtype)}"
    flags = [word for flag, word in _FLAGS.items() if getattr(found, flag) != _DEFAULTS[flag]]
    tied = [] if found.tied_to is None else [f"{_TIED}{name(found.tied_to)}"]
    return ", ".join([spelled, *flags, *tied])


def _meant(word: str) -> Any:
    """What a word without quotes stands for.

    Raises:
        ValueError: a number has more digits than Python takes.
    """
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    number = _NUMBER.fullmatch(word)
    if number is None:
        return float(word) if word in _INFINITE else word
    return int(word) if number[1] is number[2] is None else float(word)


class Scanner:
    """Takes a line apart from left to right; what is not as expected raises `SpellingError`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def fail(self, expected: str) -> SpellingError:
        """What to raise where something else stands."""
        rest = self._text[self._at :]
        return SpellingError(
            f"expected {expected}, found {rest if rest else 'the end of the line'}"
        )

    def skip(self, literal: str) -> bool:
        """Go past a text if it comes next, and tell whether it did."""
        there = self._text.startswith(literal, self._at)
        self._at += len(literal) * there
        return there

    def expect(self, *literals: str) -> str:
        """Go past the one of several texts that comes next."""
        for literal in literals:
            if self.skip(literal):
                return literal
        raise self.fail(" or ".join(f"`{literal}`" for literal in literals))

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._text)

    def end(self) -> None:
        """See that nothing is left."""
        if not self.over:
            raise self.fail("the end of the line")

    def name(self, expected: str = "a name") -> str:
        """A name; see `name`."""
        return self._string() if self._quoted() else self._take(_NAME, expected)

    def naming(self, mark: str) -> str | None:
        """A name that a mark follows, if that comes next; goes past both."""
        start = self._at
        if self._quoted() or _NAME.match(self._text, self._at):
            found = self.name()
            if self.skip(mark):
                return found
        self._at = start
        return None

    def next_is(self, literal: str) -> bool:
        """Whether a text comes next."""
        return self._text.startswith(literal, self._at)

    def key(self) -> str:
        """The key of a value."""
        found = self.value("a key")
        if not isinstance(found, str):
            raise SpellingError(f"expected a key, found {value(found)}")
        return found

    def value(self, expected: str = "a value", depth: int = 0) -> Any:
        """A value; see `value`."""
        if depth > DEEPEST:
            raise SpellingError(f"expected at most {DEEPEST} levels of lists, found more")
        if self._quoted():
            return self._string()
        if self.skip("["):
            return self._several("]", lambda: self.value(depth=depth + 1))
        if self.skip("{"):
            return dict(self._several("}", lambda: self._pair(depth + 1)))
        word = self._take(_WORDS, expected)
        try:
            return _meant(word)
        except ValueError:
            raise SpellingError(f"expected a number, found one of {len(word):,} digits") from None

    def number(self) -> int:
        """A whole number without groups of digits."""
        found = self.value("a number")
        if type(found) is not int:
            raise SpellingError(f"expected a whole number, found {value(found)}")
        return found

    def past(self, literal: str) -> Scanner:
        """Itself, once it is past a text that must come next."""
        self.expect(literal)
        return self

    def dims(self) -> tuple[int, ...]:
        """A shape."""
        self.expect("[")
        return tuple(self._several("]", self.number))

    def tensor(self, of: str, dtype: str | None = None, after: str = "") -> LockedTensor:
        """A tensor, up to the end of the line; see `tensor`.

        Args:
            of: its name.
            dtype: the one of a tensor that states none.
            after: what comes first.
        """
        dims = self.past(after).dims()
        stated = self.name("a type") if self.skip(" ") else dtype
        if stated is None:
            raise self.fail("a space and a type")
        given: dict[str, Any] = {}
        while self.skip(", "):
            word = self.expect(*_FLAGS.values(), _TIED)
            if word == _TIED:
                given["tied_to"] = self.name()
            else:
                flag = next(flag for flag, known in _FLAGS.items() if known == word)
                given[flag] = not _DEFAULTS[flag]
        self.end()
        return LockedTensor(of, dims, stated, **given)

    def rest(self) -> str:
        """A text up to the end of the line; see `raw`."""
        if self._quoted():
            found = self._string()
            self.end()
            return found
        found = self._text[self._at :]
        if raw(found) != found:
            raise self.fail("a text, in quotes where it could be misread")
        self._at = len(self._text)
        return found

    def count(self) -> int:
        """A total, up to the end of the line."""
        digits = self._text[self._at :]
        if not _COUNT.fullmatch(digits):
            raise self.fail("a number such as 1,234")
        self._at = len(self._text)
        return int(digits.replace(",", ""))

    def _pair(self, depth: int) -> tuple[str, Any]:
        found = self.key()
        self.expect(": ")
        return found, self.value(depth=depth)

    def _several(self, close: str, one: Any) -> list[Any]:
        found: list[Any] = []
        if self.skip(close):
            return found
        while True:
            found.append(one())
            if self.expect(", ", close) == close:
                return found

    def _quoted(self) -> bool:
        return self.next_is('"')

    def _string(self) -> str:
        text = self._take(_STRING, "a string in quotes")
        try:
            return str(json.loads(text))
        except ValueError:
            raise SpellingError(f"expected a string as JSON has it, found {text}") from None

    def _take(self, pattern: re.Pattern[str], expected: str) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self.fail(expected)
        self._at = match.end()
        return match[0]


def range_of(first: str, last: int | None) -> str:
    """The name of a module, or of equal ones up to a number: `resnets.0..1`."""
    return name(first) if last is None else f"{first}..{last}"


def numbered(text: str) -> tuple[str, int] | None:
    """A plain name that ends in a number, in two: `resnets.`, 1; None for another."""
    stem, _, digits = text.rpartition(".")
    if not re.fullmatch("0|[1-9][0-9]{0,8}", digits) or not _NAME.fullmatch(text):
        return None
    return (f"{stem}." if stem else ""), int(digits)
