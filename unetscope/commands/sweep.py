"""`unetscope sweep`: cost over sizes of the inputs."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import MaybeSource, NetworkOptions, TaughtOptions, grouped


def _sizes(what: str) -> object:
    return typer.Option(help=f"{what}: 64, 32,64,96 or 32..128:32.", metavar="SIZES")


@examples(
    (
        "unetscope sweep sd15 --height 32..128:32 --width 32..128:32",
        "Parameters and multiply-adds at each pair of heights and widths.",
    ),
    (
        "unetscope sweep sd15 --tokens 77,154 -f csv",
        "The same at two lengths of the text, for a spreadsheet.",
    ),
)
@grouped
def sweep_command(
    network: NetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    batch: Annotated[str | None, _sizes("Images at once")] = None,
    height: Annotated[str | None, _sizes("Rows of the sample")] = None,
    width: Annotated[str | None, _sizes("Columns of the sample")] = None,
    tokens: Annotated[str | None, _sizes("Tokens of the text")] = None,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw it instead; with `-o FILE.svg` as an image."),
    ] = False,
) -> None:
    """Count parameters and multiply-adds at many sizes of the inputs.

    Sizes are numbers, lists (`32,64,96`) and ranges with both ends and a step (`32..128:32`);
    several options together give every combination.
    """
    from unetscope.sources import sweeping

    if plot:
        written.check_drawing()
    given = {"batch": batch, "height": height, "width": width, "tokens": tokens}
    swept = {name: text for name, text in given.items() if text is not None}
    sizes = sweeping.combinations(swept)
    named = network.load(config, **sizes[0]).source
    source = named.runnable("a sweep runs the network at other sizes")
    points = sweeping.sweep(source, sizes, console.progress)
    from unetscope.views.about import Subject, about
    from unetscope.views.sweep import chart, sweep
    from unetscope.views.teaching import of_sweep
    from unetscope.words import Words

    words, subject = Words(written.lang), Subject.of_request(source.request, source.known)
    if plot:
        written.draw(chart(words, subject.network, points, list(swept)))
    else:
        tables = written.taught(sweep(words, points), lambda: of_sweep(written.lang, points))
        written.show(tables, about=about(subject, words))
