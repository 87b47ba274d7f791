"""What a real run took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredMemory:
    """What a real run took on a GPU, in bytes.

    Attributes:
        held: before a pass: weights, inputs and workspaces.
        workspace: of this, what libraries keep from the first pass on.
        peak: the most that a pass took beside.
        blocks: the most during each block, likewise.
    """

    held: int
    workspace: int
    peak: int
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class Measurement:
    """What a real run took.

    Attributes:
        device: in words.
        dtype: of weights and inputs.
        warm_up: passes before those that count.
        runs: passes that count.
        seconds: a whole pass, the median.
        blocks: seconds of each block, the medians, in the order of the calls.
        memory: None where it cannot be measured.
    """

    device: str
    dtype: str
    warm_up: int
    runs: int
    seconds: float
    blocks: tuple[float, ...]
    memory: MeasuredMemory | None = None
