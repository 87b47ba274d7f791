"""`unetscope sweep`: cost over sizes of the inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import MaybeSource, NetworkOptions, TableOptions, grouped
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.table import Chart


def _sizes(what: str) -> object:
    return typer.Option(help=f"{what}: 64, 32,64,96 or 32..128:32.", metavar="SIZES")


@grouped
def sweep_command(
    network: NetworkOptions,
    written: TableOptions,
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
        _check_drawing(written.format, written.output)
    given = {"batch": batch, "height": height, "width": width, "tokens": tokens}
    swept = {name: text for name, text in given.items() if text is not None}
    sizes = sweeping.combinations(swept)
    points = sweeping.sweep(network.load(config, **sizes[0]).source, sizes)
    from unetscope.views.sweep import chart, sweep
    from unetscope.words import Words

    if plot:
        _draw(chart(Words(written.lang), points, list(swept)), written.output)
    else:
        written.show(sweep(Words(written.lang), points))


def _check_drawing(format: str, output: Path | None) -> None:
    """See that a chart can be written so.

    Raises:
        UnetscopeError: it cannot.
    """
    hint = "a terminal, `-o FILE.txt` and `-o FILE.svg` show a chart"
    if format != "terminal":
        raise UnetscopeError(f"`--plot` draws text and SVG, not {format}", hint=hint)
    if output is not None and output.suffix.lower() not in ("", ".txt", ".svg"):
        raise UnetscopeError(f"{output}: `--plot` draws text and SVG", hint=hint)


def _draw(chart: Chart, output: Path | None) -> None:
    from unetscope.render.chart import svg, text

    if output is not None and output.suffix.lower() == ".svg":
        console.emit(svg(chart), output)
    else:
        console.emit(text(chart, None if output else console.style().width), output)
