"""What one forward pass holds in memory, from the births and deaths of its storages.

A function's results exist when it ends, together with all that its callers still hold: that is the
granularity. What a kernel takes inside one function and gives back is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod

from unetscope.analysis.control import blocks
from unetscope.analysis.network import Network
from unetscope.analysis.parameters import buffers, parameters
from unetscope.dtypes import itemsize
from unetscope.ops import operation
from unetscope.record import Op, Storage, Trace

CUDA_BLOCK = 512
"""The caching allocator of CUDA hands out multiples of this many bytes."""


@dataclass(frozen=True)
class Peak:
    """The most that is held at once.

    Attributes:
        nbytes: beside weights and inputs.
        clock: when that is reached first.
    """

    nbytes: int
    clock: int


@dataclass(frozen=True)
class Skip:
    """One tensor on the skip stack.

    Attributes:
        value: the tensor.
        nbytes: of its storage.
        born: clock of the function that made it.
        joined: clock of the last join that took it.
        freed: clock of its death; None if it outlived the pass.
    """

    value: int
    nbytes: int
    born: int
    joined: int
    freed: int | None


@dataclass(frozen=True)
class BlockMemory:
    """What is held during and after one block.

    Attributes:
        call: the block.
        peak: the most at once, from its first event to its last.
        after: when it has ended.
        waiting: the tensors then on the skip stack: made and still to be joined.
        waiting_bytes: of their storages.
        skip_bytes: of all storages of skips that then live, also of those that were joined but
            that a caller still holds.
    """

    call: int
    peak: int
    after: int
    waiting: int
    waiting_bytes: int
    skip_bytes: int


def activation_peak(trace: Trace) -> Peak:
    """The most that a pass held at once, as Python really held it, attention fused."""
    return _highest(_curve(trace, 1))


class Memory:
    """Questions about what one pass held.

    Args:
        network: a traced network.
        granule: what sizes are rounded up to a multiple of, as allocators do.
    """

    def __init__(self, network: Network, granule: int = 1) -> None:
        self.network = network
        self.trace = network.trace
        self._granule = granule

    @cached_property
    def held(self) -> list[int]:
        """Bytes beside weights and inputs at each clock."""
        return _curve(self.trace, self._granule)

    @cached_property
    def peak(self) -> Peak:
        """The most at once, as Python really held it."""
        return _highest(self.held)

    @cached_property
    def peak_by_last_use(self) -> Peak:
        """The most at once if every tensor died right after the last function that takes it."""
        trace = self.trace
        last = {index: storage.born for index, storage in enumerate(trace.storages)}
        for op in trace.ops:
            for value in op.inputs:
                last[trace.values[value].storage] = op.clock
        last |= {trace.values[value].storage: _end(trace) for value in trace.outputs}
        return _highest(_sums(trace, self._granule, last))

    @cached_property
    def peak_with_matrices(self) -> Peak:
        """The most at once if each fused attention wrote out its `(B, heads, Tq, Tk)` matrices.

        Before its output exists, the scores and their softmax; with the output, the softmax.
        """
        highest = self.peak
        for op in self.trace.ops:
            matrix = self._matrix(op)
            if matrix:
                output = self._made_by(op)
                both = self.held[op.clock] + max(2 * matrix - output, matrix)
                if both > highest.nbytes:
                    highest = Peak(both, op.clock)
        return highest

    @cached_property
    def unseen_matrices(self) -> int:
        """How many functions are attention of unknown memory, and are counted as fused."""
        return sum(1 for op in self.trace.ops if op.attention_macs and not _is_fused(op))

    @cached_property
    def _ops(self) -> dict[int, Op]:
        return {op.clock: op for op in self.trace.ops}

    def op_at(self, clock: int) -> Op | None:
        """The function that ended at a clock."""
        return self._ops.get(clock)

    def alive(self, clock: int) -> list[tuple[int, Storage]]:
        """What is held at a clock beside weights and inputs, largest first.

        Returns:
            The value that each storage was made for, and the storage.
        """
        first: dict[int, int] = {}
        for index, value in enumerate(self.trace.values):
            first.setdefault(value.storage, index)
        found = [
            (first[index], storage)
            for index, storage in enumerate(self.trace.storages)
            if not storage.resident and storage.nbytes and _lives(storage, clock)
        ]
        return sorted(found, key=lambda item: -item[1].nbytes)

    @cached_property
    def input_bytes(self) -> int:
        """Bytes of the network's inputs, which the caller holds throughout."""
        trace = self.trace
        storages = {trace.values[argument.value].storage for argument in trace.inputs}
        return sum(trace.storages[index].nbytes for index in storages)

    @cached_property
    def skips(self) -> tuple[Skip, ...]:
        """The skip stack, in the order of the pushes."""
        network, trace = self.network, self.trace
        joined = {skip.value: network.join(skip).clock for skip in trace.skips}
        found = []
        for value in network.pushed:
            storage = trace.storages[trace.values[value].storage]
            found.append(
                Skip(value, storage.nbytes, network.graph.born(value), joined[value], storage.died)
            )
        return tuple(found)

    @cached_property
    def blocks(self) -> tuple[BlockMemory, ...]:
        """What is held during and after each block, in order; what steers the UNet has some too."""
        return tuple(map(self._block, blocks(self.network)))

    @cached_property
    def most_waiting(self) -> int:
        """The most bytes that wait on the skip stack at any time."""
        return max((self._waiting[skip.born][1] for skip in self.skips), default=0)

    def held_in(self, call: int) -> int:
        """The most at once from a call's first event to its last, or to where the pass failed."""
        start, end = self._span(call)
        return max(self.held[start : end + 1])

    def made_in(self, call: int) -> int:
        """Bytes of all storages that are made during a call, beside weights."""
        return self._made_between(*self._span(call))

    def made_at(self, clock: int) -> int:
        """Bytes of the storages that are made at a clock, beside weights."""
        return self._made_between(clock, clock)

    def _made_between(self, start: int, end: int) -> int:
        return self._made[end] - (self._made[start - 1] if start else 0)

    def _span(self, call: int) -> tuple[int, int]:
        step = self.network.step(call)
        return step.start, len(self.held) - 1 if step.end is None else step.end

    @cached_property
    def _made(self) -> list[int]:
        """Bytes of all storages that were made until each clock."""
        made = [0] * len(self.held)
        for storage in self.trace.storages:
            if not storage.resident:
                made[storage.born] += storage.nbytes
        return list(accumulate(made))

    def _block(self, call: int) -> BlockMemory:
        end = self._span(call)[1]
        most = self.held_in(call)
        return BlockMemory(call, most, self.held[end], *self._waiting[end], self._living[end][1])

    @cached_property
    def _waiting(self) -> list[tuple[int, int]]:
        """The skips that wait for their join at each clock: their number and bytes."""
        return self._held_by((skip, skip.joined) for skip in self.skips)

    @cached_property
    def _living(self) -> list[tuple[int, int]]:
        """The skips that are held at each clock: their number and bytes."""
        last = len(self.held)
        return self._held_by(
            (skip, last if skip.freed is None else skip.freed + 1) for skip in self.skips
        )

    def _held_by(self, spans: Iterable[tuple[Skip, int]]) -> list[tuple[int, int]]:
        """Number and bytes at each clock of skips that are held until some clock, not at it.

        Of tensors that share a storage, its bytes count once.
        """
        changes: dict[int, list[tuple[int, Skip]]] = {}
        for skip, end in spans:
            if skip.born < end:
                changes.setdefault(skip.born, []).append((1, skip))
                changes.setdefault(end, []).append((-1, skip))
        holders: Counter[int] = Counter()
        count = nbytes = 0
        found = []
        for clock in range(len(self.held)):
            for change, skip in changes.get(clock, ()):
                storage = self.trace.values[skip.value].storage
                before = holders[storage]
                holders[storage] += change
                count += change
                if (before == 0) != (holders[storage] == 0):
                    nbytes += change * skip.nbytes
            found.append((count, nbytes))
        return found

    def _matrix(self, op: Op) -> int:
        """Bytes of one `(B, heads, Tq, Tk)` matrix of a fused attention; 0 of others."""
        if not _is_fused(op):
            return 0
        query, key = (self.network.spec(value) for value in op.inputs[:2])
        elements = prod(query.shape[:-1]) * key.shape[-2]
        return elements * itemsize(query.dtype)

    def _made_by(self, op: Op) -> int:
        """Bytes of the storages that a function made."""
        storages = {self.trace.values[value].storage for value in op.outputs}
        made = [self.trace.storages[index] for index in storages]
        return sum(storage.nbytes for storage in made if storage.born == op.clock)


