"""What made a tensor, in words: `down.1`, `down.1, +`, `Unet, + after downs.0.2`."""

from __future__ import annotations

from collections.abc import Iterable

from unetscope.analysis.producers import Producer, producer
from unetscope.table import Cell, Part
from unetscope.views.view import View, code, phrase

PRODUCER = ("producer", "producer_function")
"""Keys of `made_by`'s data in tables."""


def made_by(view: View, value: int) -> Cell:
    """What made a value; data are the module and, unless it is that module's output, a function."""
    return told(view, producer(view.network, value))


def told(view: View, found: Producer) -> Cell:
    """What made a tensor, or where a function ran; data as those of `made_by`."""
    return Cell(_parts(view, found), (found.path, found.function))


def in_words(view: View, found: Producer, near: str | None = None) -> str:
    """The same as a string, for sentences; without the module if it is `near`."""
    return "".join(str(part.value) for part in _parts(view, found, near))


def makers(view: View, values: Iterable[int], near: str | None = None) -> Cell:
    """What made several values; data are strings, as `Producer` spells itself."""
    found = [producer(view.network, value) for value in values]
    names = [in_words(view, one, near) for one in found]
    return Cell.of(view.some(names), code=True, data=list(map(str, found)))


def _parts(view: View, found: Producer, near: str | None = None) -> tuple[Part, ...]:
    words = view.words
    if found.function is None:
        return (code(found.name),)
    template = words.nth_function if found.number > 1 else "{function}"
    if found.after is not None:
        template = words.function_after.format(function=template, call="{call}")
    if near != found.path:
        template = words.function_of.format(module="{module}", function=template)
    return phrase(
        template,
        None,
        module=code(found.name),
        function=code(found.function),
        number=Part(found.number),
        call=code(view.below(found.after or "", found.path)),
    ).parts
