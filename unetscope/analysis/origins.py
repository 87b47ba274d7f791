"""What made a tensor, and where its channels come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.control import blocks
from unetscope.analysis.network import Network
from unetscope.analysis.producers import Producer, producer
from unetscope.ops import OpKind

# Their channels are those of their weights, whatever they are given.
_LAYERS = (OpKind.LINEAR, OpKind.CONVOLUTION, OpKind.EMBEDDING)


@dataclass(frozen=True)
class ChannelSource:
    """Channels of a tensor that come from one place.

    Attributes:
        channels: their number.
        producer: what made them; of the network's own input its name.
        push: the number of the push that they were, if they came by a skip.
    """

    channels: int
    producer: Producer
    push: int | None = None


class Origins:
    """What made the tensors of a network, and where their channels come from."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._inputs = {argument.value: argument.name for argument in network.trace.inputs}
        # By the value that the join made, and the position among its operands.
        self._skips = {
            (value, skip.operand): skip
            for skip in network.trace.skips
            for value in network.join(skip).outputs
        }

    @cached_property
    def _units(self) -> dict[int, str]:
        """The ResNet, transformer or resampler that returned a value."""
        network = self._network
        units = [unit for block in blocks(network) for unit in network.units(block)]
        return {value: network.path(unit) for unit in units for value in network.step(unit).outputs}

    def of(self, value: int) -> Producer:
        """What made a value: a ResNet, transformer or resampler rather than the block around it."""
        known = self._inputs.get(value) or self._units.get(value)
        return producer(self._network, value) if known is None else Producer(known)

    def channels(self, value: int) -> int:
        """The number of channels of a value: dim 1 of a map, the last dim of tokens and vectors."""
        shape = self._network.spec(value).shape
        return shape[1 if self._network.is_map(value) else -1] if shape else 1

    def sources(self, value: int) -> tuple[ChannelSource, ...]:
        """Where the channels of a value come from: of a joined one, each part."""
        graph = self._network.graph
        while value not in self._inputs and value not in self._units:
            op = graph.op(value)
            if op is not None and graph.producer(value) is None and self._joins_channels(value):
                return tuple(
                    source
                    for position, operand in enumerate(op.inputs)
                    if self.channels(operand)
                    for source in self._joined(value, position, operand)
                )
            before = self._before(value)
            if before is None:
                break
            value = before
        return (ChannelSource(self.channels(value), self.of(value)),)

    def _joins_channels(self, value: int) -> bool:
        """Whether a value was made by a join along the channels."""
        graph = self._network.graph
        number = sum(map(self.channels, graph.parents[value]))
        return graph.kind(value) is OpKind.JOIN and number == self.channels(value)

    def _joined(self, value: int, position: int, operand: int) -> tuple[ChannelSource, ...]:
        skip = self._skips.get((value, position))
        if skip is None:
            return self.sources(operand)
        return (ChannelSource(self.channels(operand), self.of(skip.value), skip.push),)

    def _before(self, value: int) -> int | None:
        """The value whose channels another one kept, as through a norm; None if they are new."""
        network, graph = self._network, self._network.graph
        call = graph.producer(value)
        if call is None:
            given = () if graph.kind(value) in _LAYERS else graph.parents[value]
        elif network.first_layer(call) is not None:
            given = ()
        else:
            given = tuple(argument.value for argument in network.step(call).inputs)
        return next((v for v in given if self.channels(v) == self.channels(value)), None)

    def last_layer(self, call: int) -> str | None:
        """The layer in a call that set the number of channels it returns; None if none did."""
        network, graph = self._network, self._network.graph
        outputs, start = network.step(call).outputs, network.step(call).start
        value: int | None = outputs[0] if outputs else None
        number = 0 if value is None else self.channels(value)
        while value is not None and (op := graph.op(value)) is not None and op.clock > start:
            if graph.kind(value) in _LAYERS and op.step is not None:
                return network.path(op.step)
            # Of a sum with a shortcut, what came first.
            inside = (p for p in graph.parents[value] if graph.born(p) > start)
            value = min((p for p in inside if number in network.spec(p).shape), default=None)
        return None
