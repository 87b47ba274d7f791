"""One change in words: its mark, where it is, what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from math import prod

from unetscope.analysis.diff import COSTS, Change
from unetscope.rules.gate import Breach
from unetscope.table import Cell, Kind, Part
from unetscope.units import spell
from unetscope.views.view import between, code, phrase
from unetscope.words import Words

COST_KINDS = dict(zip(COSTS, (Kind.COUNT, Kind.MACS, Kind.BYTES), strict=True))
"""How the total that each cost is about is written."""

_MARKS = {"added": "+", "removed": "-", "renamed": ">"}
_MOST_DIMS = 3
_MOST_FUNCTIONS = 3
_MOST_BLOCKS = 3


def mark(change: Change) -> str:
    """`+` for what came, `-` for what went, `>` for what has another name, `~` for the rest."""
    return _MARKS.get(change.id.rpartition("-")[2], "~")


def where(change: Change, words: Words) -> Cell:
    """The module or tensor that changed, under both names if it has two; or in which blocks."""
    if change.parts and "" in (change.was, change.now):
        return _blocks(change, words)
    if not change.where:
        return Cell.of(words.whole_network)
    if change.was is not None and change.now is not None and change.was != change.now:
        return _cell(code(change.was), Part(" > "), code(change.now))
    return Cell.of(change.where, code=True)


def _blocks(change: Change, words: Words) -> Cell:
    """`down_blocks.0, mid_block and 3 more`: the upper levels of the paths of all that changed."""
    found = list(dict.fromkeys(_upper(single.where) for single in change.singles()))
    shown = [code(block) for block in found[:_MOST_BLOCKS]]
    if len(found) > _MOST_BLOCKS:
        shown.append(Part(words.more_blocks.format(len(found) - _MOST_BLOCKS)))
    return _cell(*between(shown, words.listed))


def _upper(path: str) -> str:
    """A path down to its first index."""
    levels = path.split(".")
    end = next((i + 1 for i, level in enumerate(levels) if level.isdigit()), 1)
    return ".".join(levels[:end])


def what(change: Change, words: Words) -> Cell:
    """What changed there: old -> new, and in how many tensors or modules."""
    match change.id:
        case "param-reshaped" | "param-added" | "param-removed" | "buffer-added" | "buffer-removed":
            return _tensors(change, words)
        case "module-renamed" | "module-moved":
            return _renamed(change, words)
        case "skip-reordered":
            said = {"old": Part(change.old), "new": Part(change.new)}
            return phrase(words.reordered[change.about], None, **said)
        case "skip-added" | "skip-removed" | "skip-repaired":
            return _producers(change, words)
        case "skip-summed":
            return _added(change, words)
        case "result-changed" if change.about == "difference":
            tolerance, difference = (Part(v, Kind.DIFFERENCE) for v in (change.old, change.new))
            said = {"tolerance": tolerance, "difference": difference}
            return phrase(words.result_differs, None, **said)
        case "op-changed" | "flow-changed" | "unread-result":
            old, new = (_functions(functions, words) for functions in (change.old, change.new))
            return _counted(_arrow(old, new), change, words.in_modules)
        case "io-reshaped" | "io-resized":
            return _counted(
                _arrow(_shape(change.old), _shape(change.new)), change, words.in_modules
            )
        case _:
            about = [Part(f"{change.about} ")] if change.about else []
            kind = COST_KINDS.get(change.id, Kind.TEXT)
            values = _arrow(_value(change.old, kind), _value(change.new, kind))
            return _counted([*about, *values], change, words.in_modules)


def line(change: Change, words: Words) -> str:
    """A change as one line of text."""
    place = change.where or words.whole_network
    if change.id in COSTS:
        kind = COST_KINDS[change.id]
        name = words.total_names[change.id]
        return f"~ {name}: {spell(change.old, kind)} -> {spell(change.new, kind)}"
    return f"{mark(change)} {change.id} {place}: {plain(what(change, words))}".rstrip(": ")


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
        where=Part(change.where or words.whole_network, code=bool(change.where)),
        severity=Part(words.severities[change.severity.name.lower()]),
        bar=Part(found.bound),
    )


def _producers(change: Change, words: Words) -> Cell:
    """Where a skip comes from, and came from."""
    ends = dict.fromkeys(end for end in (change.old, change.new) if end is not None)
    shown = between([code(end or words.whole_network) for end in ends], " -> ")
    return _cell(Part(f"{words.from_producer} "), *shown)


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
    """How many modules, and which of their names where that is not said: `norm > group_norm`."""
    if not change.parts:
        return Cell.of("")
    tops = [change] if change.old is not None else change.parts
    pairs = [(_own(top.was), _own(top.now)) for top in tops]
    if change.old is not None:
        pairs = [(change.old, change.new)] if not change.now else []
    shown = [code(f"{old} > {new}") for old, new in pairs if old != new]
    more = [Part(words.more_dims)] if len(shown) > _MOST_DIMS else []
    counted = words.in_modules.format(change.count)
    listed = list(between([*shown[:_MOST_DIMS], *more], words.listed))
    return _cell(*listed, Part(f" ({counted})")) if listed else _cell(Part(counted))


def _own(path: str | None) -> str:
    """The last level of a path."""
    return (path or "").rpartition(".")[2]


def _tensors(change: Change, words: Words) -> Cell:
    singles = change.singles()
    if change.id == "param-reshaped":
        arrow = _arrow(_shape(change.old), _shape(change.new))
        return _counted(_dims(singles, words) if change.parts else arrow, change, words.in_tensors)
    shapes = [single.old or single.new or () for single in singles]
    if not change.parts:
        return _cell(_shape(shapes[0]))
    numel = Part(sum(map(prod, shapes)), Kind.COUNT)
    buffers = change.id.startswith("buffer")
    said = words.count_of_elements if buffers else words.count_of_parameters
    counted = phrase(said, None, count=numel)
    return _counted(counted.parts, change, words.in_tensors)


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
    return list(between([*found, *more], words.listed))


def _other(pair: tuple[int, int]) -> bool:
    return pair[0] != pair[1]


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


def _functions(functions: Sequence[str], words: Words) -> Part:
    shown = [f"{name[:57]}..." if len(name) > 60 else name for name in functions[:_MOST_FUNCTIONS]]
    rest = len(functions) - len(shown)
    if rest:
        shown.append(f"... {words.others.format(rest)}")
    return Part("; ".join(shown) or None, code=True)
