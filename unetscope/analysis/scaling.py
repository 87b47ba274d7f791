"""What one network costs at one of several sizes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass

from unetscope.analysis.cost import ATTENTION


@dataclass(frozen=True)
class Point:
    """One size of the inputs and what the network costs there.

    Attributes:
        sizes: batch, height, width and tokens, by these names.
        parameters: of the network, the same everywhere.
        kinds: multiply-adds of each kind that occurs (see `cost.CLASSES`).
        unknown: functions without a formula, and how often each ran.
        activation_bytes: the peak of the activations, in float32.
    """

    sizes: dict[str, int]
    parameters: int
    kinds: dict[str, int]
    unknown: dict[str, int]
    activation_bytes: int

    @property
    def macs(self) -> int:
        """All multiply-adds that are known."""
        return sum(self.kinds.values())

    @property
    def attention(self) -> int:
        """Those of attention's products."""
        return sum(macs for kind, macs in self.kinds.items() if kind in ATTENTION)

    @property
    def attention_share(self) -> float:
        """Attention's part of all multiply-adds, 0 to 1."""
        return self.attention / self.macs if self.macs else 0.0
