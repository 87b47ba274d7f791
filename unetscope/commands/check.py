"""`unetscope check CONFIG…`: everything that is wrong with configs, and what may surprise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.ignoring import Ignored, ignored_ids
from unetscope.commands.options import (
    Height,
    InputFile,
    Inputs,
    Kwargs,
    Lang,
    Language,
    MaybeConfigs,
    Output,
    Overrides,
    Quiet,
    Tokens,
    Verbose,
    Width,
)

if TYPE_CHECKING:
    from unetscope.commands.passes import Request
    from unetscope.findings import Finding
    from unetscope.rules.configs import Checked
    from unetscope.table import Table


class CheckFormat(str, Enum):
    """Forms that findings can take."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    json = "json"
    github = "github"
    sarif = "sarif"


Strict = Annotated[bool, typer.Option("--strict", help="Warnings fail too.")]
Sizes = Annotated[bool, typer.Option("--sizes", help="Print which input sizes work.")]


def check_config(
    reference: str,
    *,
    overrides: Sequence[str] = (),
    flags: Mapping[str, int | None] | None = None,
) -> Checked:
    """Every finding of a config, by its place in the file.

    A config without errors is built and run once on meta, so that what only shows there is found.

    Args:
        reference: a path, or the name of a shipped config.
        overrides: `KEY=VALUE` each, for `unet`.
        flags: `height`, `width`, `batch` and `tokens`, instead of the config's.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
    """
    from unetscope.commands.passes import run
    from unetscope.config import load
    from unetscope.config.files import locate, read_text, split_part
    from unetscope.config.loading import document_of
    from unetscope.errors import ConfigError, Place
    from unetscope.findings import MALFORMED, Severity
    from unetscope.rules.configs import Checked, check
    from unetscope.rules.trial import check_built

    path = locate(split_part(reference)[0])
    read_text(path)  # a file that is not there is no finding
    try:
        document = document_of(reference, overrides, flags)
    except ConfigError as error:
        place = error.place or Place(str(path))
        return Checked([MALFORMED.in_file(place, error.message, error.hint)])
    for note in document.notes:
        console.say(f"note: {note}")
    checked = check(document)
    if all(finding.severity is Severity.WARNING for finding in checked.findings):
        spec = load(reference, overrides=overrides, **(flags or {}))
        checked.findings += check_built(spec, lambda: run(spec))
    checked.findings.sort(key=lambda finding: finding.order)
    return checked


def _check_code(request: Request) -> Checked:
    """What shows when a model of other people's code runs once."""
    from unetscope.commands.passes import obtain
    from unetscope.errors import Place
    from unetscope.rules.configs import Checked
    from unetscope.rules.trial import check_pass

    return Checked(list(check_pass(lambda: obtain(request), Place(request.source))))


def _tables(
    found: Sequence[Finding], sizes: Sequence[Table], format: CheckFormat, language: str
) -> list[Table]:
    from unetscope.views.check import findings, located, report
    from unetscope.words import Words

    if format in (CheckFormat.github, CheckFormat.sarif):
        return [located(found)]
    if format is CheckFormat.terminal:
        return [report(found, Words(language)), *sizes]
    return [findings(found, Words(language)), *sizes]


def _size_table(reference: str, checked: Checked, language: str) -> list[Table]:
    """The legal sizes of a config, if it is plain which network is meant."""
    from unetscope.rules.size_table import size_table
    from unetscope.views.check import sizes
    from unetscope.words import Words

    if checked.family is None or checked.unet is None or checked.inputs is None:
        return []
    classes = list(size_table(checked.family, checked.unet, checked.inputs.height))
    return [sizes(reference, classes, Words(language))]


def check_command(
    configs: MaybeConfigs = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    sizes: Sizes = False,
    ignore: Ignored = None,
    strict: Strict = False,
    lang: Lang = Language.en,
    format: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="Form of the output.")
    ] = CheckFormat.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find everything that is wrong with configs, and what may surprise in them."""
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request
    from unetscope.commands.targets import is_target
    from unetscope.errors import UnetscopeError
    from unetscope.findings import Severity

    ignored = ignored_ids(ignore or ())
    changes, flags = tuple(overrides or ()), {"height": height, "width": width, "tokens": tokens}
    found: list[Finding] = []
    tables: list[Table] = []
    code = 0
    for config in configs or [chosen(None)]:
        try:
            if is_target(config):
                checked = _check_code(
                    Request(
                        config,
                        changes,
                        height=height,
                        width=width,
                        tokens=tokens,
                        inputs=tuple(inputs or ()),
                        input_file=input_file,
                        kwargs=kwargs,
                    )
                )
            else:
                checked = check_config(config, overrides=changes, flags=flags)
        except UnetscopeError as error:  # the others are checked all the same
            console.fail(error)
            code = error.exit_code
            continue
        found += [finding for finding in checked.findings if finding.id not in ignored]
        tables += _size_table(config, checked, lang.value) if sizes else []
    console.show(_tables(found, tables, format, lang.value), format.value, output)
    if any(strict or finding.severity is Severity.ERROR for finding in found):
        code = code or 1
    if code:
        raise typer.Exit(code)
