"""Dims in terms of the inputs' sizes, and what has to be said of those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from unetscope.views.view import Dim, View
from unetscope.wording import shown

if TYPE_CHECKING:
    from unetscope.sources.probing import Probed

MARK = "?"
"""Follows a number that no form was found for."""


def in_symbols(view: View, probed: Probed) -> View:
    """The view with each dim as a form, or else as its number, with a mark unless it is fixed."""

    def dims(value: int) -> tuple[Dim, ...]:
        numbers = view.dims(value)
        forms = probed.dims[value]
        return tuple(
            f"{number}{MARK}" if form is None else form if isinstance(form, int) else str(form)
            for number, form in zip(numbers, forms, strict=True)
        )

    return replace(view, dims=dims, notes=(*view.notes, *_notes(view, probed)), symbolic=True)


def _notes(view: View, probed: Probed) -> Iterator[str]:
    words = view.words
    if None in probed.dims.forms.values():
        symbols = words.listed.join(probed.dims.symbols)
        yield words.no_form.format(mark=MARK, symbols=symbols)
    for symbol, refused in probed.refused.items():
        sentence = words.fixed_size if refused.reason else words.deciding_size
        yield sentence.format(
            symbol=symbol,
            size=refused.size,
            tried=refused.tried,
            reason=shown(refused.reason),
        )
