"""A diff and what the gate says of it as one document for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from unetscope.analysis.diff import Change, ConfigChange
from unetscope.rules.gate import Judgement

FORMAT = 1


@dataclass(frozen=True)
class ReportedChange:
    """A change; see `unetscope.analysis.diff.Change`."""

    id: str
    severity: str
    was: str | None
    now: str | None
    old: Any
    new: Any
    about: str
    fails: bool
    """Whether the gate lets it not pass."""
    parts: tuple[ReportedChange, ...]
    """The changes that it stands for; empty if it is one alone."""


@dataclass(frozen=True)
class ReportedTotal:
    """A number of the whole network; `activation-memory` is in bytes."""

    id: str
    old: int
    new: int
    delta: int


@dataclass(frozen=True)
class ReportedFailure:
    """A setting of the gate that a change does not meet; `rule` is its name."""

    rule: str
    id: str
    where: str
    bound: str
    measured: Any
    """With a bound on a total."""
    limit: int | None
    """The largest total that passes."""


@dataclass(frozen=True)
class Report:
    """What `unetscope diff --format json` prints."""

    format_version: int
    old: str
    new: str
    equal: bool
    """Whether nothing changed."""
    passes: bool
    fail_on: str
    """The class that fails, with all above it; or `none`."""
    counts: dict[str, int]
    """How many changes there are of each class."""
    totals: tuple[ReportedTotal, ...]
    changes: tuple[ReportedChange, ...]
    failures: tuple[ReportedFailure, ...]
    config: tuple[ConfigChange, ...]
    names: tuple[tuple[str, str], ...]
    """Old and new name of each tensor that has another one."""
    tensors_only: bool
    """Whether nothing but tensors was compared: one network is a checkpoint."""


def report(judged: Judgement) -> Report:
    """The document of a diff."""
    diff, fail_on = judged.diff, judged.gate.fail_on
    counts: dict[str, int] = {}
    for change in judged.shown:
        name = change.severity.name.lower()
        counts[name] = counts.get(name, 0) + 1
    failed = {id(breach.change) for breach in judged.breaches}
    return Report(
        FORMAT,
        diff.old,
        diff.new,
        equal=not diff.changes,
        passes=not judged.breaches,
        fail_on="none" if fail_on is None else fail_on.name.lower(),
        counts=counts,
        totals=tuple(ReportedTotal(t.id, t.old, t.new, t.new - t.old) for t in diff.totals),
        changes=tuple(_reported(c, fails=id(c) in failed) for c in judged.shown),
        failures=tuple(
            ReportedFailure(
                breach.setting,
                breach.change.id,
                breach.change.where,
                breach.bound,
                None if breach.limit is None else breach.change.new,
                breach.limit,
            )
            for breach in judged.breaches
        ),
        config=diff.config,
        names=diff.names,
        tensors_only=diff.tensors_only,
    )


def _reported(change: Change, *, fails: bool) -> ReportedChange:
    parts = tuple(_reported(part, fails=fails) for part in change.parts)
    return ReportedChange(
        change.id,
        change.severity.name.lower(),
        change.was,
        change.now,
        change.old,
        change.new,
        change.about,
        fails,
        parts,
    )


def dumps(found: Report) -> str:
    """A report as JSON, indented by two."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    found = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
