"""`unetscope lock`: write the lock of each network beside its config, or check it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    OUTPUT,
    WRITTEN,
    ChangeOptions,
    GateOptions,
    SizedNetworkOptions,
    complete_configs,
    grouped,
    leaving_option,
)
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.api import Architecture
    from unetscope.views.diff import Judged


def _grammar() -> str:
    from unetscope.files.locks.grammar import GRAMMAR

    return GRAMMAR


@dataclass
class _Outcome:
    """What became of all configs.

    Attributes:
        judged: the diff of each lock that is not what it would be written as.
        findings: what is wrong with locks that no diff tells, and in which config.
        stale: how many are not what they would be written as, or missing.
        failed: how many configs could not be locked.
    """

    judged: list[Judged] = field(default_factory=list)
    findings: list[tuple[str, Path | None]] = field(default_factory=list)
    stale: int = 0
    failed: int = 0

    def found(self, path: Path, message: str, config: Path | None = None) -> None:
        """Count a lock that is stale or missing; with a config it is a finding there."""
        self.stale += 1
        console.info(message)
        if config is not None:
            from unetscope.sources.settings import lock_of

            where = "" if lock_of(config) == path else f" -o {path}"
            self.findings.append((f"{message}; `unetscope lock {config}{where}` writes it", config))


@grouped
def lock_command(
    network: SizedNetworkOptions,
    written: ChangeOptions,
    configs: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG...",
            help="Config files, or one shipped config or code with -o.",
            autocompletion=complete_configs,
        ),
    ],
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit 1 and print the diff if one is stale or missing.",
            rich_help_panel="What to do",
        ),
    ] = False,
    output: Annotated[
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
    from unetscope.api import Architecture
    from unetscope.render import FORMATS, Reader
    from unetscope.views.diff import lock_findings

    if output is not None and len(configs) > 1:
        raise UnetscopeError("`-o` names one lock, and there are several configs")
    paths = [output or _place(name) for name in configs]
    _refuse_shared(configs, paths)
    requests = network.requests(configs)
    outcome = _Outcome()
    verb, noun = "checking" if check else "locking", "config" if len(paths) == 1 else "configs"
    with console.progress(f"{verb} {len(paths)} {noun}", len(paths)) as advance:
        for request, path in zip(requests, paths, strict=True):
            try:
                unet = Architecture.of(request, console.info)
                if check:
                    _check(unet, path, outcome)
                else:
                    _write(unet, path, outcome, folders=output is None)
            except UnetscopeError as error:
                if len(paths) == 1:
                    raise
                console.error(error)
                outcome.failed += 1
            advance()
    if outcome.judged:
        written.show(outcome.judged)
    if outcome.findings and FORMATS[written.format].reader is Reader.REVIEW_TOOLS:
        console.show([lock_findings(outcome.findings)], written.format)
    if outcome.stale and check:
        console.info(f"{outcome.stale} of {len(paths)} are stale or missing")
    if outcome.failed:
        raise typer.Exit(2)
    raise typer.Exit(1 if outcome.stale and (check or exit_non_zero_on_write) else 0)


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
        from unetscope.sources.targets import is_target

        missing = any(mark in source for mark in "/\\") or path.suffix in (".yaml", ".yml")
        if missing and not is_target(source):
            locate(source)
        raise UnetscopeError(
            f"`{source}` is no file: where its lock belongs is not known",
            hint=f"`unetscope lock {source} -o FILE{SUFFIX}` says where",
        )
    if is_lock(path):
        raise UnetscopeError(f"`{source}` is a lock", hint="name the config that it belongs to")
    return lock_of(path)


def _refuse_shared(configs: list[str], paths: list[Path]) -> None:
    """See that no two configs have one lock, as `unet.yaml` and `unet.json` would."""
    owners: dict[Path, str] = {}
    for config, path in zip(configs, paths, strict=True):
        if (other := owners.setdefault(path, config)) != config:
            raise UnetscopeError(
                f"`{other}` and `{config}` have one lock, {path}",
                hint="rename one, or lock each on its own with `-o`",
            )


def _write(unet: Architecture, path: Path, outcome: _Outcome, *, folders: bool) -> None:
    from unetscope.files.locks import dumps, is_written
    from unetscope.files.reading import is_file
    from unetscope.files.writing import write

    def say(error: UnetscopeError) -> None:
        if is_file(path):
            console.info(f"{error.place}: {error.message}; it is written anew")

    if is_written(path, unet.lock(), say):
        console.debug(f"unchanged {path}")
        return
    write(path, dumps(unet.lock()), folders=folders)
    console.info(f"wrote {path}")
    outcome.stale += 1


def _check(unet: Architecture, path: Path, outcome: _Outcome) -> None:
    from unetscope import api
    from unetscope.files.locks import is_text_of
    from unetscope.views.diff import Judged

    file = unet.source.file
    if not path.exists():
        unet.lock()
        outcome.found(path, f"{path} is missing", file)
        return
    written = api.load(str(path))
    if is_text_of(path, unet.lock()):
        console.debug(f"unchanged {path}")
        return
    found = api.diff(written, unet)
    if found.changes:
        outcome.found(path, f"{path} is stale")
        place = unet.source.place_of
        judgement = GateOptions().gate().judge(found)
        outcome.judged.append(Judged(judgement, lambda change: place(change, found)))
        return
    why = "in another layout" if written.lock() == unet.lock() else "from another config"
    outcome.found(path, f"{path} is stale: the same network {why}", file)
