"""What a branch changed in all its networks and what the gate says of it, for each who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from unetscope.analysis.diff import COSTS, ChangeSeverity
from unetscope.rules.branch import Report, Row
from unetscope.rules.gate import FAIL_ON
from unetscope.table import Cell, Column, Kind, Part, Reader, Table, Value
from unetscope.views.branch_document import document
from unetscope.views.branch_findings import cases, complaint, findings
from unetscope.views.branch_sections import sections
from unetscope.views.change import COST_KINDS, breach
from unetscope.views.diff import ANCHOR, MOST_SHOWN
from unetscope.views.view import code, phrase
from unetscope.wording import harmless
from unetscope.words import Words

_NUMBERS = COSTS[:2]
"""The totals in the overview."""


def tables(
    report: Report,
    words: Words,
    reader: Reader,
    *,
    names: bool = False,
    every: bool = True,
) -> list[Table]:
    """A report as who reads it wants it.

    Args:
        report: of the branch.
        words: the language.
        reader: who reads it.
        names: whether people also want the old and the new name of each tensor.
        every: whether people want all changes; else about as many as fit one screen.
    """
    match reader:
        case Reader.PEOPLE:
            found = sections(report.rows, words, names=names, every=every, places=every)
            return [overview(report, words), *(table for each in found for table in each)]
        case Reader.REVIEWERS:
            return _comment(report, words, names=names)
        case Reader.PROGRAMS:
            return document(report)
        case Reader.REVIEW_TOOLS:
            return [findings(report, words)]
        case Reader.TEST_TOOLS:
            return cases(report, words)


def _comment(report: Report, words: Words, *, names: bool) -> list[Table]:
    """Nothing if no network changed; else the whole, all but the first changes folded."""
    if not any(row.network_changed or row.unreadable for row in report.rows):
        return []
    shown = [replace(overview(report, words), anchor=ANCHOR)]
    folded: list[Table] = []
    for first, *others in sections(report.rows, words, names=names):
        shown.append(replace(first, rows=first.rows[:MOST_SHOWN]))
        if rest := first.rows[MOST_SHOWN:]:
            folded.append(replace(first, rows=rest, folded=True))
        for table in others:
            title = f"{first.title}: {table.title}" if table.title else first.title
            folded.append(replace(table, title=title, folded=True))
    return [*shown, *folded, *_pictures(report.rows, words)]


def _pictures(rows: Iterable[Row], words: Words) -> Iterator[Table]:
    """Each network that changed as a picture of what it was and is, to be unfolded."""
    for row in rows:
        if row.picture is not None:
            title = words.drawn_changes.format(harmless(row.path))
            yield Table("drawing", title, (), (), folded=True, picture=row.picture)


def overview(report: Report, words: Words) -> Table:
    """The verdict, above one row for each network that changed, the worst first."""
    verdict = (_verdict(report, words),)
    rows = [row for row in report.rows if row.changed]
    if not rows:
        return Table("networks", "", (), (), after=verdict)
    rows.sort(key=lambda row: (not row.unreadable, not row.fails, -(row.worst or 0)))
    columns = (
        Column("network", words.network),
        Column("status", words.status, priority=2),
        Column("severity", words.severity),
        Column("parameters", words.parameters, priority=3),
        Column("macs", words.macs, priority=4),
        Column("verdict", words.conclusion, priority=1),
    )
    cells = tuple(_cells(row, words) for row in rows)
    notes = tuple(_notes(report, words))
    return Table("networks", "", columns, cells, before=verdict, after=notes)


def _verdict(report: Report, words: Words) -> Cell:
    """In one sentence, what there is and what is to be done about it."""
    told = {
        "all": len(report.rows),
        "changed": sum(row.network_changed for row in report.rows),
        "failed": sum(row.fails for row in report.rows),
        "broken": sum(row.unreadable for row in report.rows),
    }
    passes = words.branch_passes if told["changed"] else words.nothing_changed
    sentence = (passes, words.branch_fails, words.branch_not_done)[report.code]
    parts = {name: Part(number, Kind.COUNT) for name, number in told.items()}
    return phrase(sentence, None, base=Part(report.base, strong=True), **parts)


def _cells(row: Row, words: Words) -> tuple[Value, ...]:
    paths = [row.path] if row.was is None else [row.was, " > ", row.path]
    named = Cell(tuple(Part(harmless(path), code=path != " > ") for path in paths), row.path)
    worst = row.worst
    severity = "" if worst is None else words.severities[worst.name.lower()]
    conclusion = "unknown" if row.unreadable else "fails" if row.fails else "passes"
    return (
        named,
        words.statuses[row.status.value],
        Cell.of(severity, strong=worst is ChangeSeverity.BREAKING),
        *(_total(row, cost) for cost in _NUMBERS),
        Cell.of(words.conclusions[conclusion], strong=conclusion != "passes"),
    )


def _total(row: Row, cost: str) -> Cell:
    """`51,204 -> 94,036`; one number if it is the same, nothing if it is not known."""
    totals = row.judgement.diff.totals if row.judgement else ()
    total = next((total for total in totals if total.id == cost), None)
    if total is None:
        return Cell.of("", data=None)
    new = Part(total.new, COST_KINDS[cost])
    if total.old == total.new:
        return Cell((new,), total.new)
    return Cell((Part(total.old, COST_KINDS[cost]), Part(" -> "), new), total.new)


def _notes(report: Report, words: Words) -> Iterator[Cell]:
    """Why something fails or is not known, below the table."""
    for text in dict.fromkeys(complaint(row, words) for row in report.rows if row.unreadable):
        yield Cell.of(text)
    for row in report.rows:
        if not row.unreadable and row.error is not None:
            said = words.unreadable_then.format(
                base=report.base, error=words.said(row.error.message)
            )
            yield Cell((code(harmless(row.path)), Part(f": {said}")), None)
        if row.left_lock is not None:
            yield phrase(words.orphaned, None, lock=code(harmless(row.left_lock)))
    barred = None
    for row in report.rows:
        for each in row.judgement.breaches if row.judgement else ():
            if each.setting == FAIL_ON:
                barred = each.bound
            else:
                yield Cell((code(harmless(row.path)), Part(": "), *breach(each, words).parts), None)
    if barred is not None:
        yield phrase(words.bar_of_branch, None, bar=Part(barred))
