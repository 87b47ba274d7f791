"""`unetscope trace`: what happens in one forward pass, as the articles' tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    WRITTEN,
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TaughtOptions,
    grouped,
)
from unetscope.errors import UnetscopeError, did_you_mean

if TYPE_CHECKING:
    from unetscope.table import Table
    from unetscope.views.view import View


@examples(
    ("unetscope trace sd15", "All tables of Stable Diffusion 1.5, from its config alone."),
    (
        "unetscope trace sd15 --set block_out_channels.3=960 --sections parts,ledger",
        "Two of them, of a network whose last level has fewer channels.",
    ),
    (
        "unetscope trace torch.nn:Linear --kwargs '{in_features: 3, out_features: 1}' --input 2,3",
        "Any module of PyTorch, named as its package and class.",
    ),
)
@grouped
def trace_command(
    network: SizedNetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: u, model, io, parts, stages, verdict, next, "
            "encoder, encoder-steps, residuals, ledger, middle, middle-steps, decoder, steps, "
            "calls.",
            metavar="NAMES",
            autocompletion=completing.several(
                completing.registry("unetscope.views.sections:SECTIONS")
            ),
        ),
    ] = None,
    overview: Annotated[
        bool,
        typer.Option("--overview", help="Only the overview: u, model, io, parts, verdict, next."),
    ] = False,
    block: Annotated[
        str | None,
        typer.Option(
            help="Only one block, by path.", metavar="PATH", autocompletion=completing.modules
        ),
    ] = None,
    attentions: Annotated[
        bool, typer.Option("--attentions", help="Step tables show transformers too (2.2a).")
    ] = False,
    symbolic: Annotated[
        bool, typer.Option("--symbolic", help="Dims in terms of the inputs': B, H/8, W/8.")
    ] = False,
    modules: Annotated[
        bool, typer.Option("--modules", help="The tree of every call instead.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option(min=0, help="The tree of calls, N levels of it.", metavar="N")
    ] = None,
    ops: Annotated[
        str | None,
        typer.Option(
            help="The functions inside one module instead.",
            metavar="PATH",
            autocompletion=completing.modules,
        ),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Save the trace as JSON.", **WRITTEN)] = None,
    names: ModuleNames = "diffusers",
) -> None:
    """Trace one forward pass: shapes, skips, blocks and steps.

    Builds the UNet, runs it once with every module watched, and prints an overview, then its
    tables. On the meta device, the default, nothing is computed and nothing allocated.
    """
    if overview and (sections is not None or block is not None):
        other = "--sections" if sections is not None else "--block"
        raise UnetscopeError(f"`--overview` is of the whole network: leave out `{other}`, or it")
    unet = network.load(config)
    trace = unet.trace()
    if trace.provenance:
        console.debug(
            f"{len(trace.steps)} calls and {len(trace.ops)} functions, recorded with torch "
            f"{trace.provenance.torch}"
        )
    if save is not None:
        from unetscope.files.writing import write

        write(save, unet.to_json().encode())
        console.info(f"saved {save}")
    from unetscope.views.sections import LEVELS
    from unetscope.views.view import View

    typed = unet.source.request.typed
    if names != "diffusers":
        typed += ("--names", names)
    view = replace(View.of(trace, written.lang, names), attentions=attentions, typed=typed)
    if block is not None:
        view = replace(view, block=_known(view, view.path(block)))
    if symbolic:
        from unetscope.sources.reruns import probed
        from unetscope.views.symbols import in_symbols

        view = in_symbols(view, probed(unet.source, trace))
    levels = (None if modules else LEVELS) if depth is None else depth
    view = replace(view, depth=levels, settings=modules or depth is not None)
    tables = _tables(view, sections, overview, ops)
    end = [table for table in tables[-1:] if table.key == "next"]
    written.show_view(view, [*view.told(tables[: len(tables) - len(end)]), *end])


def _known(view: View, path: str) -> str:
    """A module's path, if the network calls it."""
    called = dict.fromkeys(step.module for step in view.network.trace.steps)
    if path in called:
        return path
    raise UnetscopeError(
        f"no block `{path}` in {view.network.trace.name}",
        hint=did_you_mean(path, called),
    )


def _tables(
    view: View,
    sections: str | None,
    overview: bool,
    ops: str | None,
) -> list[Table]:
    from unetscope.views.functions import functions
    from unetscope.views.sections import choose, fitting, show

    if ops is not None:
        return functions(view, view.path(ops))
    if view.settings and sections is None:
        sections = "calls"
    wanted = fitting(view, overview=overview) if sections is None else choose(sections)
    if view.settings and "calls" not in wanted:
        raise UnetscopeError(
            "`--modules` and `--depth` are of the tree of calls, which `--sections` leaves out",
            hint="name `calls` among the sections",
        )
    tables, missing = show(view, wanted)
    if sections is None:  # its steps lack where a part does
        missing = [name for name in missing if view.block is None and "steps" not in name]
    console.tell_missing(missing, "network" if view.block is None else "block")
    return tables
