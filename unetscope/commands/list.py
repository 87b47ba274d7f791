"""`unetscope list`: the configs that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def list_configs(language: str = "en") -> Table:
    """One row a shipped config, sorted by name."""
    from unetscope.config import load, shipped
    from unetscope.views.configs import configs
    from unetscope.views.words import words

    return configs(((name, load(name)) for name in shipped()), words(language))


def list_command(
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the configs that come with the package."""
    console.show([list_configs(lang.value)], format.value, output)
