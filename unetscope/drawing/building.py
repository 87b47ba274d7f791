"""What there is to draw of a network, as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod

from unetscope.analysis.anatomy import anatomy, in_a_row, stack_use
from unetscope.analysis.control import controls
from unetscope.analysis.map_shapes import map_shape
from unetscope.analysis.network import Network
from unetscope.drawing.figure import Arc, Block, Dims, Figure, NoU, why_no_u
from unetscope.drawing.stages import Stage, ends, hands_on, joined, stages
from unetscope.wording import harmless

_SAME_LEVEL = 0.65
"""Sizes of one level, each dim to that of the largest: convolutions without padding lose edges."""


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
        blocks = [block._replace(**cost._asdict()) for block, cost in pairs]
    if detail != "block":
        from unetscope.drawing.layers import Inside

        inside = Inside(network, names or {}, functions=detail == "op")
        stages_of = zip(blocks, runs, strict=True)
        blocks = [block._replace(rows=inside.rows(stage.calls)) for block, stage in stages_of]
    several = bool(network.trace.skips) and in_a_row(network) > 1
    if several:  # the parts are those of one UNet
        blocks = [block._replace(part="") for block in blocks]
    arcs = _arcs(network, runs)
    steering = [control.call for control in controls(network)]
    trace = network.trace
    return Figure(
        tuple(blocks),
        arcs,
        sizes,
        NoU.SEVERAL if several else why_no_u(blocks, arcs),
        trace.total_params if costs else 0,
        trace.total_macs if costs else 0,
        _paths(network, _beside(network, runs, steering), names or {}),
        frozenset(_handed(network, runs)),
        heat,
        sum(s.nbytes for s in trace.storages if not s.resident) if costs else 0,
        _paths(network, steering, names or {}),
    )


def _arcs(network: Network, runs: Sequence[Stage]) -> tuple[Arc, ...]:
    """The skips, from box to box; without boxes there are none."""
    out = set(stack_use(network).out_of_order)
    pairs = ends(network, [stage.calls for stage in runs])
    return tuple(
        Arc(skip.push, *pair, map_shape(network, skip.value), skip in out)
        for skip, pair in zip(network.trace.skips, pairs, strict=False)
    )


def _handed(network: Network, runs: Sequence[Stage]) -> Iterator[int]:
    """The boxes that are given what the box before returns."""
    for at, (before, stage) in enumerate(pairwise(runs), 1):
        if hands_on(network, before.calls, stage.calls):
            yield at


def _beside(network: Network, runs: Sequence[Stage], steering: Sequence[int]) -> list[int]:
    """The blocks that are not drawn, nor hold what is, nor are in what steers the UNet."""
    told = {call for stage in runs for call in stage.calls}
    told |= {call for around in steering for call in network.below(around)}
    return [call for call in network.blocks if told.isdisjoint(network.below(call))]


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
    return prod(size), size


def _same(size: Dims, largest: Dims) -> bool:
    pairs = zip(size, largest, strict=False)
    return len(size) == len(largest) and all(one >= _SAME_LEVEL * most for one, most in pairs)


def _blocks(
    network: Network,
    runs: Sequence[Stage],
    levels: Sequence[int],
    names: Mapping[str, str],
) -> list[Block]:
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
    return found


def _name(paths: Sequence[str]) -> str:
    """One name for several calls: `downs.0.*` in one entry of a list, else the first and last."""
    distinct = list(dict.fromkeys(paths))
    if len(distinct) == 1:
        return harmless(distinct[0] or "(root)")
    first, last = distinct[0], distinct[-1]
    above, other = (path.rpartition(".")[0] for path in (first, last))
    if above == other and above.rpartition(".")[2].isdigit():
        return harmless(f"{above}.*")
    return harmless(joined(first, last))
