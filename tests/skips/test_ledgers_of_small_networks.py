"""The ledger of each small network is the one that an expert would write down."""

from __future__ import annotations

import importlib
from itertools import groupby

import pytest
import torch
from skip_case import CASES, Case

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.network import Network
from unetscope.record import Trace
from unetscope.tracing import trace

for _module in ("u", "many", "kinds", "without"):
    importlib.import_module(f"skip_nets_{_module}")

DECIDED = [case for case in CASES if case.skips is not None]


def record_of(case: Case) -> Trace:
    """The trace of a case's network on meta."""
    with torch.device("meta"):
        return trace(case.build(), [torch.zeros(shape) for shape in case.inputs])


def ledger(network: Network) -> list[list[tuple[str, str]]]:
    """Of each join that pops, what was pushed and the module in whose body it is joined."""
    rows = []
    for op, pops in groupby(network.trace.skips, key=lambda skip: skip.op):
        body = network.trace.ops[op].step
        where = "" if body is None else network.path(body)
        rows.append(sorted((pushed(network, pop.value), where) for pop in pops))
    return rows


def pushed(network: Network, value: int) -> str:
    """The path of the module that made a value, or the name of the function or of the input."""
    return network.graph.origin(value).partition(" in ")[0]


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", DECIDED, ids=lambda case: case.name.replace(" ", "_"))
def test_ledger(case: Case) -> None:
    network = Network(record_of(case))
    found = ledger(network)
    # Pops of one join come in any order: the truth is cut where the joins are, then sorted.
    flat = [row for rows in found for row in rows]
    expected, left = [], list(case.skips)
    for rows in found:
        expected += sorted(left[: len(rows)])
        left = left[len(rows) :]
    assert flat == expected + left, case.why
    if case.lifo is not None:
        assert stack_use(network).last_in_first_out is case.lifo
