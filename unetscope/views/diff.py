"""What changed between two networks, and what the gate says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from unetscope.analysis.diff import COSTS, Change, ConfigChange, Severity, Total
from unetscope.errors import Place
from unetscope.rules.gate import FAIL_ON, Breach, Judgement
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.units import spell
from unetscope.views.change import COST_KINDS, mark, what, where
from unetscope.views.view import phrase
from unetscope.words import Words


def headline(judged: Judgement, words: Words) -> Cell:
    """One sentence: how many changes of each class."""
    diff, shown = judged.diff, judged.shown
    names = {"old": Part(diff.old, strong=True), "new": Part(diff.new, strong=True)}
    worst = max((change.severity for change in shown), default=None)
    if worst is None:
        same = words.same_tensors if diff.tensors_only else words.no_change
        return phrase(same, None, **names)
    if worst is Severity.COSMETIC:
        renamed = words.only_tensors_renamed if diff.tensors_only else words.only_renamed
        return phrase(renamed, None, **names)
    counted = _counted([change.severity for change in shown], words)
    return phrase(words.counted_changes, None, counts=Part(counted), **names)


def _counted(severities: Iterable[Severity], words: Words) -> str:
    """`2 breaking, 1 cost`."""
    counts = sorted(Counter(severities).items(), reverse=True)
    return words.listed.join(
        f"{count} {words.severities[severity.name.lower()]}" for severity, count in counts
    )


def summary(judged: Judgement, words: Words) -> Table:
    """The headline above the totals, before and after."""
    rows = tuple(_total(total, words) for total in judged.diff.totals)
    columns = (
        Column("total", words.total),
        Column("old", words.before),
        Column("new", words.after),
        Column("delta", words.difference),
        Column("delta_share", words.share, priority=1),
    )
    return Table("totals", "", columns, rows, before=(headline(judged, words),))


def _total(total: Total, words: Words) -> tuple[Cell, ...]:
    kind = COST_KINDS[total.id]
    delta = total.new - total.old
    share = delta / total.old if total.old else None
    name = Cell.of(words.total_names[total.id], data=total.id)
    old, new = Cell.of(total.old, kind), Cell.of(total.new, kind)
    if not delta:
        return name, old, new, Cell.of("", data=0), Cell.of("", data=0.0)
    return name, old, new, _signed(delta, kind), _signed(share, Kind.SHARE)


def _signed(value: float | None, kind: Kind) -> Cell:
    if value is None:
        return Cell.of(None)
    return Cell((Part("+" if value > 0 else "-"), Part(abs(value), kind)), value)


def changes(found: Sequence[Change], words: Words, title: str | None = None) -> list[Table]:
    """One row a change, the worst first; totals have a table of their own."""
    rows = tuple(
        (
            mark(change),
            Cell.of(
                words.severities[change.severity.name.lower()],
                data=change.severity.name.lower(),
                strong=change.severity is Severity.BREAKING,
            ),
            change.id,
            where(change, words),
            what(change, words),
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
    heading = words.changes if title is None else title
    return [Table("changes", heading, columns, rows)] if rows else []


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
    return Cell.of(None if value is None else str(value), data=value)


def names(found: Sequence[tuple[str, str]], words: Words) -> list[Table]:
    """Old and new name of each tensor that has another one."""
    columns = (
        Column("old", words.before, code=True),
        Column("new", words.after, code=True),
    )
    return [Table("names", words.new_names, columns, tuple(found))] if found else []


def verdict(judged: Judgement, words: Words) -> list[Table]:
    """What does not pass, with the measurement and the bound; or that all does."""
    fail_on = judged.gate.fail_on
    if not judged.breaches:
        if not judged.shown or fail_on is None:
            return []
        said = phrase(words.passes, None, bar=Part(fail_on.name.lower()))
        return [Table("verdict", "", (), (), after=(said,))]
    sentences = [breach(each, words) for each in judged.breaches if each.setting != FAIL_ON]
    barred = [each.change.severity for each in judged.breaches if each.setting == FAIL_ON]
    if barred and fail_on is not None:
        counts = Part(_counted(barred, words), strong=True)
        sentences.append(
            phrase(words.breaks_bar, None, counts=counts, bar=Part(fail_on.name.lower()))
        )
    return [Table("verdict", "", (), (), after=tuple(sentences))]


def breach(found: Breach, words: Words) -> Cell:
    """The message of one setting of the gate that a change does not meet."""
    change = found.change
    place = Part(change.where or words.whole_network, code=bool(change.where))
    data = {"rule": found.setting, "id": change.id, "bound": found.bound}
    if found.limit is not None:
        kind = COST_KINDS[change.id]
        return phrase(
            words.breaks_bound,
            {**data, "measured": change.new, "limit": found.limit},
            total=Part(words.total_names[change.id]),
            measured=Part(change.new, kind, strong=True),
            limit=Part(found.limit, kind, strong=True),
            option=Part(found.setting),
            bound=Part(found.bound),
        )
    text = words.breaks_deny if found.setting == "deny" else words.breaks_class
    severity = Part(words.severities[change.severity.name.lower()])
    said = {"id": Part(change.id), "where": place, "severity": severity, "bar": Part(found.bound)}
    return phrase(text, data, **said)


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
    judged: Judgement, place: Callable[[Change], Place | None], words: Words
) -> list[Table]:
    """One finding for each line of a config that caused changes; GitHub shows ten of a level."""
    failed = {id(found.change) for found in judged.breaches}
    groups: dict[Place | None, list[Change]] = {}
    for change in judged.shown:
        groups.setdefault(place(change), []).append(change)
    rows = []
    for at, alike in groups.items():
        worst = max(change.severity for change in alike)
        fails = any(id(change) in failed for change in alike)
        level = "error" if fails else "notice" if worst is Severity.COSMETIC else "warning"
        lines = [_line(change, words) for change in alike[:MOST_LINES]]
        if len(alike) > MOST_LINES:
            lines.append(words.left_out.format(len(alike) - MOST_LINES))
        ids = ", ".join(dict.fromkeys(change.id for change in alike))
        rows.append(
            (level, *_position(at), ids, "\n".join([plain(headline(judged, words)), *lines]))
        )
    bounds = [found for found in judged.breaches if found.limit is not None]
    for found in bounds:
        text = plain(breach(found, words))
        rows.append(("error", *_position(place(found.change)), found.setting, text))
    return [Table("findings", "", COLUMNS, tuple(rows))]


def _position(place: Place | None) -> tuple[str | None, int | None, int | None]:
    return (None, None, None) if place is None else (place.file, place.line, place.column)


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


def cases(judged: Judgement, words: Words) -> list[Table]:
    """One test a change, passed or failed; if nothing changed, one that says so."""
    reasons: dict[int, list[str]] = {}
    for found in judged.breaches:
        reasons.setdefault(id(found.change), []).append(plain(breach(found, words)))
    shown: Sequence[Change] = judged.shown
    known = {id(change) for change in shown}
    shown = [*shown, *(f.change for f in judged.breaches if id(f.change) not in known)]
    rows = [
        (
            f"{change.id} {change.where or words.whole_network}",
            "\n".join(reasons.get(id(change), ())) or None,
            _line(change, words),
        )
        for change in shown
    ]
    columns = (Column("case", ""), Column("failure", ""), Column("text", ""))
    title = f"{judged.diff.old} -> {judged.diff.new}"
    if not rows:
        rows = [(plain(headline(judged, words)), None, "")]
    return [Table("cases", title, columns, tuple(rows))]
