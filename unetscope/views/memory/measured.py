"""A real run beside the prediction."""

from __future__ import annotations

from unetscope.analysis.measurement import Measurement
from unetscope.analysis.memory import CUDA_BLOCK, Memory
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.memory.report import Report
from unetscope.views.view import View, phrase


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
        Column("predicted_peak_bytes", words.predicted_peak, Kind.BYTES),
    ]
    records: list[list[Value]] = [[label, peak] for label, peak in zip(labels, peaks, strict=True)]
    if memory is not None:
        columns += [
            Column("measured_peak_bytes", words.measured_peak, Kind.BYTES),
            Column("error", words.error, Kind.SHARE),
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
