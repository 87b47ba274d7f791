"""What was traced, and what went in and came out."""

from __future__ import annotations

from unetscope.table import Cell, Column, Kind, Table
from unetscope.views.view import View


def heading(view: View) -> list[Table]:
    """One record: the model, its config, its size, and where it ran."""
    trace, words = view.network.trace, view.words
    facts: list[tuple[Column, object]] = [(Column("model", words.model), trace.name)]
    run = trace.provenance
    if run is not None and run.config:
        facts.append((Column("config", words.config, code=True), run.config))
    facts += [
        (Column("parameters", words.parameters, Kind.COUNT), trace.total_params),
        (Column("tensors", words.tensors, Kind.COUNT), _tensors(view)),
    ]
    macs = [op.macs for op in trace.ops]
    if trace.failure is None and None not in macs:
        total = sum(filter(None, macs))
        facts += [
            (Column("macs", words.macs, Kind.MACS), total),
            (Column("flops", words.flops, Kind.FLOPS), 2 * total),
        ]
    if run is not None:
        facts.append((Column("device", words.device), run.device))
    columns = tuple(column for column, _ in facts)
    row = tuple(value for _, value in facts)
    return [Table("model", trace.name, columns, (row,), facts=True)]  # type: ignore[arg-type]


def _tensors(view: View) -> int:
    """How many parameter tensors there are; a shared one counts once."""
    modules = view.network.trace.modules
    return sum(p.tied_to is None for module in modules for p in module.parameters)


def inputs_and_output(view: View) -> list[Table]:
    """The tensors that went in and came out."""
    trace, words = view.network.trace, view.words
    named = [(argument.name, argument.value) for argument in trace.inputs]
    outputs = list(enumerate(trace.outputs))
    rows = [(Cell.of(name, code=True), *_tensor(view, value)) for name, value in named]
    for index, value in outputs:
        name = words.output if len(outputs) == 1 else f"{words.output}.{index}"
        data = "output" if len(outputs) == 1 else f"output.{index}"
        rows.append((Cell.of(name, data=data), *_tensor(view, value)))
    columns = (
        Column("name", words.name),
        Column("shape", words.shape, Kind.TUPLE, code=True),
        Column("dtype", words.dtype),
    )
    return [Table("io", words.inputs_and_output, columns, tuple(rows))]


def _tensor(view: View, value: int) -> tuple[tuple[int | str, ...], str]:
    return view.dims(value), view.network.spec(value).dtype
