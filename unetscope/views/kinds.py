"""Parameters by the kinds of modules that articles draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from unetscope.analysis.module_kinds import FINEST, MODULE_KINDS, Occurrence, finest, module_kinds
from unetscope.analysis.parameters import Held, numel
from unetscope.analysis.partition import OTHER, in_order, partition
from unetscope.table import Cell, Column, Kind, Table, Value
from unetscope.views.sizes import Sizes
from unetscope.views.view import View


def types(view: View, held: Sequence[Held], sizes: Sizes, glob: str | None = None) -> Table:
    """One row a kind: how often it occurs, how many ResNets its blocks have, its parameters."""
    words, found = view.words, module_kinds(view.network)
    present = {occurrence.kind for occurrence in found}
    rows = []
    for kind, around in MODULE_KINDS.items():
        same = [occurrence for occurrence in found if occurrence.kind == kind]
        of_it = _held_by(same, held)
        if not same or not of_it:
            continue
        inside = [outer for outer in around if outer in present]
        rows.append(
            (
                kind,
                len(same),
                _resnets(same),
                Cell.of(words.listed.join(inside), data=inside),
                *sizes.of(of_it),
            )
        )
    columns = (
        Column("kind", words.module_kind, code=True),
        Column("times", words.times, Kind.COUNT),
        Column("resnets_each", "X"),
        Column("inside", words.inside),
        *sizes.columns,
    )
    return Table(
        "parameters",
        words.parameters,
        columns,
        tuple(rows),
        after=(Cell.of(words.nested_costs), *sizes.notes(held, glob)),
        data={"by": "type", "match": glob},
    )


def _held_by(occurrences: Iterable[Occurrence], held: Sequence[Held]) -> list[Held]:
    """The tensors in any of some modules."""
    paths = {path for occurrence in occurrences for path in occurrence.modules}
    return [tensor for tensor in held if any(path in paths for path in _around(tensor.module))]


def _around(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _resnets(occurrences: Iterable[Occurrence]) -> Cell:
    """The X of a block's name: one number, or all that occur."""
    counts = sorted({o.resnets for o in occurrences if o.resnets is not None})
    return Cell.of(", ".join(map(str, counts)), data=counts)


def stages_by_kind(
    view: View, held: Sequence[Held], sizes: Sizes, glob: str | None = None
) -> Table:
    """A cross table: one row a block, one column a kind; each parameter stands in one cell."""
    words, network = view.words, view.network
    stages, kind_of = partition(network, "block"), finest(network)
    cells: dict[str, dict[str, list[Held]]] = {}
    for tensor in held:
        of_stage = cells.setdefault(stages[tensor.module], {})
        of_stage.setdefault(kind_of[tensor.module], []).append(tensor)
    shown = [kind for kind in FINEST if any(kind in of_stage for of_stage in cells.values())]
    titles = {OTHER: words.other, "SpatialTransformer": words.rest_of_transformer}
    columns = (
        Column("stage", words.stage, code=True),
        *(Column(kind, titles.get(kind, kind), Kind.COUNT) for kind in shown),
        Column("total", words.total, Kind.COUNT),
    )

    def row(label: Cell, groups: Iterable[dict[str, list[Held]]]) -> tuple[Value, ...]:
        sums = [sum(numel(group.get(kind, ())) for group in groups) for kind in shown]
        return (label, *sums, sum(sums))

    rows = tuple(
        row(_stage(view, stage), [cells[stage]])
        for stage in in_order(network, stages)
        if stage in cells
    )
    total = row(Cell.of(words.total, data="total"), list(cells.values()))
    return Table(
        "parameters",
        words.parameters,
        columns,
        rows,
        total,
        after=(Cell.of(words.rows_add_up), *sizes.notes(held, glob)),
        data={"by": "stage-kind", "match": glob},
    )


def _stage(view: View, stage: str) -> Cell:
    if stage == OTHER:
        return Cell.of(view.words.other, data=stage)
    return Cell.of(stage, code=True)
