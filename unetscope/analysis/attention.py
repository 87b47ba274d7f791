"""Where attention is computed, which tensors its queries attend to, and where these come from.

Attention is found from the data flow, not from names of modules: fused attention is one function;
written out, a matrix product whose result reaches a softmax gives the scores, and a product that
takes the weights applies them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.ops import OpKind, operation
from unetscope.record import Op

_LAYERS = (OpKind.LINEAR, OpKind.CONVOLUTION)
_PROJECTING = "multi_head_attention_forward"
"""It also holds the projections to queries, keys and values."""


class Reading(Enum):
    """What the queries of an attention attend to."""

    SELF = "self_attention"
    """The tensor that they were computed from themselves."""
    CROSS = "cross_attention"
    """Another tensor, such as text."""
    JOINT = "joint_attention"
    """Both."""


@dataclass(frozen=True)
class Attention:
    """One computation of attention.

    Attributes:
        call: the call of the module that projects and attends.
        op: the function that attends: the fused one, or the softmax of the scores.
        reading: what the queries attend to.
        query: the values from before the call that the queries were computed from.
        key: those that the keys were computed from.
        value: those that the values of the attention were computed from.
        scores: dims of the scores, `(B, heads, N, M)` or `(B*heads, N, M)`; None where there are
            none, as in linear attention.
        head_dim: the channels of one head; None if there are no scores.
    """

    call: int
    op: int
    reading: Reading
    query: tuple[int, ...]
    key: tuple[int, ...]
    value: tuple[int, ...]
    scores: tuple[int, ...] | None
    head_dim: int | None

    @property
    def tokens(self) -> tuple[int, int] | None:
        """The number of queries and that of keys."""
        return None if self.scores is None else self.scores[-2:]  # type: ignore[return-value]

    def heads(self, batch: int) -> int | None:
        """The number of heads, given the size of the batch."""
        return None if self.scores is None else prod(self.scores[:-2]) // batch


def operands(op: Op) -> tuple[int, ...]:
    """The two tensors that a product multiplies."""
    return tuple(op.inputs[i] for i in operation(op.name).factors if i < len(op.inputs))


def readings(graph: Graph) -> dict[int, Reading]:
    """The functions that are matrix products of an attention, by index, and what it attends to."""
    found: dict[int, Reading] = {}
    for index, op in enumerate(graph.trace.ops):
        if op.attention_macs:
            found[index] = _reading(graph, *op.inputs[:2])
        elif graph.kinds[index] is OpKind.SOFTMAX:
            scores = graph.nearest_makers(op, _multiplies)
            applied = [r for r in graph.nearest_readers(op, _multiplies) if _is_product(graph, r)]
            if scores and applied and all(_is_product(graph, made) for made in scores):
                reading = _reading(graph, *operands(graph.trace.ops[scores[0]]))
                found.update(dict.fromkeys([*scores, *applied], reading))
    return found


def _reading(graph: Graph, query: int, key: int) -> Reading:
    if not (graph.fed(query) and graph.fed(key)):
        return Reading.CROSS  # learned queries, or learned tokens
    if graph.source(query, key) is not None:
        return Reading.SELF
    shared = graph.ancestors(key).intersection(graph.passed(query))
    return Reading.JOINT if shared else Reading.CROSS


def _multiplies(op: Op) -> bool:
    """Whether a function does multiply-adds, known or not."""
    return op.macs != 0


def _is_product(graph: Graph, index: int) -> bool:
    """Whether a function multiplies two tensors of which neither is a weight."""
    op = graph.trace.ops[index]
    pair = operands(op)
    multiplies = _multiplies(op) and graph.kinds[index] is not OpKind.CONVOLUTION
    return multiplies and len(pair) == 2 and all(map(graph.fed, pair))


def attentions(network: Network) -> tuple[Attention, ...]:
    """Every computation of attention, in order."""
    graph = network.graph
    read = readings(graph)
    found: dict[tuple[int, int | None], Attention] = {}
    for index, kind in enumerate(graph.kinds):
        attends = kind in (OpKind.ATTENTION, OpKind.SOFTMAX)
        if attends and graph.trace.ops[index].step is not None:
            attention = _attention(network, index, read)
            # Linear attention takes two softmaxes in one call.
            found.setdefault((attention.call, index if attention.scores else None), attention)
    return tuple(found.values())


def _attention(network: Network, index: int, read: dict[int, Reading]) -> Attention:
    graph, op = network.graph, network.trace.ops[index]
    reading = read.get(index, Reading.SELF)
    query = key = value = op.inputs[0]
    scores: tuple[int, ...] | None = None
    head_dim = None
    if graph.kinds[index] is OpKind.ATTENTION:
        query, key, value = op.inputs[:3]
        if not op.name.endswith(_PROJECTING):
            queries, keys = network.spec(query).shape, network.spec(key).shape
            scores, head_dim = (*queries[:-1], keys[-2]), queries[-1]
    elif (products := _products(network, op, read)) is not None:
        made, applied, weights = products
        query, key = operands(network.trace.ops[made])
        value = next(v for v in operands(applied) if v != weights)
        scores = network.spec(op.inputs[0]).shape
        head_dim = network.spec(query).numel // prod(scores[:-1])
        reading = read[made]
    assert op.step is not None
    call = op.step if scores is None else _projecting(network, op.step, query)
    return Attention(
        call,
        index,
        reading,
        query=_sources(network, call, query),
        key=_sources(network, call, key),
        value=_sources(network, call, value),
        scores=scores,
        head_dim=head_dim,
    )


def _products(
    network: Network, softmax: Op, read: dict[int, Reading]
) -> tuple[int, Op, int] | None:
    """What made the scores, what applies the weights, and the weights as it takes them.

    Returns:
        The index of the first product, the second product, and the value that holds the weights;
        None if either product is missing.
    """
    graph, ops = network.graph, network.trace.ops

    def as_large(one: int, other: int) -> bool:
        return network.spec(one).numel == network.spec(other).numel

    # The scores may be scaled, masked or cast.
    value = softmax.inputs[0]
    while (made := network.trace.values[value].op) is not None and made not in read:
        given = ops[made].inputs
        if not given or not as_large(given[0], value):
            return None
        value = given[0]
    if made is None:
        return None
    # The weights may be cast or reshaped.
    waiting = [softmax.outputs[0]]
    while waiting:
        value = waiting.pop()
        for reader in graph.readers[value]:
            if reader in read:
                return made, ops[reader], value
            waiting += [v for v in ops[reader].outputs if v > value and as_large(v, value)]
    return None


def _projecting(network: Network, call: int, query: int) -> int:
    """The innermost call around `call` that also projects the queries."""
    graph, around = network.graph, call
    while (parent := network.step(around).parent) is not None:
        start = network.step(around).start
        if any(
            graph.born(value) > start and graph.kind(value) in _LAYERS
            for value in graph.back_inside(around, query)
        ):
            return around
        around = parent
    return call


def _sources(network: Network, call: int, value: int) -> tuple[int, ...]:
    """The values from before a call that a value in it was computed from; no weights."""
    graph, start = network.graph, network.step(call).start
    inputs = {argument.value for argument in network.trace.inputs}
    return tuple(
        found
        for found in graph.back_inside(call, value)
        if graph.born(found) < start and (graph.op(found) is not None or found in inputs)
    )
