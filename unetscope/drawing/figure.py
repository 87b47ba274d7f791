"""What there is to draw of a network: blocks at levels of resolution, and arcs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from unetscope.analysis.anatomy import Anatomy, anatomy, in_a_row, stack_use
from unetscope.analysis.control import controls
from unetscope.analysis.map_shapes import map_shape
from unetscope.analysis.network import Network
from unetscope.drawing.stages import Stage, ends, hands_on, stages
from unetscope.wording import harmless

if TYPE_CHECKING:
    from unetscope.drawing.layers import Row

LEFT, RIGHT = ("entry", "encoder"), ("decoder", "exit")
"""The parts of a UNet that go down, and those that come up again."""
_SAME_LEVEL = 0.65
"""Sizes of one level, each dim to that of the largest: convolutions without padding lose edges."""

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


def figure(
    network: Network,
    names: Mapping[str, str] | None = None,
    *,
    costs: bool = True,
    heat: str = "",
    detail: str = "block",
    runs: Sequence[Stage] | None = None,
) -> Figure:
    """What there is to draw of a network.

    Args:
        network: a traced network; a pass that failed is drawn up to the failure.
        names: other names for modules, by path.
        costs: whether parameters and multiply-adds of blocks are wanted too; if not, they are 0.
        heat: what colours tell; see `Figure`.
        detail: one of `layers.DETAILS`.
        runs: what the boxes are; without, those of `stages`.
    """
    runs = stages(network, anatomy(network)) if runs is None else runs
    levels, sizes = _levels([stage.size for stage in runs])
    blocks = _blocks(network, runs, levels, names or {})
    if costs:
        from unetscope.drawing.costs import costs as costs_of  # overviews do without

        pairs = zip(blocks, costs_of(network, runs), strict=True)
        blocks = tuple(block._replace(**cost._asdict()) for block, cost in pairs)
    if detail != "block":
        from unetscope.drawing.layers import Inside

        inside = Inside(network, names or {}, functions=detail == "op")
        blocks = tuple(
            block._replace(rows=inside.rows(stage.calls))
            for block, stage in zip(blocks, runs, strict=True)
        )
    several = bool(network.trace.skips) and in_a_row(network) > 1
    if several:  # the parts are those of one UNet
        blocks = tuple(block._replace(part="") for block in blocks)
    out = set(stack_use(network).out_of_order)
    calls = [stage.calls for stage in runs]
    arcs = tuple(
        Arc(skip.push, *pair, map_shape(network, skip.value), skip in out)
        for skip, pair in zip(network.trace.skips, ends(network, calls), strict=False)
    )
    drawn = {call for stage in runs for call in stage.calls}
    steering = [control.call for control in controls(network)]
    told = drawn | {call for around in steering for call in network.below(around)}
    beside = [call for call in network.blocks if told.isdisjoint(network.below(call))]
    trace = network.trace
    return Figure(
        blocks,
        arcs,
        sizes,
        NoU.SEVERAL if several else why_no_u(blocks, arcs),
        trace.total_params if costs else 0,
        trace.total_macs if costs else 0,
        _paths(network, beside, names or {}),
        frozenset(at for at in range(1, len(calls)) if hands_on(network, *calls[at - 1 : at + 1])),
        heat,
        sum(s.nbytes for s in trace.storages if not s.resident) if costs else 0,
        _paths(network, steering, names or {}),
    )


def _paths(network: Network, calls: Sequence[int], names: Mapping[str, str]) -> tuple[str, ...]:
    paths = map(network.path, calls)
    return tuple(dict.fromkeys(harmless(names.get(path, path)) for path in paths))


def _levels(sizes: Sequence[Dims | None]) -> tuple[list[int], tuple[Dims, ...]]:
    """The level of each size, an unknown one as before, and the largest size of each level."""
    known = sorted({size for size in sizes if size is not None}, key=_area, reverse=True)
    largest: list[Dims] = []
    level: dict[Dims, int] = {}
    for size in known:
        if not largest or not _same(size, largest[-1]):
            largest.append(size)
        level[size] = len(largest) - 1
    found, last = [], 0
    for worked in sizes:
        last = last if worked is None else level[worked]
        found.append(last)
    return found, tuple(largest)


def _area(size: Dims) -> tuple[int, Dims]:
    area = 1
    for dim in size:
        area *= dim
    return area, size


def _same(size: Dims, largest: Dims) -> bool:
    pairs = zip(size, largest, strict=False)
    return len(size) == len(largest) and all(one >= _SAME_LEVEL * most for one, most in pairs)


def _blocks(
    network: Network,
    runs: Sequence[Stage],
    levels: Sequence[int],
    names: Mapping[str, str],
) -> tuple[Block, ...]:
    found = []
    for stage, level in zip(runs, levels, strict=True):
        paths = [network.path(call) for call in stage.calls]
        taken = network.main_input(stage.calls[0])
        given = None if taken is None else network.before_join(taken)
        made = network.main_output(stage.calls[-1])
        found.append(
            Block(
                _name([names.get(path, path) for path in paths]),
                len(stage.calls),
                stage.part,
                level,
                None if given is None else map_shape(network, given),
                None if made is None else map_shape(network, made),
                failed=any(network.step(call).end is None for call in stage.calls),
            )
        )
    return tuple(found)


def _name(paths: Sequence[str]) -> str:
    """One name for several calls: `downs.0.*` in one entry of a list, else the first and last."""
    distinct = list(dict.fromkeys(paths))
    if len(distinct) == 1:
        return harmless(distinct[0] or "(root)")
    first, last = distinct[0], distinct[-1]
    above, _, number = first.rpartition(".")
    other, _, end = last.rpartition(".")
    if above and above == other and above.rpartition(".")[2].isdigit():
        return harmless(f"{above}.*")
    if above == other and number.isdigit() and end.isdigit():
        return harmless(f"{above}.{number}-{end}".lstrip("."))
    return harmless(f"{first} - {last}")


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
