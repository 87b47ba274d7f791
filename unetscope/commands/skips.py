"""`unetscope skips CONFIG`: the skip ledger."""

from __future__ import annotations

from unetscope.commands import console
from unetscope.commands.options import (
    Batch,
    Device,
    DType,
    ElementType,
    Format,
    Height,
    Lang,
    Language,
    Output,
    OutputFormat,
    Overrides,
    Quiet,
    Source,
    Tokens,
    Verbose,
    Width,
)


def skips_command(
    config: Source,
    overrides: Overrides = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    device: Device = "meta",
    dtype: ElementType = DType.float32,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """The skip ledger: who pushed what, who popped it, and whether it was a stack."""
    from unetscope.commands.passes import Request, obtain
    from unetscope.views.skips import ledger
    from unetscope.views.view import View

    trace = obtain(
        Request(config, tuple(overrides or ()), batch, height, width, tokens, device, dtype.value)
    )
    tables = ledger(View.of(trace, lang.value))
    if not tables:
        console.say(f"{trace.name} joins no skips")
    console.show(tables, format.value, output)
