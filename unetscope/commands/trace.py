"""`unetscope trace CONFIG`: what happens in one forward pass, as the articles' tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Batch,
    ControlNet,
    Device,
    DType,
    ElementType,
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

if TYPE_CHECKING:
    from unetscope.table import Table
    from unetscope.views.view import View

# Below this width the ledger leaves its widest columns to `unetscope skips`.
_ROOMY = 120


def trace_command(
    config: MaybeSource = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    trust_code: Annotated[
        bool,
        typer.Option("--trust-code", help="Run the class that a config names as `_target_`."),
    ] = False,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    controlnet: ControlNet = None,
    device: Device = "meta",
    dtype: ElementType = DType.float32,
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: model, io, parts, encoder, residuals, ledger, "
            "middle, decoder, steps.",
            metavar="NAMES",
        ),
    ] = None,
    block: Annotated[
        str | None, typer.Option(help="Only one block, by path.", metavar="PATH")
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
        str | None, typer.Option(help="The functions inside one module instead.", metavar="PATH")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Save the trace as JSON.", metavar="FILE")
    ] = None,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Trace one forward pass: shapes, skips, blocks and steps.

    Builds the UNet, runs it once with every module watched, and prints its tables. On the meta
    device, the default, nothing is computed and nothing allocated.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain

    request = Request(
        chosen(config),
        tuple(overrides or ()),
        batch,
        height,
        width,
        tokens,
        device,
        dtype.value,
        tuple(inputs or ()),
        input_file,
        kwargs,
        controlnet,
    )
    if trust_code:
        from unetscope.commands.trusting import trusted

        request = trusted(request)
    trace = obtain(request)
    if trace.provenance:
        console.whisper(
            f"{len(trace.steps)} calls and {len(trace.ops)} functions recorded in "
            f"{trace.provenance.seconds:.3f} s by torch {trace.provenance.torch}"
        )
    if save is not None:
        from unetscope import store

        console.write(save, store.dumps(trace))
        console.say(f"saved {save}")
    from unetscope.commands.viewing import view_of

    view = view_of(
        trace,
        lang.value,
        names.value,
        request,
        symbolic=symbolic,
        attentions=attentions,
        block=block,
    )
    brief = console.is_narrow(format.value, _ROOMY)
    view = view.with_brevity(brief)
    tables = _tables(view, sections, modules, depth, ops)
    console.show(tables, format.value, output, view.names)


def _tables(
    view: View, sections: str | None, modules: bool, depth: int | None, ops: str | None
) -> list[Table]:
    from unetscope.views.sections import choose, show
    from unetscope.views.tree import calls, functions

    if ops is not None:
        return functions(view, view.path(ops))
    if modules or depth is not None:
        return calls(view, depth)
    tables, missing = show(view, choose(sections, view.block))
    if missing and view.block is None:
        console.say(f"left out, as this network has none: {', '.join(missing)}")
    return tables
