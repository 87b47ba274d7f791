"""`unetscope flops`: multiply-adds, by block, part, module, class or kind of work."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    ROWS,
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TaughtOptions,
    grouped,
    one_of,
)
from unetscope.render import FORMATS, Reader

BY = ("block", "part", "stage-kind", "type", "mbw", "module", "op")
"""What the rows of the table can be."""


@examples(
    (
        "unetscope flops sd15 --by op",
        "How much of the work is convolution, and how much attention.",
    ),
    (
        "unetscope flops sd15 --height 128 --width 128 --top 5",
        "The five most costly blocks at an image of 1024x1024.",
    ),
    (
        "unetscope flops sd15 --steps 20 --cfg",
        "A whole image: 20 steps, with guidance two passes each.",
    ),
)
@grouped
def flops_command(
    network: SizedNetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    by: Annotated[
        str,
        typer.Option("--by", help=f"{ROWS}op: kinds of work, such as convolution.", **one_of(BY)),
    ] = "block",
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
    uncounted: Annotated[
        bool, typer.Option("--uncounted", help="Also list the functions that are not counted.")
    ] = False,
    audit: Annotated[
        bool,
        typer.Option("--audit", help="Count the same pass with torch and fvcore, and compare."),
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Audit: run fvcore on the network itself, not a twin.")
    ] = False,
    names: ModuleNames = "diffusers",
) -> None:
    """Count the multiply-adds (MACs) of one forward pass; 1 MAC is 2 FLOPs.

    The count knows shapes alone: it is the same on every device, in every element type and with
    every attention kernel.
    """
    if full and not audit:
        raise typer.BadParameter("`--full` goes with `--audit`")
    if depth is not None and by != "module":
        raise typer.BadParameter("`--depth` goes with `--by module`")
    if top is not None and by in ("type", "stage-kind"):
        raise typer.BadParameter(f"`--top` does not go with `--by {by}`")
    unet = network.load(config)
    if audit:
        from unetscope.sources.reruns import audits
        from unetscope.views.about import Subject, about
        from unetscope.views.flops import audit as tables_of
        from unetscope.words import Words

        found = audits(unet.source, full=full)
        words, subject = Words(written.lang), Subject.of_trace(unet.trace())
        written.show(tables_of(words, found), about=about(subject, words))
        if not all(each.explained for each in found):
            raise typer.Exit(1)
        return
    from unetscope.views import flops
    from unetscope.views.view import View

    view = View.of(unet.trace(), written.lang, names)
    image = flops.Image(steps or 1, guided=cfg) if steps or cfg else None
    tables = flops.flops(view, by, depth, top, image)
    left_out = [flops.uncounted(view), *flops.no_formula(view)]
    if written.format == "csv":
        if uncounted:
            console.info("csv holds one table: the functions without multiply-adds")
        tables = left_out[:1] if uncounted else tables[:1]
    elif uncounted or FORMATS[written.format].reader is Reader.PROGRAMS:
        tables += left_out
    written.show_view(view, tables)
