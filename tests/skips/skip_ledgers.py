"""What is found in the small networks, in the words in which their truth is told."""

from __future__ import annotations

import importlib
from functools import cache
from itertools import groupby

import torch
from skip_case import CASES, Case

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.network import Network
from unetscope.analysis.producers import producer
from unetscope.analysis.skips import through
from unetscope.tracing import devices, trace

for _module in ("u", "many", "kinds", "without", "more"):
    importlib.import_module(f"skip_nets_{_module}")

BY_NAME = {case.name: case for case in CASES}
DECIDED = [case for case in CASES if case.skips is not None]


@cache
def network_of(name: str) -> Network:
    """The trace of a case's network on meta."""
    case = BY_NAME[name]
    net = devices.build_unfilled(case.build, "meta", "float32")
    return Network(trace(net, [torch.zeros(shape, device="meta") for shape in case.inputs]))


def pushed(network: Network, value: int) -> str:
    """The path of the module that made a value, or the name of the function or of the input."""
    return str(producer(network, value)).partition(" in ")[0]


def ledger(network: Network) -> list[list[tuple[str, str]]]:
    """Of each join that pops, what was pushed and the module in whose body it is joined."""
    rows = []
    for op, pops in groupby(network.trace.skips, key=lambda skip: skip.op):
        body = network.trace.ops[op].step
        where = "" if body is None else network.path(body)
        rows.append(sorted((pushed(network, pop.value), where) for pop in pops))
    return rows


def differences(case: Case) -> list[str]:
    """What of a decided case's ledger is not as an expert would write it down."""
    assert case.skips is not None
    network = network_of(case.name)
    rows = ledger(network)
    # Pops of one join come in any order: the truth is cut where the joins are, then sorted.
    expected: list[tuple[str, str]] = []
    left = list(case.skips)
    for row in rows:
        expected += sorted(left[: len(row)])
        left = left[len(row) :]
    expected += left
    found = [pop for row in rows for pop in row]
    wrong = [] if found == expected else [f"expected {told(expected)}, found {told(found)}"]
    if not wrong and case.lifo is not None:
        lifo = stack_use(network).last_in_first_out
        if lifo is not case.lifo:
            wrong.append(f"last-in-first-out: expected {case.lifo}, found {lifo}")
    ways = on_the_way(network)
    for what, way in case.through.items():
        if what in ways and ways[what] != [way] * len(ways[what]):
            wrong.append(f"{what} through: expected {way}, found {ways[what]}")
    return wrong


def on_the_way(network: Network) -> dict[str, list[tuple[str, ...]]]:
    """Of each tensor that was pushed the modules that it passes, once for each pop."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for skip in network.trace.skips:
        names = through(network.graph, skip)
        modules = tuple(name for name in names if name in network.modules)
        found.setdefault(pushed(network, skip.value), []).append(modules)
    return found


def told(pops: list[tuple[str, str]]) -> str:
    """Pops in one line."""
    return ", ".join(f"{what} → {where or 'the root'}" for what, where in pops) or "no skip"
