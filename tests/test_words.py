"""The catalogue of words: complete in every language, without words that nothing uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import unetscope
from unetscope.words import Language, Word, Words, WordsByKey
from unetscope.words_lessons import Lessons
from unetscope.words_teaching import TeachingWords

ROOT = Path(unetscope.__file__).parent


def entries() -> Iterator[tuple[str, Word]]:
    """Every word of the catalogue, those under a key as `name[key]`."""
    for name, entry in (vars(Words) | vars(TeachingWords) | vars(Lessons)).items():
        if isinstance(entry, Word):
            yield name, entry
        elif isinstance(entry, WordsByKey):
            for key, word in entry.words.items():
                yield f"{name}[{key}]", word


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_every_word_has_every_language() -> None:
    languages = {language.value for language in Language}
    incomplete = [
        name
        for name, word in entries()
        if word.spellings.keys() != languages or not all(word.spellings.values())
    ]
    assert incomplete == []


def test_placeholders_agree_between_the_languages() -> None:
    different = []
    for name, word in entries():
        english, *others = map(placeholders, word.spellings.values())
        different += [name for other in others if other != english]
    assert different == []


@pytest.mark.parametrize("language", Language)
def test_the_catalogue_speaks_the_language_that_it_was_asked_for(language: Language) -> None:
    words = Words(language.value)
    assert words.parts == vars(Words)["parts"].spellings[language.value]
    assert (
        words.severities["breaking"]
        == (vars(Words)["severities"].words["breaking"].spellings[language.value])
    )


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="tlh"):
        Words("tlh")


def test_every_word_is_used() -> None:
    code = "\n".join(
        path.read_text() for path in ROOT.rglob("*.py") if not path.name.startswith("words")
    )
    used = set(re.findall(r"\b(?:words|said|(?:Teaching)?Words\([\w.]+\))\.(\w+)", code))
    assert {name.split("[")[0] for name, _ in entries()} - used == set()


def test_no_two_words_say_the_same() -> None:
    by_spellings: dict[tuple[str, ...], set[str]] = {}
    for name, word in entries():
        if "[" not in name:
            by_spellings.setdefault(tuple(word.spellings.values()), set()).add(name)
    assert [names for names in by_spellings.values() if len(names) > 1] == []
