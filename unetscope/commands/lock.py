"""`unetscope lock CONFIG ...`: write the digest of each network beside its config, or check it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    InputFile,
    Inputs,
    Kwargs,
    Lang,
    Language,
    Quiet,
    Verbose,
    _complete,
)
from unetscope.commands.reporting import DiffFormat, DiffOutput
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unetscope.commands.passes import Request
    from unetscope.commands.reporting import Judged
    from unetscope.lock import Lock


def schema_option(wanted: bool) -> None:
    """Print the JSON Schema of a lock, and leave."""
    if wanted:
        import json

        from unetscope.lockfile import schema

        console.emit(json.dumps(schema(), indent=2) + "\n")
        raise typer.Exit


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

    def found(self, path: Path, message: str, told_at: Path | None = None) -> None:
        """Count a lock that is stale or missing."""
        self.stale += 1
        console.say(message)
        if told_at is not None:
            hint = f"`unetscope lock {told_at} -o {path}` writes it"
            beside = told_at.with_suffix(path.suffix) == path
            hint = f"`unetscope lock {told_at}` writes it" if beside else hint
            self.findings.append((f"{message}; {hint}", told_at))


def lock_command(
    configs: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG...",
            help="Config files, or one shipped config or code with -o.",
            autocompletion=_complete,
        ),
    ],
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; exit 1 and print the diff if one is stale or missing."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The lock, if not beside the config.", metavar="FILE"),
    ] = None,
    exit_non_zero_on_write: Annotated[
        bool,
        typer.Option(
            "--exit-non-zero-on-write", help="Exit 1 if a lock was written, for pre-commit."
        ),
    ] = False,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    lang: Lang = Language.en,
    format: DiffOutput = DiffFormat.terminal,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of a lock.",
            callback=schema_option,
            is_eager=True,
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the lock of each config beside it: configs/sd15.yaml has configs/sd15.lock.

    A lock is a digest of the network that people review: config, inputs, totals, modules, tensors,
    skips. `--check` compares instead, as CI should; tools' versions are never compared.
    """
    from unetscope.commands.passes import Request
    from unetscope.commands.reporting import finish
    from unetscope.commands.subjects import fitting

    if output is not None and len(configs) > 1:
        raise UnetscopeError("`-o` names one lock, and there are several configs")
    request = Request("", inputs=tuple(inputs or ()), input_file=input_file, kwargs=kwargs)
    targets = [(each, output or _beside(each.source)) for each in fitting(request, configs)]
    outcome = _Outcome()
    with console.progress(_what(len(targets), check=check), len(targets)) as advance:
        for each, path in targets:
            try:
                (_check if check else _write)(each, path, outcome)
            except UnetscopeError as error:
                if len(targets) == 1:
                    raise
                console.fail(error)
                outcome.failed += 1
            advance()
    if outcome.judged:
        finish(outcome.judged, format, lang.value)
    if outcome.findings and format is DiffFormat.github:
        _annotate(outcome.findings)
    if outcome.stale and check:
        console.say(f"{outcome.stale} of {len(targets)} are stale or missing")
    if outcome.failed:
        raise typer.Exit(2)
    raise typer.Exit(1 if outcome.stale and (check or exit_non_zero_on_write) else 0)


def _annotate(findings: Sequence[tuple[str, Path | None]]) -> None:
    from unetscope.table import Table
    from unetscope.views.diff import COLUMNS

    rows = tuple(
        ("error", None if file is None else str(file), 1, None, "lock", message)
        for message, file in findings
    )
    console.show([Table("findings", "", COLUMNS, rows)], "github")


def _what(count: int, *, check: bool) -> str:
    return f"{'checking' if check else 'locking'} {count} {'config' if count == 1 else 'configs'}"


def _beside(source: str) -> Path:
    """Where the lock of a config belongs.

    Raises:
        UnetscopeError: the source is no file, so there is no place beside it.
    """
    from unetscope.lockfile import SUFFIX, is_lock

    path = Path(source)
    if not path.is_file():
        missing = any(mark in source for mark in "/\\") or path.suffix in (".yaml", ".yml")
        from unetscope.commands.targets import is_target
        from unetscope.config.files import locate

        if missing and not is_target(source):
            locate(source)
        raise UnetscopeError(
            f"`{source}` is no file: where its lock belongs is not known",
            hint=f"`unetscope lock {source} -o FILE{SUFFIX}` says where",
        )
    if is_lock(path):
        raise UnetscopeError(f"`{source}` is a lock", hint="name the config that it belongs to")
    return path.with_suffix(SUFFIX)


def _write(request: Request, path: Path, outcome: _Outcome) -> None:
    from unetscope import lockfile
    from unetscope.commands.subjects import subject

    made = subject(request).lock
    if _same(_read(path), made):
        console.whisper(f"unchanged {path}")
        return
    console.write(path, lockfile.dumps(made))
    console.say(f"wrote {path}")
    outcome.stale += 1


def _read(path: Path) -> Lock | None:
    """The lock that is there; None if there is none that can be read, since it is written anew."""
    from unetscope import lockfile

    try:
        return lockfile.load(path) if path.exists() else None
    except UnetscopeError:
        return None


def _same(old: Lock | None, new: Lock) -> bool:
    """Whether two locks have one text, tools' versions aside."""
    from unetscope.lockfile import dumps

    return old is not None and dumps(replace(old, tools={})) == dumps(replace(new, tools={}))


def _check(request: Request, path: Path, outcome: _Outcome) -> None:
    from unetscope import lockfile
    from unetscope.commands.gating import rules
    from unetscope.commands.reporting import Judged
    from unetscope.commands.subjects import Subject, compared, subject

    made = subject(request, placed=True)
    if not path.exists():
        outcome.found(path, f"{path} is missing", made.file)
        return
    written = Subject(str(path), lockfile.load(path), path)
    if _same(written.lock, made.lock):
        console.whisper(f"unchanged {path}")
        return
    found = compared(written, made)
    if found.changes:
        outcome.found(path, f"{path} is stale")
        outcome.judged.append(Judged(found, rules(), lambda change: made.place(change, found)))
    else:
        outcome.found(path, f"{path} is stale: the same network from another config", made.file)
