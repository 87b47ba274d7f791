"""`unetscope compare`: several models side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands.options import (
    SizedNetworkOptions,
    TableOptions,
    complete_configs,
    grouped,
)


@grouped
def compare_command(
    network: SizedNetworkOptions,
    written: TableOptions,
    networks: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK...",
            help="Configs, locks, saved traces, files at git revisions, or code: pkg.module:attr.",
            autocompletion=complete_configs,
        ),
    ],
) -> None:
    """Show several models side by side: parameters, MACs, memory, shares of the work, options.

    Each is traced at its own sizes; --height and the like trace all configs at the same.
    """
    locks = [each.lock() for each in network.load_all(networks)]
    from unetscope.views.models import compare
    from unetscope.words import Words

    written.show(compare(locks, Words(written.lang)))
