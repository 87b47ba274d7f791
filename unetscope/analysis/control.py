"""What steers a UNet from beside it: ControlNets and adapters, found by what becomes of their maps.

A ControlNet's maps are added to skips on their way from the push to the join and to the middle
("Adding Conditional Control to Text-to-Image Diffusion Models", 2023), an adapter's to features
of the encoder before the push ("T2I-Adapter", 2023). Each is a call beside the trunk, or a call of
several levels in its body, and what is called for it alone belongs to it. Two encoders whose blocks
alternate, as ControlNet-XS runs them, are no such call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unetscope.analysis.network import Network
from unetscope.analysis.skips import added
from unetscope.ops import OpKind

CONTROLNET, ADAPTER = "controlnet", "adapter"
"""The parts beside the five of a UNet that steer it."""


@dataclass(frozen=True)
class Control:
    """One call that steers the UNet.

    Attributes:
        call: which.
        part: `CONTROLNET` or `ADAPTER`.
        added: the tensors that are added to the UNet's features, in the order of the sums.
        pushes: those skips, by push, to which they are added on the way.
    """

    call: int
    part: str
    added: tuple[int, ...] = ()
    pushes: tuple[int, ...] = ()


def controls(network: Network) -> tuple[Control, ...]:
    """What steers a UNet, in the order of the calls; nothing where no skip is joined."""
    candidates = tuple(_candidates(network))
    if not candidates:
        return ()
    sums = _sums(network, candidates)
    found = {}
    encoded = max(map(network.graph.born, network.pushed))
    for call, values in sums.items():
        pushes = _pushes(network, tuple(values))
        late = pushes or max(values.values()) > encoded
        found[call] = Control(call, CONTROLNET if late else ADAPTER, tuple(values), pushes)
    for call in reversed(network.beside):
        reader = None if call in found else _only_reader(network, call, found)
        if reader is not None:
            found[call] = Control(call, found[reader].part)
    return tuple(found[call] for call in sorted(found))


def parts_beside(network: Network) -> dict[str, str]:
    """The part of each module, by path, whose calls steer the UNet."""
    return {network.path(control.call): control.part for control in controls(network)}


def own_blocks(network: Network) -> tuple[int, ...]:
    """The UNet's blocks, without those of what steers it from within its body."""
    inside = {call for control in controls(network) for call in network.below(control.call)}
    return tuple(block for block in network.blocks if block not in inside)


def steering_blocks(network: Network) -> tuple[int, ...]:
    """The blocks of what steers the UNet: its child calls, or theirs if they return many levels."""
    calls = (control.call for control in controls(network))
    return tuple(block for call in calls for block in _blocks_of(network, call))


def blocks(network: Network) -> tuple[int, ...]:
    """The blocks of the UNet and of what steers it, in the order of the calls."""
    return tuple(sorted((*own_blocks(network), *steering_blocks(network))))


def _candidates(network: Network) -> Iterator[int]:
    """The calls that may steer: they return maps that are not all that the trunk works on."""
    if network.trunk is None or not network.trace.skips:
        return
    graph = network.graph
    sample = network.main_input(network.trunk)
    last = max(network.join(skip).clock for skip in network.trace.skips)
    for call in network.beside:
        maps = [value for value in network.step(call).outputs if network.is_map(value)]
        before = sample is not None and not any(
            value == sample or graph.descends(sample, value) for value in maps
        )
        if maps and before and network.step(call).start < last:
            yield call
    pushed, first = network.pushed, network.pushed[0]
    for call in network.children[network.trunk]:
        step = network.step(call)
        sizes = {network.size(value) for value in step.outputs if network.is_map(value)}
        end = step.end or step.start
        if (
            len(sizes) > 1
            and not any(step.start < graph.born(value) <= end for value in pushed)
            and not any(step.start < network.join(skip).clock < end for skip in network.trace.skips)
            and not any(
                argument.value == first or graph.descends(argument.value, first)
                for argument in step.inputs
            )
        ):
            yield call


def _sums(network: Network, candidates: tuple[int, ...]) -> dict[int, dict[int, int]]:
    """For each candidate the values, made of its results alone, that are added to the UNet's maps.

    Each with the clock of its sum. Only sums before the last join count: what is added to the
    output steers nothing.
    """
    graph, trace = network.graph, network.trace
    inside = {call: candidate for candidate in candidates for call in network.below(candidate)}
    outputs = {v: c for c in candidates for v in network.step(c).outputs if network.is_map(v)}
    trunk = set() if network.trunk is None else set(network.below(network.trunk))
    last = max(network.join(skip).clock for skip in trace.skips)
    of: dict[int, frozenset[int]] = {value: frozenset((c,)) for value, c in outputs.items()}
    own = {argument.value for argument in network.step(network.trunk or 0).inputs} - outputs.keys()
    found: dict[int, dict[int, int]] = {}
    for index, op in enumerate(trace.ops):
        if op.step in inside or op.clock > last:
            continue
        steering = [value for value in op.inputs if value in of]
        others = [
            value
            for value in op.inputs
            if value in own and value not in of and network.spec(value).numel > 1
        ]
        if steering and not others:
            for value in op.outputs:
                of[value] = frozenset().union(*(of[each] for each in steering))
            continue
        if others or op.step in trunk:
            own.update(op.outputs)
        if graph.kinds[index] is OpKind.SUM and any(map(network.is_map, others)):
            for value in steering:
                for candidate in of[value]:
                    found.setdefault(candidate, {})[value] = op.clock
    return found


def _pushes(network: Network, values: tuple[int, ...]) -> tuple[int, ...]:
    """The skips, by push, to which any of some values are added on the way."""
    given = set(values)
    skips = network.trace.skips
    found = {s.push for s in skips if not given.isdisjoint(added(network.graph, s))}
    return tuple(sorted(found))


def _only_reader(network: Network, call: int, known: dict[int, Control]) -> int | None:
    """The first of what steers that reads a call's results, if nothing else reads them."""
    around = {inner: outer for outer in known for inner in network.below(outer)}
    own = set(network.below(call))
    waiting, first = list(network.step(call).outputs), None
    for value in waiting:  # which grows meanwhile
        for reader in network.graph.readers[value]:
            op = network.trace.ops[reader]
            if op.step in around:
                first = around[op.step] if first is None else first
            elif op.step in own:
                continue
            elif op.step is not None and network.trunk in network.below(op.step):
                waiting += [made for made in op.outputs if made not in waiting]
            else:
                return None
    return first


def _blocks_of(network: Network, call: int) -> Iterator[int]:
    """The child calls of a call, or theirs where one returns maps at more than two resolutions."""
    if not network.children[call]:
        yield call
    for child in network.children[call]:
        made = network.step(child).outputs
        if len({network.size(value) for value in made if network.is_map(value)}) > 2:
            yield from _blocks_of(network, child)
        else:
            yield child
