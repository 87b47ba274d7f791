"""A page of help: plain text that fits the width and is never cut off.

Groups of options stand one below the other, each option with its whole sentence. Nothing is drawn,
so that a page reads the same in a terminal, a pipe and a file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any, TypeVar
from unicodedata import east_asian_width

from unetscope.commands import console
from unetscope.commands.language import said

_WIDEST, _NARROWEST = 100, 40
"""Characters of a line, so that eyes find the next one and words stay whole."""
_NAMES = 26
"""Characters before the sentence about a name; a longer name has a line of its own."""
_INDENT = "  "
_Function = TypeVar("_Function", bound=Callable[..., None])
ARGUMENTS, COMMANDS, EXAMPLES, OPTIONS = "Arguments", "Commands", "Examples", "General"
"""Headings, beside those that options name themselves."""
USAGE = "Usage"


@dataclass(frozen=True)
class Example:
    """A command line worth trying.

    Attributes:
        line: as one types it.
        shows: a sentence on what it does.
    """

    line: str
    shows: str


def examples(*shown: tuple[str, str]) -> Callable[[_Function], _Function]:
    """Give a command examples: command lines, each with a sentence on what it shows."""

    def give(command: _Function) -> _Function:
        vars(command)["examples"] = tuple(starmap(Example, shown))
        return command

    return give


def examples_of(command: Any) -> Sequence[Example]:
    """The examples that a command of Typer was given."""
    found: Sequence[Example] = getattr(command.callback, "examples", ())
    return found


def page(command: Any, context: Any) -> str:
    """The help of a command.

    Args:
        command: of Typer; if it holds others, they are listed.
        context: in which its help was asked for.
    """
    width = max(min(shutil.get_terminal_size((80, 24)).columns, _WIDEST), _NARROWEST)
    _, _, usage = " ".join(command.get_usage(context).split()).partition(" ")
    sections = [f"{_before_more(said(USAGE))} {usage}"]
    sections += [_folded(said(text), width) for text in paragraphs(command.help)]
    inner = getattr(command, "commands", {})
    if inner:
        names = max(map(len, inner)) + 2 * len(_INDENT)
        entries = [
            _entry(name, said(paragraphs(each.help)[0]), width, names)
            for name, each in inner.items()
        ]
        sections.append("\n".join([_titled(COMMANDS), *entries]))
    for heading, rows in _groups(command, context).items():
        entries = [_entry(name, text, width) for name, text in rows]
        sections.append("\n".join([_titled(heading), *entries]))
    examples = [
        f"{_INDENT}{one.line}\n{_folded(said(one.shows), width, _INDENT * 3)}"
        for one in examples_of(command)
    ]
    if examples:
        sections.append("\n".join([_titled(EXAMPLES), *examples]))
    return "\n\n".join(sections)


def paragraphs(text: str | None) -> list[str]:
    """What stands between the empty lines of a text, without its other line breaks."""
    return [" ".join(part.split()) for part in (text or "").strip().split("\n\n")]


def _groups(command: Any, context: Any) -> dict[str, list[tuple[str, str]]]:
    """What a command takes, with what is said of it, by heading."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            usual = ARGUMENTS if parameter.param_type_name == "argument" else OPTIONS
            heading = getattr(parameter, "rich_help_panel", None) or usual
            name, text = record
            # Behind two spaces stands what Typer knows besides: `[env var: X; default: 1]`, whose
            # bracket older ones escape.
            sentence, _, facts = text.replace("  \\[", "  [").partition("  [")
            told = (_fact(fact) for fact in facts.removesuffix("]").split("; ") if fact)
            row = name, " ".join([*map(said, paragraphs(sentence)), *told])
            groups.setdefault(heading, []).append(row)
    if OPTIONS in groups:  # such as `--help`: of interest to nobody who reads it
        groups[OPTIONS] = groups.pop(OPTIONS)
    return groups


def _fact(text: str) -> str:
    """One of these facts in brackets; a value, which is to be typed, stays as it is."""
    name, colon, value = text.partition(": ")
    return said(f"[{name}: {{}}]").format(value) if colon else said(f"[{text}]")


def _titled(heading: str) -> str:
    title = _before_more(said(heading))
    return f"\033[1m{title}\033[0m" if console.wants_color() else title


def _before_more(title: str) -> str:
    return f"{title}:" if title.isascii() else f"{title}："


def _entry(name: str, text: str, width: int, names: int = _NAMES) -> str:
    """A name and what is said of it, beside it or, if the name is long, below."""
    folded = _folded(" ".join(text.split()), width, " " * names)
    if len(_INDENT + name) > names - 2:
        return f"{_INDENT}{name}\n{folded}"
    return f"{_INDENT}{name}".ljust(names) + folded[names:]


def _folded(text: str, width: int, indent: str = "") -> str:
    """Text on lines that are no wider, broken at spaces and beside Chinese characters alone."""
    lines, line, used = [], indent, len(indent)
    for piece in _pieces(text):
        wide = _columns(piece.rstrip(" "))
        if used + wide > width and line.strip():
            lines.append(line.rstrip(" "))
            line, used = indent, len(indent)
        line, used = line + piece, used + _columns(piece)
    return "\n".join([*lines, line.rstrip(" ")])


def _pieces(text: str) -> Iterator[str]:
    """The parts of a text that stay whole: words, each with the spaces behind it, and characters.

    What closes a bracket or a sentence stays with what is before it.
    """
    for word in _WORD.findall(text):
        start = 0
        for place, (character, following) in enumerate(pairwise(word), 1):
            wide = _columns(character + following) > 2
            if (
                wide
                and not word.startswith("[")
                and character not in _OPENING
                and following not in _CLOSING
            ):
                yield word[start:place]
                start = place
        yield word[start:]


_WORD = re.compile(r"(?:`[^`]{1,40}`|'\{[^']{1,40}\}'|\[[^\]]{1,40}\]|\S)+ *")
"""What stands between spaces; code and what stands in square brackets are not broken if short."""
_CLOSING, _OPENING = frozenset(" .,:;!?)]，。；：、！？）」》”"), frozenset("（「《“")


def _columns(text: str) -> int:
    return sum(1 + (east_asian_width(character) in "WF") for character in text)
