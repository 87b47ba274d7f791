"""Which feature maps a network makes on its way down, at the bottom, and on its way back up.

The skips tell it: what leads to a push is the encoder's, what was computed from a join the
decoder's. What is neither is sorted by resolution, as is all in a network without skips.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from unetscope.analysis.network import Network
from unetscope.ops import OpKind
from unetscope.record import SkipEvent

ENCODER, BOTTOM, DECODER = "encoder", "bottom", "decoder"
PARTS = (ENCODER, BOTTOM, DECODER)

_KEEPING = (
    *(OpKind.MATRIX_PRODUCT, OpKind.ATTENTION, OpKind.SOFTMAX, OpKind.JOIN, OpKind.REDUCTION),
    *(OpKind.SUM, OpKind.PRODUCT, OpKind.POINTWISE, OpKind.ACTIVATION, OpKind.NORM),
    *(OpKind.COPY, OpKind.CAST, OpKind.DROPOUT),
)
"""What no network goes down or up by."""

Place = tuple[str | None, int]
"""A part, None where a network has none, and the highest resolution of the level in it."""


def places(network: Network) -> dict[int, Place]:
    """The place of the feature maps that the pass made, in the order of their making.

    One whose positions and channels are mixed, as on the way to fewer positions with more channels,
    has none.
    """
    flow = network.flow
    values = [
        value
        for value, known in enumerate(flow.maps)
        if known is not None and network.trace.values[value].op is not None
    ]
    resolutions = _resolutions(network)
    parts = _parts(network, values, resolutions, spanning(network))
    found: dict[int, Place] = {}
    for part in dict.fromkeys(parts.values()):
        inside = [value for value in values if parts[value] == part]
        levels = _levels(network, inside, resolutions)
        found |= {v: (part, levels[v]) for v in inside if channels_at(network, v)}
    return dict(sorted(found.items()))


def channels_at(network: Network, value: int) -> tuple[int, ...]:
    """The dims of a map that its channels are spread over; none where that is not known."""
    known = network.flow.maps[value]
    return () if known is None else known.channels


def spanning(network: Network) -> list[SkipEvent]:
    """The skips that span the network, and not only one of several blocks with skips of their own.

    Starting where all skips meet, they are followed into nested modules, as MONAI nests its levels;
    where skips begin and end inside each of several modules beside each other, those are no levels
    but small UNets, as in U2-Net.
    """
    groups: dict[int, list[SkipEvent]] = {}
    for skip in network.trace.skips:
        call = network.common(network.join(skip).step, network.made_in(skip.value))
        groups.setdefault(call, []).append(skip)
    found, inside = [], sorted(groups)
    while inside:
        outermost = [
            call for call in inside if not set(network.holding(call)[:-1]).intersection(inside)
        ]
        if len(outermost) > 1:
            break
        found += groups[outermost[0]]
        inside.remove(outermost[0])
    return found


def _parts(
    network: Network,
    values: Sequence[int],
    resolutions: Mapping[int, int],
    skips: Sequence[SkipEvent],
) -> dict[int, str | None]:
    """The part of every map; None for all where nothing comes back up."""
    flow = network.flow
    if not skips and network.trace.skips:
        return dict.fromkeys(values)
    joined = {value for skip in skips for value in network.join(skip).outputs}
    up = _onwards(flow.ways, values, joined)
    pushed = {flow.handed[skip.value] for skip in skips} - up
    down = _backwards(flow.ways, values, pushed) - up
    rest = [value for value in values if value not in up and value not in down]
    levels = _levels(network, rest, resolutions)
    lowest = levels[min(rest, key=resolutions.__getitem__)] if rest else 0
    bottom = {value for value in rest if levels[value] == lowest}
    risen = _onwards(flow.ways, values, bottom)
    led = _backwards(flow.ways, values, bottom)

    def part(value: int) -> str:
        if value in bottom:
            return BOTTOM
        if value in up or (value in risen and value not in down):
            return DECODER
        if value in down or value in led or not skips:
            return ENCODER
        return DECODER  # what works on skips on their way

    found: dict[int, str | None] = {value: part(flow.handed[value]) for value in values}
    return found if skips or DECODER in found.values() else dict.fromkeys(values)


def _onwards(
    ways: Sequence[tuple[int, ...]], values: Iterable[int], start: Iterable[int]
) -> set[int]:
    """Some maps and those that were computed from them."""
    found = set(start)
    for value in values:
        if not found.isdisjoint(ways[value]):
            found.add(value)
    return found


def _backwards(
    ways: Sequence[tuple[int, ...]], values: Sequence[int], start: Iterable[int]
) -> set[int]:
    """Some maps and those that they were computed from."""
    found = set(start)
    for value in reversed(values):
        if value in found:
            found.update(ways[value])
    return found


def _resolutions(network: Network) -> dict[int, int]:
    """The resolution of every map, which layers, pooling and the like change.

    What attention makes on its way, such as products of tokens or keys with some more beside them,
    counts at the resolution of what it was made from.
    """
    flow, found = network.flow, dict[int, int]()
    for value, known in enumerate(flow.maps):
        if known is None:
            continue
        given = [v for v in (*flow.ways[value], flow.handed[value]) if v in found]
        alike = [v for v in given if flow.resolution(v) == known.resolution]
        if alike:
            found[value] = found[alike[0]]
        elif not given or network.graph.kind(value) not in _KEEPING:
            found[value] = known.resolution
        else:
            found[value] = max(found[v] for v in given)
    return found


def _levels(
    network: Network, values: Sequence[int], resolutions: Mapping[int, int]
) -> dict[int, int]:
    """Of some maps the highest resolution of their level.

    Convolutions without padding lose an edge, padding adds one: what they make is at the level of
    what they were given.
    """
    flow, inside = network.flow, set(values)
    above: dict[int, int] = {}

    def top(resolution: int) -> int:
        while (higher := above.setdefault(resolution, resolution)) != resolution:
            resolution = higher
        return resolution

    for value in values:
        op = network.graph.op(value)
        assert op is not None
        slides = network.graph.kind(value) is OpKind.CONVOLUTION and network.slides(op)
        if not slides and "pad" not in op.name:
            continue
        for before in inside.intersection(flow.ways[value]):
            if not channels_at(network, before):  # positions may have become channels
                continue
            lower, higher = sorted((top(resolutions[value]), top(resolutions[before])))
            above[lower] = higher
    return {value: top(resolutions[value]) for value in values}
