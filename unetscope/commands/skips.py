"""`unetscope skips`: the skip ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TaughtOptions,
    grouped,
)


@examples(
    (
        "unetscope skips bk_sdm_small",
        "Which features go around the middle of a pruned network, and whether they form a stack.",
    ),
    (
        "unetscope skips sd15 --all-joins -f csv -o joins.csv",
        "Every addition and concatenation of the pass, as a file for a spreadsheet.",
    ),
)
@grouped
def skips_command(
    network: SizedNetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    every: Annotated[
        bool,
        typer.Option("--all-joins", help="Also list every join of the pass, with its class."),
    ] = False,
    names: ModuleNames = "diffusers",
) -> None:
    """Show the skip ledger: who pushed what, who popped it, and whether it was a stack.

    Below it stands how many joins of other classes there are, such as residual sums.
    """
    unet = network.load(config)
    from unetscope.views.skips import accounted, all_joins, ledger
    from unetscope.views.view import View

    view = View.of(unet.trace(), written.lang, names)
    tables = ledger(view)
    if not tables:
        console.info(f"{unet.trace().name} joins no skips")
        for sentence in (*accounted(view), *([] if every else view.untold)):
            console.info(sentence)
    if every:
        if tables and written.format == "csv":
            console.info("csv holds one table: the ledger is left out")
            tables = []
        tables.append(all_joins(view))
    written.show_view(view, view.told(tables))
