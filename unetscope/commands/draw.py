"""`unetscope draw`: a network as a picture."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    OUTPUT,
    MaybeSource,
    ModuleNames,
    Output,
    SizedNetworkOptions,
    WrittenOptions,
    grouped,
    is_given,
    one_of,
)
from unetscope.errors import ForwardError, UnetscopeError

FORMATS = {"terminal": ("", ".txt"), "svg": (".svg",)}
"""The forms of a drawing, and the suffixes of files in them."""


def _by_suffix(context: typer.Context, value: str) -> str:
    """`--format`, else what the suffix of `--output` tells.

    Raises:
        UnetscopeError: it tells another.
    """
    output = context.params.get("output")
    if output is None or is_given(context, "format"):
        return value
    suffix = Path(output).suffix.lower()
    form = next((name for name, suffixes in FORMATS.items() if suffix in suffixes), None)
    if form is None:
        raise UnetscopeError(
            f"{output}: a drawing is text or SVG",
            hint="`-o FILE.txt` and `-o FILE.svg`; `--format` counts before a suffix",
        )
    return form


@dataclass(frozen=True)
class DrawingOptions(WrittenOptions):
    """How a drawing is written, and where to."""

    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="Form of the drawing.",
            callback=_by_suffix,
            rich_help_panel=OUTPUT,
            **one_of(FORMATS),
        ),
    ] = "terminal"
    output: Output = None


@examples(
    ("unetscope draw sd15", "The U in the terminal: blocks, their shares of the cost, skips."),
    ("unetscope draw sdxl_base -o sdxl.svg", "The same as a picture for a paper or a README."),
)
@grouped
def draw_command(
    network: SizedNetworkOptions,
    written: DrawingOptions,
    config: MaybeSource = None,
    heat: Annotated[
        str | None,
        typer.Option(
            "--heat",
            help="Colour the blocks of a picture by their share of the parameters or the MACs.",
            **one_of(("params", "macs")),
        ),
    ] = None,
    ascii_only: Annotated[
        bool,
        typer.Option("--ascii", help="Draw lines and arrows with the characters of ASCII alone."),
    ] = False,
    names: ModuleNames = "diffusers",
) -> None:
    """Draw a network: the U of its blocks, with their sizes and costs, and its skips.

    A row is a resolution; the encoder goes down on the left and the decoder up on the right. A
    network that is no U is drawn in columns by resolution, and a pass that fails up to the failure.
    """
    output = written.output
    if heat is not None and written.format != "svg":
        raise UnetscopeError(
            "`--heat` colours a picture", hint="`-f svg` and `-o FILE.svg` draw one"
        )
    unet = network.load(config)
    try:
        trace = unet.trace()
    except ForwardError as error:
        console.note(error)
        trace = error.trace
    from unetscope.views.draw import drawing
    from unetscope.views.view import View

    sheet = drawing(View.of(trace, written.lang, names), heat)
    if written.format == "svg":
        from unetscope.drawing.svg import svg

        console.emit(svg(sheet), output)
        return
    from unetscope.drawing.text import text

    style = console.style()
    plain = ascii_only or (output is None and not _draws_lines())
    if output is None:
        console.emit(text(sheet, style.width, style.color, plain))
    else:
        console.emit(text(sheet, ascii=plain), output)


def _draws_lines() -> bool:
    """Whether stdout can hold the characters that draw boxes."""
    try:
        "│▶→".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
