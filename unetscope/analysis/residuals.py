"""What the encoder leaves for the decoder: the tensors that the down blocks return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unetscope.analysis.anatomy import Anatomy
from unetscope.analysis.network import Network


def residuals(network: Network, anatomy: Anatomy) -> tuple[int, ...]:
    """The values of the residual stack, in the order they were pushed.

    Where the encoder's blocks return lists of feature maps beside their result, as published down
    blocks do, those and what entered the first block are the residuals, joined later or not; the
    network's own input is none, unless it was joined. Else they are the tensors that were joined.
    """
    returned = [
        value
        for block in anatomy.encoder
        for value in network.step(block).outputs[1:]
        if network.is_map(value)
    ]
    if not returned:
        return network.pushed
    entered = network.main_input(anatomy.encoder[0])
    if entered is None or (network.born(entered) == 0 and entered not in network.pushed):
        return tuple(returned)
    return (entered, *returned)


@dataclass(frozen=True)
class Count:
    """How the size of the residual stack adds up.

    Attributes:
        entry: tensors from before the first block.
        layers: tensors from the layers of each block, resamplers apart.
        resamplers: tensors from the resampler of each block.
    """

    entry: int
    layers: tuple[int, ...]
    resamplers: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return self.entry + sum(self.layers) + sum(self.resamplers)


def count(network: Network, anatomy: Anatomy, values: Sequence[int]) -> Count:
    """Count residuals by where they were made."""
    layers, resamplers = [0] * len(anatomy.encoder), [0] * len(anatomy.encoder)
    entry = 0
    for value in values:
        block = block_of(network, anatomy.encoder, value)
        if block is None:
            entry += 1
        else:
            made_by = network.producer(value)
            resampled = made_by is not None and network.resamples(made_by) and made_by != block
            (resamplers if resampled else layers)[anatomy.encoder.index(block)] += 1
    return Count(entry, tuple(layers), tuple(resamplers))


def block_of(network: Network, blocks: Sequence[int], value: int) -> int | None:
    """The block during which a value was made."""
    born = network.born(value)
    for block in blocks:
        step = network.step(block)
        if step.start < born < (step.end or born):
            return block
    return None
