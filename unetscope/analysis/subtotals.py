"""Parameters and multiply-adds of every call with all that ran during it, so that they add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unetscope.analysis.network import Network


@dataclass(frozen=True, slots=True)
class Subtotal:
    """What one call and those during it come to.

    Attributes:
        parameters: of the modules whose first call is among these, and of modules inside them that
            are never called; so those of the root's call are all that the network has.
        macs: multiply-adds that are known.
        own_macs: those of functions in the call's own body, which no call during it has.
        counted_before: the call holds parameters, and all were counted with an earlier one.
    """

    parameters: int
    macs: int
    own_macs: int
    counted_before: bool


def subtotals(network: Network) -> list[Subtotal]:
    """The subtotal of every call, in the order of the calls."""
    trace = network.trace
    parameters, macs = [0] * len(trace.steps), [0] * len(trace.steps)
    for op in trace.ops:
        macs[op.step or 0] += op.macs or 0
    own = list(macs)
    held = _held(network)
    holds = [held[step.module] > 0 for step in trace.steps]
    for call, path in enumerate(map(network.path, range(len(trace.steps)))):
        parameters[call] = held.pop(path, 0)
    for call in reversed(range(len(trace.steps))):
        parent = trace.steps[call].parent
        if parent is not None:
            parameters[parent] += parameters[call]
            macs[parent] += macs[call]
            holds[parent] = holds[parent] or holds[call]
    rows = zip(parameters, macs, own, holds, strict=True)
    return [
        Subtotal(count, all_, mine, holding and not count) for count, all_, mine, holding in rows
    ]


def _held(network: Network) -> Counter[str]:
    """The parameters of each called module, with those of modules inside it that never are."""
    called = {step.module for step in network.trace.steps}
    held = Counter[str]()
    for module in network.trace.modules:
        path = module.path
        while path and path not in called:
            path = path.rpartition(".")[0]
        held[path] += module.own_parameters
    return held


def never_called(network: Network) -> list[str]:
    """The modules that the pass never called, those that only hold others apart."""
    trace = network.trace
    used = set()
    for path in {step.module for step in trace.steps}:
        while path:
            used.add(path)
            path = path.rpartition(".")[0]
    return [
        module.path
        for module in trace.modules
        if module.path and module.path not in used and not module.kind.startswith("Module")
    ]


def outermost(paths: Sequence[str]) -> list[str]:
    """Those of some modules that are inside no other of them."""
    known = set(paths)
    return [path for path in paths if known.isdisjoint(_around(path))]


def _around(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path
