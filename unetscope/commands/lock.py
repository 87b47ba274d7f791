"""`unetscope lock`: write the lock of each network beside its config, or check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    OUTPUT,
    WRITTEN,
    ChangeOptions,
    SizedNetworkOptions,
    grouped,
    leaving_option,
)
from unetscope.errors import UnetscopeError
from unetscope.wording import series

if TYPE_CHECKING:
    from unetscope.rules.locks import Report


def _grammar() -> str:
    from unetscope.files.locks.grammar import GRAMMAR

    return GRAMMAR


@examples(
    ("unetscope lock mine.yaml", "Write mine.lock, to be committed beside the config."),
    (
        "unetscope lock --check mine.yaml",
        "Fail if the lock is not that of the config, as CI should.",
    ),
    ("unetscope lock sd15 -o sd15.lock", "The lock of a shipped config."),
)
@grouped
def lock_command(
    network: SizedNetworkOptions,
    written: ChangeOptions,
    configs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONFIG...",
            help="Config files, or one shipped config or code with -o.",
            autocompletion=completing.configs,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit 1 and print the diff if one is stale or missing, belongs to "
            "no config or to several.",
            rich_help_panel="What to do",
        ),
    ] = False,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="The files are any that changed, for pre-commit: the configs among them, and "
            "those that extend one or whose lock is among them.",
            rich_help_panel="What to do",
        ),
    ] = False,
    lock: Annotated[  # no `output`, whose suffix would be one of a format
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The lock, if not where it belongs.",
            rich_help_panel=OUTPUT,
            **WRITTEN,
        ),
    ] = None,
    exit_non_zero_on_write: Annotated[
        bool,
        typer.Option(
            "--exit-non-zero-on-write",
            help="Exit 1 if a lock was written, for pre-commit.",
            rich_help_panel="What to do",
        ),
    ] = False,
    grammar: Annotated[
        bool, leaving_option("--grammar", "Print the grammar of a lock's text.", _grammar)
    ] = False,
) -> None:
    """Write the lock of each config beside it: unet.yaml has unet.lock.

    `locks = "FOLDER"` under tool.unetscope puts it into a folder there. A lock
    is a text that people review: config, inputs, the tree of the modules with
    their data flow, skips, totals.
    `--check` compares instead, as CI should; tools' versions are never compared.
    """
    from unetscope.commands.locks import check_all, write_all
    from unetscope.files.locks import SUFFIX
    from unetscope.rules.locks import Report, Row, State
    from unetscope.sources.locking import beside, orphans, reached, tracked

    given = configs or []
    if lock is not None and (len(given) > 1 or changed):
        raise UnetscopeError("`-o` names one lock, and there are several configs")
    if not given and not changed:
        raise UnetscopeError("expected a config, found none", hint="`unetscope lock CONFIG`")
    names = reached(given) if changed else given
    places = _places(names, lock)
    shared = {} if lock is not None else _shared(places)
    if shared and not check:
        place, owners = next(iter(shared.items()))
        raise UnetscopeError(
            f"{series(f'`{owner}`' for owner in owners)} have one lock, {place}",
            hint="rename one, or lock each on its own with `-o`",
        )
    rows = [Row(str(place), State.COLLIDING, tuple(owners)) for place, owners in shared.items()]
    alone = {name: place for name, place in places.items() if place not in shared}
    requests = network.requests(alone)
    rows += check_all(requests, alone) if check else write_all(requests, alone, lock is None)
    if lock is None and (check or changed):
        near = tracked(SUFFIX) if changed else beside(places.values())
        for path, error in orphans(near):
            state = State.ORPHANED if error is None else State.UNREADABLE
            rows.append(Row(str(path), state, error=error))
            if error is not None:
                console.error(error)
    _show(Report(rows), written, check=check)
    wrote = any(row.state is State.WRITTEN for row in rows)
    raise typer.Exit(Report(rows).code or int(wrote and exit_non_zero_on_write))


def _places(names: Sequence[str], output: Path | None) -> dict[str, Path]:
    """The lock of each config; a file that is named twice counts once.

    Raises:
        UnetscopeError: see `_place`.
    """
    known: dict[Path, str] = {}
    for name in names:
        known.setdefault(Path(name).absolute(), name)
    return {name: output or _place(name) for name in known.values()}


def _shared(places: Mapping[str, Path]) -> dict[Path, list[str]]:
    """The locks that several configs would have, named or not, as `unet.yaml` and `unet.yml`."""
    from unetscope.sources.locking import rivals

    owners: dict[Path, list[str]] = {}
    for name, lock in places.items():
        owners.setdefault(lock, []).append(name)
    for names in owners.values():
        names += [str(path) for path in rivals(Path(names[0])) if str(path) not in names]
    return {lock: names for lock, names in owners.items() if len(names) > 1}


def _show(report: Report, written: ChangeOptions, *, check: bool) -> None:
    """Write the report; a terminal is told nothing more of what is an error on stderr already."""
    from unetscope.render import FORMATS
    from unetscope.views.locks import message, tables
    from unetscope.words import Words

    words, people = Words(written.lang), written.format == "terminal"
    for row in report.bad:
        if row.error is None and not people:
            console.info(message(row, words))
    told = all(row.error is not None for row in report.bad) and report.bad
    if check or report.bad or not people:
        if not (people and told):
            reader = FORMATS[written.format].reader
            found = tables(report, words, reader, every=written.shows_every)
            console.show(found, written.format, language=written.lang)
        if report.bad:
            job = tables(report, words, FORMATS["markdown"].reader)
            console.add_to_job(job, written.lang)


def _place(source: str) -> Path:
    """Where the lock of a config belongs.

    Raises:
        UnetscopeError: the source is no file, so there is no place beside it.
    """
    from unetscope.files.locks import SUFFIX, is_lock
    from unetscope.files.reading import is_file
    from unetscope.sources.settings import lock_of

    path = Path(source)
    if not is_file(path):
        from unetscope.config.files import locate
        from unetscope.sources.revisions import is_revision
        from unetscope.sources.targets import is_target

        if not is_target(source) and not is_revision(source):
            locate(source)  # it is a shipped config, or says what is missing
        raise UnetscopeError(
            f"`{source}` is no file: where its lock belongs is not known",
            hint=f"`unetscope lock {source} -o FILE{SUFFIX}` says where",
        )
    if is_lock(path):
        from unetscope.sources.locking import owner

        config = owner(path)
        raise UnetscopeError(
            f"`{source}` is a lock",
            hint=f"name the config that it belongs to, `{config}`"
            if config
            else f"it belongs to no config here: name what it is of, and `-o {source}`",
        )
    return lock_of(path)
