"""`unetscope cache`: what earlier runs found out, and how to throw it away."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import TableOptions, grouped, one_of


@examples(
    ("unetscope cache", "Where the cache is, and how large."),
    ("unetscope cache clear", "Throw it away."),
)
@grouped
def cache_command(
    written: TableOptions,
    action: Annotated[
        str,
        typer.Argument(
            help="What to do: info tells where it is and what it holds; clear throws it away.",
            **one_of(("info", "clear")),
        ),
    ] = "info",
) -> None:
    """Show or clear what earlier runs found out about the networks of configs.

    A trace on the meta device depends on the config, the inputs and the versions of unetscope,
    Python and torch. So it is kept, and the next command that asks for the same imports no torch.
    Nothing is kept of code. `--no-cache` goes without it once, and UNETSCOPE_NO_CACHE=1 always.
    """
    from unetscope.files import cache
    from unetscope.table import Kind
    from unetscope.units import spell

    if action == "clear":
        before = cache.clear()
        held = spell(before.nbytes, Kind.DECIMAL_BYTES)
        console.info(f"thrown away: {before.entries} entries, {held}")
        return
    from unetscope.views.cache import cache as shown
    from unetscope.words import Words

    words = Words(written.lang)
    written.show([shown(cache.contents(), cache.LARGEST, words, on=cache.is_on())])
