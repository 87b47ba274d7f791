"""What a branch changed as findings at lines of files, and as cases that pass or fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unetscope.errors import Place
from unetscope.findings import UNCHECKED
from unetscope.rules.branch import Report, Row, Status
from unetscope.table import FINDING, Column, Table, Value
from unetscope.views import diff as views
from unetscope.views.change import breach, plain
from unetscope.words import Words

MOST_ANNOTATIONS = 10
"""Findings of one step that GitHub shows."""
_LEVELS = ("error", "warning", "notice")


def complaint(row: Row, words: Words) -> str:
    """Why a config could not be read or run, with its place."""
    if row.error is None:
        return row.path
    place = row.path if row.error.place is None else str(row.error.place)
    hint = f" ({words.said(row.error.hint)})" if row.error.hint else ""
    return f"{place}: {words.said(row.error.message)}{hint}"


def findings(report: Report, words: Words) -> Table:
    """One finding a line of a file, the worst first; what several networks have is said once."""
    known: dict[tuple[Value, ...], tuple[str, list[str]]] = {}
    for row in report.rows:
        for *key, message in _findings(row, words):
            if (held := known.get(tuple(key))) is not None:
                held[1].append(row.path)
            else:
                known[tuple(key)] = (str(message), [])
    rows = [
        (*key, "\n".join([message, *_likewise(others, words)]))
        for key, (message, others) in known.items()
    ]
    rows.sort(key=lambda row: _LEVELS.index(str(row[0])))
    return Table("findings", "", tuple(Column(key, "") for key in FINDING), tuple(rows))


def _likewise(paths: list[str], words: Words) -> list[str]:
    return [words.likewise.format(views.listed(paths, words))] if paths else []


def _findings(row: Row, words: Words) -> Iterator[tuple[Value, ...]]:
    if row.unreadable and row.error is not None:
        place = row.error.place or Place(row.path, 1)
        told = filter(None, (row.error.message, row.error.hint))
        message = "\n".join(map(words.said, told))
        yield ("error", place.file, place.line, place.column, UNCHECKED.id, message)
    if row.left_lock is not None:
        message = words.orphaned.format(lock=row.left_lock)
        yield ("error", row.left_lock, 1, None, "lock", message)
    if row.judgement is not None and (row.fails or row.status is not Status.TEXT):
        yield from views.findings(views.Judged(row.judgement, row.place), words).rows


def most_annotations(table: Table, words: Words) -> Table:
    """As many findings as GitHub shows, the worst; the last names some of the others."""
    shown, rest = table.rows[: MOST_ANNOTATIONS - 1], table.rows[MOST_ANNOTATIONS - 1 :]
    if len(rest) < 2:
        return table
    lines = [words.more_findings.format(len(rest))]
    lines += [f"{row[1] or ''} {row[4]}".strip() for row in rest[:MOST_ANNOTATIONS]]
    last = (rest[0][0], None, None, None, "unetscope", "\n".join(lines))
    return replace(table, rows=(*shown, last))


def cases(report: Report, words: Words) -> list[Table]:
    """A suite of the networks, passed or failed, and one of the changes of each."""
    rows = tuple(
        (row.path, "\n".join(_reasons(row, words)) or None, words.statuses[row.status.value])
        for row in report.rows
    )
    columns = (Column("case", ""), Column("failure", ""), Column("text", ""))
    suites = [Table("cases", report.base, columns, rows)]
    for row in report.rows:
        if row.judgement is not None and row.judgement.shown:
            suites.append(replace(views.cases(row.judgement, words), title=row.path))
    return suites


def _reasons(row: Row, words: Words) -> Iterator[str]:
    """Why a network does not pass."""
    if row.unreadable:
        yield complaint(row, words)
    if row.left_lock is not None:
        yield words.orphaned.format(lock=row.left_lock)
    for each in row.judgement.breaches if row.judgement else ():
        yield plain(breach(each, words))
