"""`unetscope compare NETWORK ...`: several models side by side."""

from __future__ import annotations

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
    Output,
    OutputFormat,
    Quiet,
    Tokens,
    Verbose,
    Width,
    _complete,
)


def compare_command(
    networks: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK...",
            help="Configs, locks, saved traces, files at git revisions, or code: pkg.module:attr.",
            autocompletion=_complete,
        ),
    ],
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show several models side by side: parameters, MACs, memory, shares of the work, options.

    Each is traced at its own sizes; --height and the like trace all configs at the same.
    """
    from unetscope.commands.passes import Request
    from unetscope.commands.subjects import fitting, subject
    from unetscope.views.models import compare
    from unetscope.words import Words

    request = Request(
        "",
        batch=batch,
        height=height,
        width=width,
        tokens=tokens,
        inputs=tuple(inputs or ()),
        input_file=input_file,
        kwargs=kwargs,
    )
    locks = [subject(each).lock for each in fitting(request, networks)]
    console.show(compare(locks, Words(lang.value)), format.value, output)
