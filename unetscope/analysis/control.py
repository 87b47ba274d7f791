"""What steers a UNet from beside it: ControlNets and adapters, found by what becomes of their maps.

A ControlNet's maps are added to skips on their way from the push to the join and to the middle
("Adding Conditional Control to Text-to-Image Diffusion Models", 2023), an adapter's to features
of the encoder before the push ("T2I-Adapter", 2023). Each is a call beside the trunk, or a call of
several levels in its body, and what is called for it alone belongs to it, before it or after. Two
encoders whose blocks alternate, as ControlNet-XS runs them, are no such call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from unetscope.analysis.network import Network, any_within
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


_FOUND: WeakKeyDictionary[Network, tuple[Control, ...]] = WeakKeyDictionary()


def controls(network: Network) -> tuple[Control, ...]:
    """What steers a UNet, in the order of the calls; nothing where no skip is joined.

    Nor of a pass that failed: encoders whose skips were still to be joined would look alike.
    """
    if network not in _FOUND:
        _FOUND[network] = tuple(_controls(network))
    return _FOUND[network]


def _controls(network: Network) -> list[Control]:
    level = _level(network)
    candidates = _candidates(network, level)
    if not candidates:
        return []
    flow = _Flow(network, candidates)
    encoded = max(map(network.graph.born, network.pushed))
    found = {}
    for call, values in flow.sums.items():
        pushes = _pushes(network, tuple(values))
        late = pushes or max(values.values()) > encoded
        found[call] = Control(call, CONTROLNET if late else ADAPTER, tuple(values), pushes)
    inside = {inner for call in candidates for inner in network.below(call)}
    for call in level:
        source = None if call in inside else flow.only_source(call)
        if source in found:
            found[call] = Control(call, found[source].part)
    for call in reversed(level):
        reader = None if call in found else _only_reader(network, call, found)
        if reader is not None:
            found[call] = Control(call, found[reader].part)
    held = {inner for call in found for inner in network.below(call)[1:]}
    return [found[call] for call in sorted(found) if call not in held]


def _level(network: Network) -> tuple[int, ...]:
    """The calls beside the trunk and in it, down to the blocks, in order."""
    inside = {call for block in network.blocks for call in network.holding(block)}
    return tuple(sorted({*network.beside, *inside} - {*network.holding(network.trunk)}))


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


def _candidates(network: Network, level: tuple[int, ...]) -> list[int]:
    """The calls that may steer: they return maps that are not all that the trunk works on."""
    trace = network.trace
    if network.trunk is None or not trace.skips or trace.failure is not None:
        return []
    found: list[int] = []
    taken: set[int] = set()
    for call in level:
        may = _may_steer_beside if call in network.beside else _may_steer_inside
        if call not in taken and may(network, call):
            found.append(call)
            taken.update(network.below(call))
    return found


def _may_steer_beside(network: Network, call: int) -> bool:
    """Whether a call beside the trunk returns maps of which the trunk's main input is not made."""
    graph, sample = network.graph, network.main_input(network.trunk or 0)
    maps = [value for value in network.step(call).outputs if network.is_map(value)]
    return bool(maps) and not any(
        sample is None or value == sample or graph.descends(sample, value) for value in maps
    )


def _may_steer_inside(network: Network, call: int) -> bool:
    """Whether a call in the trunk returns maps at several resolutions, and holds no push or join.

    It may be given what is pushed first, as the sample is where it is added to the output.
    """
    graph, step = network.graph, network.step(call)
    end = step.end or step.start
    sizes = {network.size(value) for value in step.outputs if network.is_map(value)}
    later = network.pushed[1:2]
    return (
        len(sizes) > 1
        and not any_within(network.push_clocks, step.start, end + 1)
        and not any_within(network.join_clocks, step.start, end + 1)
        and not any(
            (argument.value in network.pushes and argument.value != network.pushed[0])
            or graph.descends(argument.value, value)
            for argument in step.inputs
            for value in later
        )
    )


class _Flow:
    """What becomes of the maps that candidates return.

    Attributes:
        made_of: by value the candidates of whose maps alone it was made.
        sums: by candidate the values made of its maps alone that are added to the UNet's, each with
            the clock of its sum. Only sums before the last join count: what is added to the output
            steers nothing.
    """

    def __init__(self, network: Network, candidates: Sequence[int]) -> None:
        self._network = network
        self.made_of: dict[int, frozenset[int]] = {
            value: frozenset((call,))
            for call in candidates
            for value in network.step(call).outputs
            if network.is_map(value)
        }
        self.sums: dict[int, dict[int, int]] = {}
        trunk = network.trunk or 0
        inside = {inner for call in candidates for inner in network.below(call)}
        in_trunk = set(network.below(trunk))
        last = network.join_clocks[-1]
        own = {argument.value for argument in network.step(trunk).inputs} - self.made_of.keys()
        for index, op in enumerate(network.trace.ops):
            if op.step in inside or op.clock > last:
                continue
            given = [value for value in op.inputs if value in self.made_of]
            others = [v for v in op.inputs if v in own and network.spec(v).numel > 1]
            if given and not others:
                whole = frozenset().union(*(self.made_of[value] for value in given))
                self.made_of |= dict.fromkeys(op.outputs, whole)
                continue
            if others or op.step in in_trunk:
                own.update(op.outputs)
            if network.graph.kinds[index] is OpKind.SUM and any(map(network.is_map, others)):
                for value in given:
                    for candidate in self.made_of[value]:
                        self.sums.setdefault(candidate, {})[value] = op.clock

    def only_source(self, call: int) -> int | None:
        """The first candidate of whose maps alone a call makes others; None if there is none."""
        step, fed = self._network.step(call), self._network.graph.fed
        given = [argument.value for argument in step.inputs if fed(argument.value)]
        if not given or not all(value in self.made_of for value in (*given, *step.outputs)):
            return None
        return min(self.made_of[given[0]])


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
