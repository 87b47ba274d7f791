"""A diff in each of its forms, and the exit code that it stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.commands import console
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.errors import Place
    from unetscope.rules.gate import Gate, Judgement
    from unetscope.table import Table
    from unetscope.words import Words

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file whose Markdown GitHub shows below a job's log."""


class Judged:
    """A diff with what the gate says of it.

    Attributes:
        judgement: of the gate.
        place: the line that most likely caused a change.
    """

    def __init__(self, diff: Diff, gate: Gate, place: Callable[[Change], Place | None]) -> None:
        self.judgement: Judgement = gate.judge(diff)
        self.place = place

    @property
    def exit_code(self) -> int:
        """1 if something does not pass."""
        return 1 if self.judgement.breaches else 0


def rendered(judged: Sequence[Judged], form: str, language: str, *, names: bool) -> str:
    """Diffs as text; empty if a form has nothing to say.

    Args:
        judged: one or more.
        form: how.
        language: of the words.
        names: whether the table of names is wanted.
    """
    from unetscope.words import Words

    said = Words(language)
    if form == "json":
        from unetscope.rules import report

        texts = [report.dumps(report.report(j.judgement)) for j in judged]
        return texts[0] if len(texts) == 1 else f"[\n{','.join(texts)}]\n"
    if form == "markdown":
        return _comment(judged, said, names=names)
    from unetscope.render import PLAIN, render
    from unetscope.views import diff as views

    tables: list[Table] = []
    for each in judged:
        if form == "github":
            tables += views.findings(each.judgement, each.place, said)
        elif form == "junit":
            tables += views.cases(each.judgement, said)
        else:
            tables += _tables(each.judgement, said, names=names)
    style = replace(console.style() if form == "terminal" else PLAIN, language=language)
    return render(tables, form, style) if any(t.rows or t.after for t in tables) else ""


def _tables(judged: Judgement, words: Words, *, names: bool) -> list[Table]:
    from unetscope.views import diff as views

    found = judged.diff
    tables = [
        views.summary(judged, words),
        *views.changes(judged.shown, words),
        *views.config(found.config, words),
        *(views.names(found.names, words) if names else ()),
        *views.verdict(judged, words),
    ]
    return [table for table in tables if table.rows or table.before or table.after]


_MOST_SHOWN = 20


def _comment(judged: Sequence[Judged], words: Words, *, names: bool) -> str:
    """A pull request's comment; nothing if all are equal."""
    from unetscope.render.comment import comment
    from unetscope.views import diff as views

    shown: list[Table] = []
    hidden: list[Table] = []
    for each in judged:
        found, judgement = each.judgement.diff, each.judgement
        if not judgement.shown and not judgement.breaches:
            continue
        heavy = [c for c in judgement.shown if c.severity > min(map(_severity, judgement.shown))]
        open_ = (heavy or list(judgement.shown))[:_MOST_SHOWN]
        shown += [
            views.summary(judgement, words),
            *views.changes(open_, words, ""),
            *views.verdict(judgement, words),
        ]
        rest = [change for change in judgement.shown if change not in open_]
        hidden += [
            *views.changes(rest, words, found.new if len(judged) > 1 else ""),
            *views.config(found.config, words),
            *(views.names(found.names, words) if names else ()),
        ]
    if not shown:
        return ""
    return comment(shown, hidden, words.all_changes, words.left_out)


def _severity(change: Change) -> int:
    return change.severity


def finish(
    judged: Sequence[Judged],
    form: str,
    language: str,
    output: Path | None = None,
    *,
    names: bool = False,
) -> None:
    """Write diffs to stdout or a file, and to the summary of a GitHub job if there is one.

    Raises:
        UnetscopeError: a file cannot be written.
    """
    console.emit(rendered(judged, form, language, names=names), output)
    summary = os.environ.get(SUMMARY)
    if summary:
        text = _summary(judged, language)
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise UnetscopeError(f"cannot write `{summary}`: {error.strerror}") from None


def _summary(judged: Sequence[Judged], language: str) -> str:
    return rendered(judged, "markdown", language, names=False)
