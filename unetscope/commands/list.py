"""`unetscope list`: the configs that come with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import TableOptions, grouped


@examples(
    ("unetscope list", "All shipped configs, by lineage."),
    ("unetscope list sdxl", "Those that speak of SDXL."),
)
@grouped
def list_command(
    written: TableOptions,
    search: Annotated[
        str,
        typer.Argument(
            metavar="[TEXT]", help="Only configs whose name, title, family or source holds this."
        ),
    ] = "",
) -> None:
    """List the configs that come with the package, by lineage."""
    from unetscope.config.dialects.diffusers import OTHER_UNETS
    from unetscope.config.files import read_index
    from unetscope.views.models import configs
    from unetscope.words import Words

    table = configs(read_index(), Words(written.lang), search)
    if not table.rows:
        console.info(f"no shipped config speaks of `{search}`")
    written.show([table])
    console.info(
        "diffusers builds other networks from their config.json: `unetscope trace FOLDER`, for "
        f"{', '.join(OTHER_UNETS)}. Most run with their defaults too: "
        "`unetscope trace diffusers:UNetMotionModel`"
    )
