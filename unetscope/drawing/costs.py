"""What blocks cost: parameters, multiply-adds, bytes of activations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from unetscope.analysis.memory import Memory
from unetscope.analysis.network import Network
from unetscope.analysis.subtotals import subtotals
from unetscope.drawing.stages import Stage


class Cost(NamedTuple):
    """What one block costs; see `figure.Block`."""

    parameters: int | None
    macs: int
    made_bytes: int
    held: int


def costs(network: Network, runs: Sequence[Stage]) -> list[Cost]:
    """The costs of blocks, in the order of their calls; parameters count where they come first."""
    counted: set[str] = set()
    held_in, sums, memory = _parameters(network), subtotals(network), Memory(network)
    found = []
    for stage in runs:
        paths = {network.path(call) for call in stage.calls}
        first = paths - counted
        found.append(
            Cost(
                sum(held_in[path] for path in first) if first else None,
                sum(sums[call].macs for call in stage.calls),
                sum(map(memory.made_in, stage.calls)),
                max(map(memory.held_in, stage.calls)),
            )
        )
        counted |= paths
    return found


def _parameters(network: Network) -> Counter[str]:
    """The parameters of each module and of all inside it; the root's path is empty."""
    found = Counter[str]()
    for path, module in network.modules.items():
        own, around = module.own_parameters, path
        while around and own:
            found[around] += own
            around = around.rpartition(".")[0]
        found[""] += own
    return found
