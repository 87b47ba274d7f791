"""What made a tensor: a module whose whole output it is, or a function in the body of one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from unetscope.analysis.network import Network


@dataclass(frozen=True, slots=True)
class Producer:
    """What made a tensor, or where a function ran.

    Attributes:
        path: of the module whose whole output the tensor is, or in whose body the function ran,
            empty for the root; of what was there before the pass its name: `sample`.
        function: `+`; None if it is a module's whole output or was there before.
        kind: the class of the root where the path is empty, else empty.
        after: where that body runs several functions of this name, the path of the module that it
            called last before; None if it runs one, or had called none.
        number: the how-manieth since then it is, 1 for the first.
    """

    path: str
    function: str | None = None
    kind: str = ""
    after: str | None = None
    number: int = 1

    def __str__(self) -> str:
        """For programs, in one string: `down.1`, `+ in down.1`, in the root's body `+`."""
        if self.function is None:
            return self.path
        return f"{self.function} in {self.path}" if self.path else self.function

    @property
    def name(self) -> str:
        """The module's path, or its class if it is the root."""
        return self.path or self.kind


def producer(network: Network, value: int) -> Producer:
    """What made a value, as far out as a module's whole output goes."""
    graph = network.graph
    call, record = graph.producer(value), network.trace.values[value]
    if call is not None:
        return at_work(network, call)
    if record.op is None:
        return Producer(record.source or "constant")
    return function_at(network, record.op)


def at_work(network: Network, call: int) -> Producer:
    """A call as a whole."""
    path = network.path(call)
    return Producer(path, kind=_kind(network, path))


def function_at(network: Network, index: int) -> Producer:
    """Where a function ran: in the body of which module, and which of its name it is there."""
    op = network.trace.ops[index]
    call = 0 if op.step is None else op.step
    path = network.path(call)
    alike = network.clocks_by_name.get((call, op.name), [])
    after, since, number = None, 0, 1
    if len(alike) > 1:
        children = network.children[call]
        before = bisect_left(children, op.clock, key=lambda child: network.step(child).start)
        if before:
            since = network.step(children[before - 1]).start
            after = network.path(children[before - 1])
        number = bisect_right(alike, op.clock) - bisect_right(alike, since)
    return Producer(path, op.name, _kind(network, path), after, max(number, 1))


def _kind(network: Network, path: str) -> str:
    """The class of the root, which has no path; of a trace without modules its name."""
    trace = network.trace
    return "" if path else next((module.kind for module in trace.modules[:1]), trace.name)
