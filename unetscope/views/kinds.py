"""Parameters and multiply-adds by the kinds of modules that articles draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from unetscope.analysis.module_kinds import (
    FINEST,
    MODULE_KINDS,
    Occurrence,
    around,
    finest,
    module_kinds,
)
from unetscope.analysis.parameters import BYTES, Held, lora_size, numel
from unetscope.analysis.partition import OTHER, in_order
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.legends import legended, of_kinds
from unetscope.views.view import View, code, phrase
from unetscope.words import Words


class Sizes:
    """What tensors count and weigh.

    Args:
        view: the network as it is to be shown.
        total: its parameters, of which shares are taken.
        dtypes: element types to give sizes at.
        rank: of a LoRA on them; None for none.
    """

    def __init__(self, view: View, total: int, dtypes: Sequence[str], rank: int | None) -> None:
        self._view, self._total, self._dtypes, self._rank = view, total, dtypes, rank

    @property
    def columns(self) -> Iterator[Column]:
        """The columns, in order."""
        words = self._view.words
        yield Column("tensors", words.tensors, Kind.COUNT, priority=3)
        yield Column("parameters", words.parameters, Kind.COUNT)
        yield Column("share", words.share, Kind.SHARE, priority=2)
        for dtype in self._dtypes:
            yield Column(f"{dtype}_bytes", dtype, priority=1)
        if self._rank is not None:
            title = words.lora.format(self._rank)
            yield Column("lora_parameters", title, Kind.COUNT, priority=1)
            for dtype in self._dtypes:
                yield Column(f"lora_{dtype}_bytes", f"{title}, {dtype}", priority=1)

    def of(self, held: Sequence[Held]) -> tuple[Value, ...]:
        """The values in these columns for some tensors."""
        count = numel(held)
        values: list[Value] = [len(held), count, count / self._total if self._total else None]
        values += [self._bytes(count, dtype) for dtype in self._dtypes]
        if self._rank is not None:
            added = sum(self.lora(tensor) or 0 for tensor in held)
            values += [added, *(self._bytes(added, dtype) for dtype in self._dtypes)]
        return tuple(values)

    def lora(self, tensor: Held) -> int | None:
        """Parameters of the LoRA on one tensor; None if it is not a layer's weight."""
        if self._rank is None or not tensor.name.endswith("weight"):
            return None
        return lora_size(self._view.network.modules[tensor.module], self._rank)

    def notes(self, held: Sequence[Held], glob: str | None) -> Iterator[Cell]:
        """What was selected, and what of it a LoRA leaves out."""
        words = self._view.words
        if glob is not None:
            yield phrase(
                words.selected,
                None,
                tensors=Part(len(held), Kind.COUNT),
                glob=code(glob),
                parameters=Part(numel(held), Kind.COUNT),
                total=Part(self._total, Kind.COUNT),
            )
        without = sum(self.lora(tensor) is None for tensor in held)
        if self._rank is not None and without:
            yield phrase(words.no_lora, None, count=Part(without, Kind.COUNT))

    @staticmethod
    def _bytes(count: int, dtype: str) -> Cell:
        size = count * BYTES[dtype]
        parts = (Part(size, Kind.DECIMAL_BYTES), Part(" ("), Part(size, Kind.BYTES), Part(")"))
        return Cell(parts, size)


def parameters_by_type(
    view: View, held: Sequence[Held], sizes: Sizes, glob: str | None = None
) -> Table:
    """One row a kind: how often it occurs, how many ResNets its blocks have, its parameters."""
    words, found = view.words, module_kinds(view.network)
    outer = around(found)
    rows = []
    for kind in MODULE_KINDS:
        same = [occurrence for occurrence in found if occurrence.kind == kind]
        inside = inside_of(same)
        of_it = [tensor for tensor in held if inside(tensor.module)]
        if not same or not of_it:
            continue
        rows.append(
            (
                kind,
                len(same),
                resnets_each(same),
                Cell.of(words.listed.join(outer[kind]), data=outer[kind]),
                *sizes.of(of_it),
            )
        )
    columns = (
        Column("kind", words.module_kind, code=True),
        Column("times", words.times, Kind.COUNT, priority=1),
        Column("resnets_each", "X", priority=2),
        Column("inside", words.inside, priority=6),
        *sizes.columns,
    )
    table = Table(
        "parameters",
        words.parameters,
        columns,
        tuple(rows),
        after=(
            *of_kinds(words, (str(row[0]) for row in rows)),
            Cell.of(words.nested_costs),
            *sizes.notes(held, glob),
        ),
        data={"by": "type", "match": glob},
    )
    return legended(words, table, "resnets_each")


