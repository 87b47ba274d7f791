"""The calls of one pass: the tree that they form, what they do, and which of them are blocks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from unetscope.analysis.graph import Graph
from unetscope.analysis.maps import samples
from unetscope.analysis.ways import MapFlow
from unetscope.ops import OpKind
from unetscope.record import ModuleRecord, Op, SkipEvent, Step, TensorSpec, Trace

_MOST_RESOLUTIONS = 2
"""The parts of one block return maps at the resolution of its level and at that of the next."""

_STRIDE = re.compile(r"(?<!\w)stride=(?:\((?:1, )*)?(?!1\b)\d")
"""A stride other than 1 in any dim, among the arguments of a function."""


class Network:
    """A trace with its tree of calls; `graph` is its data flow.

    A call is named by its index in `trace.steps`, a value by its index in `trace.values`. A *block*
    is a child call of the module in whose body the skips are joined, that is, of the
    innermost call that holds every push and every join; the root where nothing is joined. Where
    such a child holds several levels, as segmentation-models-pytorch's `encoder` and MONAI's nested
    skip modules do, its child calls are blocks instead: a block works at one level, and takes a
    feature map at one resolution and returns it at the same or the next.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._resnets: dict[int, bool] = {}
        self.modules: dict[str, ModuleRecord] = {module.path: module for module in trace.modules}
        self.children: list[list[int]] = [[] for _ in trace.steps]
        self.ops: list[list[int]] = [[] for _ in trace.steps]
        for index, step in enumerate(trace.steps):
            if step.parent is not None:
                self.children[step.parent].append(index)
        for index, op in enumerate(trace.ops):
            if op.step is not None:
                self.ops[op.step].append(index)

    @cached_property
    def starts(self) -> list[int]:
        """When each call began, in order."""
        return [step.start for step in self.trace.steps]

    @cached_property
    def clocks_by_name(self) -> dict[tuple[int, str], list[int]]:
        """When the functions of one name ran in the body of a call, in order."""
        found: dict[tuple[int, str], list[int]] = {}
        for op in self.trace.ops:
            if op.step is not None:
                found.setdefault((op.step, op.name), []).append(op.clock)
        return found

    @cached_property
    def graph(self) -> Graph:
        """The data flow of the pass."""
        return Graph(self.trace)

    # What a call is

    def step(self, call: int) -> Step:
        """The record of a call."""
        return self.trace.steps[call]

    def path(self, call: int) -> str:
        """The path of the module that was called."""
        return self.trace.steps[call].module

    def module(self, call: int) -> ModuleRecord:
        """The module that was called."""
        return self.modules[self.trace.steps[call].module]

    def below(self, call: int) -> range:
        """The calls during a call, itself first; they follow each other in the trace."""
        last = call
        while self.children[last]:
            last = self.children[last][-1]
        return range(call, last + 1)

    def spec(self, value: int) -> TensorSpec:
        """Shape and dtype of a value."""
        return self.trace.values[value].spec

    # Feature maps

    @cached_property
    def sample(self) -> int | None:
        """The input that is worked on, the first of the highest rank; None if nothing goes in."""
        return next(iter(samples(self.trace)), None)

    def of_sample(self, value: int) -> bool:
        """Whether a value was computed from the sample, or may have been."""
        return self._of_sample[value]

    @cached_property
    def _of_sample(self) -> list[bool]:
        known = set(samples(self.trace))
        found: list[bool] = []
        for value in range(len(self.trace.values)):
            content = self.graph.content(value)
            found.append(value in known or any(found[parent] for parent in content))
        return found

    @cached_property
    def flow(self) -> MapFlow:
        """The data flow between the feature maps alone."""
        return MapFlow(self.graph)

    @cached_property
    def rank(self) -> int:
        """The number of dims of feature maps, which tells them from vectors and tokens.

        It is that of most tensors that skips are joined to, since a video `(B, C, F, H, W)` may be
        worked on as so many images, and what is pushed may be tokens; without skips it is the
        sample's, and one more where that holds indices, since what they mean has channels; 0
        without a sample.
        """
        ranks = [len(self.spec(skip.onto).shape) for skip in self.trace.skips]
        if not ranks and self.sample is not None:
            ranks = [len(self.spec(self.sample).shape) + self._is_of_indices(self.sample)]
        return max(ranks, key=ranks.count, default=0)

    def _is_of_indices(self, value: int) -> bool:
        kinds = (self.graph.kinds[at] for at, op in enumerate(self.trace.ops) if value in op.inputs)
        return OpKind.EMBEDDING in kinds

    def is_map(self, value: int) -> bool:
        """Whether a value is a feature map `(B, C, *spatial)`."""
        return self.rank >= 3 and len(self.spec(value).shape) == self.rank

    def main_input(self, call: int) -> int | None:
        """The first feature map that a call is given; None if there is none."""
        return next((a.value for a in self.step(call).inputs if self.is_map(a.value)), None)

    def main_output(self, call: int) -> int | None:
        """The first feature map that a call returns; None if there is none."""
        return next((value for value in self.step(call).outputs if self.is_map(value)), None)

    def size(self, value: int) -> tuple[int, ...]:
        """The spatial dims of a feature map."""
        return self.spec(value).shape[2:]

    def resamples(self, call: int) -> bool:
        """Whether a call returns its feature map at another resolution.

        Another width of channels that lie last is none, nor is the edge that convolutions without
        padding lose.
        """
        given, made = self.main_input(call), self.main_output(call)
        if given is None or made is None or self.size(given) == self.size(made):
            return False
        if self.flow.resolution(given) == self.flow.resolution(made):
            return False
        return not self._only_trims(call)

    def _only_trims(self, call: int) -> bool:
        """Whether all that changes sizes during a call are convolutions that leave out no place."""
        changing = [
            op
            for inner in self.below(call)
            for op in self.ops[inner]
            if (before := self._sizes(self.trace.ops[op].inputs[:1]))
            and before != self._sizes(self.trace.ops[op].outputs)
        ]
        return bool(changing) and all(
            self.graph.kinds[op] is OpKind.CONVOLUTION and self.slides(self.trace.ops[op])
            for op in changing
        )

    def _sizes(self, values: Sequence[int]) -> list[tuple[int, ...]]:
        return [self.size(value) for value in values if self.is_map(value)]

    @staticmethod
    def slides(op: Op) -> bool:
        """Whether a convolution goes on by single places; a transposed one is never said to."""
        return "transpose" not in op.name and _STRIDE.search(op.detail) is None

    # What a call does

    def attends(self, call: int) -> bool:
        """Whether attention is computed during a call."""
        return call in self._attending

    @cached_property
    def _attending(self) -> set[int]:
        found: set[int] = set()
        for op, kind in zip(self.trace.ops, self.graph.kinds, strict=True):
            call = op.step if kind in (OpKind.ATTENTION, OpKind.SOFTMAX) else None
            while call is not None and call not in found:
                found.add(call)
                call = self.step(call).parent
        return found

    def convolutions(self, call: int) -> list[int]:
        """The calls of convolution layers during a call, in order."""
        return [c for c in self.below(call) if "Conv" in self.module(c).kind and self._is_leaf(c)]

    def first_layer(self, call: int) -> tuple[str, tuple[int, int]] | None:
        """The first convolution during a call, or else its first linear layer.

        Returns:
            Its path and its channels, in and out; None if the call runs no such layer.
        """
        for given, made in (("in_channels", "out_channels"), ("in_features", "out_features")):
            for inner in self.below(call):
                settings = self.module(inner).attributes
                before, after = settings.get(given), settings.get(made)
                if self._is_leaf(inner) and isinstance(before, int) and isinstance(after, int):
                    return self.path(inner), (before, after)
        return None

    def is_resnet(self, call: int) -> bool:
        """Whether a call has two convolutions or more, a shortcut around some, and no attention.

        The shortcut ends in a sum in the call's own body; a sum with an embedding is none, nor is
        one of two inputs, as in a gate.
        """
        known = self._resnets.get(call)
        if known is None:
            known = self._resnets[call] = self._is_resnet(call)
        return known

    def _is_resnet(self, call: int) -> bool:
        if self.attends(call) or len(self.convolutions(call)) < 2 or not self.children[call]:
            return False
        sums = (op for op in self.ops[call] if self.graph.kinds[op] is OpKind.SUM)
        return any(self._is_shortcut(call, self.trace.ops[op]) for op in sums)

    def _is_shortcut(self, call: int, op: Op) -> bool:
        """Whether a sum adds what was computed from a feature map in a call to that map."""
        if len(op.inputs) < 2:
            return False
        one, other = ([*self.graph.back_inside(call, value)] for value in op.inputs[:2])
        before = self.step(call).start
        maps = {
            value
            for value in one
            if self.is_map(value) and (self.graph.born(value) < before or value in op.inputs)
        }
        return not maps.isdisjoint(other)

    def is_transformer(self, call: int) -> bool:
        """Whether a call computes attention, with a feed-forward or not, and holds no ResNets."""
        return self.attends(call) and not any(map(self.is_resnet, self.below(call)))

    def is_plain_attention(self, call: int) -> bool:
        """Whether a transformer is attention alone, without the feed-forward that makes it one.

        What works on a text or a time before it is attended to is no feed-forward.
        """
        given = self.main_input(call)
        return self.is_transformer(call) and not any(
            given is None or given in self.graph.back_inside(call, self.trace.ops[op].inputs[0])
            for inner in self.below(call)
            for op in self.ops[inner]
            if self.graph.kinds[op] is OpKind.ACTIVATION
        )

    def units(self, call: int) -> list[int]:
        """The ResNets, transformers and resamplers that a block consists of, in order."""
        found = []
        for child in self.children[call]:
            if self.is_resnet(child) or self.is_transformer(child) or self.resamples(child):
                found.append(child)
            else:
                found += self.units(child)
        return found

    def units_of(self, blocks: Iterable[int]) -> Iterator[int]:
        """The units of several blocks; a block that is one, or has none, stands for itself."""
        for block in blocks:
            single = self.is_resnet(block) or self.is_transformer(block)
            yield from [block] if single else self.units(block) or [block]

    def _is_leaf(self, call: int) -> bool:
        return not self.children[call]

    # Skips

    def join(self, skip: SkipEvent) -> Op:
        """The function that joined a skip."""
        return self.trace.ops[skip.op]

    @cached_property
    def pushed(self) -> tuple[int, ...]:
        """The values that are joined at any time, in the order of their making."""
        return tuple(sorted({skip.value for skip in self.trace.skips}))

    @cached_property
    def pushes(self) -> frozenset[int]:
        """The same, to ask whether a value is one."""
        return frozenset(self.pushed)

    def consumer(self, skip: SkipEvent) -> int | None:
        """The first call that takes what a skip was joined to; the outermost if several do."""
        join = self.join(skip)
        if join.step is None:
            return None
        siblings = self.children[join.step]
        after = bisect_right(siblings, join.clock, key=lambda call: self.step(call).start)
        if after == len(siblings):
            return None
        taken = self.step(siblings[after]).inputs
        return siblings[after] if any(each.value in join.outputs for each in taken) else None

    def before_join(self, value: int) -> int:
        """The value that a skip was joined onto, if `value` is the result; else `value` itself."""
        return self.joined.get(value, value)

    @cached_property
    def skips_at(self) -> dict[int, dict[int, int]]:
        """The values that were pushed, by the function that joins them and the place there."""
        found: dict[int, dict[int, int]] = {}
        for skip in self.trace.skips:
            found.setdefault(skip.op, {})[skip.operand] = skip.value
        return found

    @cached_property
    def joined(self) -> dict[int, int]:
        """What a skip was joined to, with it, by the result; the value that it was joined onto."""
        onto: dict[int, int] = {}
        for skip in self.trace.skips:
            for value in self.join(skip).outputs:
                onto.setdefault(value, skip.onto)
        return onto

    @cached_property
    def join_clocks(self) -> list[int]:
        """When skips were joined, in order."""
        return sorted(self.join(skip).clock for skip in self.trace.skips)

    @cached_property
    def push_clocks(self) -> list[int]:
        """When what is pushed was made, in order."""
        return sorted(map(self.graph.born, self.pushed))

    def joins_in(self, call: int) -> bool:
        """Whether a skip is joined in a call."""
        step = self.step(call)
        return any_within(self.join_clocks, step.start, step.end or step.start)

    def takes_join(self, call: int) -> bool:
        """Whether a call is given what a skip was joined to."""
        return any(argument.value in self.joined for argument in self.step(call).inputs)

    @cached_property
    def trunk(self) -> int | None:
        """The call in whose body the skips are joined: its child calls are the blocks."""
        if not self.trace.steps:
            return None
        return self.common(
            *(self.join(skip).step for skip in self.trace.skips),
            *map(self.made_in, self.pushed),
        )

    def made_in(self, value: int) -> int | None:
        """The call in whose body a value was made; None for what was there before the pass."""
        call, op = self.graph.producer(value), self.graph.op(value)
        if call is not None:
            return self.step(call).parent
        return None if op is None else op.step

    def common(self, *calls: int | None) -> int:
        """The innermost call that holds all of these or is one of them; the root for none."""
        chains = [self.holding(call) for call in calls if call is not None]
        common = 0
        for level in zip(*chains, strict=False):
            if len(set(level)) > 1:
                break
            common = level[0]
        return common

    @cached_property
    def beside(self) -> tuple[int, ...]:
        """The calls beside the trunk, in order: other child calls of the calls that hold it."""
        chain = set(self.holding(self.trunk))
        return tuple(
            call
            for call, step in enumerate(self.trace.steps)
            if step.parent in chain and step.parent != self.trunk and call not in chain
        )

    @cached_property
    def blocks(self) -> tuple[int, ...]:
        """The blocks, in order: the child calls of the trunk, or of those that hold blocks."""
        return () if self.trunk is None else tuple(_blocks_inside(self, self.trunk))

    def holding(self, call: int | None) -> list[int]:
        """The calls from the root down to one, itself the last; none for None."""
        chain: list[int] = []
        while call is not None:
            chain.append(call)
            call = self.trace.steps[call].parent
        return chain[::-1]


