"""What a forward pass costs, group by group, what was not counted, and how others count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from unetscope.analysis.audit import Audit, Line
from unetscope.analysis.cost import ATTENTION, PRODUCT, Cost
from unetscope.analysis.partition import (
    BASE,
    By,
    in_order,
    merge_block_units,
    merge_blocks,
    partition,
)
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.units import spell
from unetscope.views.kinds import (
    costs_by_type,
    figure_columns,
    figures,
    group_label,
    stages_by_kind,
)
from unetscope.views.legends import legended, of_work
from unetscope.views.view import View, phrase, without_formula
from unetscope.words import Words


@dataclass(frozen=True)
class Image:
    """How often a network runs for one image.

    Attributes:
        steps: of denoising.
        guided: with classifier-free guidance, which runs each step with the text and without.
    """

    steps: int
    guided: bool

    @property
    def forwards(self) -> int:
        """How often the network runs."""
        return self.steps * (1 + self.guided)


def flops(
    view: View,
    by: str = "block",
    depth: int | None = None,
    top: int | None = None,
    image: Image | None = None,
) -> list[Table]:
    """The cost by group, and of a whole image if one is asked for.

    What is not counted is summed up in a sentence; `uncounted` lists it.

    Args:
        view: the network as it is to be shown.
        by: what the rows are: `block`, `part`, `stage-kind`, `type`, `mbw`, `module` or `op`.
        depth: of the modules that are told apart.
        top: show only the most costly groups; one more row sums up the rest.
        image: how often it runs for an image.
    """
    cost = view.cost
    if by == "type":
        table = costs_by_type(view)
    elif by == "stage-kind":
        amounts = ((piece.module, piece.macs) for piece in cost.pieces)
        table = stages_by_kind(view, "flops", view.words.cost, Kind.MACS, amounts)
        table = replace(table, after=(Cell.of(view.words.costs_add_up),))
    else:
        table = _groups(view, by, depth, top)
    data = {
        "by": by,
        "flops_per_mac": 2,
        "total_macs": cost.total,
        "macs_without_attention_products": _as_papers_count(cost),
        "without_formula": cost.unknown,
    }
    tables = [replace(table, after=(*table.after, *_notes(view)), data=data)]
    if image is not None:
        tables.append(_image(view, image))
    return tables


def _groups(view: View, by: str, depth: int | None, top: int | None) -> Table:
    """A row a group; the rows add up to the total."""
    words, cost = view.words, view.cost
    found = _sums(view, by, depth)
    shown, left = found, list[tuple[str, int]]()
    if top is not None and top < len(found):
        order = sorted(found, key=lambda group: -group[1])
        shown, left = order[:top], order[top:]
    rows = [(_label(view, by, name), *figures(macs, cost.total)) for name, macs in shown]
    if left:
        rest = Cell.of(words.others.format(len(left)), data=f"{len(left)} more")
        rows.append((rest, *figures(sum(macs for _, macs in left), cost.total)))
    total = (Cell.of(words.total, data="total"), *figures(cost.total, cost.total))
    columns = (_column(view, by), *figure_columns(words))
    notes = (*(of_work(words, dict(shown)) if by == "op" else []), Cell.of(words.costs_add_up))
    table = Table("flops", words.cost, columns, tuple(rows), total, after=notes)
    return legended(words, table, "merge_block")


def _sums(view: View, by: str, depth: int | None) -> list[tuple[str, int]]:
    """The groups that cost something, in the order of their calls."""
    if by == "op":
        return list(view.cost.by_kind().items())
    network = view.network
    if by == "mbw":
        units = merge_blocks(network)
        groups = {path: units.get(path, BASE) for path in network.modules}
        order = [BASE, *merge_block_units(network)]
    else:
        groups = partition(network, cast(By, by), depth)
        order = in_order(network, groups)
    sums = view.cost.by_group(groups)
    return [(name, sums[name]) for name in order if sums.get(name)]


def _column(view: View, by: str) -> Column:
    words = view.words
    return {
        "block": Column("block", words.block),
        "part": Column("part", words.part),
        "mbw": Column("merge_block", words.merge_block),
        "module": Column("path", words.path),
        "op": Column("op", words.kind_of_work),
    }[by]


def _label(view: View, by: str, name: str) -> Cell:
    if by in ("part", "op"):
        names = view.part_names if by == "part" else view.words.work_kinds
        return Cell.of(names[name], data=name)
    return Cell.of(name) if by == "mbw" else group_label(view, name)


def _notes(view: View) -> Iterator[Cell]:
    words, cost = view.words, view.cost
    yield Cell.of(words.flops_convention)
    if cost.by_kind().keys() & {*ATTENTION}:
        yield phrase(words.flops_papers, None, macs=Part(_as_papers_count(cost), Kind.MACS))
    if cost.unknown:
        yield without_formula(words, cost.unknown)
    else:
        yield Cell.of(words.all_formulas)
    if found := cost.uncounted:
        times, elements = (sum(amounts) for amounts in zip(*found.values(), strict=True))
        counted = {"kinds": len(found), "times": times, "elements": elements}
        parts = {name: Part(number, Kind.COUNT) for name, number in counted.items()}
        yield phrase(words.uncounted_in_all, None, **parts)


def _as_papers_count(cost: Cost) -> int:
    """Convolutions and linear layers alone."""
    kinds = cost.by_kind()
    return sum(macs for kind, macs in kinds.items() if kind not in (*ATTENTION, PRODUCT))


def _image(view: View, image: Image) -> Table:
    words = view.words
    columns = (
        Column("steps", words.denoising_steps, Kind.COUNT),
        Column("passes_per_step", words.passes_a_step),
        Column("forward_passes", words.forwards, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS),
        Column("flops", words.flops, Kind.FLOPS),
    )
    macs = view.cost.total * image.forwards
    row = (image.steps, 1 + image.guided, image.forwards, macs, 2 * macs)
    return Table("image", words.image_cost, columns, (row,), facts=True)


def uncounted(view: View) -> Table:
    """The functions that do no multiply-adds, one row each; views make no elements of their own."""
    words = view.words
    found = sorted(view.cost.uncounted.items(), key=lambda item: -item[1][1])
    columns = (
        Column("function", words.function, code=True),
        Column("times", words.times, Kind.COUNT, priority=1),
        Column("elements", words.elements, Kind.COUNT),
    )
    rows = tuple((name, times, elements) for name, (times, elements) in found)
    times, elements = (sum(item[1][i] for item in found) for i in (0, 1))
    total = (Cell.of(words.total, data="total"), times, elements)
    return Table("uncounted", words.uncounted, columns, rows, total)


def no_formula(view: View) -> list[Table]:
    """The functions whose multiply-adds are not known, one row each, if there are some."""
    words = view.words
    columns = (
        Column("function", words.function, code=True),
        Column("times", words.times, Kind.COUNT),
    )
    rows = tuple(sorted(view.cost.unknown.items(), key=lambda item: -item[1]))
    return [Table("no_formula", words.without_formula, columns, rows)] if rows else []


def audit(words: Words, audits: Sequence[Audit]) -> list[Table]:
    """A table for each engine, and below it the verdict."""
    columns = (
        Column("kind", words.kind_of_work),
        Column("unetscope_macs", "unetscope", Kind.COUNT, priority=2),
        Column("engine_macs", words.other_engine, Kind.COUNT, priority=2),
        Column("difference", words.difference, Kind.COUNT),
        Column("explained", words.explained, priority=1),
        Column("reasons", words.because, keys=("reasons", "reason_macs")),
    )
    tables = []
    for one in audits:
        rows = [_row(words, line) for line in one.lines]
        verdict = words.all_explained if one.explained else words.not_explained
        tables.append(
            Table(
                "audit",
                f"{one.engine}: {one.network}",
                columns,
                tuple(rows[:-1]),
                rows[-1],
                after=(
                    Cell.of(verdict),
                    *([without_formula(words, one.unknown)] if one.unknown else []),
                ),
                repeats=True,
                data={
                    "engine": one.engine,
                    "network": one.network,
                    "explained": one.explained,
                    "without_formula": list(one.unknown),
                },
            )
        )
    return tables


def _row(words: Words, line: Line) -> tuple[Value, ...]:
    reasons = [
        f"{words.reasons[reason.value]} ({spell(amount, Kind.COUNT)})"
        for reason, amount in line.reasons
    ]
    data = (
        [reason.value for reason, _ in line.reasons],
        [amount for _, amount in line.reasons],
    )
    return (
        Cell.of(words.work_kinds[line.kind], data=line.kind),
        line.ours,
        line.theirs,
        line.difference,
        Cell.of(words.yes if line.explained else words.no, data=line.explained),
        Cell.of(words.listed.join(reasons), data=data),
    )