def _is_fused(op: Op) -> bool:
    """Whether a function attends without matrices, unlike a whole multi-head attention."""
    return operation(op.name).name == "scaled_dot_product_attention"


def parameter_bytes(trace: Trace) -> int:
    """Bytes of the parameters in their element types; a shared tensor counts once."""
    return sum(held.spec.nbytes for held in parameters(trace))


def buffer_bytes(trace: Trace) -> int:
    """Bytes of the buffers, in the types that they have; a shared buffer counts once."""
    return sum(held.spec.nbytes for held in buffers(trace))


def _end(trace: Trace) -> int:
    """The last clock of a pass."""
    steps = (step.start if step.end is None else step.end for step in trace.steps)
    return max((*steps, *(op.clock for op in trace.ops)), default=0)


def _lives(storage: Storage, clock: int) -> bool:
    return storage.born <= clock and (storage.died is None or clock <= storage.died)


def _curve(trace: Trace, granule: int) -> list[int]:
    end = _end(trace)
    last = {
        index: end if storage.died is None else storage.died
        for index, storage in enumerate(trace.storages)
    }
    return _sums(trace, granule, last)


def _sums(trace: Trace, granule: int, last: Mapping[int, int]) -> list[int]:
    """Bytes held at each clock, given the last clock of each storage."""
    changes = [0] * (_end(trace) + 2)
    for index, storage in enumerate(trace.storages):
        if not storage.resident:
            size = -(-storage.nbytes // granule) * granule
            changes[storage.born] += size
            changes[last[index] + 1] -= size
    return list(accumulate(changes[:-1]))


def _highest(curve: list[int]) -> Peak:
    nbytes = max(curve)
    return Peak(nbytes, curve.index(nbytes))
