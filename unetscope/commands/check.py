"""`unetscope check`: everything that is wrong with a network, and what may surprise in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope import wording
from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    FindingOptions,
    MaybeSources,
    SizedNetworkOptions,
    grouped,
)
from unetscope.errors import ConfigError, Place, UnetscopeError

if TYPE_CHECKING:
    from unetscope.findings import Finding
    from unetscope.rules.configs import Checked
    from unetscope.sources import Request


@examples(
    ("unetscope check mine.yaml", "Everything that is wrong with a config, each with its line."),
    ("unetscope check mine.yaml --strict", "Warnings make it fail too, as a CI may want."),
    ("unetscope check --list-rules", "What can be found."),
)
@grouped
def check_command(
    network: SizedNetworkOptions,
    written: FindingOptions,
    sources: MaybeSources = None,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Also which input sizes a config's network takes.")
    ] = False,
    list_rules: Annotated[
        bool, typer.Option("--list-rules", help="What can be found, by id; nothing is checked.")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="ID",
            help="Leave out findings of this id; may be repeated.",
            autocompletion=completing.one(completing.rules),
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
) -> None:
    """Find everything that is wrong with configs, and what may surprise in any network.

    What has no errors is run once for what only shows then.

    Exit 0: no errors; 1: some; 2: it could not be done.
    """
    from unetscope.findings import UNCHECKED, Severity
    from unetscope.rules import every_rule
    from unetscope.sources.checking import check
    from unetscope.sources.settings import named_config
    from unetscope.views.about import Subject, about_any
    from unetscope.views.check import findings, rules, sizes_of
    from unetscope.words import Words

    words = Words(written.lang)
    if list_rules:
        written.show([rules(every_rule().values(), words)])
        return
    ignored = _ignored(ignore or ())
    named = sources or [config for config in [named_config(console.info)] if config]
    if not named:
        raise UnetscopeError(
            "expected a config or code, found none",
            hint="`unetscope check CONFIG`; `config` under tool.unetscope in the nearest "
            "pyproject.toml names the one to check without",
        )
    checked: dict[str, Checked] = {}
    asked: dict[str, Request] = {}
    unchecked: list[Finding] = []
    for request in network.requests(named):
        try:
            checked[request.source] = check(request, console.info)
            asked[request.source] = request
        except UnetscopeError as error:  # the others are checked all the same
            console.error(error)
            place = error.place or Place(request.source)
            unchecked.append(UNCHECKED.in_file(place, error.message, error.hint))
    every = [finding for one in checked.values() for finding in one.findings]
    found = [finding for finding in every if finding.id not in ignored]
    networks = {n: one.network for n, one in checked.items() if one.network is not None}
    tables = [
        sizes_of(", ".join((name, *asked[name].overrides)), network, words)
        for name, network in networks.items()
        if sizes
    ]
    subjects = [Subject.of_config(network, asked[name]) for name, network in networks.items()]
    if not checked and written.output is not None and written.output.exists():
        console.info(f"{written.output} is kept as it was, since nothing could be checked")
    elif checked or written.output is not None or written.format != "terminal":
        told = about_any(subjects, words) if sizes or written.format == "json" else None
        written.show([findings([*unchecked, *found], words), *tables], about=told)
    if unchecked:
        raise typer.Exit(UnetscopeError.exit_code)
    if any(strict or finding.severity is Severity.ERROR for finding in found):
        raise typer.Exit(1)


def _ignored(given: Sequence[str]) -> frozenset[str]:
    """The ids that are left out: those of `--ignore`, and of `[tool.unetscope.check]`.

    Raises:
        UnetscopeError: there is no such rule, or no such setting.
    """
    from unetscope.rules import known_ids
    from unetscope.sources.settings import check_keys, nearest_file, place_of, section

    try:
        ids = known_ids(given)
    except UnetscopeError as error:
        raise UnetscopeError(f"--ignore: {error.message}", hint=error.hint) from None
    file = nearest_file(Path.cwd())
    settings = {} if file is None else section(file, "check")
    if file is not None and settings:
        check_keys(file, settings, ("ignore",), "check")
        value, place = settings["ignore"], place_of(file, "check", "ignore")
        if not isinstance(value, list):
            message = (
                f"tool.unetscope.check.ignore: expected a list of ids, found {wording.found(value)}"
            )
            raise ConfigError(message, place=place)
        try:
            ids |= known_ids(value)
        except UnetscopeError as error:
            message = f"tool.unetscope.check.ignore: {error.message}"
            raise ConfigError(message, hint=error.hint, place=place) from None
    return ids
