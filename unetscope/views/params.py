"""Where a network's parameters are, and what they weigh."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from unetscope.analysis.parameters import Held, buffers, numel, selected
from unetscope.analysis.partition import (
    BASE,
    in_order,
    merge_block_units,
    merge_blocks,
    partition,
)
from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.record import lies_in
from unetscope.table import Cell, Column, Kind, Table, Value
from unetscope.views.kinds import Sizes, group_label, parameters_by_type, stages_by_kind
from unetscope.views.legends import legended
from unetscope.views.view import View
from unetscope.wording import shown


@dataclass(frozen=True)
class Choice:
    """Which parameters to show, and how.

    Attributes:
        by: what the rows are: `block`, `part`, `stage-kind`, `type`, `mbw` (merge blocks),
            `module` or `tensor`.
        depth: of the modules that are told apart; None for all that hold parameters themselves.
        top: show only the largest rows; one more row sums up the rest.
        match: count only the tensors that this glob selects.
        lora_rank: also the size of a LoRA of this rank on them.
        dtypes: element types to give sizes at, keys of `BYTES`.
    """

    by: str = "block"
    depth: int | None = None
    top: int | None = None
    match: str | None = None
    lora_rank: int | None = None
    dtypes: tuple[str, ...] = ("fp32",)


@dataclass(frozen=True)
class _Group:
    """A row: what it is called, facts about it, and its tensors."""

    name: Cell
    facts: tuple[Value, ...]
    held: Sequence[Held]


def params(view: View, choice: Choice) -> list[Table]:
    """The parameters by group, and the buffers if there are any.

    Raises:
        UnetscopeError: the glob selects nothing.
    """
    trace = view.network.trace
    held = view.held
    if choice.match is not None:
        held = _selected(held, choice.match, trace.name)
    sizes = Sizes(view, numel(view.held), choice.dtypes, choice.lora_rank)
    if choice.by == "type":
        tables = [parameters_by_type(view, held, sizes, choice.match)]
    elif choice.by == "stage-kind":
        tables = [_stages(view, choice, held, sizes)]
    else:
        tables = [_groups(view, choice, held, sizes)]
    if trace.failure is not None:
        tables = [_of_failed(tables[0], view)]
    rest = _buffers(view) if choice.match is None else []
    return [*tables, *rest]


def _of_failed(table: Table, view: View) -> Table:
    """The table of a network whose pass failed, which says so."""
    failure = view.network.trace.failure
    assert failure is not None
    said = view.words.pass_failed.format(
        failure.module or view.network.trace.name, shown(failure.message)
    )
    return replace(
        table,
        after=(*table.after, Cell.of(said)),
        data={**table.data, "failure": {"module": failure.module, "message": failure.message}},
    )


def _selected(held: Sequence[Held], glob: str, name: str) -> tuple[Held, ...]:
    found = selected(held, glob)
    if not found:
        known = {part for tensor in held for part in (tensor.name, tensor.module)}
        raise UnetscopeError(
            f"no parameter of {name} matches `{glob}`",
            hint=did_you_mean(glob, known),
        )
    return found


def _stages(view: View, choice: Choice, held: Sequence[Held], sizes: Sizes) -> Table:
    words = view.words
    amounts = ((tensor.module, numel([tensor])) for tensor in held)
    table = stages_by_kind(view, "parameters", words.parameters, Kind.COUNT, amounts)
    return replace(
        table,
        after=(Cell.of(words.rows_add_up), *sizes.notes(held, choice.match)),
        data={"by": choice.by, "match": choice.match},
    )


def _groups(view: View, choice: Choice, held: Sequence[Held], sizes: Sizes) -> Table:
    words = view.words
    facts, groups = _GROUPINGS[choice.by](view, choice, held)
    shown, left = groups, list[_Group]()
    if choice.top is not None and choice.top < len(groups):
        order = sorted(groups, key=lambda group: -numel(group.held))
        shown, left = order[: choice.top], order[choice.top :]
    rows = [(group.name, *group.facts, *sizes.of(group.held)) for group in shown]
    blank = (Cell.of("", data=None),) * (len(facts) - 1)
    if left:
        name = Cell.of(words.others.format(len(left)), data=f"{len(left)} more")
        rows.append((name, *blank, *sizes.of([t for group in left for t in group.held])))
    total = (Cell.of(words.total, data="total"), *blank, *sizes.of(held))
    table = Table(
        "parameters",
        words.parameters,
        (*facts, *sizes.columns),
        tuple(rows),
        total,
        after=(Cell.of(words.rows_add_up), *sizes.notes(held, choice.match)),
        data={"by": choice.by, "match": choice.match, "lora_rank": choice.lora_rank},
    )
    return legended(words, table, "merge_block")


_Grouping = tuple[tuple[Column, ...], list[_Group]]


def _split(held: Sequence[Held], groups: Mapping[str, str]) -> dict[str, list[Held]]:
    """The tensors of each group that holds any."""
    found: dict[str, list[Held]] = {}
    for tensor in held:
        found.setdefault(groups[tensor.module], []).append(tensor)
    return found


def _by_block(view: View, _: Choice, held: Sequence[Held]) -> _Grouping:
    return _of_modules(view, Column("block", view.words.block, code=True), view.blocks, held)


def _by_module(view: View, choice: Choice, held: Sequence[Held]) -> _Grouping:
    groups = partition(view.network, "module", choice.depth)
    return _of_modules(view, Column("path", view.words.path, code=True), groups, held)


def _of_modules(
    view: View, column: Column, groups: Mapping[str, str], held: Sequence[Held]
) -> _Grouping:
    columns = (column, Column("class", view.words.module_class, code=True, priority=4))
    modules, found = view.network.modules, _split(held, groups)
    rows = []
    for path in in_order(view.network, groups):
        if path not in found:
            continue
        kind = modules[path].kind if path in modules else None
        rows.append(
            _Group(
                group_label(view, path), (Cell.of(kind or "", code=True, data=kind),), found[path]
            )
        )
    return columns, rows


def _by_part(view: View, _: Choice, held: Sequence[Held]) -> _Grouping:
    words = view.words
    found = _split(held, view.parts)
    rows = [
        _Group(Cell.of(view.part_names[part], data=part), (), found[part])
        for part in in_order(view.network, view.parts)
        if part in found
    ]
    return (Column("part", words.part),), rows


def _by_merge_block(view: View, choice: Choice, held: Sequence[Held]) -> _Grouping:
    words = view.words
    units = merge_block_units(view.network)
    found = _split(held, merge_blocks(view.network))
    rows = []
    for name in [BASE, *units]:
        of_it = found.get(name, [])
        if choice.match is not None and not of_it:
            continue
        holding = [
            path
            for path in units.get(name, ())
            if any(lies_in(tensor.module, path) for tensor in of_it)
        ]
        rows.append(_Group(Cell.of(name), (Cell.of(", ".join(holding), data=holding),), of_it))
    return (Column("merge_block", words.merge_block), Column("modules", words.modules)), rows


def _by_tensor(view: View, _: Choice, held: Sequence[Held]) -> _Grouping:
    shared = any(tensor.also for tensor in held)
    columns = _tensor_columns(view, shared)
    rows = [_Group(Cell.of(t.name, code=True), _tensor_facts(t, shared), [t]) for t in held]
    return columns, rows


def _tensor_columns(view: View, shared: bool) -> tuple[Column, ...]:
    words = view.words
    columns = (
        Column("name", words.tensor, code=True),
        Column("shape", words.shape, Kind.TUPLE, code=True, priority=1),
    )
    return (*columns, Column("also", words.also_named, priority=4)) if shared else columns


def _tensor_facts(tensor: Held, shared: bool) -> tuple[Value, ...]:
    also = (Cell.of(", ".join(tensor.also), code=True, data=list(tensor.also)),)
    return (tensor.spec.shape, *(also if shared else ()))


_GROUPINGS: dict[str, Callable[[View, Choice, Sequence[Held]], _Grouping]] = {
    "block": _by_block,
    "part": _by_part,
    "mbw": _by_merge_block,
    "module": _by_module,
    "tensor": _by_tensor,
}


def _buffers(view: View) -> list[Table]:
    held = buffers(view.network.trace)
    if not held:
        return []
    shared = any(tensor.also for tensor in held)
    columns = (
        *_tensor_columns(view, shared),
        Column("persistent", view.words.in_state_dict, priority=5),
        Column("dtype", view.words.dtype, priority=2),
        Column("elements", view.words.elements, Kind.COUNT, priority=3),
        Column("bytes", view.words.size_binary, Kind.BYTES),
    )
    rows = tuple(
        (
            t.name,
            *_tensor_facts(t, shared),
            Cell.of(view.words.yes if t.persistent else view.words.no, data=t.persistent),
            t.spec.dtype,
            t.spec.numel,
            t.spec.nbytes,
        )
        for t in held
    )
    blank = (Cell.of("", data=None),) * (len(columns) - 3)
    total = sum(t.spec.nbytes for t in held)
    last: tuple[Value, ...] = (
        Cell.of(view.words.total, data="total"),
        *blank,
        numel(held),
        total,
    )
    return [Table("buffers", view.words.buffers, columns, rows, last)]
