"""What is drawn: blocks at levels of resolution, and arcs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from unetscope.analysis.anatomy import Anatomy

if TYPE_CHECKING:
    from unetscope.drawing.layers import Row

LEFT, RIGHT = ("entry", "encoder"), ("decoder", "exit")
"""The parts of a UNet that go down, and those that come up again."""

Dims = tuple[int, ...]


class NoU(Enum):
    """Why a network is not drawn as a U."""

    NO_SKIPS = "no_skips"
    SEVERAL = "several"  # UNets that run one after the other
    NESTED = "nested"  # what was joined already is pushed again
    LEVELS = "levels"  # resolutions do not go down once and up once


class Block(NamedTuple):
    """One box.

    Attributes:
        name: its path; of several calls that are drawn as one, the first and the last.
        times: the number of calls that it stands for.
        part: a field of `Anatomy`, or empty.
        level: the index of the resolution at which it works, 0 for the highest.
        given: channels and size `(C, *spatial)` of the feature map that it takes, if it takes one.
        made: the same of what it returns.
        parameters: how many it holds; None if they were counted with an earlier call.
        macs: the multiply-adds that are known.
        failed: whether the pass stopped in it.
        made_bytes: of the activations that its functions make.
        held: the most bytes at once while it runs, beside weights and inputs.
        rows: what is in it, if that is drawn too.
        mark: of two networks in one drawing, what became of it: `+`, `-` or `~`; else empty.
        was: what it was in the old one of two networks that both have it.
        told: more lines, below channels and size.
    """

    name: str
    times: int
    part: str
    level: int
    given: Dims | None
    made: Dims | None
    parameters: int | None = 0
    macs: int = 0
    failed: bool = False
    made_bytes: int = 0
    held: int = 0
    rows: tuple[Row, ...] = ()
    mark: str = ""
    was: Block | None = None
    told: tuple[str, ...] = ()


class Arc(NamedTuple):
    """One skip.

    Attributes:
        number: its push, as in the ledger; of two networks in one drawing, its place among all.
        start: the index of the block that pushes.
        end: the index of the block that pops.
        shape: channels and size of what is pushed.
        crossing: whether it was popped out of order.
        mark: as a block's.
        name: what stands at it, if that is not its number and its shape.
    """

    number: int
    start: int
    end: int
    shape: Dims
    crossing: bool = False
    mark: str = ""
    name: str = ""


@dataclass(frozen=True)
class Figure:
    """All that is drawn.

    Attributes:
        blocks: in the order of their calls.
        arcs: in the order of their pops.
        sizes: the largest size of each level, the highest resolution first.
        no_u: why it is no U; None if it is one.
        parameters: of the whole network.
        macs: of the whole pass, where they are known.
        beside: paths of blocks that are not drawn, as they make no feature map of the sample.
        handed: the blocks that are given what the block before returns; others of them take what
            was there earlier, as a branch does.
        heat: what colours tell: `parameters` or `macs` as shares, `made` or `held` in bytes; empty
            for the parts.
        made_bytes: of all activations that the pass makes, in blocks or not.
        steering: paths of what steers the UNet, such as a ControlNet, which is not drawn.
    """

    blocks: tuple[Block, ...]
    arcs: tuple[Arc, ...]
    sizes: tuple[Dims, ...]
    no_u: NoU | None
    parameters: int
    macs: int
    beside: tuple[str, ...] = field(default=())
    handed: frozenset[int] = field(default=frozenset())
    heat: str = ""
    made_bytes: int = 0
    steering: tuple[str, ...] = ()

    def side(self, parts: Sequence[str]) -> list[int]:
        """The blocks of some parts, in the order of their calls."""
        return [index for index, block in enumerate(self.blocks) if block.part in parts]

    @property
    def rest(self) -> tuple[float, float]:
        """What shares of the parameters and of the multiply-adds are in no block."""
        held = sum(block.parameters or 0 for block in self.blocks)
        macs = sum(block.macs for block in self.blocks)
        return (
            1 - held / self.parameters if self.parameters else 0.0,
            1 - macs / self.macs if self.macs else 0.0,
        )

    def parameter_share(self, block: Block | Row) -> float | None:
        """A block's share of the parameters."""
        if block.parameters is None or not self.parameters:
            return None
        return block.parameters / self.parameters

    def mac_share(self, block: Block | Row) -> float | None:
        """A block's share of the multiply-adds."""
        return block.macs / self.macs if self.macs else None

    @property
    def in_bytes(self) -> bool:
        """Whether colours tell bytes, and no shares."""
        return self.heat in ("made", "held")

    def heat_of(self, block: Block | Row) -> float:
        """What the colour of a block tells: a share, or bytes."""
        match self.heat:
            case "made":
                return block.made_bytes
            case "held":
                return block.held
            case "macs":
                return self.mac_share(block) or 0.0
        return self.parameter_share(block) or 0.0

    @cached_property
    def hottest(self) -> float:
        """The most that a block has of what colours tell."""
        return max(map(self.heat_of, self.blocks), default=0.0)


def why_no_u(blocks: Sequence[Block], arcs: Sequence[Arc]) -> NoU | None:
    """Why blocks are no U: one goes down, pushing, and then comes up, popping."""
    if not arcs:
        return NoU.NO_SKIPS
    order = list(Anatomy.__annotations__)
    places = [order.index(block.part) if block.part else -1 for block in blocks]
    down = [block.level for block in blocks if block.part in LEFT]
    up = [block.level for block in blocks if block.part in RIGHT]
    left = all(blocks[arc.start].part in LEFT for arc in arcs)
    right = all(blocks[arc.end].part in RIGHT for arc in arcs)
    if not left or not right:
        return NoU.NESTED
    if -1 in places or places != sorted(places):
        return NoU.LEVELS
    falls, rises = down == sorted(down), up == sorted(up, reverse=True)
    return None if falls and rises else NoU.LEVELS
