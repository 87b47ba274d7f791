"""`unetscope list`: the configs that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Format,
    Lang,
    Language,
    Output,
    OutputFormat,
    Quiet,
    Verbose,
)

if TYPE_CHECKING:
    from unetscope.table import Table

_ROOMY = 120


def list_configs(search: str = "", language: str = "en", *, brief: bool = False) -> Table:
    """One row a shipped config, below the one it extends."""
    from unetscope.commands.indexing import read_index
    from unetscope.views.models import configs
    from unetscope.words import Words

    return configs(read_index(), Words(language), search, brief=brief)


def list_command(
    search: Annotated[
        str,
        typer.Argument(
            metavar="[TEXT]", help="Only configs whose name, title, family or source holds this."
        ),
    ] = "",
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the configs that come with the package, by lineage."""
    brief = console.is_narrow(format.value, _ROOMY)
    table = list_configs(search, lang.value, brief=brief)
    if not table.rows:
        console.say(f"no shipped config speaks of `{search}`")
    console.show([table], format.value, output)
    console.say(
        "Other published classes (UNet3DConditionModel, UNetSpatioTemporalConditionModel, "
        "UNetMotionModel, Kandinsky3UNet, StableCascadeUNet) run from their own code: "
        "`unetscope trace diffusers:CLASS`"
    )
