"""`unetscope explain`: the card of one module, or of a kind of modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    ModuleNames,
    SizedNetworkOptions,
    TableOptions,
    grouped,
)
from unetscope.errors import UnetscopeError
from unetscope.wording import listed

if TYPE_CHECKING:
    from unetscope.record import Trace
    from unetscope.table import Table
    from unetscope.views.view import View


@examples(
    (
        "unetscope explain sd15 up_blocks.1.resnets.0",
        "One ResNet of the decoder: its shapes, its channels and why it has them.",
    ),
    (
        "unetscope explain sd15 IN05",
        "The modules of a merge block, as tools that merge checkpoints call it.",
    ),
    (
        "unetscope explain sd15 GSC",
        "A kind of modules: what it is, what one contains, where it occurs, its share.",
    ),
    (
        "unetscope explain sd15 '*.attn2.to_k' --sections module",
        "A table of all modules whose paths match.",
    ),
)
@grouped
def explain_command(
    network: SizedNetworkOptions,
    written: TableOptions,
    first: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="A config file, the name of a shipped config, a saved trace, or code; may be left "
            "out.",
            show_default=False,
            autocompletion=completing.networks_or_modules,
        ),
    ] = None,
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE",
            help="A path (`up_blocks.2.resnets.0`), a merge block (`IN05`), a CompVis name or a "
            "glob ('*.attn2.to_k'); `.` is the whole network; else a kind of modules "
            "(`ResNetBlock`, `GSC`) or a class. A lone argument is the module.",
            show_default=False,
            autocompletion=completing.modules,
        ),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: module, shapes, channels, layers, attention, "
            "functions.",
            metavar="NAMES",
            autocompletion=completing.several(
                completing.registry("unetscope.views.explain:SECTIONS")
            ),
        ),
    ] = None,
    names: ModuleNames = "diffusers",
) -> None:
    """Explain one module: its shapes, its channels, its parameters and where they come from.

    What names several modules gives a table of them; what names a kind, such as GSC, says what that
    is, what one contains, where it occurs and its share; its sections are kind, contains, places.
    """
    if first is None or (second is None and _is_network(first)):
        raise _no_module(network.load(first).trace())
    config, module = (None, first) if second is None else (first, second)
    trace = network.load(config).trace()
    from unetscope.analysis.names import find
    from unetscope.views.explain import card, choose, modules
    from unetscope.views.view import View

    view = View.of(trace, written.lang, names)
    found = find(view.network, module)
    if not found:
        tables, missing = _of_kind(view, module, sections)
        console.tell_missing(missing if sections is not None else [], "kind")
    elif len(found) == 1:
        tables, missing = card(view, found[0], choose(sections))
        console.tell_missing(missing if sections is not None else [], "module")
    else:
        tables = modules(view, found)
        if sections is not None:
            console.info(f"`{module}` names {len(found)} modules: `--sections` is of one")
    written.show_view(view, tables)


def _of_kind(view: View, name: str, sections: str | None) -> tuple[list[Table], list[str]]:
    """The card of a kind or class of modules.

    Raises:
        UnetscopeError: nothing in the network is called so.
    """
    from unetscope.analysis.named_kinds import NamedKinds, kind_named
    from unetscope.analysis.names import nearest_names
    from unetscope.views.kind_card import kind_card

    known, trace = NamedKinds(view.network), view.network.trace
    named = known.find(name)
    if named is not None:
        return kind_card(view, known, named, sections)
    there = ", ".join(known.kinds)
    kinds = f"kinds that occur in it: {there}" if there else None
    if kind := kind_named(name):
        raise UnetscopeError(f"no module of the kind {kind} in {trace.name}", hint=kinds)
    if blocks := _blocks_of_part(view, name):
        paths = ", ".join(f"`{block}`" for block in blocks)
        raise UnetscopeError(
            f"`{name}` is a part of {trace.name}, and no module", hint=f"its blocks: {paths}"
        )
    near = [*dict.fromkeys([*nearest_names(view.network, name), *known.near(name)])][:3]
    meant = " or ".join(f"`{name}`" for name in near)
    hint = f"did you mean {meant}?" if near else kinds
    raise UnetscopeError(f"no module `{name}` in {trace.name}", hint=hint)


def _blocks_of_part(view: View, name: str) -> list[str]:
    """The paths of the blocks of a part, if it is called so in some language."""
    from unetscope.words import Language, Words

    for part, blocks in vars(view.anatomy).items():
        called = {Words(each.value).part_names[part].casefold() for each in Language}
        if name.casefold() in called:
            return [view.network.path(block) for block in blocks]
    return []


def _is_network(name: str) -> bool:
    """Whether a lone argument names a network, and no module: a file, a shipped config or code."""
    from unetscope.checkpoints.files import is_checkpoint
    from unetscope.config.files import SUFFIXES, shipped
    from unetscope.files.locks import SUFFIX
    from unetscope.files.reading import is_file
    from unetscope.sources.revisions import is_revision
    from unetscope.sources.targets import is_target

    path = Path(name)
    a_file = name.endswith((*SUFFIXES, SUFFIX)) or (is_file(path) and bool(path.suffix))
    return (
        name in shipped() or a_file or is_checkpoint(path) or is_revision(name) or is_target(name)
    )


def _no_module(trace: Trace) -> UnetscopeError:
    """That the network was named and no module of it, and what its modules are called."""
    called = [step.module for step in trace.steps if step.module]
    top = dict.fromkeys(path for path in called if "." not in path) or dict.fromkeys(called)
    such = f" ({listed([f'`{path}`' for path in top])})" if top else ""
    return UnetscopeError(
        f"expected a module of {trace.name} to explain, found none",
        hint=f"after it, name a path{such}, a glob ('*.conv1') or `.`, the whole network",
    )
