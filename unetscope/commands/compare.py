"""`unetscope compare`: several models side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import completing
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    SizedNetworkOptions,
    TableOptions,
    grouped,
)


@examples(
    ("unetscope compare sd15 bk_sdm_small", "What a pruned network saves."),
    (
        "unetscope compare sd15 sdxl_base --height 128 --width 128 -f markdown",
        "Two networks at the same size, as a table for a README.",
    ),
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
            autocompletion=completing.configs,
        ),
    ],
) -> None:
    """Show several models side by side: parameters, MACs, memory, shares of the work, options.

    Each is traced at its own sizes; --height and the like trace all configs at the same.
    """
    found = network.load_all(networks)
    locks = [each.lock() for each in found]
    from unetscope.render import FORMATS
    from unetscope.views.about import Subject, about_each
    from unetscope.views.models import compare
    from unetscope.words import Words

    words = Words(written.lang)
    pairs = zip(locks, found, strict=True)
    subjects = [Subject.of_lock(lock, each.source) for lock, each in pairs]
    names = [subject.network for subject in subjects]
    tables = compare(locks, words, names, FORMATS[written.format].reader)
    written.show(tables, about=about_each(subjects, words))
