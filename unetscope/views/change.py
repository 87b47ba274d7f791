"""One change in words: its mark, where it is, what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, takewhile
from math import prod

from unetscope.analysis.diff import COSTS, Change, Edit, changed_dims
from unetscope.rules.gate import Breach
from unetscope.table import Cell, Kind, Part
from unetscope.units import spell
from unetscope.views.edits import edits
from unetscope.views.places import pairs
from unetscope.views.view import between, code, phrase
from unetscope.words import Words

COST_KINDS = dict(zip(COSTS, (Kind.COUNT, Kind.MACS, Kind.BYTES), strict=True))
"""How the total that each cost is about is written."""

_MOST_DIMS = 3
_MOST_PLACES = 3
_MOST_LETTERS = 70
_ALL_PLACES = 40
"""The most places that stand in one cell; json has all."""
_RENAMED = ("module-renamed", "module-moved")
_CAME_OR_WENT = ("param-added", "param-removed", "buffer-added", "buffer-removed")


def where(change: Change, words: Words, *, every: bool = False) -> Cell:
    """The modules or tensors that changed, under both names if they have two.

    Args:
        change: one, or several alike.
        words: the language.
        every: whether all places are named; else the first few are.
    """
    places = pairs([_ends(top) for top in _tops(change)])
    return _cell(*_listed([_place(*each, words) for each in places], words, every))


def _ends(change: Change) -> tuple[str, str]:
    """The old and the new place; the one that there is, if there is one alone."""
    return (change.where if change.was is None else change.was), change.where


def _tops(change: Change) -> Sequence[Change]:
    """What stands in one line: modules, without what came, went or moved with them."""
    if not change.parts:
        return (change,)
    first = change.parts[0]
    renamed = change.id in _RENAMED and (first.was, first.now) == (change.was, change.now)
    block = change.id == "param-reshaped" and bool(change.where) and not first.parts
    return (change,) if renamed or block or _is_module(change) else change.parts


def _is_module(change: Change) -> bool:
    """Whether tensors came or went with one module, whose class is known, if only as unknown."""
    kinds = change.old, change.new
    return (
        bool(change.parts)
        and not change.parts[0].parts
        and change.id in _CAME_OR_WENT
        and (any(isinstance(kind, str) for kind in kinds))
    )


def _place(old: str, new: str, words: Words, arrow: str = " > ") -> list[Part]:
    found = [code(name) if name else Part(words.whole_network) for name in (old, new)]
    return found[:1] if old == new else [found[0], Part(arrow), found[1]]


def _listed(items: Sequence[Sequence[Part]], words: Words, every: bool) -> Iterator[Part]:
    """The first few of a list, and how many more there are."""
    lengths = accumulate(sum(len(str(part.value)) for part in item) for item in items)
    fits = sum(length <= _MOST_LETTERS for length in lengths)
    shown = items[: _ALL_PLACES if every else max(1, min(fits, _MOST_PLACES))]
    for index, item in enumerate(shown):
        if index:
            yield Part(words.listed)
        yield from item
    if len(shown) < len(items):
        yield Part(f"{words.listed}{words.more_blocks.format(len(items) - len(shown))}")


def what(change: Change, words: Words, *, every: bool = False) -> Cell:
    """What changed there: old -> new, and in how many tensors or modules; see `where`."""
    match change.id:
        case name if name in _CAME_OR_WENT:
            return _came_or_went(change, words)
        case "param-reshaped":
            arrow = _arrow(_shape(change.old), _shape(change.new))
            parts = _dims(change.singles(), words, every) if change.parts else arrow
            return _counted(parts, change, words.in_tensors)
        case "network-deleted" | "network-renamed" | "text-changed":
            return Cell.of(words.of_files[change.id], data=None)
        case "module-renamed" | "module-moved":
            return _renamed(change, words)
        case "skip-reordered":
            places = {"old": Part(change.old), "new": Part(change.new)}
            order = phrase(words.reordered[change.about], None, **places)
            return _counted(order.parts, change, words.in_joins)
        case "skip-added" | "skip-removed" | "skip-repaired":
            return _producers(change, words, every)
        case "skip-summed":
            return _added(change, words)
        case "result-changed" if change.about == "difference":
            tolerance, difference = (Part(v, Kind.DIFFERENCE) for v in (change.old, change.new))
            said = {"tolerance": tolerance, "difference": difference}
            return phrase(words.result_differs, None, **said)
        case "op-changed" | "flow-changed":
            told = edits(change.edits, words, every=every) or [Part(words.other_flow)]
            return _counted(told, change, words.in_modules)
        case "unread-result":
            told = edits([Edit(change.old, change.new)], words, every=every)
            return _counted(told, change, words.in_modules)
        case "io-resized" if change.parts:
            return _counted(_dims(change.singles(), words, every), change, words.in_ends)
        case "io-reshaped" | "io-resized":
            arrow = _arrow(_shape(change.old), _shape(change.new))
            return _counted(arrow, change, words.in_ends)
        case _:
            about = [Part(f"{change.about} ")] if change.about else []
            kind = COST_KINDS.get(change.id, Kind.TEXT)
            values = _arrow(_value(change.old, kind), _value(change.new, kind))
            return _counted([*about, *values], change, words.in_modules)


def line(change: Change, words: Words) -> str:
    """A change as one line of text."""
    if change.id in COSTS:
        kind = COST_KINDS[change.id]
        name = words.total_names[change.id]
        return f"~ {name}: {spell(change.old, kind)} -> {spell(change.new, kind)}"
    place = plain(where(change, words))
    return f"{change.mark} {change.id} {place}: {plain(what(change, words))}".rstrip(": ")


def plain(cell: Cell) -> str:
    """A cell as one line of text."""
    return "".join(spell(part.value, part.kind) for part in cell.parts)


def breach(found: Breach, words: Words) -> Cell:
    """The message of a rule that a change breaks."""
    change = found.change
    if found.limit is not None:
        kind = COST_KINDS[change.id]
        return phrase(
            words.breaks_bound,
            None,
            total=Part(words.total_names[change.id]),
            measured=Part(change.new, kind, strong=True),
            limit=Part(found.limit, kind, strong=True),
            option=Part(found.setting),
            bound=Part(found.bound),
        )
    return phrase(
        words.breaks_deny if found.setting == "deny" else words.breaks_class,
        None,
        id=Part(change.id),
        where=Part(plain(where(change, words)), code=bool(change.where)),
        severity=Part(words.severities[change.severity.name.lower()]),
        bar=Part(found.bound),
    )


def _producers(change: Change, words: Words, every: bool) -> Cell:
    """Where skips come from, and came from."""
    ends = [
        (c.new if c.old is None else c.old, c.old if c.new is None else c.new)
        for c in change.singles()
    ]
    shown = [_place(*each, words, " -> ") for each in pairs(ends)]
    said = [Part(f"{words.from_producer} "), *_listed(shown, words, every)]
    return _counted(said, change, words.in_joins)


def _added(change: Change, words: Words) -> Cell:
    """What is added to skips, and was: `+ controlnet.controlnet_down_blocks`, in how many skips."""
    singles = change.singles()
    sides = (_common(single.old for single in singles), _common(single.new for single in singles))
    old, new = ([Part("+ "), code(path)] if path else [Part("-")] for path in sides)
    return _counted([*old, Part(" -> "), *new], change, words.in_skips)


def _common(added: Iterable[tuple[str, ...]]) -> str:
    """The levels that the paths of all that is added have in common; else all paths."""
    paths = dict.fromkeys(path for paths in added for path in paths)
    levels = zip(*(path.split(".") for path in paths), strict=False)
    same = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels)]
    return ".".join(same) or ", ".join(paths)


def _renamed(change: Change, words: Words) -> Cell:
    """How many modules have another name, if they are several; in which networks' names."""
    if not change.parts:
        return Cell.of("")
    counted = Part(words.in_modules.format(change.count))
    if change.old is not None and not change.now and _is_dialect(change):
        return _cell(code(f"{change.old} > {change.new}"), Part(f" ({counted.value})"))
    return _cell(counted)


