"""Where attention is computed, and from what its queries, keys and values come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import prod

from unetscope.analysis.lineage import Lineage
from unetscope.analysis.network import Network
from unetscope.record import Op

_FUSED = ("scaled_dot_product_attention", "multi_head_attention_forward")
_LAYERS = ("linear", "conv1d", "conv2d", "conv3d")
# These add what comes first to the product of the other two.
_ADDING = ("torch.baddbmm", "torch.addbmm", "torch.addmm", "Tensor.baddbmm", "Tensor.addmm")


@dataclass(frozen=True)
class Attention:
    """One computation of attention.

    Attributes:
        call: the call of the module that projects and attends.
        op: the function that attends: the fused one, or the softmax of the scores.
        reading: whom the queries read.
        query: what the projection to queries reads: values from before the call.
        key: likewise for keys.
        value: likewise for values.
        scores: dims of the scores, `(B, heads, N, M)` or `(B*heads, N, M)`; None where there are
            none, as in linear attention.
        width: of one head; None if there are no scores.
    """

    call: int
    op: int
    reading: Reading
    query: tuple[int, ...]
    key: tuple[int, ...]
    value: tuple[int, ...]
    scores: tuple[int, ...] | None
    width: int | None

    @property
    def tokens(self) -> tuple[int, int] | None:
        """How many tokens ask, and how many answer."""
        return None if self.scores is None else self.scores[-2:]  # type: ignore[return-value]

    def heads(self, batch: int) -> int | None:
        """The number of heads, given the images at once."""
        return None if self.scores is None else prod(self.scores[:-2]) // batch


def attentions(network: Network) -> tuple[Attention, ...]:
    """Every computation of attention, in order."""
    search = _Search(network)
    found: dict[tuple[int, int | None], Attention] = {}
    for index, op in enumerate(network.trace.ops):
        if op.step is not None and op.name.endswith((*_FUSED, "softmax")):
            attention = search.attention(index)
            # Linear attention takes two softmaxes in one call.
            found.setdefault((attention.call, index if attention.scores else None), attention)
    return tuple(found.values())


class _Search:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._readings = readings(network, Lineage(network))
        self._users: dict[int, list[int]] = {}
        for index, op in enumerate(network.trace.ops):
            for value in op.inputs:
                self._users.setdefault(value, []).append(index)

    def attention(self, index: int) -> Attention:
        network, op = self._network, self._network.trace.ops[index]
        reading = self._readings.get(index, Reading.SELF)
        query = key = value = op.inputs[0]
        scores: tuple[int, ...] | None = None
        width = None
        if op.name.endswith(_FUSED):
            query, key, value = op.inputs[:3]
            if op.name.endswith(_FUSED[0]):
                asked, answered = network.spec(query).shape, network.spec(key).shape
                scores, width = (*asked[:-1], answered[-2]), asked[-1]
        elif (products := self._products(op)) is not None:
            made, applied, weights = products
            query, key = operands(network.trace.ops[made])
            value = next(v for v in operands(applied) if v != weights)
            scores = network.spec(op.inputs[0]).shape
            width = network.spec(query).numel // prod(scores[:-1])
            reading = self._readings[made]
        assert op.step is not None
        call = _projecting(network, op.step, query)
        return Attention(
            call,
            index,
            reading,
            query=_sources(network, call, query),
            key=_sources(network, call, key),
            value=_sources(network, call, value),
            scores=scores,
            width=width,
        )

    def _products(self, softmax: Op) -> tuple[int, Op, int] | None:
        """What made the scores, what applies the weights, and the weights as it reads them."""
        made, applied = self._made(softmax.inputs[0]), self._applied(softmax.outputs[0])
        return None if made is None or applied is None else (made, *applied)

    def _made(self, value: int) -> int | None:
        """The product whose scaled, masked or cast result a value is."""
        trace = self._network.trace
        while (maker := trace.values[value].op) is not None and maker not in self._readings:
            given = trace.ops[maker].inputs
            if not given or not self._as_large(given[0], value):
                return None
            value = given[0]
        return maker

    def _applied(self, value: int) -> tuple[Op, int] | None:
        """The first product that reads a value, as it is, cast or reshaped; and what it reads."""
        waiting = [value]
        while waiting:
            value = waiting.pop()
            for index in self._users.get(value, ()):
                op = self._network.trace.ops[index]
                if index in self._readings:
                    return op, value
                waiting += [v for v in op.outputs if v > value and self._as_large(v, value)]
        return None

    def _as_large(self, one: int, other: int) -> bool:
        return self._network.spec(one).numel == self._network.spec(other).numel


def _projecting(network: Network, call: int, query: int) -> int:
    """The innermost call around `call` that also projects the queries."""
    around = call
    while (parent := network.step(around).parent) is not None:
        if any(
            network.trace.ops[op].name.endswith((*_LAYERS, _FUSED[1]))
            for op in _back(network, around, query)
        ):
            return around
        around = parent
    return call


def _back(network: Network, call: int, value: int) -> Iterator[int]:
    """The functions during a call that a value was computed by."""
    for _, op in _walk(network, call, value):
        if op is not None:
            yield op


def _sources(network: Network, call: int, value: int) -> tuple[int, ...]:
    """The values from before a call that a value in it was computed from; no weights."""
    return tuple(v for v, op in _walk(network, call, value) if op is None)


def _walk(network: Network, call: int, value: int) -> Iterator[tuple[int, int | None]]:
    """What a value was computed from during a call: values with their functions, None outside."""
    start, inputs = network.step(call).start, {a.value for a in network.trace.inputs}
    waiting, seen = [value], {value}
    while waiting:
        value = waiting.pop()
        record = network.trace.values[value]
        if record.op is None:
            if value in inputs:
                yield value, None
            continue
        op = network.trace.ops[record.op]
        if op.clock < start:
            yield value, None
            continue
        yield value, record.op
        fresh = [v for v in op.inputs if v not in seen]
        seen.update(fresh)
        waiting += fresh


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
    return _Products(network, lineage).found()


def operands(op: Op) -> tuple[int, ...]:
    """The two tensors that a product multiplies."""
    return op.inputs[1:3] if op.name in _ADDING else op.inputs[:2]


class _Products:
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
