"""`unetscope check`: everything that is wrong with configs, and what may surprise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.ignoring import Ignored, ignored_ids
from unetscope.commands.options import (
    FindingOptions,
    MaybeSources,
    SizedNetworkOptions,
    grouped,
)

if TYPE_CHECKING:
    from unetscope.findings import Finding
    from unetscope.rules.configs import Checked
    from unetscope.table import Table


@grouped
def check_command(
    network: SizedNetworkOptions,
    written: FindingOptions,
    configs: MaybeSources = None,
    sizes: Annotated[bool, typer.Option("--sizes", help="Print which input sizes work.")] = False,
    ignore: Ignored = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
) -> None:
    """Find everything that is wrong with configs, and what may surprise in them."""
    from unetscope.errors import UnetscopeError
    from unetscope.findings import Severity
    from unetscope.sources.checking import check
    from unetscope.sources.settings import default_config

    ignored = ignored_ids(ignore or ())
    found: list[Finding] = []
    tables: list[Table] = []
    code = 0
    for request in network.requests(configs or [default_config(console.info)]):
        try:
            checked = check(request, console.info)
        except UnetscopeError as error:  # the others are checked all the same
            console.error(error)
            code = error.exit_code
            continue
        found += [finding for finding in checked.findings if finding.id not in ignored]
        tables += _size_table(request.source, checked, written.lang) if sizes else []
    written.show(_tables(found, tables, written.format, written.lang))
    if any(strict or finding.severity is Severity.ERROR for finding in found):
        code = code or 1
    if code:
        raise typer.Exit(code)


def _tables(
    found: Sequence[Finding], sizes: Sequence[Table], format: str, language: str
) -> list[Table]:
    from unetscope.views.check import findings, located, report
    from unetscope.words import Words

    if format in ("github", "sarif"):
        return [located(found)]
    if format == "terminal":
        return [report(found, Words(language)), *sizes]
    return [findings(found, Words(language)), *sizes]


def _size_table(reference: str, checked: Checked, language: str) -> list[Table]:
    """The legal sizes of a config, if it is plain which network is meant."""
    from unetscope.rules.size_table import size_table
    from unetscope.views.check import sizes
    from unetscope.words import Words

    network = checked.network
    if network is None:
        return []
    classes = list(size_table(network.family, network.unet, network.inputs.height))
    return [sizes(reference, classes, Words(language))]
