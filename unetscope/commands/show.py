"""`unetscope show`: a config as it is resolved."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    MessageOptions,
    Output,
    SizedNetworkOptions,
    grouped,
)


@examples(
    ("unetscope show sd15_inpaint", "A shipped config, with what it inherits."),
    (
        "unetscope show sd15 --set attention_head_dim=16 -o mine.yaml",
        "A config of your own, to start from.",
    ),
)
@grouped
def show_command(
    network: SizedNetworkOptions,
    messages: MessageOptions,
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="A config file, the name of a shipped config, a file at a git revision, or a "
            "saved trace or lock, which hold the config that they were made from.",
            autocompletion=completing.configs,
        ),
    ],
    output: Output = None,
) -> None:
    """Print a config as YAML with `extends`, overrides and flags worked in."""
    found = network.load(config).source.config()
    from unetscope.config.writing import to_yaml

    console.emit(to_yaml(dict(found)), output)
