"""What changed between two networks and what the gate says of it, for each who reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from unetscope.analysis.diff import COSTS, Change, ChangeSeverity, ConfigChange, Total
from unetscope.errors import Place
from unetscope.rules.gate import FAIL_ON, Judgement
from unetscope.table import FINDING, Cell, Column, Kind, Part, Reader, Table, Value
from unetscope.views.change import COST_KINDS, breach, line, plain, what, where
from unetscope.views.diff_document import document
from unetscope.views.view import code, phrase
from unetscope.wording import MOST_NAMES
from unetscope.words import Words

ANCHOR = "unetscope-diff"
"""By which the comment of an earlier run is found, so that it can be replaced."""
MOST_LINES = 12
"""Changes that one annotation names."""
MOST_SHOWN = 20
"""Changes that stand in the open in a comment, and on one screen."""
_ON_A_SCREEN = {
    ChangeSeverity.BREAKING: 9,
    ChangeSeverity.BEHAVIOURAL: 4,
    ChangeSeverity.COST: 2,
    ChangeSeverity.COSMETIC: 1,
}
"""Changes of each severity on a screen that does not hold all."""
_MOST_SETTINGS = 7
"""Values of configs on a screen."""

_FINDING = tuple(Column(key, "") for key in FINDING)


@dataclass(frozen=True)
class Judged:
    """A diff with what the gate says of it.

    Attributes:
        judgement: of the gate.
        place: the line of a config that most likely caused a change.
    """

    judgement: Judgement
    place: Callable[[Change], Place | None]


def tables(
    judged: Sequence[Judged],
    words: Words,
    reader: Reader,
    *,
    names: bool = False,
    every: bool = True,
) -> list[Table]:
    """Diffs as who reads them wants them; no tables if there is nothing to say.

    Args:
        judged: one or more.
        words: the language.
        reader: who reads them.
        names: whether people also want the old and the new name of each tensor.
        every: whether people want all changes; else about as many as fit one screen.
    """
    match reader:
        case Reader.PEOPLE:
            reports = (_report(each.judgement, words, names, every) for each in judged)
            return [table for report in reports for table in report]
        case Reader.REVIEWERS:
            return _comment([each.judgement for each in judged], words, names=names)
        case Reader.PROGRAMS:
            return [table for each in judged for table in document(each.judgement)]
        case Reader.REVIEW_TOOLS:
            return [findings(each, words) for each in judged]
        case Reader.TEST_TOOLS:
            return [cases(each.judgement, words) for each in judged]


def _report(judgement: Judgement, words: Words, names: bool, every: bool) -> list[Table]:
    return [
        summary(judgement, words),
        *_by_severity(judgement.shown, words, every),
        *verified(judgement, words),
        *by_name_alone(judgement, words),
        *_causes(judgement, words, names=names, every=every),
        *outcome(judgement, words),
    ]


def _by_severity(shown: Sequence[Change], words: Words, every: bool) -> list[Table]:
    """A table of changes for each severity, the worst first; totals have a table of their own."""
    found = [change for change in shown if change.id not in COSTS]
    every_row = every or len(found) <= MOST_SHOWN
    tables = []
    for severity in sorted(ChangeSeverity, reverse=True):
        alike = [change for change in found if change.severity is severity]
        kept = alike if every_row else _of_each_id(alike, _ON_A_SCREEN[severity])
        for table in changes(kept, words, every=every):
            rest = len(alike) - len(kept)
            rows = (*table.rows, ("…", "", "", words.more_changes.format(rest), ""))
            tables.append(
                replace(
                    table,
                    title=words.severity_titles[severity.name.lower()],
                    columns=tuple(replace(column, title="") for column in table.columns),
                    rows=rows if rest else table.rows,
                ).without("severity")
            )
    return tables


def _of_each_id(alike: Sequence[Change], most: int) -> list[Change]:
    """The first few of each id, in their order."""
    waiting: dict[str, list[int]] = {}
    for index, change in enumerate(alike):
        waiting.setdefault(change.id, []).append(index)
    turns = sorted((turn, index) for row in waiting.values() for turn, index in enumerate(row))
    return [alike[index] for index in sorted(index for _, index in turns[:most])]


def _causes(judgement: Judgement, words: Words, *, names: bool, every: bool = True) -> list[Table]:
    """What differs in the configs, and the names that differ if they are wanted."""
    renamed = new_names(judgement.diff.names, words) if names else []
    found = judgement.diff.config
    shown = found if every or len(found) <= _MOST_SETTINGS else found[: _MOST_SETTINGS - 1]
    tables = config(shown, words)
    if len(shown) < len(found):
        more = words.more_changes.format(len(found) - len(shown))
        tables = [replace(t, rows=(*t.rows, (Cell.of(more), "", ""))) for t in tables]
    return [*tables, *renamed]


def _comment(judgements: Sequence[Judgement], words: Words, *, names: bool) -> list[Table]:
    """The worst changes of each diff, and all the others folded; nothing if all are equal."""
    shown: list[Table] = []
    folded: list[Table] = []
    for judgement in judgements:
        if not judgement.shown and not judgement.breaches:
            continue
        least = min((change.severity for change in judgement.shown), default=None)
        heavy = [change for change in judgement.shown if change.severity != least]
        first = (heavy or list(judgement.shown))[:MOST_SHOWN]
        rest = [change for change in judgement.shown if change not in first]
        title = judgement.diff.new if len(judgements) > 1 else ""
        shown += [
            replace(summary(judgement, words), anchor=ANCHOR),
            *changes(first, words),
            *verified(judgement, words),
            *by_name_alone(judgement, words),
            *outcome(judgement, words),
        ]
        folded += [*changes(rest, words, title), *_causes(judgement, words, names=names)]
    return [*shown, *(replace(table, folded=True) for table in folded)]


def headline(judgement: Judgement, words: Words) -> Cell:
    """One sentence: how many changes of each class."""
    diff = judgement.diff
    names = {"old": Part(diff.old, strong=True), "new": Part(diff.new, strong=True)}
    worst = max((change.severity for change in judgement.shown), default=None)
    if worst is None:
        equal = words.no_change_seen if diff.opaque else words.no_change
        same = words.same_tensors if diff.tensors_only else equal
        return phrase(same, None, **names)
    if worst is ChangeSeverity.COSMETIC:
        equal = words.only_renamed_seen if diff.opaque else words.only_renamed
        renamed = words.only_tensors_renamed if diff.tensors_only else equal
        return _renaming(phrase(renamed, None, **names), judgement, words)
    counted = _counted([change.severity for change in judgement.shown], words)
    advice = words.advice["weights"] if diff.tensors_only else _advice(judgement.shown, words)
    said = {"counts": Part(counted), "advice": Part(advice)}
    sentence = phrase(words.counted_changes, None, **said, **names)
    breaking = worst is ChangeSeverity.BREAKING
    return sentence if breaking else _renaming(sentence, judgement, words)


def _renaming(sentence: Cell, judgement: Judgement, words: Words) -> Cell:
    """The sentence, and that old checkpoints load under other names alone if that is so."""
    advice = [Part(words.rename_tensors)] if judgement.diff.names else []
    return Cell((*sentence.parts, *advice), None)


def _advice(shown: Iterable[Change], words: Words) -> str:
    """What a reviewer has to do about the worst of the changes."""
    worst = max(change.severity for change in shown)
    ids = {change.id for change in shown if change.severity is worst}
    if worst is not ChangeSeverity.BREAKING:
        return words.advice[worst.name.lower()]
    callers = {"io-reshaped", "io-renamed"}
    said = [words.advice["checkpoints"]] if ids - callers else []
    return words.between_columns.join([*said, words.advice["callers"]] if ids & callers else said)


def _counted(severities: Iterable[ChangeSeverity], words: Words) -> str:
    """`2 breaking, 1 cost`."""
    counts = sorted(Counter(severities).items(), reverse=True)
    return words.listed.join(
        f"{count} {words.severities[severity.name.lower()]}" for severity, count in counts
    )


def summary(judgement: Judgement, words: Words) -> Table:
    """The headline above the totals, before and after."""
    rows = tuple(_total(total, words) for total in judgement.diff.totals)
    columns = (
        Column("total", words.total),
        Column("old", words.before),
        Column("new", words.after),
        Column("delta", words.difference),
        Column("delta_share", words.share, priority=1),
    )
    return Table("totals", "", columns, rows, before=(headline(judgement, words),))


def _total(total: Total, words: Words) -> tuple[Value, ...]:
    kind = COST_KINDS[total.id]
    delta = total.new - total.old
    share = delta / total.old if total.old else None
    name = words.total_names[total.id]
    old, new = Cell.of(total.old, kind), Cell.of(total.new, kind)
    if not delta:
        return name, old, new, Cell.of("", data=0), Cell.of("", data=0.0)
    return name, old, new, _signed(delta, kind), _signed(share, Kind.SHARE)


def _signed(value: float | None, kind: Kind) -> Cell:
    if value is None:
        return Cell.of(None)
    return Cell((Part("+" if value > 0 else "-"), Part(abs(value), kind)), value)


def changes(
    found: Sequence[Change], words: Words, title: str = "", *, every: bool = False
) -> list[Table]:
    """One row a change, the worst first; totals have a table of their own.

    Args:
        found: the changes.
        words: the language.
        title: of the table.
        every: whether each row names all its places.
    """
    rows = tuple(
        (
            change.mark,
            Cell.of(
                words.severities[change.severity.name.lower()],
                strong=change.severity is ChangeSeverity.BREAKING,
            ),
            change.id,
            where(change, words, every=every),
            what(change, words, every=every),
        )
        for change in found
        if change.id not in COSTS
    )
    columns = (
        Column("mark", ""),
        Column("severity", words.severity),
        Column("id", words.change),
        Column("where", words.where),
        Column("what", words.what),
    )
    return [Table("changes", title, columns, rows)] if rows else []


def config(found: Sequence[ConfigChange], words: Words) -> list[Table]:
    """The values of the configs that differ."""
    columns = (
        Column("key", words.key, code=True),
        Column("old", words.before),
        Column("new", words.after),
    )
    rows = tuple((c.key, _setting(c.old), _setting(c.new)) for c in found)
    return [Table("config", words.config_changed, columns, rows)] if rows else []


def _setting(value: object) -> Cell:
    """A value of a config; of a list the same values in a row as one: `DownBlock2D ×3`."""
    if isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value):
        runs = [(item, len(list(alike))) for item, alike in groupby(value)]
        texts = [f"{item} ×{often}" if often > 1 else str(item) for item, often in runs]
        return Cell.of(", ".join(texts), data=value)
    return Cell.of(None if value is None else str(value), data=value)


def new_names(found: Sequence[tuple[str, str]], words: Words) -> list[Table]:
    """Old and new name of each tensor that has another one."""
    columns = (
        Column("old", words.before, code=True),
        Column("new", words.after, code=True),
    )
    return [Table("names", words.new_names, columns, tuple(found))] if found else []


def verified(judgement: Judgement, words: Words) -> list[Table]:
    """What real runs told, in sentences; nothing if there were none."""
    sentences = tuple(_told(judgement, words))
    return [Table("verified", "", (), (), after=sentences)] if sentences else []


def by_name_alone(judgement: Judgement, words: Words) -> list[Table]:
    """Sentences about what no pass looks into; nothing if there is nothing of the kind."""
    diff = judgement.diff
    if not diff.opaque:
        return []
    sentences = [words.opaque.format(listed(diff.opaque, words))]
    if diff.verified is None:
        sentences.append(words.opaque_advice)
    return [Table("opaque", "", (), (), after=tuple(map(Cell.of, sentences)))]


def _told(judgement: Judgement, words: Words) -> Iterator[Cell]:
    diff, found = judgement.diff, judgement.diff.verified
    if found is None:
        return
    worst = found.worst
    said = {"device": Part(found.device), "dtype": Part(found.dtype)}
    if worst.difference is None:
        yield phrase(words.result_reshaped, None, output=code(worst.name), **said)
    else:
        said["difference"] = Part(worst.difference, Kind.DIFFERENCE, strong=True)
        said["tolerance"] = Part(found.tolerance, Kind.DIFFERENCE)
        if found.equal:
            yield phrase(words.result_equal, None, **said)
        else:
            yield phrase(words.result_unequal, None, output=code(worst.name), **said)
    if found.equal and (diff.worst or 0) >= ChangeSeverity.BEHAVIOURAL:
        yield Cell.of(words.result_in_spite)
    constant = [output.name for output in found.outputs if output.constant]
    for sentence, names in (
        (words.constant_outputs, constant),
        (words.other_values, found.buffers),
    ):
        if names:
            yield Cell.of(sentence.format(listed(names, words)))
    for name, tensors in ((diff.new, found.old_alone), (diff.old, found.new_alone)):
        if tensors:
            yield Cell.of(words.drawn_alone.format(name=name, tensors=listed(tensors, words)))


def listed(names: Sequence[str], words: Words) -> str:
    """Some names, and how many more there are."""
    more = len(names) - MOST_NAMES
    shown = [*names[:MOST_NAMES], *([words.more_blocks.format(more)] if more > 0 else [])]
    return words.listed.join(shown)


def outcome(judgement: Judgement, words: Words) -> list[Table]:
    """What fails, with the measurement and the bound; or that nothing does."""
    bar = None if judgement.gate.fail_on is None else Part(judgement.gate.fail_on.name.lower())
    if not judgement.breaches:
        if not judgement.shown or bar is None:
            return []
        return [Table("verdict", "", (), (), after=(phrase(words.passes, None, bar=bar),))]
    sentences = [breach(each, words) for each in judgement.breaches if each.setting != FAIL_ON]
    barred = [each.change.severity for each in judgement.breaches if each.setting == FAIL_ON]
    if barred and bar is not None:
        counts = Part(_counted(barred, words), strong=True)
        sentences.append(phrase(words.breaks_bar, None, counts=counts, bar=bar))
    return [Table("verdict", "", (), (), after=tuple(sentences))]


def findings(judged: Judged, words: Words) -> Table:
    """One finding for each line of a config that caused changes; GitHub shows ten of a level."""
    judgement, place = judged.judgement, judged.place
    failed = {id(found.change) for found in judgement.breaches}
    head = plain(headline(judgement, words))
    told = list(map(plain, _told(judgement, words)))
    groups: dict[Place | None, list[Change]] = {}
    for change in judgement.shown:
        groups.setdefault(place(change), []).append(change)
    rows = []
    for at, alike in groups.items():
        worst = max(change.severity for change in alike)
        fails = any(id(change) in failed for change in alike)
        level = "error" if fails else "notice" if worst is ChangeSeverity.COSMETIC else "warning"
        lines = [head, *told, *(line(change, words) for change in alike[:MOST_LINES])]
        if len(alike) > MOST_LINES:
            lines.append(words.left_out.format(len(alike) - MOST_LINES))
        ids = ", ".join(dict.fromkeys(change.id for change in alike))
        rows.append((level, *position(at), ids, "\n".join(lines)))
    for found in judgement.breaches:
        if found.limit is not None:
            text = plain(breach(found, words))
            rows.append(("error", *position(place(found.change)), found.setting, text))
    return Table("findings", "", _FINDING, tuple(rows))


def position(place: Place | None) -> tuple[str | None, int | None, int | None]:
    """File, line and column of a place that may not be known."""
    return (None, None, None) if place is None else (place.file, place.line, place.column)


def cases(judgement: Judgement, words: Words) -> Table:
    """One test a change, passed or failed; if nothing changed, one that says so."""
    reasons: dict[int, list[str]] = {}
    for found in judgement.breaches:
        reasons.setdefault(id(found.change), []).append(plain(breach(found, words)))
    known = {id(change) for change in judgement.shown}
    others = (found.change for found in judgement.breaches if id(found.change) not in known)
    rows: list[tuple[Value, ...]] = [
        (
            f"{change.id} {plain(where(change, words))}",
            "\n".join(reasons.get(id(change), ())) or None,
            line(change, words),
        )
        for change in (*judgement.shown, *others)
    ]
    columns = (Column("case", ""), Column("failure", ""), Column("text", ""))
    if (run := judgement.diff.verified) is not None:
        text = "\n".join(map(plain, _told(judgement, words)))
        rows.append((words.verified_case.format(run.device), None, text))
    if not rows:
        rows = [(plain(headline(judgement, words)), None, "")]
    return Table("cases", f"{judgement.diff.old} -> {judgement.diff.new}", columns, tuple(rows))