def _is_dialect(change: Change) -> bool:
    """Whether all names are those of another code base, which the change names."""
    return bool(change.old != (change.parts[0].was or "").rpartition(".")[2])


def _came_or_went(change: Change, words: Words) -> Cell:
    """The class of modules and how many parameters they hold; of a tensor alone its shape."""
    if not change.parts:
        return _cell(_shape(change.old or change.new or ()))
    buffers = change.id.startswith("buffer")
    shapes = [single.old or single.new or () for single in change.singles()]
    said = words.count_of_elements if buffers else words.count_of_parameters
    counted = phrase(said, None, count=Part(sum(map(prod, shapes)), Kind.COUNT))
    tops = _tops(change)
    kind = change.old if change.old is not None else change.new
    if kind is None:
        return _counted(counted.parts, change, words.in_tensors)
    named = [code(kind), Part(" " if len(tops) > 1 else "  ")] if kind else []
    several = [Part(f"×{len(tops)}  ")] if len(tops) > 1 else []
    return _cell(*named, *several, *counted.parts)


def _dims(singles: Iterable[Change], words: Words, every: bool) -> list[Part]:
    """Which dims became which, the most frequent first: `320 -> 384`."""
    found = Counter(pair for single in singles for pair in changed_dims(single))
    most = len(found) if every else _MOST_DIMS
    ranked = sorted(found, key=lambda pair: (isinstance(pair[0], str), -found[pair]))
    shown = [Part(f"{old} -> {new}") for old, new in ranked[:most]]
    more = [Part(words.more_dims)] if len(found) > most else []
    return list(between([*shown, *more], words.listed))


def _counted(parts: Sequence[Part], change: Change, counted: str) -> Cell:
    """What changed, and in how many places if these are several."""
    places = [Part(f" ({counted.format(change.count)})")] if change.parts else []
    return _cell(*parts, *places)


def _cell(*parts: Part) -> Cell:
    """A cell for people: programs read the values of a change itself."""
    return Cell(parts, None)


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
