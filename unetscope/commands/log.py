"""`unetscope log`: the commits that changed a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    GateOptions,
    SizedNetworkOptions,
    TableOptions,
    grouped,
)
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.rules.commits import Entry
    from unetscope.rules.gate import Gate
    from unetscope.sources.past import Past


@examples(
    ("unetscope log mine.yaml", "The commits that changed a network, newest first."),
    (
        "unetscope log mine.yaml --first-bad --max-params 900M",
        "The commit with which it grew above a bound.",
    ),
)
@grouped
def log_command(
    network: SizedNetworkOptions,
    limits: GateOptions,
    written: TableOptions,
    config: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="A config, or a lock, in a git repository; without one, what `config` names "
            "under tool.unetscope in the nearest pyproject.toml, else sd15.",
            autocompletion=completing.configs,
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option("--max-count", "-n", help="At most so many commits.", metavar="N", min=1),
    ] = None,
    range_: Annotated[
        str | None,
        typer.Option(
            "--range",
            help="Only commits of B that A has not, or all up to one revision; without, HEAD.",
            metavar="A..B",
            autocompletion=completing.range_,
        ),
    ] = None,
    first_parent: Annotated[
        bool,
        typer.Option("--first-parent", help="Merges stand for all the commits they brought in."),
    ] = False,
    first_bad: Annotated[
        bool,
        typer.Option(
            "--first-bad",
            help="Only the oldest commit that the gate does not let pass, compared with what was "
            "before them all; exit 1 if there is one.",
        ),
    ] = False,
) -> None:
    """List the commits that changed the network of a config, newest first.

    Looks at commits that touch the file, under all its names, or what it extends.
    A commit whose lock was written for its very config is not traced. The options
    of the gate go with --first-bad; given here, they alone count, else what
    `diff` goes by.
    """
    from unetscope.views import log as views
    from unetscope.words import Words

    gate = _gate(limits, wanted=first_bad)
    if first_bad and most is not None:
        raise UnetscopeError(
            "`--max-count` has no meaning with `--first-bad`", hint="`--range A..B` narrows it down"
        )
    words = Words(written.lang)
    with _past(network, config, range_, first_parent=first_parent) as past:
        commits = past.history.commits
        with console.progress(f"reading {_commits(len(commits))}", len(commits)) as advance:
            if first_bad:
                from unetscope.sources.blaming import first_bad as find

                blame = find(past, gate, advance)
                table = views.first_bad(blame, words)
                code = blame.code
            else:
                found = list(islice(past.entries(advance), most and most + 1))
                cut = most is not None and len(found) > most
                found = found[:most]
                _see_options(network, [] if cut else found)
                facts = {
                    "path": past.history.path,
                    "commits": len(commits),
                    "complete": not cut,
                    "shallow": bool(past.history.shallow),
                }
                by_lock = sum(entry.by_lock for entry in found)
                told = views.counted(len(commits), len(found), by_lock, words, all_=not cut)
                table, code = views.log(found, words, facts, told), 0
    written.show([table])
    raise typer.Exit(code)


def _see_options(network: SizedNetworkOptions, found: Sequence[Entry]) -> None:
    """See that options let at least one commit describe a network.

    Raises:
        UnetscopeError: none does, as with a key that no family has.
    """
    errors = [entry.error for entry in found if entry.error is not None]
    (request,) = network.requests([""]) if errors else (None,)
    if request is not None and request.given and not any(entry.lock for entry in found):
        raise errors[0]


def _commits(count: int) -> str:
    return f"{count:,} commit{'' if count == 1 else 's'}"


def _gate(limits: GateOptions, *, wanted: bool) -> Gate:
    """The gate of the options alone if there are any; else that of `diff`.

    Raises:
        UnetscopeError: there are, and no gate is wanted.
    """
    from unetscope.rules.gate import FAIL_ON, Gate

    given = {
        option.name.replace("_", "-"): value
        for option in fields(limits)
        if (value := getattr(limits, option.name)) is not None
    }
    if given and not wanted:
        raise UnetscopeError(
            f"`--{next(iter(given))}` goes with `--first-bad`",
            hint="it finds the commit that broke a bound",
        )
    return Gate.of({FAIL_ON: "none"}, given, "") if given else limits.gate()


@contextmanager
def _past(
    network: SizedNetworkOptions, config: str | None, range_: str | None, *, first_parent: bool
) -> Iterator[Past]:
    """The past of what the user named.

    Raises:
        UnetscopeError: it is no file of a repository, or has no past.
    """
    from unetscope.config.files import locate, split_part
    from unetscope.files.reading import is_there
    from unetscope.sources.history import SHALLOW, History
    from unetscope.sources.past import Past
    from unetscope.sources.revisions import is_revision
    from unetscope.sources.settings import default_config
    from unetscope.sources.targets import is_target

    name = default_config(console.info) if config is None else config
    if is_revision(name):
        raise UnetscopeError(
            f"`{name}` is one version of a file",
            hint=f"name the file itself: `{name.partition(':')[2]}`",
        )
    if not is_there(Path(name)) and is_target(name):
        raise UnetscopeError(
            f"`{name}` is code, of which this environment has one version alone",
            hint="the lock of its test has a history: name that",
        )
    if network.trust_code:
        raise UnetscopeError("`--trust-code`: the code of earlier commits is not here")
    (request,) = network.requests([name])
    reference, part = split_part(name)
    file = Path(reference)
    if is_there(file) or not file.suffix:
        file = locate(reference)
    history = History.of(file, range_, first_parent=first_parent)
    if history.shallow:
        console.info(f"note: {SHALLOW}")
    with TemporaryDirectory(prefix="unetscope-") as folder:
        yield Past(history, request, part, Path(folder))
