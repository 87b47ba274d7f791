"""`unetscope diff`: what changed between two networks, and whether that may pass."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    OUTPUT,
    WRITTEN,
    ChangeOptions,
    GateOptions,
    ModuleNames,
    Output,
    SizedNetworkOptions,
    grouped,
    schema_option,
)
from unetscope.errors import UnetscopeError, nearest
from unetscope.wording import quoted

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.api import Architecture
    from unetscope.errors import Place
    from unetscope.record import Trace
    from unetscope.table import Picture


def _schema() -> object:
    from unetscope.views import branch_document, diff_document

    return {**diff_document.schema(), "$defs": {"branch": branch_document.schema()}}


@examples(
    ("unetscope diff sd15 sd15_inpaint --fail-on none", "What sets two shipped configs apart."),
    (
        "unetscope diff mine.lock mine.yaml --max-params +1%",
        "Fail if a config has grown by more than one percent since it was locked.",
    ),
    (
        "unetscope diff --base main .",
        "All networks here that this branch changed, for a pull request.",
    ),
)
@grouped
def diff_command(
    network: SizedNetworkOptions,
    limits: GateOptions,
    written: ChangeOptions,
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OLD NEW | [PATH]...",
            help="Two networks, each a config, a lock, a saved trace, a checkpoint "
            "(model.safetensors), a file at a git revision (HEAD~1:configs/unet.yaml) or in the "
            "index (:configs/unet.yaml), or code: pkg.module:attr. With --base, or after two "
            "revisions, the folders, files and globs to compare.",
            autocompletion=completing.compared,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="Compare the working tree with the commit where it left this branch; auto: the "
            "default branch of the remote.",
            metavar="REVISION",
            autocompletion=completing.one(lambda: ["auto", *completing.revisions()]),
        ),
    ] = None,
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
            autocompletion=completing.one(lambda: ("cpu", "cuda")),
        ),
    ] = None,
    names: ModuleNames = "diffusers",
    output: Output = None,
    comment: Annotated[
        Path | None,
        typer.Option(
            "--comment",
            help="Also write the comment of a pull request to a file; empty if nothing changed.",
            rich_help_panel=OUTPUT,
            **WRITTEN,
        ),
    ] = None,
    schema: Annotated[
        bool, schema_option("Print the JSON Schema of `--format json`.", _schema)
    ] = False,
) -> None:
    """Compare two networks, or all that a branch changed: what breaks, behaves otherwise, costs.

    `diff --base origin/main configs/` is for pull requests; `diff main HEAD` takes two revisions.

    Exit 0: nothing at or above the bar; 1: something is; 2: it could not be done. Rules may stand
    under tool.unetscope.diff in the nearest pyproject.toml: fail-on, max-params, max-macs,
    max-memory, and deny, warn or allow by a change's id.
    """
    from unetscope import api
    from unetscope.commands.pull_request import ANY_CONFIG, Comparison, are_revisions, show
    from unetscope.views.about import Subject, about_each
    from unetscope.views.diff import Judged
    from unetscope.words import Words

    given, gate = networks or [], limits.gate()
    renaming = _in_compvis_names if names == "compvis" else None
    if base is not None or are_revisions(given):
        (request,) = network.requests([ANY_CONFIG])
        draws = comment is not None or written.for_reviewers or console.is_job()
        drawing = partial(_drawn, lang=written.lang, names=names) if draws else None
        comparison = Comparison(request, gate, verify, renaming, drawing)
        report = comparison.of_branch(base, given)
        show(report, written, output, comment, names=renamed)
        raise typer.Exit(report.code)
    if len(given) != 2 or comment is not None:
        what = f"expected two networks, found {', '.join(map(quoted, given)) or 'none'}"
        raise UnetscopeError(
            "`--comment` goes with `--base`" if comment else what,
            hint="`unetscope diff --base origin/main configs/` compares all that a branch changed",
        )
    left, right = network.load_all(given)
    left.source.by_position = right.source.by_position = True
    found = api.diff(left, right, verify=verify, progress=console.progress)
    tell_other_names(left, right)
    if found.tensors_only:
        console.info(
            "note: tensors alone are compared; a checkpoint tells nothing of functions, skips, "
            "settings, MACs and memory"
        )
    shown = found if renaming is None else renaming(found, left, right)
    originals = dict(zip(map(id, shown.changes), found.changes, strict=True))

    def place(change: Change) -> Place | None:
        return right.source.place_of(originals.get(id(change), change), found)

    judgement = gate.judge(shown)
    told = about_each(
        [Subject.of_lock(one.source.comparable(), one.source, names) for one in (left, right)],
        Words(written.lang),
        ("old", "new"),
    )
    written.show([Judged(judgement, place)], output, names=renamed, about=told)
    raise typer.Exit(1 if judgement.breaches else 0)


def _drawn(old: Trace, new: Trace, sources: tuple[str, str], *, lang: str, names: str) -> Picture:
    """Two networks in one drawing, for a comment.

    Raises:
        UnetscopeError: the code base of `names` has none for anything in one of them.
    """
    from unetscope.views.overlay import Overlaid, overlaid
    from unetscope.views.view import View

    before, after = (View.of(trace, lang, names) for trace in (old, new))
    return Overlaid(overlaid(before, after, sources))


def tell_other_names(old: Architecture, new: Architecture) -> None:
    """Say which inputs of either network went by their places.

    Raises:
        UnetscopeError: neither network has an input of a name.
    """
    for network, other in ((old, new), (new, old)):
        _tell_other_names(network, other)


def _tell_other_names(network: Architecture, other: Architecture) -> None:
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
