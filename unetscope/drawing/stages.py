"""Which calls are drawn as one box, where each works, and where skips begin and end."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from unetscope.analysis.anatomy import Anatomy, role_of
from unetscope.analysis.control import own_blocks
from unetscope.analysis.map_shapes import Size, map_size
from unetscope.analysis.network import Network

_SEVERAL = 3
"""Resolutions of what one call holds, which is then no single block."""
_A_RUN = 3
"""Calls alike in a row that are drawn as one."""


class Stage(NamedTuple):
    """Calls that are drawn as one box.

    Attributes:
        calls: in order.
        part: a field of `Anatomy`, or empty.
        size: spatial dims of the feature maps at which they work; None if they make none.
    """

    calls: tuple[int, ...]
    part: str
    size: Size | None


def stages(network: Network, parts: Anatomy) -> list[Stage]:
    """The boxes of a network, in the order of their calls."""
    part_of = {call: part for part, calls in vars(parts).items() for call in calls}
    if network.trace.skips:
        part_of |= {call: role_of(network, call) for call in _failed(network, part_of)}
    calls = sorted(part_of) if network.trace.skips else _working(network, part_of)
    runs = [(call,) for call in calls]
    busy = {calls[at] for pair in ends(network, runs) for at in pair}
    keys = [_key(network, call, part_of.get(call, ""), call in busy) for call in calls]
    groups: list[tuple[int, ...]] = []
    for key, pairs in groupby(zip(keys, calls, strict=True), lambda pair: pair[0]):
        same = tuple(call for _, call in pairs)
        one = len(same) >= _A_RUN or isinstance(key, str)
        groups += [same] if one else [(call,) for call in same]
    sizes = _sizes(network, groups)
    found = zip(groups, sizes, strict=True)
    return [Stage(same, part_of.get(same[0], ""), size) for same, size in found]


def joined(first: str, last: str) -> str:
    """One name for calls in a row, of which these are the first and the last: `blocks.0-9`."""
    if first == last:
        return first
    (above, _, start), (other, _, end) = first.rpartition("."), last.rpartition(".")
    if above == other and start.isdigit() and end.isdigit():
        return f"{above}.{start}-{end}".lstrip(".")
    return f"{first} - {last}"


def ends(network: Network, runs: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """The boxes from which each skip is pushed and in which it is popped, by index.

    What is made between two boxes is pushed by the first of them, what is joined there popped by
    the second, which is given the result. Without boxes there are none.
    """
    if not runs:
        return []
    starts = [network.step(calls[0]).start for calls in runs]

    def before(clock: int) -> int:
        return max(bisect_right(starts, clock) - 1, 0)

    found = []
    for skip in network.trace.skips:
        clock = network.join(skip).clock
        last = before(clock)
        over = network.step(runs[last][-1]).end
        inside = over is None or clock < over
        popped = last if inside else min(last + 1, len(runs) - 1)
        found.append((before(network.graph.born(skip.value)), popped))
    return found


def _failed(network: Network, drawn: Iterable[int]) -> list[int]:
    """The outermost call in which the pass stopped and that holds nothing drawn; at most one."""
    last = max(drawn, default=-1)  # whatever has not ended and began before holds it
    found = [c for c, step in enumerate(network.trace.steps) if step.end is None and c > last]
    return [call for call in found[:1] if _works(network, call)]


def _working(network: Network, part_of: dict[int, str]) -> list[int]:
    """What is drawn where nothing is joined: the blocks, or what a single one of them holds."""
    found = [call for call in own_blocks(network) if _works(network, call)]
    while len(found) == 1 and network.children[found[0]]:
        found = [call for call in network.children[found[0]] if _works(network, call)]
    if part_of:
        return sorted({*found, *part_of})
    return [inner for call in found for inner in _levels(network, call)]


def _levels(network: Network, call: int) -> Iterator[int]:
    """A call, or what it holds if that works at several levels, as an autoencoder's encoder."""
    inner = [child for child in network.children[call] if _works(network, child)]
    sizes = {
        map_size(network, value)
        for child in inner
        if (value := network.main_output(child)) is not None and max(map_size(network, value)) > 1
    }
    if len(sizes) < _SEVERAL:
        yield call
    else:
        for child in inner:
            yield from _levels(network, child)


def _works(network: Network, call: int) -> bool:
    """Whether a call returns what was computed from the sample, or was to when the pass failed."""
    step = network.step(call)
    if step.end is None:
        return any(network.of_sample(each.value) for each in step.inputs)
    return any(map(network.of_sample, step.outputs))


def _key(network: Network, call: int, part: str, busy: bool) -> Hashable:
    """What calls in a row have in common that are drawn as one.

    That is the entry of a list which they all stand in, as `downs.0` of `downs.0.1`, alone; or
    class, part and shapes, where no skip begins or ends.
    """
    path = network.path(call)
    above = path.rpartition(".")[0]
    if above.rpartition(".")[2].isdigit():
        return f"{part} {above}"
    if busy or network.step(call).end is None:
        return call
    made = network.main_output(call)
    size = None if made is None else map_size(network, made)
    if part == "exit" and network.trace.skips:
        return part, size
    given = network.main_input(call)
    shapes = [None if v is None else network.spec(v).shape for v in (given, made)]
    return part, above, network.module(call).kind, *shapes


def _sizes(network: Network, groups: Sequence[tuple[int, ...]]) -> list[Size | None]:
    """The size at which each box works: of what it joins, else pushes, else of most that it makes.

    Of as many, the first.
    """
    joined: list[list[Size]] = [[] for _ in groups]
    pushed: list[list[Size]] = [[] for _ in groups]
    for skip, (first, last) in zip(network.trace.skips, ends(network, groups), strict=False):
        pushed[first].append(map_size(network, skip.value))
        joined[last].append(map_size(network, skip.onto))
    found: list[Size | None] = []
    for at, calls in enumerate(groups):
        sizes = joined[at] or sorted(pushed[at], reverse=True) or _made(network, calls)
        found.append(Counter(sizes).most_common(1)[0][0] if sizes else None)
    return found


def _made(network: Network, calls: Sequence[int]) -> list[Size]:
    """The sizes of the feature maps that the innermost calls return; else of what they return.

    Of a call that returned nothing, as the pass stopped in it, that of what it was given.
    """
    inner = [c for call in calls for c in network.below(call) if not network.children[c]]
    found = [
        map_size(network, value)
        for call in inner
        for value in network.step(call).outputs[:1]
        if network.is_map(value)
    ]
    ends = [network.main_output(call) for call in calls]
    ends += [network.main_input(call) for call in calls if network.step(call).end is None]
    return found or [map_size(network, value) for value in ends if value is not None]


def hands_on(network: Network, calls: Sequence[int], after: Sequence[int]) -> bool:
    """Whether calls are given what earlier ones return, as it is or as functions changed it."""
    graph, start = network.graph, network.step(calls[0]).start
    made = {value for call in calls for value in network.step(call).outputs}
    given = [argument.value for argument in network.step(after[0]).inputs]
    past = graph.back(*given, along=lambda v: graph.parents[v] if graph.born(v) > start else ())
    return not made.isdisjoint(past)
