"""`unetscope flops CONFIG`: multiply-adds, by block, part, module, class or kind of work."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Batch,
    Format,
    Height,
    InputFile,
    Inputs,
    Kwargs,
    Lang,
    Language,
    MaybeSource,
    ModuleNames,
    Names,
    Output,
    OutputFormat,
    Overrides,
    Quiet,
    Tokens,
    Verbose,
    Width,
)


class By(str, Enum):
    """What the rows of the table are."""

    block = "block"
    part = "part"
    stage_kind = "stage-kind"
    type = "type"
    mbw = "mbw"
    module = "module"
    op = "op"


def flops_command(
    config: MaybeSource = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    by: Annotated[
        By, typer.Option("--by", help="What the rows are; mbw: merge blocks.")
    ] = By.block,
    depth: Annotated[
        int | None,
        typer.Option(min=1, help="Tell apart modules down to level N.", metavar="N"),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="Only the N most costly rows.", metavar="N")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Also a whole image of N steps.", metavar="N")
    ] = None,
    cfg: Annotated[
        bool, typer.Option("--cfg", help="With classifier-free guidance: two passes a step.")
    ] = False,
    audit: Annotated[
        bool,
        typer.Option("--audit", help="Count the same pass with torch and fvcore, and compare."),
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Audit: run fvcore on the network itself, not a twin.")
    ] = False,
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Count the multiply-adds (MACs) of one forward pass; 1 MAC is 2 FLOPs.

    The count knows shapes alone: it is the same on every device, in every element type and with
    every attention kernel.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain

    if full and not audit:
        raise typer.BadParameter("`--full` goes with `--audit`")
    if depth is not None and by is not By.module:
        raise typer.BadParameter("`--depth` goes with `--by module`")
    if top is not None and by in (By.type, By.stage_kind):
        raise typer.BadParameter(f"`--top` does not go with `--by {by.value}`")
    request = Request(
        chosen(config),
        tuple(overrides or ()),
        batch,
        height,
        width,
        tokens,
        inputs=tuple(inputs or ()),
        input_file=input_file,
        kwargs=kwargs,
    )
    if audit:
        from unetscope.commands.audit import audited

        tables, explained = audited(request, lang.value, full=full)
        console.show(tables, format.value, output)
        if not explained:
            raise typer.Exit(1)
        return
    from unetscope.analysis.cost import Cost
    from unetscope.views.flops import Image, flops
    from unetscope.views.view import View

    view = View.of(obtain(request), lang.value, names.value)
    image = Image(steps or 1, guided=cfg) if steps or cfg else None
    tables = flops(view, Cost(view.network), by.value, depth, top, image)
    shown = tables[:1] if format is Format.csv else tables
    console.show(shown, format.value, output, view.names)
