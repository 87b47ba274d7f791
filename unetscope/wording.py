"""How values, keys and types are named to people."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST_QUOTE = 60
"""Characters of a string that a message shows."""
LONGEST_LINE = 1_000
"""Characters of a line of a message."""
LONGEST_WORD = 300
"""Characters of a message without a space, such as a path or a number."""
_LONG_WORD = re.compile(rf"[^\s、，。]{{{LONGEST_WORD + 1},}}")
MOST_LINES = 50
"""Lines of a message."""
MOST_NAMES = 3
"""Names that one message lists."""
_PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)
"""A word that no shell reads anything into."""
_SPECIAL = frozenset('"$`!%\\')
"""What some shell reads within double quotes."""


def quoted(text: str) -> str:
    """A string in quotes, safe for a terminal and of bounded length."""
    if len(text) > LONGEST_QUOTE:
        text = text[: LONGEST_QUOTE - 1] + "…"
    return shown(json.dumps(text, ensure_ascii=False))


def dotted(path: tuple[str | int, ...]) -> str:
    """A key path as users write it: `unet.block_out_channels.3`."""
    return shown(".".join(map(str, path)))


def shown(text: str) -> str:
    """A text safe for a terminal and of bounded length."""
    if len(text) > 2 * LONGEST_QUOTE:
        text = text[: 2 * LONGEST_QUOTE - 1] + "…"
    return harmless(text)


def harmless(text: str) -> str:
    """A text whose control characters, and what else a terminal may obey, are spelled out."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def message(text: str) -> str:
    """A text of several lines for stderr: harmless, and cut where it is longer than people read."""
    kept = _LONG_WORD.sub(lambda word: f"{word[0][:LONGEST_WORD]}…", text).split("\n")
    if len(kept) > MOST_LINES:
        kept[MOST_LINES:] = [f"… and {len(kept) - MOST_LINES:,} more lines"]
    shown = (harmless(line[: LONGEST_LINE + 1]) for line in kept)
    return "\n".join(
        line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…" for line in shown
    )


def pasted(*words: str) -> str:
    """A command as sh, PowerShell and cmd all read it.

    A word with a character for which they have no common spelling is as the shells of this system
    read it.
    """
    return " ".join(map(_pasted, words))


def _pasted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    if os.name != "nt" and _SPECIAL.intersection(word):
        return shlex.quote(word)
    return '"{}"'.format(word.replace('"', '\\"'))  # what neither shell of Windows ends a word at


def found(value: Any) -> str:
    """A value from a config, with what it is: `the string "two"`, `2.5`, `an empty list`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the string {quoted(value)}"
        case list():
            return f"a list of {len(value):,}" if value else "an empty list"
        case dict():
            return "a mapping"
    return str(value)


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def joined(numbers: Iterable[int]) -> str:
    """Each number once: `320, 640 and 1280`."""
    return series(map(str, dict.fromkeys(numbers)))


def series(words: Iterable[str], conjunction: str = "and") -> str:
    """One word or more: `conv1, conv2 or conv3`."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last
