"""One kind of module: what it is, what one contains, where it occurs and what it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from unetscope.analysis.module_kinds import Occurrence, around, module_kinds
from unetscope.analysis.named_kinds import Named, NamedKinds, folded_paths
from unetscope.analysis.parameters import numel
from unetscope.record import Step
from unetscope.table import Cell, Column, Kind, Part, Table, Value, paragraph
from unetscope.views.kinds import inside_of, resnets_each
from unetscope.views.legends import legended
from unetscope.views.view import Dim, View, between, by_section, chosen, code
from unetscope.words_teaching import TeachingWords

_MOST_KINDS = 2
"""Kinds that a class is told to be: attention to oneself and to others, say."""
_EACH_SHOWN = 8
"""Occurrences that are shown one a row; more are folded."""


class _Subject:
    """A kind in a network that is shown, and what all of it takes."""

    def __init__(self, view: View, known: NamedKinds, named: Named) -> None:
        self.view, self.known, self.named = view, known, named
        self.words = TeachingWords(view.words.language)

    def parameters(self, occurrences: Sequence[Occurrence]) -> int:
        """Parameters in some occurrences, each counted once."""
        holds = inside_of(occurrences)
        return numel([tensor for tensor in self.view.held if holds(tensor.module)])

    def macs(self, occurrences: Sequence[Occurrence]) -> int:
        """Multiply-adds in some occurrences that are known, each counted once."""
        holds = inside_of(occurrences)
        return sum(piece.macs for piece in self.view.cost.pieces if holds(piece.module))

    @property
    def totals(self) -> tuple[int, int]:
        """Parameters and multiply-adds of the whole network."""
        return numel(self.view.held), self.view.cost.total


def kind_card(
    view: View, known: NamedKinds, named: Named, sections: str | None
) -> tuple[list[Table], list[str]]:
    """Everything about one kind, in the named sections or all; and the names of those it has not.

    Raises:
        UnetscopeError: a name is no section.
    """
    return by_section(chosen(sections, SECTIONS), SECTIONS, _Subject(view, known, named))


def _facts(subject: _Subject) -> list[Table]:
    view, words, named = subject.view, subject.words, subject.named
    found, network = named.occurrences, subject.view.network
    is_kind = named.name in named.kinds
    classes = dict.fromkeys(network.modules[path].kind for each in found for path in each.modules)
    counts = Counter(view.parts[each.modules[-1]] for each in found)
    parts = {part: counts[part] for part in view.part_names if part in counts}
    outer = around(module_kinds(network)).get(named.name, []) if is_kind else []
    held, macs = subject.parameters(found), subject.macs(found)
    all_held, all_macs = subject.totals
    places = words.listed.join(f"{view.part_names[part]} {count}" for part, count in parts.items())
    facts: list[tuple[Column, Cell]] = [
        (Column("kinds", words.module_kind), _codes(view, named.kinds)),
        (Column("classes", words.module_class), _codes(view, classes)),
        (Column("about", words.what_it_is), _about(subject)),
        (Column("times", words.times), Cell.of(len(found), Kind.COUNT)),
        (Column("parts", words.in_part, keys=("parts", "times_by_part")), _counted(places, parts)),
        (Column("inside", words.inside), _codes(view, outer)),
        (Column("resnets_each", "X"), resnets_each(found)),
        (Column("parameters", words.parameters), _with_share(held, all_held, Kind.COUNT)),
        (Column("macs", words.macs), _with_share(macs, all_macs, Kind.MACS)),
    ]
    columns, row = zip(
        *((c, cell) for c, cell in facts if cell.data not in ([], None)), strict=True
    )
    data = {
        "parameter_share": held / all_held if all_held else 0.0,
        "mac_share": macs / all_macs if all_macs else 0.0,
    }
    table = Table("kind", named.name, columns, (row,), facts=True, data=data)
    return [legended(view.words, table, "resnets_each")]


def _counted(text: str, counts: Mapping[str, int]) -> Cell:
    return Cell.of(text, data=(list(counts), list(counts.values())))


def _codes(view: View, names: Iterable[str]) -> Cell:
    names = list(names)
    return Cell(tuple(between(map(code, names), view.words.listed)), names)


def _with_share(amount: int, total: int, kind: Kind) -> Cell:
    """`537,670,400 (62.6 %)`."""
    parts = Part(amount, kind), Part(" ("), Part(amount / total if total else 0.0, Kind.SHARE)
    return Cell((*parts, Part(")")), amount)


def _about(subject: _Subject) -> Cell:
    """What it is: of a kind, or of a class that is known or is of one kind throughout."""
    words, named = subject.words, subject.named
    if named.name in words.class_about and named.name not in named.kinds:
        return Cell.of(words.class_about[named.name])
    told = [words.about[kind] for kind in named.kinds if len(named.kinds) <= _MOST_KINDS]
    if not told:
        return Cell.of(words.class_unknown, data="")
    return paragraph(told)


def _contents(subject: _Subject) -> list[Table]:
    """What one contains: kinds of the articles, then layers and functions, as often as each."""
    words, found = subject.words, subject.named.occurrences
    inside_each = [subject.known.inside(each) for each in found]
    rows: list[tuple[Value, ...]] = []
    for index, group in enumerate(("kind", "layer")):
        counts = [each[index] for each in inside_each]
        for name in sorted({n for each in counts for n in each}, key=_first(counts)):
            each = sorted({count[name] for count in counts})
            if name == subject.named.name:
                continue
            rows.append(
                (
                    Cell.of(words.element_groups[group], data=group),
                    name,
                    Cell.of(words.alternatives.join(map(str, each)), data=each),
                    sum(count[name] for count in counts),
                )
            )
    if not rows:
        return []
    columns = (
        Column("group", words.element_group, priority=2),
        Column("name", words.name, code=True),
        Column("each", words.in_one),
        Column("total", words.in_all, Kind.COUNT, priority=1),
    )
    return [Table("contains", words.one_contains, columns, tuple(rows), level=2)]


def _first(counts: Sequence[Counter[str]]) -> Callable[[str], int]:
    """A name's place in the first occurrence that has it, so that order is that of the code."""
    order = list(dict.fromkeys(name for each in counts for name in each))
    return order.index


