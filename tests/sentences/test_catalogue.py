"""The catalogue of sentences: it has all that unetscope says, and nothing that it does not say."""

from __future__ import annotations

import errno
import os
import re

import pytest
import spoken

from unetscope.sentences import _HOLE, _known, entries, said
from unetscope.words import Language

COMPOSED = {"{} {} config", "{} {} configs", "{}expected a divisor of {}, {}, found {}"}
"""Templates whose first hole tells what they are, or is empty."""
OTHERS = [language.value for language in Language if language != Language.en]


def sample(template: str) -> str:
    """A template with names in its holes, which need no translation."""
    numbers = iter(range(100))
    return re.sub(r"\{\}", lambda _: f"x{next(numbers)}", template)


def is_translated(text: str, language: str) -> bool:
    """Whether a message is; what Typer is given is printed without its last full stop."""
    return any(said(each, language) != each for each in (text, text.rstrip(".")))


def has_words(text: str) -> bool:
    bare = re.sub(r"`[^`]*`|\{\}", "", text)
    return bool(re.search(r"[A-Za-z]{2,} |[A-Za-z]{3,}", bare))


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_has_a_translation(language: str) -> None:
    messages = spoken.messages()
    missing = {
        text: place
        for text, place in messages.items()
        if has_words(text) and not is_translated(sample(text), language)
    }
    # What a longer one begins with is not said by itself.
    whole = [text for text in missing if sum(other.startswith(text) for other in messages) == 1]
    assert [f"{missing[text]}: {text}" for text in whole if text not in COMPOSED] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_help_has_a_translation(language: str) -> None:
    missing = [text for text in spoken.helped() if _known(text, language) in (None, text)]
    assert [text for text in missing if has_words(text)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_system_s_errors_are_spelled_as_the_system_does(language: str) -> None:
    known = {os.strerror(number).lower() for number in errno.errorcode}
    of_system = [entry.source for entry in entries(language) if entry.section == "system"]
    assert of_system
    assert [text for text in of_system if text not in known] == []
    message = f"cannot be read: {os.strerror(errno.ENOENT).lower()}"
    assert not re.search("[a-z]", said(message, language))


@pytest.mark.parametrize("language", OTHERS)
def test_every_entry_stands_in_the_source(language: str) -> None:
    written = "\n".join({" ".join(text.split()) for text in spoken.written() | spoken.helped()})
    gone = [
        entry.source
        for entry in entries(language)
        if entry.section not in ("system", "typer")
        and not all(piece.strip(" .") in written for piece in _HOLE.split(entry.source))
    ]
    assert gone == []


@pytest.mark.parametrize("language", OTHERS)
def test_holes_agree(language: str) -> None:
    for source, target, _ in entries(language):
        holes = list(range(len(_HOLE.findall(source))))
        named = [hole[1:-1] for hole in _HOLE.findall(target)]
        assert sorted(int(h or n) for n, h in enumerate(named)) == holes, source
        assert all(named) or not any(named), f"some holes alone are numbered: {target}"
        assert "{}{}" not in source, f"nobody can tell where one ends: {source}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_entry_stands_twice(language: str) -> None:
    known = [entry.source for entry in entries(language)]
    assert sorted(known) == sorted(set(known))
