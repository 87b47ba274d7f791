"""The language in which a command speaks to people, known before its options are read.

Help and usage errors are printed while they are read, so the command line is looked through first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from unetscope.errors import UnetscopeError
from unetscope.words import Language

OPTION, VARIABLE = "--lang", "UNETSCOPE_LANG"

_arguments: Sequence[str] | None = None
_language: str | None = None


def begin(arguments: Sequence[str] | None) -> None:
    """Let `language` be that of a command line; None: that of the process."""
    global _arguments, _language
    _arguments, _language = arguments, None


def language() -> str:
    """What `--lang` says, else the environment, else the project's settings; else English.

    It is English too where what says it is wrong.
    """
    global _language
    if _language is None:
        _language = given() or _set() or Language.en.value
        if _language not in tuple(Language):
            _language = Language.en.value
    return _language


def given() -> str | None:
    """The last `--lang` of the command line before a `--`, else what the environment says."""
    arguments = sys.argv[1:] if _arguments is None else _arguments
    found = None
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name == OPTION:
            found = value if equals else "".join(arguments[number + 1 : number + 2])
    return found or os.environ.get(VARIABLE) or None


def said(text: str) -> str:
    """A text in that language."""
    if language() == Language.en:
        return text
    from unetscope import sentences

    return sentences.said(text, language())


def _set() -> str | None:
    from unetscope.sources.settings import language as language_of_settings

    try:
        return language_of_settings()
    except (UnetscopeError, OSError):  # said in English, by whatever reads the settings next
        return None
