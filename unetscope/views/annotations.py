"""Changes as findings at lines of files, for programs that mark these."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unetscope.analysis.diff import COSTS, Change, Diff, Severity
from unetscope.analysis.gate import Verdict
from unetscope.errors import Place
from unetscope.table import Cell, Column, Table
from unetscope.units import spell
from unetscope.views.change import COST_KINDS, mark, what
from unetscope.views.diff import failure, headline
from unetscope.words import Words

MOST_LINES = 12
"""Changes that one annotation names."""

COLUMNS = (
    Column("level", ""),
    Column("file", ""),
    Column("line", ""),
    Column("column", ""),
    Column("id", ""),
    Column("message", ""),
)
"""What a finding is made of; `level` is error, warning or notice."""


def findings(
    diff: Diff, verdict: Verdict, place: Callable[[Change], Place | None], words: Words
) -> list[Table]:
    """One finding for each line of a config that caused changes; GitHub shows ten of a level."""
    failed = {id(found.change) for found in verdict.failures}
    groups: dict[Place | None, list[Change]] = {}
    for change in verdict.shown:
        groups.setdefault(place(change), []).append(change)
    rows = []
    for where, changes in groups.items():
        worst = max(change.severity for change in changes)
        fails = any(id(change) in failed for change in changes)
        level = "error" if fails else "notice" if worst is Severity.COSMETIC else "warning"
        lines = [_line(change, words) for change in changes[:MOST_LINES]]
        if len(changes) > MOST_LINES:
            lines.append(words.left_out.format(len(changes) - MOST_LINES))
        ids = ", ".join(dict.fromkeys(change.id for change in changes))
        rows.append(
            (level, *_position(where), ids, "\n".join([_head(diff, verdict, words), *lines]))
        )
    bounds = [found for found in verdict.failures if found.limit is not None]
    for found in bounds:
        text = plain(failure(found, words))
        rows.append(("error", *_position(place(found.change)), found.rule, text))
    return [Table("findings", "", COLUMNS, tuple(rows))]


def _position(place: Place | None) -> tuple[str | None, int | None, int | None]:
    return (None, None, None) if place is None else (place.file, place.line, place.column)


def _head(diff: Diff, verdict: Verdict, words: Words) -> str:
    return plain(headline(diff, verdict, words))


def _line(change: Change, words: Words) -> str:
    place = change.where or words.whole_network
    if change.id in COSTS:
        kind = COST_KINDS[change.id]
        name = words.total_names[change.id]
        return f"~ {name}: {spell(change.old, kind)} -> {spell(change.new, kind)}"
    return f"{mark(change)} {change.id} {place}: {plain(what(change, words))}".rstrip(": ")


def plain(cell: Cell) -> str:
    """A cell as one line of text."""
    return "".join(spell(part.value, part.kind) for part in cell.parts)


def cases(diff: Diff, verdict: Verdict, words: Words) -> list[Table]:
    """One test a change, passed or failed; if nothing changed, one that says so."""
    reasons: dict[int, list[str]] = {}
    for found in verdict.failures:
        reasons.setdefault(id(found.change), []).append(plain(failure(found, words)))
    shown: Sequence[Change] = verdict.shown
    known = {id(change) for change in shown}
    shown = [*shown, *(f.change for f in verdict.failures if id(f.change) not in known)]
    rows = [
        (
            f"{change.id} {change.where or words.whole_network}",
            "\n".join(reasons.get(id(change), ())) or None,
            _line(change, words),
        )
        for change in shown
    ]
    columns = (Column("case", ""), Column("failure", ""), Column("text", ""))
    title = f"{diff.old} -> {diff.new}"
    if not rows:
        rows = [(plain(headline(diff, verdict, words)), None, "")]
    return [Table("cases", title, columns, tuple(rows))]
