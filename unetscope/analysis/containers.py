"""The blocks of a network whose author put its levels into modules of modules.

A block works at one level: it takes a feature map at one resolution and returns it at the same or
the next. segmentation-models-pytorch's `encoder` and MONAI's nested skip modules are no blocks but
hold them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unetscope.analysis.network import Network

_MOST_RESOLUTIONS = 2
"""That the parts of one block return: a level's, and the next one's."""


def blocks_inside(network: Network, call: int) -> Iterator[int]:
    """The blocks that ran during a call, in order: its child calls, or what those hold."""
    for child in network.children[call]:
        if network.trace.skips and network.children[child] and _holds_blocks(network, child):
            yield from blocks_inside(network, child)
        else:
            yield child


def _holds_blocks(network: Network, call: int) -> bool:
    sizes = {
        network.size(value)
        for child in network.children[call]
        for value in network.step(child).outputs
        if network.is_map(value) and max(network.size(value)) > 1  # a global average is no level
    }
    return len(sizes) > _MOST_RESOLUTIONS or _holds_a_skip(network, call)


def _holds_a_skip(network: Network, call: int) -> bool:
    """Whether a skip was pushed and popped during a call, or is what the call was given."""
    step = network.step(call)
    end = step.end or network.join(network.trace.skips[-1]).clock + 1
    given = network.main_input(call)
    return any(
        step.start < network.join(skip).clock < end
        and (skip.value == given or step.start < network.born(skip.value))
        and skip.value != skip.onto
        for skip in network.trace.skips
    )
