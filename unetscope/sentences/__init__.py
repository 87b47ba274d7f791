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

JOINTS, LISTS, WORDS, FRAGMENTS = "joints", "lists", "words", "fragments"
"""The sections of a catalogue with parts of sentences; see `Template`."""
_HOLE = re.compile(r"\{\d*\}")
_ATOM = re.compile(
    r"""\S*|`[^`]*`|"[^"]*"|'[^']*'|\[[^]]*\](?:, \[[^]]*\])*|\([^)]*\)|[\d.,]+ [\w%]+"""
)
"""What needs no translation: a name, a number with its unit, shapes, anything that is quoted."""
_WITHIN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=\0[\u3000-\u9fff\uff00-\uffef])")
_BEHIND = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\0 (?=[\u3000-\u9fff\uff00-\uffef])")
"""Spaces at the edge of a hole, marked by a null, between two letters of Chinese."""


class Template(NamedTuple):
    """An English sentence with holes, and its translation.

    Attributes:
        pieces: what stands around the holes, in turns: one more than there are holes.
        code: of each hole, whether it stands in quotes, so that what fills it is never translated.
        target: the translation, with holes `{}` in the same order or `{1}` by number.
        whole: whether it only fits where all that fills its holes needs no translation or has one.
        lists: whether it joins names that may be values to be typed, so that no `WORDS` are
            translated there.
        rank: whether it is tried late: what begins with a hole comes behind what does not, so that
            a hole takes in no name that stands before the sentence.
    """

    pieces: tuple[str, ...]
    code: tuple[bool, ...]
    target: str
    whole: bool
    lists: bool
    rank: int

    @classmethod
    def of(cls, source: str, target: str, section: str) -> Template:
        """The template of an entry of a catalogue."""
        pieces = tuple(_HOLE.split(source))
        before = ["".join(pieces[: number + 1]) for number in range(len(pieces) - 1)]
        code = (
            text.count("`") % 2 == 1 or (text.endswith(("'", '"')) and after.startswith(text[-1:]))
            for text, after in zip(before, pieces[1:], strict=True)
        )
        rank = 0 if pieces[0] else 1 if section == JOINTS else 2
        whole = section in (JOINTS, LISTS, FRAGMENTS)
        return cls(pieces, tuple(code), target, whole, section == LISTS, rank)

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
        found.append(text[start:end])
        return found if not self.whole or all(map(_is_closed, found)) else None

    def filled(self, fillings: list[str]) -> str:
        """The translation, with its holes filled."""
        numbers = iter(range(len(fillings)))
        marked = _HOLE.sub(
            lambda hole: f"\0{fillings[int(hole[0][1:-1] or next(numbers))]}\0", self.target
        )
        return _BEHIND.sub("\0", _WITHIN.sub("", marked)).replace("\0", "")


def _is_closed(text: str) -> bool:
    """Whether all quotes and brackets that open in a text are closed in it."""
    pairs = ("[]", "()", "{}")
    return text.count("`") % 2 == 0 and all(
        text.count(pair[0]) == text.count(pair[1]) for pair in pairs
    )


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
    sentences, words, templates = _catalogue(language)
    if text in sentences:
        return sentences[text]
    for template in templates:
        fillings = template.fillings(text)
        if fillings is None:
            continue
        kept = words if template.lists else set()
        known = [
            filling if code or filling in kept else _known(filling.strip(), language)
            for filling, code in zip(fillings, template.code, strict=True)
        ]
        if not (template.whole and None in known):
            pairs = zip(fillings, known, strict=True)
            return template.filled([old if new is None else new for old, new in pairs])
    return text if _ATOM.fullmatch(text) else None


@cache
def _catalogue(language: str) -> tuple[dict[str, str], set[str], list[Template]]:
    """What has no holes by its English; those that are `WORDS`; and the templates, as tried."""
    sentences: dict[str, str] = {}
    words: set[str] = set()
    templates: list[Template] = []
    for source, target, section in entries(language):
        if _HOLE.search(source):
            templates.append(Template.of(source, target, section))
        else:
            sentences[source] = target
        if section == WORDS:
            words.add(source)
    return sentences, words, sorted(templates, key=lambda each: (each.rank, -each.weight))
