"""What changed between two networks, and what the gate says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod

from unetscope.analysis.diff import COSTS, Change, ConfigChange, Diff, Severity, Total
from unetscope.analysis.gate import Failure, Rules, Verdict
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.view import code, phrase
from unetscope.views.words import Words

COST_KINDS = dict(zip(COSTS, (Kind.COUNT, Kind.MACS, Kind.BYTES), strict=True))
_MARKS = {"added": "+", "removed": "-", "renamed": ">"}
_MOST_DIMS = 3
_MOST_FUNCTIONS = 3
_MOST_BLOCKS = 3


def headline(diff: Diff, verdict: Verdict, words: Words) -> Cell:
    """One sentence: how many changes of each class."""
    names = {"old": Part(diff.old, strong=True), "new": Part(diff.new, strong=True)}
    worst = max((change.severity for change in verdict.shown), default=None)
    if worst is None:
        return phrase(words.no_change, None, **names)
    if worst is Severity.COSMETIC:
        return phrase(words.only_renamed, None, **names)
    counted = _counted([change.severity for change in verdict.shown], words)
    return phrase(words.counted_changes, None, counts=Part(counted), **names)


def _counted(severities: Iterable[Severity], words: Words) -> str:
    """`2 breaking, 1 cost`."""
    counts = sorted(Counter(severities).items(), reverse=True)
    return words.listed.join(
        f"{count} {words.severities[severity.name.lower()]}" for severity, count in counts
    )


def summary(diff: Diff, verdict: Verdict, words: Words) -> Table:
    """The headline above the totals, before and after."""
    rows = tuple(_total(total, words) for total in diff.totals)
    columns = (
        Column("total", words.total),
        Column("old", words.before),
        Column("new", words.after),
        Column("delta", words.delta),
        Column("delta_share", words.share),
    )
    return Table("totals", "", columns, rows, before=(headline(diff, verdict, words),))


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


def mark(change: Change) -> str:
    """`+` for what came, `-` for what went, `>` for what has another name, `~` for the rest."""
    return _MARKS.get(change.id.rpartition("-")[2], "~")


def where(change: Change, words: Words) -> Cell:
    """The module or tensor that changed, under both names if it has two; or in which blocks."""
    if change.parts and "" in (change.was, change.now):
        return _blocks(change, words)
    if not change.where:
        return Cell.of(words.whole_network, data="")
    if change.was is not None and change.now is not None and change.was != change.now:
        data = {"old": change.was, "new": change.now}
        return Cell((code(change.was), Part(" > "), code(change.now)), data)
    return Cell.of(change.where, code=True)


def _blocks(change: Change, words: Words) -> Cell:
    """`down_blocks.0, mid_block and 3 more`: the upper levels of the paths of all that changed."""
    found = list(dict.fromkeys(_upper(single.where) for single in change.singles()))
    shown = [code(block) for block in found[:_MOST_BLOCKS]]
    if len(found) > _MOST_BLOCKS:
        shown.append(Part(words.more_blocks.format(len(found) - _MOST_BLOCKS)))
    return Cell(tuple(_between(shown, words.listed)), found)


def _upper(path: str) -> str:
    """A path down to its first index."""
    levels = path.split(".")
    end = next((i + 1 for i, level in enumerate(levels) if level.isdigit()), 1)
    return ".".join(levels[:end])


def what(change: Change, words: Words) -> Cell:
    """What changed there: old -> new, and in how many tensors or modules."""
    match change.id:
        case "param-reshaped" | "param-added" | "param-removed":
            return _tensors(change, words)
        case "module-renamed":
            return _renamed(change, words)
        case "skip-reordered":
            said = {"about": Part(change.about), "old": Part(change.old), "new": Part(change.new)}
            return phrase(words.skips_differ, [change.old, change.new], **said)
        case "skip-added" | "skip-removed" | "skip-repaired":
            return _producers(change, words)
        case "op-changed":
            return _with_count(
                _arrow(_functions(change.old), _functions(change.new)), change, words
            )
        case "io-reshaped" | "io-resized":
            return _with_count(_arrow(_shape(change.old), _shape(change.new)), change, words)
        case _:
            about = [Part(f"{change.about} ")] if change.about else []
            kind = COST_KINDS.get(change.id, Kind.TEXT)
            values = _arrow(_value(change.old, kind), _value(change.new, kind))
            return _with_count([*about, *values], change, words)


def _producers(change: Change, words: Words) -> Cell:
    """Where a skip comes from, and came from."""
    ends = dict.fromkeys(end for end in (change.old, change.new) if end is not None)
    shown = _between([code(end or words.whole_network) for end in ends], " -> ")
    return Cell((Part(f"{words.from_producer} "), *shown), list(ends))


def _renamed(change: Change, words: Words) -> Cell:
    """How many modules, and which of their names where that is not said: `norm > group_norm`."""
    if not change.parts:
        return Cell.of("", data=1)
    tops = [change] if change.old is not None else change.parts
    pairs = [(_own(top.was), _own(top.now)) for top in tops]
    if change.old is not None:
        pairs = [(change.old, change.new)] if not change.now else []
    shown = [code(f"{old} > {new}") for old, new in pairs if old != new]
    more = [Part(words.more_dims)] if len(shown) > _MOST_DIMS else []
    counted = words.in_modules.format(change.count)
    listed = list(_between([*shown[:_MOST_DIMS], *more], words.listed))
    parts = (*listed, Part(f" ({counted})")) if listed else (Part(counted),)
    return Cell(parts, change.count)


def _own(path: str | None) -> str:
    """The last level of a path."""
    return (path or "").rpartition(".")[2]


def _tensors(change: Change, words: Words) -> Cell:
    singles = change.singles()
    if change.id == "param-reshaped":
        said = [_arrow(_shape(change.old), _shape(change.new))] if not change.parts else []
        return _joined(said or [_dims(singles, words)], change, words.in_tensors)
    shapes = [single.old or single.new or () for single in singles]
    if not change.parts:
        return Cell((_shape(shapes[0]),), list(shapes[0]))
    numel = Part(sum(map(prod, shapes)), Kind.COUNT)
    return _joined([[numel, Part(f" {words.parameters.lower()}")]], change, words.in_tensors)


def _dims(singles: Iterable[Change], words: Words) -> list[Part]:
    """Which dims became which, the most frequent first: `320 -> 384`."""
    pairs: Counter[tuple[int, int]] = Counter()
    ranks = [single for single in singles if len(single.old) != len(single.new)]
    for single in singles:
        if len(single.old) == len(single.new):
            pairs.update(pair for pair in zip(single.old, single.new, strict=True) if _other(pair))
    found = [Part(f"{old} -> {new}") for (old, new), _ in pairs.most_common(_MOST_DIMS)]
    found += [Part(f"{len(s.old)}-D -> {len(s.new)}-D") for s in ranks[:1]]
    more = [Part(words.more_dims)] if len(pairs) > _MOST_DIMS else []
    return list(_between([*found, *more], words.listed))


def _other(pair: tuple[int, int]) -> bool:
    return pair[0] != pair[1]


def _joined(said: Sequence[Sequence[Part]], change: Change, counted: str) -> Cell:
    parts = [part for group in said for part in group]
    data = {"count": change.count, "old": change.old, "new": change.new}
    if change.parts:
        parts += [Part(" ("), Part(counted.format(change.count)), Part(")")]
    return Cell(tuple(parts), data)


def _with_count(parts: Sequence[Part], change: Change, words: Words) -> Cell:
    return _joined([parts], change, words.in_modules)


def _arrow(old: Part, new: Part) -> list[Part]:
    return [old, Part(" -> "), new]


def _value(value: object, kind: Kind) -> Part:
    if isinstance(value, tuple | list):
        return Part(value, Kind.TUPLE)
    if value is None or isinstance(value, bool):
        return Part(str(value))
    return Part(value, kind)


def _shape(dims: Sequence[int] | None) -> Part:
    return Part(dims, Kind.TUPLE, code=True)


def _functions(functions: Sequence[str]) -> Part:
    shown = [f"{name[:57]}..." if len(name) > 60 else name for name in functions[:_MOST_FUNCTIONS]]
    rest = len(functions) - len(shown)
    return Part(", ".join([*shown, *([f"... {rest} more"] if rest else [])]) or None, code=True)


def _between(parts: Sequence[Part], separator: str) -> Iterable[Part]:
    for index, part in enumerate(parts):
        if index:
            yield Part(separator)
        yield part


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


def verdict(judged: Verdict, rules: Rules, words: Words) -> list[Table]:
    """What fails, with the measurement and the bound; or that nothing does."""
    if not judged.failures:
        if not judged.shown or rules.fail_on is None:
            return []
        said = phrase(words.passes, None, bar=Part(rules.fail_on.name.lower()))
        return [Table("verdict", "", (), (), after=(said,))]
    sentences = [failure(f, words) for f in judged.failures if f.rule != "fail-on"]
    barred = [f.change.severity for f in judged.failures if f.rule == "fail-on"]
    if barred and rules.fail_on is not None:
        counts = Part(_counted(barred, words), strong=True)
        bar = Part(rules.fail_on.name.lower())
        sentences.append(phrase(words.breaks_bar, None, counts=counts, bar=bar))
    return [Table("verdict", "", (), (), after=tuple(sentences))]


def failure(found: Failure, words: Words) -> Cell:
    """The message of one rule that is broken."""
    change = found.change
    place = Part(change.where or words.whole_network, code=bool(change.where))
    data = {"rule": found.rule, "id": change.id, "bound": found.bound}
    if found.limit is not None:
        kind = COST_KINDS[change.id]
        return phrase(
            words.breaks_bound,
            {**data, "measured": change.new, "limit": found.limit},
            total=Part(words.total_names[change.id]),
            measured=Part(change.new, kind, strong=True),
            limit=Part(found.limit, kind, strong=True),
            option=Part(found.rule),
            bound=Part(found.bound),
        )
    text = words.breaks_deny if found.rule == "deny" else words.breaks_class
    severity = Part(words.severities[change.severity.name.lower()])
    said = {"id": Part(change.id), "where": place, "severity": severity, "bar": Part(found.bound)}
    return phrase(text, data, **said)
