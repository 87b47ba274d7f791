"""The network at a glance: its totals, what goes in and comes out, its parts, its skips.

With what to type next, it is the first screen of `unetscope trace`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from unetscope.analysis.anatomy import in_a_row
from unetscope.analysis.joins import JoinClass
from unetscope.analysis.meanings import meanings, output_meanings
from unetscope.analysis.partition import OTHER, TIME_EMBEDDING
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.control import steering
from unetscope.views.meanings import meaning
from unetscope.views.skips import accounted, conclusion, conclusion_data
from unetscope.views.view import View, code, without_formula
from unetscope.wording import pasted


def heading(view: View) -> list[Table]:
    """One record: the model, its config, its size, and where it ran; people read it in a line."""
    trace, words = view.network.trace, view.words
    facts: list[tuple[Column, Value]] = [
        (Column("model", words.model), Cell.of(view.name, data=trace.name))
    ]
    run = trace.provenance
    if run is not None and run.config:
        facts.append((Column("config", words.config, code=True), run.config))
    facts += [
        (Column("parameters", words.parameters, Kind.COUNT), trace.total_params),
        (Column("tensors", words.tensors, Kind.COUNT), len(view.held)),
    ]
    if trace.failure is None and all(op.macs is not None for op in trace.ops):
        facts += [
            (Column("macs", words.macs, Kind.MACS), trace.total_macs),
            (Column("flops", words.flops, Kind.FLOPS), 2 * trace.total_macs),
        ]
    if run is not None:
        facts.append((Column("device", words.device), run.device))
    columns = tuple(column for column, _ in facts)
    row = tuple(value for _, value in facts)
    line: list[Part] = []
    for column, value in facts[1:]:
        line += [Part(f"{words.between_columns if line else ''}{column.title} ")]
        line += column.cell(value).parts
    text = Cell(tuple(line), None)
    return [Table("model", words.model, columns, (row,), facts=True, paragraphs=(text,))]


def inputs_and_output(view: View) -> list[Table]:
    """The tensors that went in and came out."""
    trace, words = view.network.trace, view.words
    rows = [
        (Cell.of(given.name, code=True), *_tensor(view, given.value), meaning(view, given.value, m))
        for given, m in zip(trace.inputs, meanings(view.network), strict=True)
    ]
    outputs = list(zip(trace.outputs, output_meanings(view.network), strict=True))
    for index, (value, known) in enumerate(outputs):
        ending = "" if len(outputs) == 1 else f".{index}"
        name = Cell.of(f"{words.output}{ending}", data=f"output{ending}")
        rows.append((name, *_tensor(view, value), meaning(view, value, known)))
    columns = (
        Column("name", words.name),
        Column("shape", words.shape, Kind.TUPLE, code=True),
        Column("dtype", words.dtype, priority=1),
        Column("meaning", words.meaning),
    )
    table = Table("io", words.inputs_and_output, columns, tuple(rows))
    return [table.without("meaning") if table.is_blank("meaning") else table]


def _tensor(view: View, value: int) -> tuple[tuple[int | str, ...], str]:
    return view.dims(value), view.network.spec(value).dtype


def parts(view: View) -> list[Table]:
    """One row a part: its blocks, the dims of the feature map before and after, what it costs.

    What steers the UNet is a part beside the five, as is what embeds the time; what is in none of
    them, but holds parameters or computes, is the last row, so that the rows add up. Lines below
    say what steers adds where, that several UNets run in a row, whose blocks are not told apart,
    and what was not counted.
    """
    network, words = view.network, view.words
    five = {part: calls for part, calls in vars(view.anatomy).items() if calls}
    if not five:
        return []
    beside = list(steering(view))
    sums = _Sums(view)
    rows = [
        _of_calls(view, part, calls, sums)
        for part, calls in [*five.items(), *((each.part, each.calls) for each in beside)]
    ]
    rows += [
        _of_modules(view, part, paths, sums)
        for part in (TIME_EMBEDDING, OTHER)
        if (paths := sums.modules(part))
    ]
    columns = (
        Column("part", words.part),
        Column("modules", words.modules, priority=2),
        Column("input_shape", words.input_dims, Kind.TUPLE, code=True),
        Column("output_shape", words.output_dims, Kind.TUPLE, code=True),
        Column("parameters", words.parameters, Kind.COUNT, priority=1),
        Column("macs", words.macs, Kind.MACS, priority=1),
    )
    blank = Cell.of("", data=None)
    total = (
        Cell.of(words.total, data="total"),
        *(blank,) * 3,
        network.trace.total_params,
        network.trace.total_macs,
    )
    title = words.five_parts if len(five) == len(vars(view.anatomy)) else words.parts
    notes = [each.sentence(view) for each in beside]
    data: dict[str, object] = {}
    if beside:
        data["steering"] = [each.data(view) for each in beside]
    if (number := in_a_row(network)) > 1:
        notes.append(Cell.of(words.in_a_row.format(number)))
        data["in_a_row"] = number
    if unknown := view.cost.unknown:
        notes.append(without_formula(words, unknown))
        data["without_formula"] = unknown
    return [Table("parts", title, columns, tuple(rows), total, after=tuple(notes), data=data)]


class _Sums:
    """Parameters and multiply-adds of each part, and the modules that have them."""

    def __init__(self, view: View) -> None:
        self._part, self._block = view.parts, view.blocks
        self._macs = view.cost.by_group({path: path for path in self._part})
        self._held = Counter[str]()
        for tensor in view.held:
            self._held[tensor.module] += tensor.spec.numel

    def of(self, part: str) -> tuple[int, int]:
        """Parameters and multiply-adds of a part."""
        paths = [path for path, its in self._part.items() if its == part]
        return sum(self._held[p] for p in paths), sum(self._macs.get(p, 0) for p in paths)

    def modules(self, part: str) -> list[str]:
        """The blocks of a part; of what is elsewhere those that hold parameters or compute."""
        paths = [path for path, its in self._part.items() if its == part]
        if part == OTHER:
            paths = [path for path in paths if self._held[path] or self._macs.get(path)]
        blocks = {path: self._block[path] for path in paths}
        return list(dict.fromkeys(path if b == OTHER else b for path, b in blocks.items()))


def _of_calls(view: View, part: str, calls: Sequence[int], sums: _Sums) -> tuple[Value, ...]:
    """A part that feature maps go through; what steers the UNet returns several."""
    network = view.network
    paths = [network.path(call) for call in calls]
    given, made = network.main_input(calls[0]), network.main_output(calls[-1])
    if part not in vars(view.anatomy):
        made = None
    return (
        Cell.of(view.part_names[part], data=part),
        Cell(_first_to_last(paths), paths),
        None if given is None else view.dims(network.before_join(given)),
        None if made is None else view.dims(made),
        *sums.of(part),
    )


def _of_modules(view: View, part: str, paths: Sequence[str], sums: _Sums) -> tuple[Value, ...]:
    """A part without a feature map of its own."""
    names = [path or view.network.module(0).kind for path in paths]
    return (
        Cell.of(view.part_names[part], data=part),
        Cell.of(view.some(names), code=True, data=names),
        None,
        None,
        *sums.of(part),
    )


def _first_to_last(paths: list[str]) -> tuple[Part, ...]:
    """The first and the last of a run of blocks."""
    if len(paths) == 1:
        return (code(paths[0]),)
    return (code(paths[0]), Part(", " if len(paths) == 2 else " … "), code(paths[-1]))


def verdict(view: View) -> list[Table]:
    """Whether the skips were used as a stack, and how many joins of which class there are.

    It is what stands below the ledger.
    """
    words = view.words
    if view.network.trace.skips:
        lines, data = conclusion(view), conclusion_data(view)
    else:
        lines = (Cell.of(words.no_skips), *map(Cell.of, accounted(view)))
        counts = Counter(join.kind for join in view.joins)
        data = {"pushed": 0, "popped": 0, "joins": {each.value: counts[each] for each in JoinClass}}
    return [Table("verdict", words.skips_and_joins, (), (), before=lines, data=data)]


def onwards(view: View) -> list[Table]:
    """What to type next, for this network with the options that it was asked for with."""
    words = view.words
    rows = [
        (Cell.of(_command(view, command, *argument), code=True), words.commands[about])
        for about, command, argument in _commands(view)
        if view.typed
    ]
    columns = Column("command", "", code=True), Column("shows", "", priority=5)
    return [Table("next", words.type_next, columns, tuple(rows))] if rows else []


def _command(view: View, name: str, *arguments: str) -> str:
    source, *options = view.typed
    return pasted("unetscope", name, source, *arguments, *options)


def _commands(view: View) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What a command shows, its name, and what follows the network there."""
    network, decoder = view.network, view.anatomy.decoder
    yield "draw", "draw", ()
    if network.trace.skips:
        yield "skips", "skips", ("--all-joins",)
    if (module := _worth_a_look(view)) is not None:
        yield "explain", "explain", (module,)
    if decoder:
        macs = view.cost.by_group(view.blocks)
        dearest = max(map(network.path, decoder), key=lambda path: macs.get(path, 0))
        yield "block", "trace", ("--block", dearest)
    else:
        yield "modules", "trace", ("--modules",)
    yield "memory", "memory", ()


def _worth_a_look(view: View) -> str | None:
    """A module that tells something: a transformer of the middle, else a unit or a block."""
    network, anatomy = view.network, view.anatomy
    units = [*network.units_of(anatomy.middle), *network.units_of(anatomy.decoder)]
    found = [*filter(network.is_transformer, units), *units, *network.blocks]
    return next(filter(None, map(network.path, found)), None)
