"""What changed in the networks of a branch: first what several have in common, then each one's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from unetscope.analysis.diff import COSTS, Change, ConfigChange
from unetscope.rules.branch import Row
from unetscope.rules.gate import Judgement
from unetscope.table import Cell, Table
from unetscope.views import diff as views
from unetscope.views.change import line, plain, what
from unetscope.words import Words

T = TypeVar("T")
MOST_ON_A_SCREEN = 9
"""Changes of a section on a screen that does not hold all."""
_BY_VALUE = ("attr-changed", "training-changed", "op-changed", "flow-changed", "class-renamed")
"""Changes that are alike wherever they are: heirs have the same blocks more or less often."""


@dataclass
class _Section:
    """What the same networks have in common.

    Attributes:
        changes: each as it is in every one of them.
        config: values of their configs that differ alike.
    """

    changes: list[list[Change]] = field(default_factory=list)
    config: list[ConfigChange] = field(default_factory=list)


def sections(
    rows: Sequence[Row],
    words: Words,
    *,
    names: bool,
    every: bool = True,
    places: bool = False,
) -> Iterator[list[Table]]:
    """The changes and the values that differ of the same networks, whose names are the first title.

    Changes are alike if they read alike; of some, places and their number may differ.

    Args:
        rows: the networks.
        words: the language.
        names: whether the old and the new name of each tensor are wanted too.
        every: whether all changes are.
        places: whether all their places are.
    """
    rows = [row for row in rows if row.judgement is not None and row.judgement.diff.totals]
    found: dict[tuple[int, ...], _Section] = {}
    for alike in _alike(rows, lambda judgement: _changes(judgement, words)):
        found.setdefault(tuple(alike), _Section()).changes.append(list(alike.values()))
    for same in _alike(rows, lambda judgement: ((repr(c), c) for c in judgement.diff.config)):
        found.setdefault(tuple(same), _Section()).config.append(next(iter(same.values())))
    for index, row in enumerate(rows):
        if any(_of_one(row, words, names=names)):
            found.setdefault((index,), _Section())
    for holders in sorted(found, key=lambda each: (-len(each), each)):
        section = found[holders]
        shown = [
            *_common(section.changes, words, every, places),
            *views.config(section.config, words),
        ]
        if len(holders) == 1:
            shown += _of_one(rows[holders[0]], words, names=names)
        title = _title([rows[index].path for index in holders], words)
        below = (replace(table, level=2) for table in shown[1:])
        yield [replace(shown[0], title=title), *below]


def _changes(judgement: Judgement, words: Words) -> Iterator[tuple[str, Change]]:
    for change in judgement.shown:
        if change.id in COSTS:
            continue
        if change.id in _BY_VALUE and change.parts:
            said = plain(what(change, words, every=True))
            yield f"{change.id} {said.replace(_counted(change.count, words), '')}", change
        else:
            yield line(change, words), change


def _counted(count: object, words: Words) -> str:
    """How a change says in how many modules it is."""
    return f"({words.in_modules.format(count)})"


def _alike(
    rows: Sequence[Row], told: Callable[[Judgement], Iterable[tuple[str, T]]]
) -> Iterable[dict[int, T]]:
    """What is told of networks under one key, by the number of each network."""
    found: dict[str, dict[int, T]] = {}
    for index, row in enumerate(rows):
        for key, value in told(row.judgement) if row.judgement else ():
            found.setdefault(key, {}).setdefault(index, value)
    return found.values()


def _common(
    found: Sequence[Sequence[Change]], words: Words, every: bool, places: bool
) -> list[Table]:
    """Changes of several networks, each with the least and the largest number of its places."""
    kept = found if every or len(found) <= MOST_ON_A_SCREEN else found[: MOST_ON_A_SCREEN - 1]
    merged = list(map(_merged, kept))
    for table in views.changes(merged, words, every=places):
        rows = []
        for row, whole, alike in zip(table.rows, merged, kept, strict=True):
            counts = [change.count for change in alike]
            least, most = min(counts), max(counts)
            number = least if least == most else f"{least}-{most}"
            said = _counted(whole.count, words), _counted(number, words)
            rows.append(tuple(_replaced(cell, *said) for cell in row))
        if rest := len(found) - len(kept):
            rows.append(("…", "", "", words.more_changes.format(rest), ""))
        return [replace(table, rows=tuple(rows))]
    return []


def _merged(alike: Sequence[Change]) -> Change:
    """One change in all the places that several have."""
    first = alike[0]
    if len(alike) == 1 or not first.parts or first.id not in _BY_VALUE:
        return first
    places = {(part.was, part.now): part for change in alike for part in change.parts}
    return replace(first, was="", now="", parts=tuple(places.values()))


def _replaced(cell: T, old: str, new: str) -> T | Cell:
    """A cell with other words for some of its own."""
    if not isinstance(cell, Cell):
        return cell
    parts = (
        replace(part, value=part.value.replace(old, new)) if isinstance(part.value, str) else part
        for part in cell.parts
    )
    return replace(cell, parts=tuple(parts))


def _of_one(row: Row, words: Words, *, names: bool) -> list[Table]:
    """What is said of one network beside its changes."""
    if row.judgement is None:
        return []
    renamed = views.new_names(row.judgement.diff.names, words) if names else []
    told = views.verified(row.judgement, words), views.by_name_alone(row.judgement, words)
    return [*(table for each in told for table in each), *renamed]


def _title(paths: Sequence[str], words: Words) -> str:
    if len(paths) == 1:
        return paths[0]
    return words.change_alike.format(count=len(paths), names=views.listed(paths, words))
