"""What locks are found to be, for each who reads it."""

from __future__ import annotations

from unetscope.errors import UnetscopeError
from unetscope.rules.locks import Report, Row
from unetscope.table import FINDING, Cell, Column, Kind, Part, Reader, Table
from unetscope.views import diff
from unetscope.views.diff_document import merged
from unetscope.views.view import phrase
from unetscope.wording import harmless
from unetscope.words import Words

_RECORD = ("lock", "state", "configs", "staleness", "message", "file", "line", "column")


def tables(report: Report, words: Words, reader: Reader, *, every: bool = True) -> list[Table]:
    """A report as who reads it wants it.

    Args:
        report: of all locks.
        words: the language.
        reader: who reads it.
        every: whether people want all changes; else about as many as fit one screen.
    """
    judged = [diff.Judged(row.judgement, row.place) for row in report.rows if row.judgement]
    match reader:
        case Reader.PEOPLE | Reader.REVIEWERS:
            told = diff.tables(judged, words, reader, every=every)
            return [_overview(report, words), *(each for each in told if each.key != "verdict")]
        case Reader.PROGRAMS:
            return _document(report, words)
        case Reader.REVIEW_TOOLS:
            return [*diff.tables(judged, words, reader), _findings(report, words)]
        case Reader.TEST_TOOLS:
            return [_cases(report, words), *diff.tables(judged, words, reader)]


def message(row: Row, words: Words) -> str:
    """What a lock is found to be, why, and what to do about it, in one line."""
    said = words.lock_is.format(lock=harmless(row.lock), state=words.lock_states[row.state.value])
    return f"{said}: {note}" if (note := _note(row, words)) else said


def _note(row: Row, words: Words) -> str:
    """Why a lock is what it is found to be, and what to do about it; empty if all is well."""
    if row.good:
        return ""
    if row.error is not None:
        said = UnetscopeError(words.said(row.error.message), place=row.error.place).located
        told = [said, *([words.said(row.error.hint)] if row.error.hint else [])]
    elif len(row.configs) > 1:
        told = [words.collision.format(words.listed.join(map(harmless, row.configs)))]
    elif not row.configs:
        told = [words.orphan]
    else:
        told = [words.staleness[row.staleness.value]] if row.staleness else []
    told += [words.lock_writer.format(harmless(row.command))] if row.command else []
    return words.between_columns.join(told)


def _overview(report: Report, words: Words) -> Table:
    """The verdict, above one row for each lock that is bad."""
    numbers = {"bad": len(report.bad), "all": len(report.rows)}
    parts = {name: Part(number, Kind.COUNT) for name, number in numbers.items()}
    verdict = phrase(words.locks_bad if report.bad else words.locks_good, None, **parts)
    if not report.bad:
        return Table("locks", "", (), (), after=(verdict,))
    rows = tuple(
        (
            harmless(row.lock),
            Cell.of(words.lock_states[row.state.value], strong=True),
            _note(row, words),
        )
        for row in report.bad
    )
    columns = (
        Column("lock", words.lock, code=True),
        Column("state", words.state),
        Column("note", words.what),
    )
    return Table("locks", "", columns, rows, before=(verdict,))


def _findings(report: Report, words: Words) -> Table:
    """One finding for each bad lock whose diff does not tell of it."""
    rows = []
    for row in report.bad:
        if row.judgement is not None and row.judgement.shown:
            continue
        place = row.error.place if row.error else None
        file = place.file if place else row.configs[0] if row.configs else row.lock
        at = (place.line or 1, place.column) if place else (1, None)
        rows.append(("error", file, *at, "lock", message(row, words)))
    return Table("findings", "", tuple(Column(key, "") for key in FINDING), tuple(rows))


def _cases(report: Report, words: Words) -> Table:
    """One test a lock, passed or failed."""
    rows = tuple(
        (
            harmless(row.lock),
            None if row.good else message(row, words),
            words.lock_states[row.state.value],
        )
        for row in report.rows
    )
    columns = (Column("case", ""), Column("failure", ""), Column("text", ""))
    return Table("cases", words.locks, columns, rows)


def _document(report: Report, words: Words) -> list[Table]:
    """The facts, the locks, and all records of their diffs, each with its lock."""
    columns = (Column("exit_code", ""), Column("passes", ""))
    facts = (report.code, report.code == 0)
    records = []
    for row in report.rows:
        at = diff.position(row.error.place if row.error else None)
        why = row.staleness.value if row.staleness else None
        text = _note(row, words) or None
        records.append((row.lock, row.state.value, list(row.configs), why, text, *at))
    judged = [(row.lock, row.judgement) for row in report.rows if row.judgement]
    return [
        Table("", "", columns, (facts,), facts=True, data={"counts": report.counts}),
        Table("locks", "", tuple(Column(key, "") for key in _RECORD), tuple(records)),
        *merged(judged, "lock"),
    ]
