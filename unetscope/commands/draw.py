"""`unetscope draw`: a network as a picture."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    MaybeSource,
    ModuleNames,
    Output,
    SizedNetworkOptions,
    WrittenOptions,
    form,
    grouped,
    one_of,
)
from unetscope.drawing.forms import FORMS, drawn, form_of
from unetscope.errors import ForwardError, UnetscopeError


@dataclass(frozen=True)
class DrawingOptions(WrittenOptions):
    """How a drawing is written, and where to."""

    format: Annotated[
        str,
        form(
            FORMS,
            form_of,
            "Form of the drawing; png needs `pip install 'unetscope[png]'`.",
        ),
    ] = "terminal"
    output: Output = None


@examples(
    ("unetscope draw sd15", "The U in the terminal: blocks, their shares of the cost, skips."),
    ("unetscope draw sdxl_base -o sdxl.svg", "The same as a picture for a paper or a README."),
    ("unetscope draw sd15 -o unet.tex", "The same for LaTeX: to compile or to `\\input`."),
    ("unetscope draw sd15 -f mermaid", "A flowchart, which GitHub shows in a block of Markdown."),
    (
        "unetscope draw sd15 --detail layer --heat held",
        "The layers in each block, and what is held in memory while each of them runs.",
    ),
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
            help="Colour blocks by their share of the parameters or MACs, by the bytes of the "
            "activations that they make, or by the most that is held while they run.",
            **one_of(("params", "macs", "bytes", "held")),
        ),
    ] = None,
    detail: Annotated[
        str,
        typer.Option(
            "--detail",
            help="What is drawn: the blocks, with `layer` also the modules in each, down to those "
            "that call no others, with `op` their functions too.",
            **one_of(("block", "layer", "op")),
        ),
    ] = "block",
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
    if written.format == "png" and output is None and sys.stdout.isatty():
        raise UnetscopeError("a terminal shows no PNG", hint="`-o FILE.png` writes one to a file")
    unet = network.load(config)
    try:
        trace = unet.trace()
    except ForwardError as error:
        console.note(error)
        trace = error.trace
    from unetscope.views.draw import drawing
    from unetscope.views.view import View

    sheet = drawing(View.of(trace, written.lang, names), heat, detail)
    if written.format != "terminal":
        console.emit(drawn(sheet, written.format), output)
        return
    from unetscope.drawing.text import text

    style = console.style()
    plain = ascii_only or (output is None and style.ascii)
    if output is None:
        console.emit(text(sheet, style.width, style.color, plain))
    else:
        console.emit(text(sheet, ascii=plain), output)
