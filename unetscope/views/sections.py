"""The sections of `unetscope trace`: an overview, then what is in it, in the articles' order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unetscope.analysis.conventions import has_blocks
from unetscope.table import Table
from unetscope.views.blocks import decoder, encoder, middle
from unetscope.views.overview import heading, inputs_and_output, onwards, parts, verdict
from unetscope.views.skips import ledger, residuals
from unetscope.views.stages import stages
from unetscope.views.steps import encoder_steps, middle_steps, steps
from unetscope.views.tree import calls
from unetscope.views.u_at_a_glance import u_at_a_glance
from unetscope.views.view import View, by_section, chosen

SECTIONS: dict[str, Callable[[View], list[Table]]] = {
    "u": u_at_a_glance,
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
    "stages": stages,
    "calls": calls,
}
ARTICLES = tuple(name for name in SECTIONS if name not in ("stages", "calls"))
"""The sections of networks that have blocks as diffusers' UNets do."""
OTHERS = ("u", "model", "io", "stages", "verdict", "next", "ledger", "calls")
"""The sections of all other networks."""
_WHOLE = ("u", "model", "io", "parts", "stages", "verdict", "next")
"""The sections that are about the network as a whole: the overview."""
LEVELS = 3
"""How many levels of calls the tree shows among other sections, as torchinfo's does."""


def fitting(view: View, *, overview: bool = False) -> list[str]:
    """The sections that fit a network: the articles' tables, or those of other networks.

    All but those of the whole network for a block; those alone for an overview.
    """
    names = ARTICLES if has_blocks(view.network) else OTHERS
    whole = [name for name in names if name in _WHOLE]
    if overview:
        return whole
    return list(names) if view.block is None else [n for n in names if n not in whole]


def choose(names: str | None) -> list[str]:
    """The sections in a comma-separated list, or all of the articles; see `fitting`.

    Raises:
        UnetscopeError: a name is no section.
    """
    if names is None:
        return list(ARTICLES)
    return chosen(names.replace("_", "-"), SECTIONS)


def show(view: View, names: Sequence[str]) -> tuple[list[Table], list[str]]:
    """The tables of the named sections, and the names of those that this network has not.

    What to type next is none of these, as it is not known of every network; nor is the U, which
    many networks are not, nor are the steps of blocks that are named themselves. What the overview
    says of the skips is not said again below the ledger, nor that there are none.
    """
    tables, missing = by_section(names, SECTIONS, view)
    if "verdict" in names:
        tables = [replace(t, after=()) if t.key == "ledger" else t for t in tables]
    told = {"u", "next", *(f"{name}-steps" for name in missing)}
    if "verdict" in names and not view.network.trace.skips:
        told |= {"residuals", "ledger", "steps"}
    return tables, [name for name in missing if name not in told]
