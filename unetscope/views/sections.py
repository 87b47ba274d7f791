"""The sections of `unetscope trace`: an overview, then what is in it, in the articles' order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unetscope.table import Table
from unetscope.views.blocks import decoder, encoder, middle
from unetscope.views.overview import heading, inputs_and_output, onwards, parts, verdict
from unetscope.views.skips import ledger, residuals
from unetscope.views.steps import encoder_steps, middle_steps, steps
from unetscope.views.view import View, by_section, chosen

SECTIONS: dict[str, Callable[[View], list[Table]]] = {
    "model": heading,
    "io": inputs_and_output,
    "parts": parts,
    "verdict": verdict,
    "next": onwards,
    "encoder": encoder,
    "encoder-steps": encoder_steps,
    "residuals": residuals,
    "ledger": ledger,
    "middle": middle,
    "middle-steps": middle_steps,
    "decoder": decoder,
    "steps": steps,
}
OVERVIEW = ("model", "io", "parts", "verdict", "next")
"""The sections that are about the network as a whole."""


def choose(names: str | None, block: str | None = None) -> list[str]:
    """The sections in a comma-separated list, or all that fit: all but the overview for a block.

    Raises:
        UnetscopeError: a name is no section.
    """
    if names is None and block is not None:
        return [name for name in SECTIONS if name not in OVERVIEW]
    return chosen(None if names is None else names.replace("_", "-"), SECTIONS)


def show(view: View, names: Sequence[str]) -> tuple[list[Table], list[str]]:
    """The tables of the named sections, and the names of those that this network has not.

    What to type next is none of these, as it is not known of every network; nor are the steps of
    blocks that are named themselves. What the overview says of the skips is not said again below
    the ledger.
    """
    tables, missing = by_section(names, SECTIONS, view)
    if "verdict" in names:
        tables = [replace(t, after=()) if t.key == "ledger" else t for t in tables]
    told = {"next", *(f"{name}-steps" for name in missing)}
    return tables, [name for name in missing if name not in told]
