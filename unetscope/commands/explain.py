"""`unetscope explain CONFIG MODULE`: one module's card."""

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
from unetscope.errors import UnetscopeError


def explain_command(
    first: Annotated[
        str,
        typer.Argument(
            metavar="[CONFIG]",
            help="A config file, the name of a shipped config, or a saved trace; may be left out.",
            show_default=False,
        ),
    ],
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE",
            help="A path (`up_blocks.2.resnets.0`), a merge block (`IN05`), a CompVis name or a "
            "glob ('*.attn2.to_k'); `.` is the whole network. A lone argument is the module.",
            show_default=False,
        ),
    ] = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: module, shapes, channels, layers, attention, "
            "functions.",
            metavar="NAMES",
        ),
    ] = None,
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Explain one module: its shapes, its channels, its parameters and where they come from.

    What names several modules gives a table of them.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain

    config, module = (None, first) if second is None else (first, second)
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
    trace = obtain(request)
    from unetscope.analysis.names import find, nearest_names
    from unetscope.views.explain import card, choose, modules
    from unetscope.views.view import View

    wanted, view = choose(sections), View.of(trace, lang.value, names.value)
    found = find(view.network, module)
    if not found:
        raise UnetscopeError(
            f"no module `{module}` in {trace.name}",
            hint=_hint(module, nearest_names(view.network, module), lone=second is None),
        )
    tables = card(view, found[0], wanted) if len(found) == 1 else modules(view, found)
    console.show(tables, format.value, output, view.names)


def _hint(module: str, near: list[str], *, lone: bool) -> str | None:
    """What may have been meant: other names or, if it names a config, that a module is missing."""
    if lone and _is_config(module):
        return f"`unetscope explain {module} MODULE` explains a module of that config"
    names = " or ".join(f"`{name}`" for name in near)
    return f"did you mean {names}?" if near else None


def _is_config(name: str) -> bool:
    from unetscope.config.files import locate

    try:
        locate(name)
    except UnetscopeError:
        return False
    return True
