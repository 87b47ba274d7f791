"""`unetscope explain`: one module's card."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands.options import (
    ModuleNames,
    SizedNetworkOptions,
    TableOptions,
    grouped,
)
from unetscope.errors import UnetscopeError


@grouped
def explain_command(
    network: SizedNetworkOptions,
    written: TableOptions,
    first: Annotated[
        str,
        typer.Argument(
            metavar="[CONFIG]",
            help="A config file, the name of a shipped config, a saved trace, or code; may be left "
            "out.",
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
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: module, shapes, channels, layers, attention, "
            "functions.",
            metavar="NAMES",
        ),
    ] = None,
    names: ModuleNames = "diffusers",
) -> None:
    """Explain one module: its shapes, its channels, its parameters and where they come from.

    What names several modules gives a table of them.
    """
    config, module = (None, first) if second is None else (first, second)
    trace = network.load(config).trace()
    from unetscope.analysis.names import find, nearest_names
    from unetscope.views.explain import card, choose, modules
    from unetscope.views.view import View

    wanted, view = choose(sections), View.of(trace, written.lang, names)
    found = find(view.network, module)
    if not found:
        raise UnetscopeError(
            f"no module `{module}` in {trace.name}",
            hint=_hint(module, nearest_names(view.network, module), lone=second is None),
        )
    tables = card(view, found[0], wanted) if len(found) == 1 else modules(view, found)
    written.show(tables, view.names)


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
