"""`unetscope sweep CONFIG --height 32..128:32`: cost over sizes of the inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Format,
    Lang,
    Language,
    MaybeConfig,
    Output,
    OutputFormat,
    Overrides,
    Quiet,
    Verbose,
)
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.chart import Chart


def _sizes(what: str) -> object:
    return typer.Option(help=f"{what}: 64, 32,64,96 or 32..128:32.", metavar="SIZES")


def sweep_command(
    config: MaybeConfig = None,
    overrides: Overrides = None,
    batch: Annotated[str | None, _sizes("Images at once")] = None,
    height: Annotated[str | None, _sizes("Rows of the sample")] = None,
    width: Annotated[str | None, _sizes("Columns of the sample")] = None,
    tokens: Annotated[str | None, _sizes("Tokens of the text")] = None,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw it instead; with `-o FILE.svg` as an image."),
    ] = False,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Count parameters and multiply-adds at many sizes of the inputs.

    Sizes are numbers, lists (`32,64,96`) and ranges with both ends and a step (`32..128:32`);
    several options together give every combination.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, say_notes
    from unetscope.commands.points import combinations, measured
    from unetscope.views.sweep import chart, sweep
    from unetscope.words import Words

    given = {"batch": batch, "height": height, "width": width, "tokens": tokens}
    swept = {name: text for name, text in given.items() if text is not None}
    sizes = combinations(swept)
    request = Request(chosen(config), tuple(overrides or ()))
    first: dict[str, Any] = {**sizes[0]}
    spec = replace(request, **first).spec()
    say_notes(spec)
    points = measured(spec, sizes)
    if plot:
        _draw(chart(Words(lang.value), points, list(swept)), format, output)
    else:
        console.show(sweep(Words(lang.value), points), format.value, output)


def _draw(chart: Chart, format: Format, output: Output) -> None:
    from unetscope.render.chart import svg, text

    if format is not Format.terminal:
        raise UnetscopeError(
            f"`--plot` draws text and SVG, not {format.value}",
            hint="leave `--format` away; `-o FILE.svg` writes SVG",
        )
    if output is not None and output.suffix == ".svg":
        console.emit(svg(chart), output)
    else:
        console.emit(text(chart, None if output else console.style().width), output)
