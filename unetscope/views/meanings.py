"""What inputs and outputs are, in words."""

from __future__ import annotations

from unetscope.analysis.meanings import LATENT
from unetscope.table import Cell
from unetscope.views.view import View
from unetscope.words_teaching import TeachingWords


def meaning(view: View, value: int, known: str | None) -> Cell:
    """One of the names of `analysis.meanings` as a phrase; blank for None.

    Its data is that name.
    """
    if known is None:
        return Cell.of("", data=None)
    phrase = TeachingWords(view.words.language).input_meanings[known]
    dims = view.dims(value)
    filled = {"width": dims[-1] if dims else ""}
    if "{tokens}" in phrase:
        filled["tokens"] = dims[1]
    if "{more}" in phrase:
        filled["more"] = view.network.spec(value).shape[1] - LATENT
    return Cell.of(phrase.format(**filled), data=known)
