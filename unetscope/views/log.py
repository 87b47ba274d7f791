"""The history of a network: one line for each commit that changed it, and the first bad one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from posixpath import basename
from typing import Any

from unetscope.analysis.diff import ConfigChange, Diff
from unetscope.errors import UnetscopeError
from unetscope.rules.commits import Blame, Commit, Entry, Status
from unetscope.rules.gate import Breach
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.units import spell
from unetscope.views.change import line
from unetscope.views.diff import outcome
from unetscope.views.view import code, phrase
from unetscope.wording import LONGEST_QUOTE, shown
from unetscope.words import Words

_MOST_VALUES = 2
"""Values of a config that one line names."""


def log(
    entries: Sequence[Entry], words: Words, facts: dict[str, Any], after: Sequence[Cell] = ()
) -> Table:
    """One row a commit, in their order.

    Args:
        entries: what the commits did.
        words: the language.
        facts: what programs read beside the rows.
        after: sentences below them.
    """
    columns = (
        Column("commit", words.commit, keys=("commit", "path")),
        Column("date", words.date, priority=3),
        Column("author", words.author, priority=4),
        Column("parameters", words.parameters, Kind.COUNT, keys=("parameters", "parameters_delta")),
        Column("macs", words.macs, Kind.MACS, priority=2, keys=("macs", "macs_delta")),
        Column("activation_bytes", words.activation_peak, Kind.BYTES, priority=5),
        Column("severity", words.severity, keys=("status", "severity")),
        Column("what", words.change, keys=("what", "changes", "from_lock", "error")),
        Column("subject", words.subject),
    )
    rows = tuple(_row(entry, words) for entry in entries)
    paragraphs = None if rows else ()
    return Table(
        "log", words.history, columns, rows, None, (), tuple(after), paragraphs, data=facts
    )


def counted(commits: int, found: int, by_lock: int, words: Words, *, all_: bool) -> list[Cell]:
    """How many commits were looked at, what was left out, and what was not traced."""
    told = words.commits_counted if all_ else words.commits_cut
    sentences = [phrase(told, None, commits=Part(commits), found=Part(found))]
    if by_lock:
        sentences.append(phrase(words.read_from_locks, None, count=Part(by_lock)))
    return sentences


def _row(entry: Entry, words: Words) -> tuple[Value, ...]:
    commit, found = entry.commit, entry.diff
    now = None if entry.lock is None else entry.lock.totals
    totals = {total.id: total for total in found.totals} if found else {}
    deltas = {name: total.new - total.old for name, total in totals.items()}
    worst = None if found is None else found.worst
    named = None if worst is None else worst.name.lower()
    said = _what(entry, words)
    error = None if entry.error is None else _error(entry.error, words)
    changes = None if found is None else len(found.changes)
    return (
        Cell((code(commit.short),), (commit.sha, entry.path)),
        Cell.of(commit.date[:10], data=commit.date),
        Cell.of(_cut(commit.author), data=commit.author),
        _total(None if now is None else now.parameters, deltas.get("params"), Kind.COUNT),
        _total(None if now is None else now.macs, deltas.get("macs"), Kind.MACS),
        Cell.of("", data=None) if now is None else now.activation_bytes,
        Cell(
            (Part(words.severities[named] if named else "", strong=named == "breaking"),),
            (entry.status.value, named),
        ),
        Cell((Part(said),), (said, changes, entry.by_lock, error)),
        Cell.of(_cut(commit.subject), data=commit.subject),
    )


def _total(value: int | None, delta: int | None, kind: Kind) -> Cell:
    return Cell((Part("") if value is None else Part(value, kind),), (value, delta))


def _cut(text: str) -> str:
    """A text that somebody wrote, of bounded length."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _what(entry: Entry, words: Words) -> str:
    """What the commit did, in a few words."""
    if entry.error is not None:
        return words.commit_did["broken"].format(shown(_error(entry.error, words, short=True)))
    if entry.status is Status.changed and entry.diff is not None:
        return _changes(entry.diff, words)
    if entry.status is Status.mended and entry.diff is None:
        return words.commit_did["mended_first"]
    if entry.status is Status.mended and entry.diff is not None and entry.diff.changes:
        return words.commit_did["mended_changed"].format(_changes(entry.diff, words))
    return words.commit_did[entry.status.value]


def _error(error: UnetscopeError, words: Words, *, short: bool = False) -> str:
    """What is wrong and where; `short`: of the file's path, its name alone."""
    message, place = words.said(error.message).replace("\n", " "), error.place
    if place is not None and short:
        place = replace(place, file=basename(place.file.partition(":")[2]) or place.file)
    return message if place is None else f"{place}: {message}"


def _changes(found: Diff, words: Words) -> str:
    """The values of the config that differ or, where none does, the worst change."""
    values = [text for change in found.config for text in _values(change)]
    shown_first = values[:_MOST_VALUES] or [line(change, words) for change in found.changes[:1]]
    rest = len(values or found.changes) - len(shown_first)
    more = [words.others.format(rest)] if rest > 0 else []
    return words.listed.join([*shown_first, *more])


def _values(change: ConfigChange) -> Iterator[str]:
    """`layers_per_block: 2 -> 1`; of equally long lists, the entries that differ."""
    key, old, new = change.key.removeprefix("unet."), change.old, change.new
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            if pair[0] != pair[1]:
                yield f"{key}.{index}: {_value(pair[0])} -> {_value(pair[1])}"
    else:
        yield f"{key}: {_value(old)} -> {_value(new)}"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return shown(spell(value, Kind.SHAPE))
    return shown(spell(value))


def first_bad(found: Blame, words: Words) -> Table:
    """The first bad commit, against which bound, and how sure that is; or that there is none."""
    base = code(found.base[:7])
    facts: dict[str, Any] = {"base": found.base, "first_bad": None, "failures": []}
    if found.judgement is None:
        facts["unread"] = [each.sha for each in found.unread]
        after = [phrase(words.all_commits_pass, None, base=base)]
        if found.unread:
            after = [_unread(found.unread, words.last_unread, words)]
        return log([], words, facts, after)
    facts["failures"] = list(dict.fromkeys(map(_failure, found.judgement.breaches)))
    sentences = [cell for table in outcome(found.judgement, words) for cell in table.after]
    if found.entry is None:
        after = [phrase(words.bad_before, None, base=base), *sentences]
        return log([], words, {**facts, "bad_before": True}, after)
    commit = found.entry.commit
    facts["first_bad"] = commit.sha
    facts["passes_again"] = found.mended
    facts["or_one_of"] = [each.sha for each in found.unread]
    alone = commit.sha == found.base
    told = words.first_is_bad if alone else words.first_bad
    first = phrase(told, None, commit=code(commit.short), base=base)
    after = [first, *sentences]
    if found.unread:
        after.append(_unread(found.unread, words.or_one_of, words))
    if found.mended:
        after.append(Cell.of(words.passes_again))
    return log([found.entry], words, facts, after)


def _unread(commits: Sequence[Commit], sentence: str, words: Words) -> Cell:
    names = words.listed.join(commit.short for commit in commits)
    return phrase(sentence, None, commits=Part(names, code=True))


def _failure(breach: Breach) -> str:
    return f"{breach.setting} {breach.bound}"
