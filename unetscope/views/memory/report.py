"""What the sections on memory read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.measurement import Measurement
from unetscope.analysis.memory import Memory
from unetscope.views.view import View


@dataclass(frozen=True)
class Report:
    """What the sections read.

    Attributes:
        view: the network as it is to be shown.
        top: how many of the tensors that are alive at the peak to show; None for all.
        measurement: what a real run took, if there was one.
    """

    view: View
    top: int | None
    measurement: Measurement | None

    @cached_property
    def memory(self) -> Memory:
        """What the pass held."""
        return Memory(self.view.network)

    def place(self, clock: int) -> str:
        """The module in whose body the function ran that ended at a clock."""
        op = self.memory.op_at(clock)
        return self.module(None if op is None else op.step)

    def module(self, call: int | None) -> str:
        """The path of a called module; the class of the root, which has none."""
        network = self.view.network
        if call is None:
            return network.trace.modules[0].kind
        return network.path(call) or network.module(call).kind

    def block(self, clock: int) -> str:
        """The block that was running at a clock, or the module that runs the blocks."""
        network = self.view.network
        for call in network.blocks:
            step = network.step(call)
            if step.start <= clock <= (step.end or step.start):
                return self.module(call)
        return self.module(network.trunk)
