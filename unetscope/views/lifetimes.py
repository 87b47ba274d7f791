"""What is held, where and for how long: at the peak, by block, on the skip stack."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.memory import Memory, Skip
from unetscope.record import Measurement
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.legends import legended
from unetscope.views.producers import PRODUCER, made_by
from unetscope.views.view import View, code, phrase


@dataclass(frozen=True)
class Report:
    """What the sections read.

    Attributes:
        view: the network as it is to be shown.
        top: how many of the tensors that are alive at the peak to show; None for all.
        measurement: what a real run took, if there was one.
    """

    view: View
    top: int | None
    measurement: Measurement | None

    @cached_property
    def memory(self) -> Memory:
        """What the pass held."""
        return Memory(self.view.network)

    def place(self, clock: int) -> str:
        """The module in whose body the function ran that ended at a clock."""
        op = self.memory.op_at(clock)
        return self.module(None if op is None else op.step)

    def module(self, call: int | None) -> str:
        """The path of a called module; the class of the root, which has none."""
        network = self.view.network
        if call is None:
            return network.trace.modules[0].kind
        return network.path(call) or network.module(call).kind

    def block(self, clock: int) -> str:
        """The block that was running at a clock, or the module that runs the blocks."""
        network = self.view.network
        blocks = network.blocks
        place = bisect_right(blocks, clock, key=lambda call: network.step(call).start)
        for call in blocks[place - 1 : place]:
            if clock <= (network.step(call).end or 0):
                return self.module(call)
        return self.module(network.trunk)


def alive(report: Report) -> list[Table]:
    """The largest tensors at the peak: they add up to it."""
    words, network, memory = report.view.words, report.view.network, report.memory
    peak = memory.peak
    if not peak.nbytes:
        return []
    pushes = {
        network.trace.values[skip.value].storage: push for push, skip in enumerate(memory.skips)
    }
    found = memory.alive(peak.clock)
    rows: list[tuple[Value, ...]] = [
        (
            made_by(report.view, value),
            report.view.dims(value),
            storage.nbytes,
            storage.nbytes / peak.nbytes,
            pushes.get(network.trace.values[value].storage),
        )
        for value, storage in found[: report.top]
    ]
    rest = [storage.nbytes for _, storage in found[len(rows) :]]
    if rest:
        label = Cell.of(words.others.format(len(rest)), data=(f"{len(rest)} more", None))
        rows.append((label, None, sum(rest), sum(rest) / peak.nbytes, None))
    columns = (
        Column("producer", words.producer, keys=PRODUCER),
        Column("shape", words.shape, Kind.TUPLE, code=True),
        Column("held_bytes", words.bytes_held, Kind.BYTES),
        Column("share", words.share, Kind.SHARE, priority=1),
        Column("push", words.as_skip, priority=2),
    )
    op = memory.op_at(peak.clock)
    function = "" if op is None else op.name
    place = phrase(
        words.peak_place,
        None,
        size=Part(peak.nbytes, Kind.BYTES),
        function=code(function),
        module=code(report.place(peak.clock)),
    )
    table = Table(
        "peak",
        words.alive_at_peak,
        columns,
        tuple(rows),
        (Cell.of(words.total, data=("total", None)), None, peak.nbytes, 1.0, None),
        before=(place,),
        data={"module": report.place(peak.clock), "function": function, "clock": peak.clock},
    )
    return [legended(words, table, "held_bytes", "push")]


def blocks(report: Report) -> list[Table]:
    """What is held during and after each block, and how much of it waits on the skip stack."""
    words, memory = report.view.words, report.memory
    columns = (
        Column("block", words.block, code=True),
        Column("peak_bytes", words.peak_inside, Kind.BYTES),
        Column("held_after_bytes", words.held_after, Kind.BYTES, priority=1),
        Column("waiting_skips", words.waiting, Kind.COUNT, priority=4),
        Column("waiting_bytes", words.waiting_bytes, Kind.BYTES, priority=2),
        Column("skip_bytes", words.skip_bytes, Kind.BYTES, priority=3),
    )
    rows = tuple(
        (report.module(b.call), b.peak, b.after, b.waiting, b.waiting_bytes, b.skip_bytes)
        for b in memory.blocks
    )
    most = phrase(words.most_waiting, None, size=Part(memory.most_waiting, Kind.BYTES))
    table = Table(
        "blocks",
        words.memory_by_block,
        columns,
        rows,
        after=(most,) if memory.skips else (),
        data={"most_waiting_bytes": memory.most_waiting},
    )
    return [legended(words, table, "peak_bytes", "waiting_skips", "skip_bytes")]


def skips(report: Report) -> list[Table]:
    """Where each skip was made, joined and freed."""
    words = report.view.words
    if not report.memory.skips:
        return []
    columns = (
        Column("push", words.push),
        Column("producer", words.producer, keys=PRODUCER),
        Column("held_bytes", words.bytes_held, Kind.BYTES),
        Column("made_in", words.made_in, code=True, priority=1),
        Column("joined_in", words.joined_in, code=True),
        Column("freed_in", words.freed_in, code=True, priority=1),
        Column("made_clock", words.made_clock, priority=2),
        Column("joined_clock", words.joined_clock, priority=2),
        Column("freed_clock", words.freed_clock, priority=2),
    )
    rows = tuple(_lifetime(report, push, skip) for push, skip in enumerate(report.memory.skips))
    table = Table("skips", words.skip_lifetimes, columns, rows)
    return [legended(words, table, "held_bytes")]


def _lifetime(report: Report, push: int, skip: Skip) -> tuple[Cell | int | str | None, ...]:
    freed = (
        Cell.of(report.view.words.outlives, data=None)
        if skip.freed is None
        else Cell.of(report.block(skip.freed), code=True)
    )
    return (
        push,
        made_by(report.view, skip.value),
        skip.nbytes,
        report.block(skip.born),
        report.block(skip.joined),
        freed,
        skip.born,
        skip.joined,
        skip.freed,
    )