def any_within(clocks: Sequence[int], start: int, end: int) -> bool:
    """Whether one of some ordered clocks lies between two others."""
    place = bisect_right(clocks, start)
    return place < len(clocks) and clocks[place] < end


def _blocks_inside(network: Network, call: int) -> Iterator[int]:
    """The blocks that ran during a call, in order: its child calls, or what those hold."""
    for child in network.children[call]:
        if network.trace.skips and network.children[child] and _holds_blocks(network, child):
            yield from _blocks_inside(network, child)
        else:
            yield child


def _holds_blocks(network: Network, call: int) -> bool:
    """Whether a call works at several levels, so that its child calls are blocks."""
    sizes = {
        network.size(value)
        for child in network.children[call]
        for value in network.step(child).outputs
        if network.is_map(value) and max(network.size(value)) > 1  # a global average is no level
    }
    return len(sizes) > _MOST_RESOLUTIONS or _holds_a_skip(network, call)


def _holds_a_skip(network: Network, call: int) -> bool:
    """Whether a skip is popped during a call that was pushed during it or is its own input."""
    step = network.step(call)
    end = step.end or network.join(network.trace.skips[-1]).clock + 1
    given = network.main_input(call)
    return any(
        step.start < network.join(skip).clock < end
        and (skip.value == given or step.start < network.graph.born(skip.value))
        and skip.value != skip.onto
        for skip in network.trace.skips
    )