def resnets_each(occurrences: Iterable[Occurrence]) -> Cell:
    """The X of a block's name: one number, or all that occur."""
    counts = sorted({o.resnets for o in occurrences if o.resnets is not None})
    return Cell.of(", ".join(map(str, counts)), data=counts)


def figure_columns(words: Words) -> tuple[Column, ...]:
    """The columns that `figures` fills."""
    return (
        Column("macs", words.macs, Kind.MACS),
        Column("flops", words.flops, Kind.FLOPS, priority=2),
        Column("share", words.share, Kind.SHARE, priority=1),
    )


def figures(macs: int, total: int) -> tuple[int, int, float]:
    """Multiply-adds, two FLOPs for each, and their share of all."""
    return macs, 2 * macs, macs / total if total else 0.0


def costs_by_type(view: View) -> Table:
    """One row a kind: how often it occurs, and the multiply-adds in all of it."""
    words, cost, found = view.words, view.cost, module_kinds(view.network)
    rows = []
    for kind in MODULE_KINDS:
        same = [occurrence for occurrence in found if occurrence.kind == kind]
        inside = inside_of(same)
        if same:
            macs = sum(piece.macs for piece in cost.pieces if inside(piece.module))
            rows.append((kind, len(same), *figures(macs, cost.total)))
    columns = (
        Column("kind", words.module_kind, code=True),
        Column("times", words.times, Kind.COUNT, priority=1),
        *figure_columns(words),
    )
    after = (*of_kinds(words, (row[0] for row in rows)), Cell.of(words.nested_costs))
    return Table("flops", words.cost, columns, tuple(rows), after=after)


def inside_of(occurrences: Iterable[Occurrence]) -> Callable[[str], bool]:
    """Whether a module, by its path, is one of some modules or lies in one; the root does not."""
    paths = {path for occurrence in occurrences for path in occurrence.modules}

    def inside(path: str) -> bool:
        while path and path not in paths:
            path = path.rpartition(".")[0]
        return bool(path)

    return inside


def stages_by_kind(
    view: View, key: str, title: str, kind: Kind, amounts: Iterable[tuple[str, int]]
) -> Table:
    """A cross table: one row a block, one column a kind; each amount is in one cell.

    Args:
        view: the network as it is to be shown.
        key: of the table.
        title: of the table.
        kind: how amounts are written.
        amounts: what is summed, each with the path of the module that it belongs to.
    """
    words, network = view.words, view.network
    stages, kind_of = view.blocks, finest(network)
    cells: dict[str, dict[str, int]] = {}
    for path, amount in amounts:
        stage = cells.setdefault(stages[path], {})
        stage[kind_of[path]] = stage.get(kind_of[path], 0) + amount
    shown = [name for name in FINEST if any(name in stage for stage in cells.values())]
    titles = {OTHER: words.other, "SpatialTransformer": words.rest_of_transformer}
    columns = (
        Column("stage", words.stage, code=True),
        *(Column(name, titles.get(name, name), kind, priority=1, zeros=False) for name in shown),
        Column("total", words.total, kind),
    )

    def row(label: Cell, *groups: dict[str, int]) -> tuple[Value, ...]:
        sums = [sum(group.get(name, 0) for group in groups) for name in shown]
        return (label, *sums, sum(sums))

    rows = tuple(
        row(group_label(view, stage), cells[stage])
        for stage in in_order(network, stages)
        if stage in cells
    )
    total = row(Cell.of(words.total, data="total"), *cells.values())
    return Table(key, title, columns, rows, total)


def group_label(view: View, path: str) -> Cell:
    """The name of a group of modules: a block's path, or what stands for all that are in none."""
    if path == OTHER:
        return Cell.of(view.part_names[path], data=path)
    return Cell.of(path, code=True)