def _places(subject: _Subject) -> list[Table]:
    """Where it occurs: one row each or, of many, one for paths that differ in numbers alone."""
    view, words, network = subject.view, subject.words, subject.view.network
    by_path = {each.modules[-1]: each for each in subject.named.occurrences}
    groups = {path: [path] for path in by_path}
    if len(by_path) > _EACH_SHOWN:
        groups = folded_paths(by_path)
    calls = {step.module: step for step in network.trace.steps[::-1]}
    rows: list[tuple[Value, ...]] = []
    for pattern, paths in groups.items():
        some = [by_path[path] for path in paths]
        names = [list(each.modules) if len(each.modules) > 1 else each.modules[0] for each in some]
        rows.append(
            (
                Cell.of(_path(pattern, some), code=True, data=(pattern, names)),
                len(paths),
                _one([_given(view, calls.get(each.modules[0])) for each in some]),
                _one([_made(view, calls.get(each.modules[-1])) for each in some]),
                subject.parameters(some),
                subject.macs(some),
            )
        )
    columns = (
        Column("path", words.path, code=True, keys=("path", "modules")),
        Column("times", words.times, Kind.COUNT),
        Column("input_shape", words.input_dims, Kind.TUPLE, code=True, priority=3),
        Column("output_shape", words.output_dims, Kind.TUPLE, code=True, priority=3),
        Column("parameters", words.parameters, Kind.COUNT, priority=1),
        Column("macs", words.macs, Kind.MACS, priority=2),
    )
    table = Table("places", words.where_it_occurs, columns, tuple(rows), level=2)
    if len(groups) < len(by_path):
        table = replace(table, after=(Cell.of(words.folded_paths),))
    return [table.without(*(k for k in ("input_shape", "output_shape") if table.is_blank(k)))]


def _path(pattern: str, occurrences: Sequence[Occurrence]) -> str:
    """The pattern or, of one occurrence of several modules, these."""
    modules = occurrences[0].modules if len(occurrences) == 1 else ()
    return f"{modules[0]} … {modules[-1]}" if len(modules) > 1 else pattern


def _given(view: View, step: Step | None) -> tuple[Dim, ...] | None:
    return view.dims(step.inputs[0].value) if step and step.inputs else None


def _made(view: View, step: Step | None) -> tuple[Dim, ...] | None:
    return view.dims(step.outputs[0]) if step and step.outputs else None


def _one(shapes: Sequence[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    """The shape that all have; None if they differ."""
    return shapes[0] if len(set(shapes)) == 1 else None


SECTIONS: dict[str, Callable[[_Subject], list[Table]]] = {
    "kind": _facts,
    "contains": _contents,
    "places": _places,
}
"""The sections of a kind's card, in order."""
