"""Sentences for people in other languages: errors, hints, findings, notes and help.

The code speaks plain English. Where a sentence is about to be printed, `said` looks for the English
template that it was made from in a catalogue, a file `LANGUAGE.txt` beside this one, translates
what fills its holes, and fills the template's translation. What no template fits is said in
English, so that nothing is ever lost.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FRAGMENTS = "fragments"
"""The section of a catalogue with parts of sentences; see `Template.whole`."""
_HOLE = re.compile(r"\{\d*\}")
_ATOM = re.compile(r"""\S*|`[^`]*`|"[^"]*"|'[^']*'|\[[^]]*\]|\([^)]*\)|[\d.,]+ [\w%]+""")
"""What needs no translation: a name, a number with its unit, a shape, anything that is quoted."""


class Template(NamedTuple):
    """An English sentence with holes, and its translation.

    Attributes:
        pieces: what stands around the holes, in turns: one more than there are holes.
        code: of each hole, whether it stands in quotes, so that what fills it is never translated.
        target: the translation, with holes `{}` in the same order or `{1}` by number.
        whole: whether it only fits where all that fills its holes needs no translation or has one.
    """

    pieces: tuple[str, ...]
    code: tuple[bool, ...]
    target: str
    whole: bool

    @classmethod
    def of(cls, source: str, target: str, section: str) -> Template:
        """The template of an entry of a catalogue."""
        pieces = tuple(_HOLE.split(source))
        before = ["".join(pieces[: number + 1]) for number in range(len(pieces) - 1)]
        code = (
            text.count("`") % 2 == 1 or (text.endswith(("'", '"')) and after.startswith(text[-1:]))
            for text, after in zip(before, pieces[1:], strict=True)
        )
        return cls(pieces, tuple(code), target, section == FRAGMENTS)

    @property
    def weight(self) -> int:
        """Characters that stand in it as they are: of two that fit, the heavier is meant."""
        return sum(map(len, self.pieces))

    def fillings(self, text: str) -> list[str] | None:
        """What fills the holes in a text, each as short as can be; None if it is no such text."""
        first, *middle, last = self.pieces
        start, end = len(first), len(text) - len(last)
        if start > end or not (text.startswith(first) and text.endswith(last)):
            return None
        found = []
        for piece in middle:
            at = text.find(piece, start, end)
            if at < 0:
                return None
            found.append(text[start:at])
            start = at + len(piece)
        return [*found, text[start:end]]

    def filled(self, fillings: list[str]) -> str:
        """The translation, with its holes filled."""
        numbers = iter(range(len(fillings)))
        return _HOLE.sub(lambda hole: fillings[int(hole[0][1:-1] or next(numbers))], self.target)


class Entry(NamedTuple):
    """An entry of a catalogue, under the heading of its section."""

    source: str
    target: str
    section: str


def entries(language: str) -> list[Entry]:
    """What the catalogue of a language holds: a line of English, below it its indented translation.

    A line that begins with `==` begins a section; lines that begin with `#` are comments.
    """
    section, source, found = "", "", []
    text = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("=="):
            section = line.strip("= ")
        elif line.startswith(" "):
            found.append(Entry(source, line.strip(), section))
        elif line and not line.startswith("#"):
            source = line
    return found


def said(text: str, language: str) -> str:
    """A text for people in their language, line by line; in English, as it is."""
    if language == "en":
        return text
    return "\n".join(_line(line, language) for line in text.split("\n"))


def _line(line: str, language: str) -> str:
    bare = line.strip()
    known = _known(bare, language)
    return line if known is None else line.replace(bare, known, 1)


@lru_cache(maxsize=1024)
def _known(text: str, language: str) -> str | None:
    """The translation of a text, or of nothing but what needs none; None if it has none."""
    sentences, templates = _catalogue(language)
    if text in sentences:
        return sentences[text]
    for template in templates:
        fillings = template.fillings(text)
        if fillings is None:
            continue
        known = [
            filling if code else _known(filling.strip(), language)
            for filling, code in zip(fillings, template.code, strict=True)
        ]
        if not (template.whole and None in known):
            pairs = zip(fillings, known, strict=True)
            return template.filled([old if new is None else new for old, new in pairs])
    return text if _ATOM.fullmatch(text) else None


@cache
def _catalogue(language: str) -> tuple[dict[str, str], list[Template]]:
    """Sentences without holes by their English, and the templates of all others, heaviest first."""
    sentences, templates = {}, []
    for source, target, section in entries(language):
        if _HOLE.search(source):
            templates.append(Template.of(source, target, section))
        else:
            sentences[source] = target
    return sentences, sorted(templates, key=lambda template: -template.weight)
