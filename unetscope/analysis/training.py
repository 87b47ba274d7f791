"""What training would hold in memory, estimated from one inference pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from unetscope.dtypes import itemsize
from unetscope.ops import Keeps, operation
from unetscope.record import Op, TensorSpec, Trace


class Training:
    """What training holds: weights, gradients, optimiser, and activations for the backward pass.

    Args:
        trace: one inference pass; training is estimated at its batch, sizes and element type.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def kept(self) -> int:
        """Bytes of the storages that autograd keeps from the forward pass for the backward pass.

        Weights and inputs, which are there anyway, do not count, nor do the statistics of norms
        and of attention.
        """
        return self._kept[0]

    @cached_property
    def guessed(self) -> dict[str, int]:
        """The functions that are assumed to keep all inputs and outputs, and how often each ran."""
        return dict(self._kept[1])

    @cached_property
    def _kept(self) -> tuple[int, Counter[str]]:
        trace = self.trace
        learning = {
            index
            for index, value in enumerate(trace.values)
            if value.source in self._parameters and value.op is None
        }
        storages: set[int] = set()
        guessed = Counter[str]()
        for op in trace.ops:
            if learning.isdisjoint(op.inputs):
                continue
            learning.update(v for v in op.outputs if _learns(trace.values[v].spec))
            saved = _saved(op, learning)
            if saved is None:
                guessed[op.name] += 1
                saved = (*op.inputs, *op.outputs)
            storages.update(trace.values[value].storage for value in saved)
        kept = [trace.storages[index] for index in storages]
        return sum(storage.nbytes for storage in kept if not storage.resident), guessed

    @cached_property
    def _parameters(self) -> set[str]:
        return {
            f"{module.path}.{parameter.name}" if module.path else parameter.name
            for module in self.trace.modules
            for parameter in module.parameters
        }


def _learns(spec: TensorSpec) -> bool:
    """Whether a tensor can have a gradient."""
    return spec.dtype.startswith(("float", "bfloat", "complex"))


@dataclass(frozen=True)
class State:
    """What an optimiser's step needs beside activations, in bytes.

    Attributes:
        weights: the parameters, in their element type.
        gradients: one a parameter, in the same.
        moments: Adam's two averages, float32.
        master: float32 copies of parameters that have fewer bits.
    """

    weights: int
    gradients: int
    moments: int
    master: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.moments + self.master


def state(trace: Trace) -> State:
    """Weights, gradients and Adam's state of every parameter of a network."""
    weights = elements = halved = 0
    for module in trace.modules:
        for parameter in module.parameters:
            if parameter.tied_to is None:
                spec = parameter.spec
                weights += spec.nbytes
                elements += spec.numel
                halved += spec.numel if _learns(spec) and itemsize(spec.dtype) < 4 else 0
    return State(weights, weights, 2 * 4 * elements, 4 * halved)


def _saved(op: Op, learning: set[int]) -> tuple[int, ...] | None:
    """The values that autograd keeps for the backward pass of a function; None if not known."""
    row = operation(op.name)
    match row.keeps:
        case Keeps.NOTHING:
            return ()
        case Keeps.INPUT:
            return op.inputs[:1]
        case Keeps.OUTPUT:
            return op.outputs
        case Keeps.ALL:
            return (*op.inputs, *op.outputs)
        case Keeps.FACTORS | Keeps.QUOTIENT:
            first, second = row.factors
            pair = op.inputs[first : second + 1]
            return tuple(_factors(pair, learning, divides=row.keeps is Keeps.QUOTIENT))
    return None


def _factors(pair: tuple[int, ...], learning: set[int], *, divides: bool) -> Iterator[int]:
    """The factors whose partners learn; a divisor is kept in any case."""
    if len(pair) == 2:
        first, second = pair
        if second in learning:
            yield first
        if first in learning or divides:
            yield second
