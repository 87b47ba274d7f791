"""`unetscope diff OLD NEW`: what changed between two networks, and whether that may pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.gating import FailOn, MaxMacs, MaxMemory, MaxParams
from unetscope.commands.options import (
    Batch,
    Height,
    InputFile,
    Inputs,
    Kwargs,
    Lang,
    Language,
    ModuleNames,
    Names,
    Output,
    Quiet,
    Tokens,
    Verbose,
    Width,
    _complete,
)
from unetscope.commands.reporting import DiffFormat, DiffOutput

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.commands.subjects import Subject
    from unetscope.errors import Place

_NETWORK = (
    "A config, a lock, a saved trace, a checkpoint (model.safetensors), a file at a git revision "
    "(HEAD~1:configs/unet.yaml), or code: pkg.module:attr."
)


def schema_option(wanted: bool) -> None:
    """Print the JSON Schema of `--format json`, and leave."""
    if wanted:
        import json

        from unetscope.analysis.report import schema

        console.emit(json.dumps(schema(), indent=2) + "\n")
        raise typer.Exit


def diff_command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_NETWORK, autocompletion=_complete)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Likewise.", autocompletion=_complete)],
    fail_on: FailOn = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_memory: MaxMemory = None,
    renamed: Annotated[
        bool, typer.Option("--renamed", help="Also the old and new name of each tensor.")
    ] = False,
    names: ModuleNames = Names.diffusers,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    lang: Lang = Language.en,
    format: DiffOutput = DiffFormat.terminal,
    output: Output = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of `--format json`.",
            callback=schema_option,
            is_eager=True,
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare two networks: what is breaking, behavioural, cost or cosmetic.

    Exit 0: nothing at or above the bar; 1: something is; 2: it could not be done. Rules may stand
    under [tool.unetscope.diff] in the nearest pyproject.toml: fail-on, max-params, max-macs,
    max-memory, and deny, warn or allow by a change's id.
    """
    from unetscope.commands.gating import rules
    from unetscope.commands.passes import Request
    from unetscope.commands.reporting import Judged, finish
    from unetscope.commands.subjects import compared, fitting, subject

    bar = rules(fail_on=fail_on, max_params=max_params, max_macs=max_macs, max_memory=max_memory)
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
    before, after = fitting(request, (old, new))
    left = subject(before, weights=True)
    right = subject(after, placed=format is DiffFormat.github, weights=True)
    found = compared(left, right)
    if found.tensors_only:
        console.say(
            "note: tensors alone are compared; a checkpoint tells nothing of functions, skips, "
            "settings, MACs and memory"
        )
    shown = found if names is Names.diffusers else _in_compvis_names(found, (left, right))
    originals = dict(zip(map(id, shown.changes), found.changes, strict=True))

    def place(change: Change) -> Place | None:
        return right.place(originals.get(id(change), change), found)

    judged = Judged(shown, bar, place)
    finish([judged], format, lang.value, output, names=renamed)
    raise typer.Exit(judged.exit_code)


def _in_compvis_names(found: Diff, subjects: Iterable[Subject]) -> Diff:
    """The same changes in CompVis' names: the new network's, if the two number blocks otherwise."""
    from unetscope.analysis.names import compvis_names
    from unetscope.views.naming import renamed_paths

    names: dict[str, str] = {}
    for subject in subjects:
        names |= compvis_names(module.path for module in subject.lock.modules)
        names |= compvis_names(tensor.name for tensor in subject.lock.tensors)
    return renamed_paths(found, names)
