"""Where a tensor comes from, and where its channels do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.network import Network

_LAYERS = ("linear", "conv1d", "conv2d", "conv3d", "embedding")


@dataclass(frozen=True)
class Source:
    """Some of a tensor's channels.

    Attributes:
        channels: how many.
        producer: what made them: the path of a module, an input's name, or a function and its
            module.
        push: the number of the skip that brought them, if one did.
    """

    channels: int
    producer: str
    push: int | None = None


class Origins:
    """Where the tensors of a network come from."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._inputs = {argument.value: argument.name for argument in network.trace.inputs}
        self._skips = {(skip.op, skip.operand): skip for skip in network.trace.skips}

    @cached_property
    def _units(self) -> dict[int, str]:
        """The ResNet, transformer or resampler that returned a value."""
        network = self._network
        units = [unit for block in network.blocks for unit in network.units(block)]
        return {value: network.path(unit) for unit in units for value in network.step(unit).outputs}

    def of(self, value: int) -> str:
        """What made a value: a ResNet, transformer or resampler rather than the block around it."""
        return self._inputs.get(value) or self._units.get(value) or self._network.origin(value)

    def channels(self, value: int) -> int:
        """The features of a value: dim 1 of a map, the last one of tokens and vectors."""
        shape = self._network.spec(value).shape
        return shape[1 if self._network.is_map(value) else -1] if shape else 1

    def sources(self, value: int) -> tuple[Source, ...]:
        """Where the channels of a value come from: of a joined one, each part."""
        while value not in self._inputs and value not in self._units:
            call, made_by = self._network.producer(value), self._network.trace.values[value].op
            if call is not None:
                passed = self._passed_on(call, value)
                if passed is None:
                    break
                value = passed
                continue
            if made_by is None:
                break
            op = self._network.trace.ops[made_by]
            parts = sum(map(self.channels, op.inputs)) if op.name.endswith("cat") else 0
            if parts == self.channels(value):
                return tuple(
                    source
                    for position, operand in enumerate(op.inputs)
                    for source in self._joined(made_by, position, operand)
                )
            before = [v for v in op.inputs if self.channels(v) == self.channels(value)]
            if op.name.endswith(_LAYERS) or not before:
                break
            value = before[0]
        return (Source(self.channels(value), self.of(value)),)

    def _passed_on(self, call: int, value: int) -> int | None:
        """The argument whose channels a call returns, as a norm does; None if it sets its own."""
        if self._network.first_layer(call) is not None:
            return None
        arguments = [argument.value for argument in self._network.step(call).inputs]
        alike = [v for v in arguments if self.channels(v) == self.channels(value)]
        return alike[0] if alike else None

    def _joined(self, op: int, position: int, operand: int) -> tuple[Source, ...]:
        skip = self._skips.get((op, position))
        if skip is None:
            return self.sources(operand)
        return (Source(self.channels(operand), self.of(skip.value), skip.push),)

    def last_layer(self, call: int) -> str | None:
        """The layer in a call that set the number of channels it returns; None if none did."""
        network = self._network
        outputs, start = network.step(call).outputs, network.step(call).start
        if not outputs:
            return None
        value, width = outputs[0], self.channels(outputs[0])
        while (made_by := network.trace.values[value].op) is not None:
            op = network.trace.ops[made_by]
            if op.clock < start:
                return None
            if op.name.endswith(_LAYERS) and op.step is not None:
                return network.path(op.step)
            inside = [
                v for v in op.inputs if network.born(v) > start and width in network.spec(v).shape
            ]
            if not inside:
                return None
            value = min(inside)  # of a sum with a shortcut, what came first
        return None
