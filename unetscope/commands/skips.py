"""`unetscope skips`: the skip ledger."""

from __future__ import annotations

from unetscope.commands import console
from unetscope.commands.options import (
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TableOptions,
    grouped,
)


@grouped
def skips_command(
    network: SizedNetworkOptions,
    written: TableOptions,
    config: MaybeSource = None,
    names: ModuleNames = "diffusers",
) -> None:
    """Show the skip ledger: who pushed what, who popped it, and whether it was a stack."""
    unet = network.load(config)
    from unetscope.views.skips import ledger
    from unetscope.views.view import View

    view = View.of(unet.trace(), written.lang, names)
    tables = ledger(view)
    if not tables:
        console.info(f"{unet.trace().name} joins no skips")
        for sentence in view.untold:
            console.info(sentence)
    written.show(view.told(tables), view.names)
