"""`unetscope diff`: what changed between two networks, and whether that may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    ChangeOptions,
    GateOptions,
    ModuleNames,
    Output,
    SizedNetworkOptions,
    complete_configs,
    grouped,
    schema_option,
)
from unetscope.errors import UnetscopeError, nearest

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.api import Architecture
    from unetscope.errors import Place


def _network(name: str, help: str) -> object:
    return typer.Argument(metavar=name, help=help, autocompletion=complete_configs)


def _schema() -> object:
    from unetscope.views.diff_document import schema

    return schema()


@grouped
def diff_command(
    network: SizedNetworkOptions,
    limits: GateOptions,
    written: ChangeOptions,
    old: Annotated[
        str,
        _network(
            "OLD",
            "A config, a lock, a saved trace, a checkpoint (model.safetensors), a file at a git "
            "revision (HEAD~1:configs/unet.yaml), or code: pkg.module:attr.",
        ),
    ],
    new: Annotated[str, _network("NEW", "The same of the network to compare it with.")],
    renamed: Annotated[
        bool, typer.Option("--renamed", help="Also the old and new name of each tensor.")
    ] = False,
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify",
            help="Run both for real, on cpu or cuda, with equal random weights and inputs, and "
            "compare their outputs.",
            metavar="DEVICE",
        ),
    ] = None,
    names: ModuleNames = "diffusers",
    output: Output = None,
    schema: Annotated[
        bool, schema_option("Print the JSON Schema of `--format json`.", _schema)
    ] = False,
) -> None:
    """Compare two networks: what is breaking, behavioural, cost or cosmetic.

    Exit 0: nothing at or above the bar; 1: something is; 2: it could not be done. Rules may stand
    under tool.unetscope.diff in the nearest pyproject.toml: fail-on, max-params, max-macs,
    max-memory, and deny, warn or allow by a change's id.
    """
    from unetscope import api
    from unetscope.views.diff import Judged

    gate = limits.gate()
    left, right = network.load_all([old, new])
    left.source.by_position = right.source.by_position = True
    found = api.diff(left, right, verify=verify, progress=console.progress)
    for one, other in ((left, right), (right, left)):
        _tell_other_names(one, other)
    if found.tensors_only:
        console.info(
            "note: tensors alone are compared; a checkpoint tells nothing of functions, skips, "
            "settings, MACs and memory"
        )
    shown = found if names == "diffusers" else _in_compvis_names(found, left, right)
    originals = dict(zip(map(id, shown.changes), found.changes, strict=True))

    def place(change: Change) -> Place | None:
        return right.source.place_of(originals.get(id(change), change), found)

    judgement = gate.judge(shown)
    written.show([Judged(judgement, place)], output, names=renamed)
    raise typer.Exit(1 if judgement.breaches else 0)


def _tell_other_names(network: Architecture, other: Architecture) -> None:
    """Say which inputs went by their places.

    Raises:
        UnetscopeError: neither network has an input of a name.
    """
    known = {tensor.name.partition(".")[0] for tensor in other.source.comparable().inputs}
    for name, own in network.source.other_names.items():
        if name not in known:
            raise UnetscopeError(
                f"`--input {name}=…`: neither network has an input `{name}`",
                hint=f"did you mean `{nearest(name, known) or own}`?",
            )
        console.info(f"note: `{network.source.name}` takes `{name}` as `{own}`, by its place")


def _in_compvis_names(found: Diff, *networks: Architecture) -> Diff:
    """The same changes in CompVis' names: the new network's, if the two number blocks otherwise."""
    from unetscope.analysis.names import compvis_names
    from unetscope.views.naming import renamed_paths

    names: dict[str, str] = {}
    for network in networks:
        lock = network.source.comparable()
        names |= compvis_names(module.path for module in lock.modules)
        names |= compvis_names(tensor.name for tensor in lock.tensors)
    console.tell_merged(names)
    return renamed_paths(found, names)
