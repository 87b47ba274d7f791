"""Several counters of multiply-adds side by side, and why they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unetscope.analysis.audit import Line
from unetscope.table import Cell, Column, Kind, Table, Value
from unetscope.units import spell
from unetscope.words import Words


@dataclass(frozen=True)
class Audit:
    """One engine's count beside ours.

    Attributes:
        engine: its name and version.
        network: what was counted.
        lines: class by class.
    """

    engine: str
    network: str
    lines: Sequence[Line]

    @property
    def explained(self) -> bool:
        """Whether every difference is."""
        return all(line.explained for line in self.lines)


def audit(words: Words, audits: Sequence[Audit]) -> list[Table]:
    """A table for each engine, and below it the verdict."""
    columns = (
        Column("kind", words.kind_of_work),
        Column("unetscope_macs", "unetscope", Kind.COUNT),
        Column("engine_macs", words.other_engine, Kind.COUNT),
        Column("difference", words.difference, Kind.COUNT),
        Column("explained", words.explained),
        Column("reasons", words.reasons),
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
                after=(Cell.of(verdict),),
                repeats=True,
                data={"engine": one.engine, "network": one.network, "explained": one.explained},
            )
        )
    return tables


def _row(words: Words, line: Line) -> tuple[Value, ...]:
    reasons = [
        f"{getattr(words, reason.value)} ({spell(amount, Kind.COUNT)})"
        for reason, amount in line.reasons
    ]
    data = [{"reason": reason.value, "macs": amount} for reason, amount in line.reasons]
    return (
        Cell.of(getattr(words, line.kind), data=line.kind),
        line.ours,
        line.theirs,
        line.difference,
        Cell.of(words.yes if line.explained else words.no, data=line.explained),
        Cell.of(words.listed.join(reasons), data=data),
    )
