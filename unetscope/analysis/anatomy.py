"""The parts of a traced UNet, found from skips, resolutions and names, and its stack of skips.

The stack has two sides: what the encoder leaves for the decoder (`residuals`), and in which order
the decoder takes it (`stack_use`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

from unetscope.analysis.control import own_blocks
from unetscope.analysis.map_shapes import map_size
from unetscope.analysis.network import Network
from unetscope.record import SkipEvent

# Paths and class names that say which part of a UNet a block belongs to.
_NAMES = {
    "middle": re.compile(r"(?:^|\.)(?:mid|bottleneck|bridge|center)|Mid|Bottleneck"),
    "encoder": re.compile(r"(?:^|\.)(?:down|enc|input_block)|Down|Encoder"),
    "decoder": re.compile(r"(?:^|\.)(?:up|dec|output_block)|Up(?=[A-Z])|Decoder"),
}


@dataclass(frozen=True)
class Anatomy:
    """The parts of a UNet, each a run of blocks in the order of their calls.

    Attributes:
        entry: what gives the sample the channels of the first block (`conv_in`), and what works
            on that before the first block.
        encoder: the blocks whose outputs are pushed.
        middle: the blocks between the last push and the first join.
        decoder: the blocks that join skips.
        exit: what turns the last block's features into the output.
    """

    entry: tuple[int, ...]
    encoder: tuple[int, ...]
    middle: tuple[int, ...]
    decoder: tuple[int, ...]
    exit: tuple[int, ...]


def anatomy(network: Network) -> Anatomy:
    """Sort the blocks of a network into its parts.

    Only blocks that return a feature map computed from the sample belong to a part: what embeds the
    time, a hint or another image does not. A network without skips is sorted by the names of its
    blocks alone, and not at all if they say nothing.
    """
    maps = [
        block
        for block in _working(network)
        if (made := network.main_output(block)) is not None and network.of_sample(made)
    ]
    parts: dict[str, list[int]] = {
        name: [] for name in ("entry", "encoder", "middle", "decoder", "exit")
    }
    for block in maps:
        role = role_of(network, block) if network.trace.skips else named_part(network, block)
        if role is None:  # nothing is joined and the name says nothing: before or after those
            role = "exit" if parts["encoder"] or parts["decoder"] else "entry"
        parts[role].append(block)
    if not any(parts[role] for role in ("encoder", "middle", "decoder")):
        return Anatomy((), (), (), (), ())
    _begin(network, parts["entry"], parts["encoder"])
    parts["exit"] += _after_trunk(network)
    return Anatomy(**{name: tuple(blocks) for name, blocks in parts.items()})


def _begin(network: Network, entry: list[int], encoder: list[int]) -> None:
    """Move what stands before the encoder's blocks from these to the entry.

    That is the first convolution, even where its output is pushed, and after it what no name calls
    a block of the encoder, if later ones that push are called so (`transformer_in` of UNets for
    videos); a mere `down` between blocks names none.
    """
    first = encoder[0] if len(encoder) > 1 and not entry else None
    if first is not None and len(network.convolutions(first)) == 1 and not network.resamples(first):
        entry.append(encoder.pop(0))
    named = [
        index for index, block in enumerate(encoder) if named_part(network, block) == "encoder"
    ]
    pushing = any(
        block_of(network, [encoder[index] for index in named], value) is not None
        for value in network.pushed
    )
    if entry and pushing and not any(map(network.resamples, encoder[: named[0]])):
        entry += encoder[: named[0]]
        del encoder[: named[0]]


def embeddings(network: Network, parts: Anatomy) -> tuple[int, ...]:
    """The calls that embed what blocks are conditioned on: time step, class, pooled text.

    They are the blocks that belong to no part, and those calls beside the trunk whose vectors it is
    given.
    """
    sorted_in = {block for blocks in vars(parts).values() for block in blocks}
    given = set()
    if network.trunk is not None:
        given = {argument.value for argument in network.step(network.trunk).inputs}
    beside = (call for call in network.beside if makes_vectors(network, call))
    return (
        *(call for call in beside if not given.isdisjoint(network.step(call).outputs)),
        *(block for block in _working(network) if block not in sorted_in),
    )


def makes_vectors(network: Network, call: int) -> bool:
    """Whether a call returns nothing but vectors `(B, C)`."""
    return {len(network.spec(value).shape) for value in network.step(call).outputs} == {2}


def _after_trunk(network: Network) -> list[int]:
    """The calls after the trunk that turn its features into the output, at their resolution."""
    if network.trunk is None:
        return []
    end = network.step(network.trunk).end
    return [
        call
        for call in network.beside
        if end is not None
        and network.step(call).start > end
        and network.main_output(call) is not None
        and not network.resamples(call)
    ]


def role_of(network: Network, block: int) -> str:
    """The part that a block belongs to by when it ran between pushes and joins."""
    named = named_part(network, block)
    step = network.step(block)
    last_push, joins = network.push_clocks[-1], network.join_clocks
    first_join, last_join = joins[0], joins[-1]
    end = step.end or step.start
    if end > first_join:
        joined, takes = network.joins_in(block), network.takes_join(block)
        return "decoder" if joined or takes or end < last_join or named == "decoder" else "exit"
    if step.start < last_push:
        return "entry" if _is_entry(network, block) else "encoder"
    if named in ("encoder", "decoder"):
        return named
    between = [
        other
        for other in network.blocks
        if last_push <= network.step(other).start and (network.step(other).end or 0) <= first_join
    ]
    return _between(network, block, between)


def _between(network: Network, block: int, blocks: Sequence[int]) -> str:
    """The part of a block between the last push and the first join.

    The middle works at the lowest resolution there; what goes down to it is encoder, what comes
    back up decoder.
    """
    areas = {
        other: prod(map_size(network, value))
        for other in blocks
        if (value := network.main_output(other)) is not None
    }
    lowest = min(areas.values(), default=0)
    at_lowest = [other for other, area in areas.items() if area == lowest]
    if areas.get(block, lowest) == lowest:
        return "middle"
    return "encoder" if block < at_lowest[0] else "decoder"


def _working(network: Network) -> list[int]:
    """The UNet's blocks that do not merely hand on what they were given, as `nn.Identity` does."""
    return [
        block
        for block in own_blocks(network)
        if not {a.value for a in network.step(block).inputs} >= {*network.step(block).outputs}
    ]


