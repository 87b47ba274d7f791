"""What a tensor was computed from."""

from __future__ import annotations

from functools import cached_property

from unetscope.analysis.network import Network

NOWHERE = -1
"""Stands for the value from which all inputs of a network would come."""


class Lineage:
    """The data flow of a trace, as far as it carries the network's inputs.

    Parameters, and what is computed from them alone, are not *fed*: they tell nothing about where
    the data comes from.
    """

    def __init__(self, network: Network) -> None:
        trace = network.trace
        given = {argument.value for argument in trace.inputs}
        self._parents: list[tuple[int, ...] | None] = []
        for index, value in enumerate(trace.values):
            parents: tuple[int, ...] | None = () if index in given else None
            if value.op is not None:
                known = trace.ops[value.op].inputs
                parents = tuple(p for p in known if p < index and self.fed(p)) or None
            self._parents.append(parents)

    def fed(self, value: int) -> bool:
        """Whether a value was computed from an input of the network, or is one."""
        return value < len(self._parents) and self._parents[value] is not None

    def ancestors(self, value: int) -> set[int]:
        """The fed values that a value was computed from, itself one of them."""
        found = {value}
        stack = [value]
        while stack:
            new = set(self._parents[stack.pop()] or ()) - found
            found |= new
            stack += new
        return found

    @cached_property
    def _gates(self) -> list[int]:
        """For each fed value the nearest one through which all that it is computed from has passed.

        These are the immediate dominators of the data flow (Cooper, Harvey and Kennedy, "A Simple,
        Fast Dominance Algorithm", 2001); values are numbered in the order of their making.
        """
        gates: list[int] = []
        for parents in self._parents:
            gate = parents[0] if parents else NOWHERE
            for parent in (parents or ())[1:]:
                gate = self._meet(gates, gate, parent)
            gates.append(gate)
        return gates

    @staticmethod
    def _meet(gates: list[int], a: int, b: int) -> int:
        while a != b:
            if a > b:
                a = gates[a]
            else:
                b = gates[b]
        return a

    def source(self, *values: int) -> int | None:
        """The newest value that all has passed through which `values` were computed from."""
        common = values[0]
        for value in values[1:]:
            common = self._meet(self._gates, common, value)
        return None if common == NOWHERE else common

    def passed(self, value: int) -> list[int]:
        """The values through each of which all has passed that `value` was computed from."""
        found = []
        while value != NOWHERE:
            found.append(value)
            value = self._gates[value]
        return found
