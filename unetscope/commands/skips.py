"""`unetscope skips CONFIG`: the skip ledger."""

from __future__ import annotations

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


def skips_command(
    config: MaybeSource = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    controlnet: ControlNet = None,
    device: Device = "meta",
    dtype: ElementType = DType.float32,
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """The skip ledger: who pushed what, who popped it, and whether it was a stack."""
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain
    from unetscope.views.skips import ledger
    from unetscope.views.view import View

    trace = obtain(
        Request(
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
    )
    view = View.of(trace, lang.value, names.value)
    tables = ledger(view)
    if not tables:
        console.say(f"{trace.name} joins no skips")
    console.show(tables, format.value, output, view.names)