def _is_entry(network: Network, block: int) -> bool:
    """Whether a block is a lone convolution that takes the sample itself."""
    given = network.main_input(block)
    return given == network.sample and len(network.convolutions(block)) == 1


def named_part(network: Network, block: int) -> str | None:
    """The part that a block's path or class names; None if they name none."""
    return named_as(network.path(block), network.module(block).kind)


def named_as(path: str, kind: str) -> str | None:
    """The part that a path or a class names; None if they name none."""
    names = f"{path} {kind}"
    return next((part for part, pattern in _NAMES.items() if pattern.search(names)), None)


@dataclass(frozen=True)
class StackUse:
    """How the skip stack was used.

    Attributes:
        pushed: the number of pushes: a value counts as often as it was popped.
        popped: the number of pops.
        out_of_order: pops of another value than the newest one still waiting.
        reused: pops of a value that had been popped before.
    """

    pushed: int
    popped: int
    out_of_order: tuple[SkipEvent, ...]
    reused: tuple[SkipEvent, ...]

    @property
    def last_in_first_out(self) -> bool:
        """Whether the skips were used as a stack is."""
        return not self.out_of_order


def stack_use(network: Network) -> StackUse:
    """Replay the joins against a stack.

    A value is pushed when it is made, as often as it is popped later. Of what one join pops the
    order is free.
    """
    skips = network.trace.skips
    pushes = sorted(skip.value for skip in skips)
    waiting: list[int] = []
    out_of_order, reused, seen = [], [], set[int]()
    for _, popped in groupby(skips, key=lambda skip: skip.op):
        together = list(popped)
        clock = network.join(together[0]).clock
        ready = sum(network.graph.born(value) < clock for value in pushes)
        waiting += pushes[:ready]
        del pushes[:ready]
        newest = waiting[len(waiting) - len(together) :]
        for skip in together:
            if skip.value in newest:
                newest.remove(skip.value)
            else:
                out_of_order.append(skip)
            waiting.remove(skip.value)
            if skip.value in seen:
                reused.append(skip)
        seen.update(skip.value for skip in together)
    return StackUse(len(skips), len(skips), tuple(out_of_order), tuple(reused))


