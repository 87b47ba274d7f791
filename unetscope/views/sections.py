"""The sections of `unetscope trace`, in the order of the articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unetscope.table import Table
from unetscope.views.blocks import decoder, encoder, heading, inputs_and_output, middle, parts
from unetscope.views.skips import ledger, residuals
from unetscope.views.steps import encoder_steps, middle_steps, steps
from unetscope.views.view import View, by_section, chosen

SECTIONS: dict[str, Callable[[View], list[Table]]] = {
    "model": heading,
    "io": inputs_and_output,
    "parts": parts,
    "encoder": encoder,
    "encoder-steps": encoder_steps,
    "residuals": residuals,
    "ledger": ledger,
    "middle": middle,
    "middle-steps": middle_steps,
    "decoder": decoder,
    "steps": steps,
}


# What is left to say when one block is looked at.
_OF_A_BLOCK = ("encoder", "residuals", "ledger", "middle", "decoder", "steps")


def choose(names: str | None, block: str | None = None) -> list[str]:
    """The sections in a comma-separated list, or all that fit.

    Raises:
        UnetscopeError: a name is no section.
    """
    if names is None and block is not None:
        return list(_OF_A_BLOCK)
    return chosen(names, SECTIONS)


def show(view: View, names: Sequence[str]) -> tuple[list[Table], list[str]]:
    """The tables of the named sections, and the names of those that this network has not."""
    return by_section(names, SECTIONS, view)
