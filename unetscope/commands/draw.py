"""`unetscope draw`: a network as a picture."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.diff import tell_other_names
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
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
from unetscope.wording import quoted

if TYPE_CHECKING:
    from unetscope.drawing.sheet import Sheet


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


def _of_one(
    network: SizedNetworkOptions,
    name: str | None,
    heat: str | None,
    detail: str,
    lang: str,
    names: str,
) -> Sheet:
    """One network, up to the failure if its pass failed."""
    from unetscope.views.draw import drawing
    from unetscope.views.view import View

    unet = network.load(name)
    try:
        trace = unet.trace()
    except ForwardError as error:
        console.note(error)
        trace = error.trace
    return drawing(View.of(trace, lang, names), heat, detail)


def _of_two(network: SizedNetworkOptions, given: list[str], lang: str, names: str) -> Sheet:
    """Two networks in one drawing.

    Raises:
        UnetscopeError: there are more, or one cannot be traced.
    """
    if len(given) > 2:
        raise UnetscopeError(
            f"expected one network or two, found {', '.join(map(quoted, given))}",
            hint="`unetscope compare` shows several side by side",
        )
    from unetscope.views.overlay import overlaid
    from unetscope.views.view import View

    both = network.load_all(given)
    for one in both:
        one.source.by_position = True
    traces = [one.trace() for one in both]
    tell_other_names(*both)
    old, new = (View.of(trace, lang, names) for trace in traces)
    return overlaid(old, new, (given[0], given[1]))


def _tell_refused(picture: str | bytes, sheet: Sheet, form: str) -> None:
    """Say of a flowchart that it is too large to be shown, if it is."""
    if form == "mermaid" and isinstance(picture, str):
        from unetscope.drawing.mermaid import too_large

        refused = too_large(picture, sheet)
        if refused:
            console.note(refused)


@examples(
    ("unetscope draw sd15", "The U in the terminal: blocks, their shares of the cost, skips."),
    ("unetscope draw sdxl_base -o sdxl.svg", "The same as a picture for a paper or a README."),
    ("unetscope draw sd15 bk_sdm_small", "Two networks in one drawing: what came, went, changed."),
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
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONFIG | OLD NEW]",
            help="A config, a saved trace, a file at a git revision (HEAD~1:configs/unet.yaml), or "
            "code: pkg.module:attr; two of them are drawn as one. Without one, what `config` names "
            "under tool.unetscope in the nearest pyproject.toml, else sd15.",
            autocompletion=completing.configs,
        ),
    ] = None,
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
    Of two networks, what is only in one and what changed bears a mark (+, -, ~) and the id under
    which `unetscope diff` lists it.
    """
    output = written.output
    if written.format == "png" and output is None and sys.stdout.isatty():
        raise UnetscopeError("a terminal shows no PNG", hint="`-o FILE.png` writes one to a file")
    given = networks or []
    if len(given) < 2:
        sheet = _of_one(network, next(iter(given), None), heat, detail, written.lang, names)
    else:
        for option, value in (("--heat", heat), ("--detail", detail)):
            if value not in (None, "block"):
                raise UnetscopeError(
                    f"`{option}` is for one network: of two, the drawing tells what changed",
                    hint="draw each of them alone; `unetscope diff` lists the changes by module",
                )
        sheet = _of_two(network, given, written.lang, names)
    if written.format != "terminal":
        picture = drawn(sheet, written.format)
        console.emit(picture, output)
        _tell_refused(picture, sheet, written.format)
        return
    from unetscope.drawing.text import text

    style = console.style()
    plain = ascii_only or (output is None and style.ascii)
    if output is None:
        console.emit(text(sheet, style.width, style.color, plain))
    else:
        console.emit(text(sheet, ascii=plain), output)
