"""Which functions are the products of an attention, and whom its queries read.

Found from the data flow, not from names: fused attention is one function; written out, a product
whose result reaches a softmax gives the weights, and a product that takes these applies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from unetscope.analysis.lineage import Lineage
from unetscope.analysis.network import Network
from unetscope.record import Op

# These add what comes first to the product of the other two.
_ADDING = ("torch.baddbmm", "torch.addbmm", "torch.addmm", "Tensor.baddbmm", "Tensor.addmm")


class Reading(Enum):
    """Whom the queries of an attention read."""

    SELF = "self_attention"
    """The tensor that they come from themselves."""
    CROSS = "cross_attention"
    """Another one, such as text."""
    JOINT = "joint_attention"
    """Both."""


def readings(network: Network, lineage: Lineage) -> dict[int, Reading]:
    """The functions that are products of an attention, by index, and whom it reads."""
    return _Search(network, lineage).found()


def operands(op: Op) -> tuple[int, ...]:
    """The two tensors that a product multiplies."""
    return op.inputs[1:3] if op.name in _ADDING else op.inputs[:2]


class _Search:
    def __init__(self, network: Network, lineage: Lineage) -> None:
        self._values, self._ops = network.trace.values, network.trace.ops
        self._lineage = lineage
        self._readers: dict[int, list[int]] = {}
        for index, op in enumerate(self._ops):
            for value in op.inputs:
                self._readers.setdefault(value, []).append(index)

    def found(self) -> dict[int, Reading]:
        found = {}
        for index, op in enumerate(self._ops):
            if op.attention_macs:
                found[index] = self._reading(*op.inputs[:2])
            elif op.name.endswith("softmax"):
                scores = self._scores(op)
                results = [r for r in self._reached(index) if self._is_product(r)]
                if scores and results:
                    reading = self._reading(*operands(self._ops[scores[0]]))
                    found.update(dict.fromkeys([*scores, *results], reading))
        return found

    def _reading(self, query: int, key: int) -> Reading:
        lineage = self._lineage
        if not (lineage.fed(query) and lineage.fed(key)):
            return Reading.CROSS  # learned queries, or learned tokens
        if lineage.source(query, key) is not None:
            return Reading.SELF
        shared = lineage.ancestors(key).intersection(lineage.passed(query))
        return Reading.JOINT if shared else Reading.CROSS

    def _is_product(self, index: int) -> bool:
        """Whether a function multiplies two tensors of which neither is a weight."""
        op = self._ops[index]
        pair = operands(op)
        known = op.macs != 0 and len(pair) == 2 and "conv" not in op.name
        return known and all(map(self._lineage.fed, pair))

    def _scores(self, softmax: Op) -> list[int]:
        """The products that a softmax makes weights of; none if it also takes other features."""
        makers = list(self._makers(softmax))
        return makers if all(map(self._is_product, makers)) else []

    def _makers(self, op: Op) -> Iterator[int]:
        """The nearest functions with multiply-adds that a function's input was made by."""
        stack = [value for value in op.inputs if self._lineage.fed(value)]
        seen = set(stack)
        while stack:
            made_by = self._values[stack.pop()].op
            if made_by is None:
                continue
            if self._ops[made_by].macs != 0:
                yield made_by
                continue
            new = {v for v in self._ops[made_by].inputs if self._lineage.fed(v)} - seen
            seen |= new
            stack += new

    def _reached(self, index: int) -> Iterator[int]:
        """The nearest functions with multiply-adds that a function's result reaches."""
        stack = [index]
        seen = {index}
        while stack:
            for value in self._ops[stack.pop()].outputs:
                for reader in self._readers.get(value, ()):
                    if reader in seen:
                        continue
                    seen.add(reader)
                    if self._ops[reader].macs != 0:
                        yield reader
                    else:
                        stack.append(reader)
