"""Multiply-adds by the kinds of modules that articles draw."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.analysis.cost import Cost
from unetscope.analysis.module_kinds import FINEST, MODULE_KINDS, finest, module_kinds
from unetscope.analysis.partition import OTHER, in_order, partition
from unetscope.table import Cell, Column, Kind, Table, Value
from unetscope.views.view import View
from unetscope.words import Words


def figure_columns(words: Words) -> tuple[Column, ...]:
    """The columns that `figures` fills."""
    return (
        Column("macs", words.macs, Kind.MACS),
        Column("flops", words.flops, Kind.FLOPS),
        Column("share", words.share, Kind.SHARE),
    )


def figures(macs: int, total: int) -> tuple[int, int, float]:
    """Multiply-adds, two FLOPs for each, and their share of all."""
    return macs, 2 * macs, macs / total if total else 0.0


def costs_by_type(view: View, cost: Cost) -> Table:
    """One row a kind: how often it occurs, and the multiply-adds in all of it."""
    words, found = view.words, module_kinds(view.network)
    rows = []
    for kind in MODULE_KINDS:
        same = [occurrence for occurrence in found if occurrence.kind == kind]
        paths = {path for occurrence in same for path in occurrence.modules}
        if same:
            inside = (p.macs for p in cost.pieces if not paths.isdisjoint(_around(p.module)))
            rows.append((kind, len(same), *figures(sum(inside), cost.total)))
    columns = (
        Column("kind", words.module_kind, code=True),
        Column("times", words.times, Kind.COUNT),
        *figure_columns(words),
    )
    return Table("flops", words.cost, columns, tuple(rows), after=(Cell.of(words.nested_costs),))


def stages_by_kind(view: View, cost: Cost) -> Table:
    """A cross table: one row a block, one column a kind; each multiply-add is in one cell."""
    words, network = view.words, view.network
    stages, kind_of = partition(network, "block"), finest(network)
    cells: dict[str, dict[str, int]] = {}
    for piece in cost.pieces:
        stage = cells.setdefault(stages[piece.module], {})
        kind = kind_of[piece.module]
        stage[kind] = stage.get(kind, 0) + piece.macs
    shown = [kind for kind in FINEST if any(kind in stage for stage in cells.values())]
    titles = {OTHER: words.other, "SpatialTransformer": words.rest_of_transformer}
    columns = (
        Column("stage", words.stage),
        *(Column(kind, titles.get(kind, kind), Kind.MACS) for kind in shown),
        Column("total", words.total, Kind.MACS),
    )

    def row(label: Cell, *groups: dict[str, int]) -> tuple[Value, ...]:
        sums = [sum(group.get(kind, 0) for group in groups) for kind in shown]
        return (label, *sums, sum(sums))

    rows = tuple(
        row(_stage(words, stage), cells[stage])
        for stage in in_order(network, stages)
        if stage in cells
    )
    total = row(Cell.of(words.total, data="total"), *cells.values())
    notes = (Cell.of(words.costs_add_up),)
    return Table("flops", words.cost, columns, rows, total, after=notes)


def _stage(words: Words, stage: str) -> Cell:
    return Cell.of(words.other, data=stage) if stage == OTHER else Cell.of(stage, code=True)


def _around(path: str) -> Iterator[str]:
    """The modules that a path leads through, itself first, the root left out."""
    while path:
        yield path
        path = path.rpartition(".")[0]
