"""Edits of a body in words: what came, went, moved or changed, and where; the rest left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from unetscope.analysis.diff import Edit
from unetscope.lock import parted
from unetscope.table import Part
from unetscope.views.view import code, phrase
from unetscope.words import Words

MOST_EDITS = 2
_MOST_ENTRIES = 3
_LONGEST = 60
_REST = "…"


def edits(found: Sequence[Edit], words: Words, *, every: bool) -> list[Part]:
    """Each edit with its place.

    Args:
        found: of one body.
        words: the language.
        every: whether nothing may be left out; else the first few are shown.
    """
    shown = list(_moves(found, words, every)) if _is_move(found) else []
    shown = shown or [_edit(each, words, every) for each in found]
    rest = 0 if every else len(shown) - MOST_EDITS
    parts = [
        part for each in between_edits(shown[: None if rest <= 0 else MOST_EDITS]) for part in each
    ]
    if rest > 0:
        parts.append(Part("; " + words.more_edits.format(rest)))
    return parts


def between_edits(shown: Sequence[list[Part]]) -> Iterator[list[Part]]:
    """Edits with what separates them."""
    for index, each in enumerate(shown):
        yield [Part("; "), *each] if index else each


def _is_move(found: Sequence[Edit]) -> bool:
    """Whether what went at some places is what came at others."""
    gone = sorted(edit.old for edit in found if not edit.new)
    come = sorted(edit.new for edit in found if not edit.old)
    return gone == come and len(gone) + len(come) == len(found)


def _moves(found: Sequence[Edit], words: Words, every: bool) -> Iterator[list[Part]]:
    come = [edit for edit in found if not edit.old]
    for edit in found:
        if edit.new:
            continue
        other = next(each for each in come if each.new == edit.old)
        come.remove(other)
        what = Part(_entries(edit.old, words, every), code=True, strong=True)
        places = (_place(each, side, words, near=True) for side, each in enumerate((edit, other)))
        old, new = places
        yield [*phrase(words.moved, None, what=what).parts, *old, Part(" -> "), *new]


def _edit(edit: Edit, words: Words, every: bool) -> list[Part]:
    place = _place(edit, 1 if edit.new else 0, words)
    where = [Part(" ("), *place, Part(")")] if place else []
    if edit.old and edit.new:
        return [*_replaced(edit.old, edit.new, words, every), *where]
    mark, entries = ("+", edit.new) if edit.new else ("-", edit.old)
    shown = _entries([parted(each)[0] for each in entries], words, every)
    return [Part(f"{mark} "), Part(shown, code=True, strong=True), *where]


def _place(edit: Edit, side: int, words: Words, *, near: bool = False) -> Sequence[Part]:
    """After what, and before what.

    Args:
        edit: what is there.
        side: 0 in the old body, 1 in the new one.
        words: the language.
        near: whether one of the two will do.
    """
    after, before = (_short(end[side]) for end in (edit.after, edit.before))
    both = words.between_entries if after and before and not near else ""
    one = words.after_entry if after else words.before_entry if before else ""
    return phrase(both or one, None, after=code(after), before=code(before)).parts


def _replaced(old: Sequence[str], new: Sequence[str], words: Words, every: bool) -> list[Part]:
    """Old and new entries; of those that call the same, the arguments that changed."""
    alike = len(old) == len(new) and all(
        _name(a) == _name(b) for a, b in zip(old, new, strict=True)
    )
    if not alike:
        texts = (_entries([parted(e)[0] for e in side], words, every) for side in (old, new))
        before, after = (Part(text, code=True, strong=True) for text in texts)
        return [before, Part(" -> "), after]
    entries = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    most = len(entries) if every else _MOST_ENTRIES
    found: list[Part] = []
    for a, b in entries[:most]:
        found += [Part("; "), *_changed(a, b)] if found else _changed(a, b)
    if len(entries) > most:
        found.append(Part(f"; {words.others.format(len(entries) - most)}"))
    return found


def _changed(old: str, new: str) -> list[Part]:
    """An entry with what changed of it: `layer_norm(…, eps=1e-05 -> 1e-06)`."""
    (text, operands), (other, others) = parted(old), parted(new)
    parts = [code(_name(old))]
    if _REST in (*_arguments(text), *_arguments(other)):  # where the operand stands
        parts = [Part(f"{text} -> {other}", code=True, strong=True)]
    elif text != other:
        inside = _differing(_arguments(text), _arguments(other))
        parts += [code("("), *inside, code(")")]
    if operands != others:
        parts += [code(" ← "), *_differing(operands, others)]
    return parts


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    """The items that differ, by name or by place; each row of others as one mark."""
    before, after = _keyed(old), _keyed(new)
    keys = [*before, *(key for key in after if key not in before)]
    runs = groupby(keys, key=lambda key: before.get(key) == after.get(key))
    separator = ""
    for same, alike in runs:
        for key in [""] if same else alike:
            if separator:
                yield Part(separator)
            separator = ", "
            if same:
                yield code(_REST)
                continue
            name = key if key.endswith("=") else ""
            one, other = before.get(key), after.get(key)
            arrow = one is not None and other is not None
            text = (
                f"{name}{one} -> {other}"
                if arrow
                else (f"+{name}{other}" if one is None else f"-{name}{one}")
            )
            yield Part(text, code=True, strong=True)


def _keyed(items: Sequence[str]) -> dict[str, str]:
    """Values by their names with `=`, or by their places."""
    found = {}
    for index, item in enumerate(items):
        name, mark, value = item.partition("=")
        named = bool(mark) and name.replace(".", "").isidentifier()
        found[f"{name}=" if named else str(index)] = value if named else item
    return found


def _arguments(text: str) -> list[str]:
    """The arguments of a function as it is written: `1, dim=(2, 3)`."""
    inside = text[len(_name(text)) :].removeprefix("(").removesuffix(")")
    found, depth, start, quote = [], 0, 0, ""
    for index, letter in enumerate(inside):
        if quote or letter in "'\"":
            quote = letter if not quote else "" if letter == quote else quote
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth:
            found.append(inside[start:index].strip())
            start = index + 1
    return [*found, inside[start:].strip()] if inside.strip() else found


def _name(text: str) -> str:
    return parted(text)[0].partition("(")[0]


def _entries(entries: Sequence[str], words: Words, every: bool) -> str:
    """Some entries in a row."""
    shown = [each if every else _short(each) for each in entries]
    if not every and (rest := len(shown) - _MOST_ENTRIES) > 0:
        shown[_MOST_ENTRIES:] = [words.others.format(rest)]
    return "; ".join(shown)


def _short(text: str) -> str:
    """An entry whose last arguments are left out if it is long."""
    return f"{text[: _LONGEST - 1]}{_REST}" if len(text) > _LONGEST else text