def in_a_row(network: Network, skips: Sequence[SkipEvent] | None = None) -> int:
    """How many UNets run one after the other: each pushes after all earlier skips were popped.

    Args:
        network: that has the skips.
        skips: those to look at; all by default.
    """
    skips = network.trace.skips if skips is None else skips
    found, popped = 0, -1
    for skip in sorted(skips, key=lambda skip: network.graph.born(skip.value)):
        found += network.graph.born(skip.value) > popped
        popped = max(popped, network.join(skip).clock)
    return found


def residuals(network: Network, anatomy: Anatomy) -> tuple[int, ...]:
    """The values that the encoder leaves for the decoder, in the order they were pushed.

    Where the encoder's blocks return lists of feature maps beside their result, as published down
    blocks do, those and what entered the first block are the residuals, joined later or not; the
    network's own input is none, unless it was joined, nor is what a block hands to the next one
    (NCSN++'s pyramid of images). Elsewhere they are the values that were joined.
    """
    given = {
        argument.value
        for block in anatomy.encoder
        for argument in network.step(block).inputs
        if argument.value != network.main_input(block)
    }
    returned = dict.fromkeys(
        value
        for block in anatomy.encoder
        for value in network.step(block).outputs[1:]
        if network.is_map(value) and (value not in given or value in network.pushed)
    )
    found = (*_entered(network, anatomy), *returned)
    return found if set(network.pushed) <= {*found} else network.pushed


def _entered(network: Network, anatomy: Anatomy) -> tuple[int, ...]:
    """What entered the encoder's first block, unless it is the network's own and was not joined."""
    entered = network.main_input(anatomy.encoder[0]) if anatomy.encoder else None
    if entered is None or (network.graph.born(entered) == 0 and entered not in network.pushed):
        return ()
    return (entered,)


@dataclass(frozen=True)
class Count:
    """How many residuals were made where.

    Attributes:
        entry: the number made before the first block.
        layers: of each block the number made by its layers, resamplers apart, and of its result by
            what stands in no block.
        resamplers: of each block the number made by its resampler.
        later: the number made after the encoder, as UNet++ joins what its decoder made.
    """

    entry: int
    layers: tuple[int, ...]
    resamplers: tuple[int, ...]
    later: int = 0

    @property
    def total(self) -> int:
        """The number of residuals in all."""
        return self.entry + sum(self.layers) + sum(self.resamplers) + self.later


def count(network: Network, anatomy: Anatomy, values: Sequence[int]) -> Count:
    """Count residuals by where they were made."""
    layers, resamplers = [0] * len(anatomy.encoder), [0] * len(anatomy.encoder)
    entry = later = 0
    starts = [network.step(call).start for call in anatomy.encoder]
    ended = min(
        (network.step(call).start for call in (*anatomy.middle, *anatomy.decoder)), default=0
    )
    for value in values:
        born = network.graph.born(value)
        begun = bisect_left(starts, born)
        if not begun:
            entry += 1
            continue
        if ended and born > ended:
            later += 1
            continue
        block = block_of(network, anatomy.encoder, value)
        unit = None if block is None else unit_of(network, block, value)
        resampled = unit is not None and network.resamples(unit)
        (resamplers if resampled else layers)[begun - 1] += 1
    return Count(entry, tuple(layers), tuple(resamplers), later)


def unit_of(network: Network, block: int, value: int) -> int | None:
    """The unit that a residual is known by: its resampler, else the last ResNet until then.

    None if the block itself returns it, as one that is no more than a ResNet does, or if it was
    made by no unit.
    """
    born, made_by = network.graph.born(value), network.graph.producer(value)
    if made_by == block:
        return None
    before = [unit for unit in network.units(block) if network.step(unit).start < born]
    # A sum with what came another way, made after a resampler, is known by that.
    last = made_by if made_by is not None else next(reversed(before), None)
    if last is not None and network.resamples(last):
        return last
    resnets = [] if made_by is None else [u for u in before if is_layer(network, u)]
    return resnets[-1] if resnets else None


def is_layer(network: Network, unit: int) -> bool:
    """Whether a unit is one of its block's ResNets, and not a ResNet that resamples."""
    return network.is_resnet(unit) and not network.resamples(unit)


def block_of(network: Network, blocks: Sequence[int], value: int) -> int | None:
    """The block during which a value was made; None if it was none of these."""
    born = network.graph.born(value)
    place = bisect_left(blocks, born, key=lambda block: network.step(block).start)
    for block in blocks[place - 1 : place]:
        step = network.step(block)
        if step.start < born < (step.end or born):
            return block
    return None
