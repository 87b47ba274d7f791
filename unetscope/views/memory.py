"""How much memory inference takes, and training; and a real run beside the prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unetscope.analysis.memory import CUDA_BLOCK, Memory, Peak, buffer_bytes, parameter_bytes
from unetscope.analysis.training import Training, state
from unetscope.dtypes import itemsize
from unetscope.record import Measurement
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.control import steering
from unetscope.views.lifetimes import Report, alive, blocks, skips
from unetscope.views.view import View, by_section, chosen, code, phrase

_WEIGHT_TYPES = ("float32", "float16", "bfloat16", "int8")


def summary(report: Report) -> list[Table]:
    """Weights, inputs, and the peak in three readings."""
    words, memory = report.view.words, report.memory
    trace = report.view.network.trace
    peak, matrices = memory.peak, memory.peak_with_matrices
    weights, buffers = parameter_bytes(trace), buffer_bytes(trace)
    facts: list[tuple[Column, Cell]] = [
        _size("weight_bytes", words.weights, weights),
        *_beside(report),
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
        facts = [fact for fact in facts if fact[0].key != "buffer_bytes"]
    notes = [Cell.of(words.memory_convention)]
    if memory.unseen_matrices:
        notes.append(Cell.of(words.unseen_matrices.format(memory.unseen_matrices)))
    return [
        Table(
            "memory",
            words.memory,
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


def _beside(report: Report) -> Iterator[tuple[Column, Cell]]:
    """What of the weights steers the UNet, and what that adds to its features."""
    view = report.view
    for each in steering(view):
        name = view.part_names[each.part]
        weights, added = each.weight_bytes(view), each.added_bytes(view)
        yield _size(f"{each.part}_weight_bytes", view.words.weights_of.format(name), weights)
        yield _size(f"{each.part}_added_bytes", view.words.added_by.format(name), added)


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
        Column("bytes_per_parameter", words.bytes_each, priority=2),
        Column("weight_bytes", words.size_binary, Kind.BYTES),
        Column("weight_decimal_bytes", words.size_decimal, Kind.DECIMAL_BYTES, priority=1),
    )
    rows = []
    for dtype in _WEIGHT_TYPES:
        each = itemsize(dtype)
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
        Column("share", words.share, Kind.SHARE, priority=1),
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


def measured(report: Report) -> list[Table]:
    """Each block's peak and time, and those of the whole pass."""
    found = report.measurement
    if found is None:
        return []
    words, memory = report.view.words, found.memory
    predicted = Memory(report.view.network, CUDA_BLOCK if memory else 1)
    peaks = [*(block.peak for block in predicted.blocks), predicted.peak.nbytes]
    labels = [Cell.of(report.module(block.call), code=True) for block in predicted.blocks]
    labels.append(Cell.of(words.whole_pass, data="total"))
    columns = [
        Column("block", words.block),
        Column("predicted_peak_bytes", words.predicted_peak, Kind.BYTES, priority=2),
    ]
    records: list[list[Value]] = [[label, peak] for label, peak in zip(labels, peaks, strict=True)]
    if memory is not None:
        columns += [
            Column("measured_peak_bytes", words.measured_peak, Kind.BYTES),
            Column("error", words.error, Kind.SHARE, priority=1),
        ]
        really = (*memory.blocks, memory.peak)
        for record, ours, theirs in zip(records, peaks, really, strict=True):
            record += [theirs, (ours - theirs) / theirs if theirs else None]
    columns.append(Column("seconds", words.median_time, Kind.SECONDS))
    for record, seconds in zip(records, (*found.blocks, found.seconds), strict=True):
        record.append(seconds)
    *rows, total = map(tuple, records)
    return [
        Table(
            "measured",
            words.measured,
            tuple(columns),
            tuple(rows),
            total,
            before=(_how(report.view, found),),
            after=(_memory_note(report.view, found),),
            data=_conditions(found),
        )
    ]


def _how(view: View, found: Measurement) -> Cell:
    return phrase(
        view.words.measured_how,
        None,
        device=Part(found.device),
        dtype=Part(found.dtype),
        runs=Part(found.runs),
        warm_up=Part(found.warm_up),
    )


def _memory_note(view: View, found: Measurement) -> Cell:
    if found.memory is None:
        return Cell.of(view.words.measured_no_memory)
    return phrase(
        view.words.measured_memory,
        None,
        held=Part(found.memory.held, Kind.BYTES),
        workspace=Part(found.memory.workspace, Kind.BYTES),
    )


def _conditions(found: Measurement) -> dict[str, object]:
    conditions: dict[str, object] = {
        "device": found.device,
        "dtype": found.dtype,
        "warm_up": found.warm_up,
        "runs": found.runs,
    }
    if found.memory is not None:
        conditions["held_before_bytes"] = found.memory.held
        conditions["library_workspace_bytes"] = found.memory.workspace
    return conditions


SECTIONS: dict[str, Callable[[Report], list[Table]]] = {
    "memory": summary,
    "measured": measured,
    "weights": weights,
    "peak": alive,
    "blocks": blocks,
    "skips": skips,
    "training": training,
}
"""The sections of `unetscope memory`, in the order of printing."""


def memory(
    view: View, names: str | None, top: int | None = 10, measurement: Measurement | None = None
) -> tuple[list[Table], list[str]]:
    """The sections in a comma-separated list, or all; and the names of those that it has not.

    Args:
        view: the network as it is to be shown.
        names: the sections, or None.
        top: how many of the tensors that are alive at the peak to show; None for all.
        measurement: what a real run took.

    Raises:
        UnetscopeError: a name is no section.
    """
    report = Report(view, top, measurement)
    return by_section(chosen(names, SECTIONS), SECTIONS, report)
