"""How much memory inference takes, and training."""

from __future__ import annotations

from unetscope.analysis.memory import Peak, buffer_bytes, parameter_bytes
from unetscope.analysis.training import Training, state
from unetscope.record import BYTES_PER_ELEMENT
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.memory.report import Report
from unetscope.views.view import code, phrase

_WEIGHT_TYPES = ("float32", "float16", "bfloat16", "int8")


def summary(report: Report) -> list[Table]:
    """Weights, inputs, and the peak in three readings."""
    words, memory = report.view.words, report.memory
    trace = report.view.network.trace
    peak, matrices = memory.peak, memory.peak_with_matrices
    weights, buffers = parameter_bytes(trace), buffer_bytes(trace)
    facts: list[tuple[Column, Cell]] = [
        _size("weight_bytes", words.weights, weights),
        _size("buffer_bytes", words.buffers, buffers),
        _size("input_bytes", words.inputs, memory.input_bytes),
        _peak(report, "activation_peak_bytes", words.activation_peak, peak),
        _peak(report, "peak_by_last_use_bytes", words.peak_by_last_use, memory.peak_by_last_use),
        _peak(report, "peak_with_matrices_bytes", words.peak_with_matrices, matrices),
        _size(
            "total_bytes",
            words.inference_total,
            weights + buffers + memory.input_bytes + peak.nbytes,
        ),
    ]
    if not buffers:
        del facts[1]
    notes = [Cell.of(words.memory_convention)]
    if memory.unseen_matrices:
        notes.append(Cell.of(words.unseen_matrices.format(memory.unseen_matrices)))
    return [
        Table(
            "memory",
            f"{words.memory}: {trace.name}",
            tuple(column for column, _ in facts),
            (tuple(cell for _, cell in facts),),
            after=tuple(notes),
            facts=True,
            data={
                "activation_peak_module": report.place(peak.clock),
                "peak_with_matrices_module": report.place(matrices.clock),
                "attentions_of_unknown_memory": memory.unseen_matrices,
            },
        )
    ]


def _size(key: str, title: str, nbytes: int) -> tuple[Column, Cell]:
    return Column(key, title, Kind.BYTES), Cell.of(nbytes, Kind.BYTES)


def _peak(report: Report, key: str, title: str, peak: Peak) -> tuple[Column, Cell]:
    cell = phrase(
        report.view.words.size_in_module,
        peak.nbytes,
        size=Part(peak.nbytes, Kind.BYTES),
        module=code(report.place(peak.clock)),
    )
    return Column(key, title), cell


def weights(report: Report) -> list[Table]:
    """The size of the weights by element type."""
    words, elements = report.view.words, report.view.network.trace.total_params
    columns = (
        Column("dtype", words.dtype),
        Column("bytes_per_parameter", words.bytes_each),
        Column("weight_bytes", words.size_binary, Kind.BYTES),
        Column("weight_decimal_bytes", words.size_decimal, Kind.DECIMAL_BYTES),
    )
    rows = []
    for dtype in _WEIGHT_TYPES:
        each = BYTES_PER_ELEMENT[dtype]
        rows.append((dtype, each, elements * each, elements * each))
    note = (Cell.of(words.weights_convention),)
    return [Table("weights", words.weights_by_dtype, columns, tuple(rows), after=note)]


def training(report: Report) -> list[Table]:
    """What one step of training would hold, an estimate."""
    words, trace = report.view.words, report.view.network.trace
    forward, fixed = Training(trace), state(trace)
    items = [
        ("weights", words.weights, fixed.weights),
        ("gradients", words.gradients, fixed.gradients),
        ("adam_moments", words.moments, fixed.moments),
        ("master_weights", words.master_weights, fixed.master),
        ("kept_activations", words.kept_activations, forward.kept),
    ]
    total = fixed.total + forward.kept
    columns = (
        Column("item", words.item),
        Column("bytes", words.size_binary, Kind.BYTES),
        Column("share", words.share, Kind.SHARE),
    )
    rows = tuple(
        (Cell.of(title, data=key), nbytes, nbytes / total) for key, title, nbytes in items if nbytes
    )
    notes = [Cell.of(words.training_assumptions)]
    if forward.guessed:
        notes.append(Cell.of(words.kept_whole.format(words.listed.join(forward.guessed))))
    return [
        Table(
            "training",
            words.training,
            columns,
            rows,
            (Cell.of(words.total, data="total"), total, 1.0 if total else 0.0),
            after=tuple(notes),
            data={"estimate": True, "kept_whole": forward.guessed},
        )
    ]
