"""What lessons ask of a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod

from unetscope.analysis.anatomy import is_layer
from unetscope.analysis.attention import Attention, Reading, attentions
from unetscope.analysis.meanings import TEXT, meanings, time_inputs
from unetscope.analysis.memory import Memory
from unetscope.analysis.network import Network
from unetscope.table import Kind
from unetscope.units import spell
from unetscope.views.view import View
from unetscope.words_lessons import Lessons


@dataclass(frozen=True)
class Facts:
    """A network about which something is taught.

    Attributes:
        view: the network as it is to be shown.
        words: the language.
    """

    view: View
    words: Lessons

    @property
    def network(self) -> Network:
        """The network."""
        return self.view.network

    @cached_property
    def memory(self) -> Memory:
        """What the pass held."""
        return Memory(self.network)

    def size(self, value: int) -> str:
        """The spatial dims of a map: `64x64`."""
        return spell(self.view.dims(value)[2:], Kind.SIZE)

    def area(self, value: int) -> int:
        """The positions of a map."""
        return prod(self.network.size(value))

    def named(self, path: str) -> str:
        """A module's path in the names that are shown."""
        return self.view.names.get(path, path) or self.network.trace.name

    @cached_property
    def ends(self) -> tuple[int, int, int] | None:
        """The maps that enter the encoder, leave it, and leave the decoder; None if it has none."""
        parts, network = self.view.anatomy, self.network
        if not parts.encoder or not parts.decoder:
            return None
        entered, left = network.main_input(parts.encoder[0]), network.main_output(parts.encoder[-1])
        made = network.main_output(parts.decoder[-1])
        if entered is None or left is None or made is None:
            return None
        return entered, left, made

    @cached_property
    def levels(self) -> list[tuple[int, int, int]]:
        """The sizes at which the encoder leaves maps, largest first, and that of the middle.

        Returns:
            For each the widest map that is left, its positions and its channels.
        """
        network, widest = self.network, dict[int, int]()
        for value in filter(network.is_map, self.view.residuals):
            best = widest.setdefault(self.area(value), value)
            if network.spec(value).shape[1] > network.spec(best).shape[1]:
                widest[self.area(value)] = value
        for call in self.view.anatomy.middle:
            if (made := network.main_output(call)) is not None:
                widest.setdefault(self.area(made), made)
        return [
            (widest[area], area, network.spec(widest[area]).shape[1])
            for area in sorted(widest, reverse=True)
        ]

    @cached_property
    def halvings(self) -> list[bool]:
        """For each step to a quarter of the positions, whether the channels double."""
        steps = pairwise(self.levels)
        return [after[2] == 2 * before[2] for before, after in steps if before[1] == 4 * after[1]]

    @cached_property
    def resnets(self) -> list[int]:
        """The calls of the ResNets of the blocks."""
        parts, network = self.view.anatomy, self.network
        units = network.units_of((*parts.encoder, *parts.middle, *parts.decoder))
        return [unit for unit in units if is_layer(network, unit)]

    @cached_property
    def timed(self) -> list[int]:
        """Those that are given something that was computed from the time."""
        network = self.network
        times = {argument.value for argument in time_inputs(network)}
        return [
            call
            for call in self.resnets
            if any(
                not network.is_map(given.value)
                and not times.isdisjoint(network.graph.back(given.value))
                for given in network.step(call).inputs
            )
        ]

    @cached_property
    def attentions(self) -> tuple[Attention, ...]:
        """Every computation of attention."""
        return attentions(self.network)

    @cached_property
    def text(self) -> int | None:
        """The input that is a text's tokens, if cross-attention reads it."""
        known = zip(self.network.trace.inputs, meanings(self.network), strict=True)
        texts = [argument.value for argument, meaning in known if meaning == TEXT]
        for attention in self.attentions:
            if attention.reading is not Reading.SELF:
                read = set(self.network.graph.back(*attention.key))
                for value in texts:
                    if value in read:
                        return value
        return None

    def attends_to_all(self, within: int | None = None) -> int | None:
        """The positions of which each reads all others in a self-attention.

        Args:
            within: the call during which it runs; None: any.
        """
        network = self.network
        calls = None if within is None else network.below(within)
        for attention in self.attentions:
            if attention.reading is Reading.CROSS or (calls and attention.call not in calls):
                continue
            around: int | None = attention.call
            while around is not None and network.main_input(around) is None:
                around = network.step(around).parent
            value = None if around is None else network.main_input(around)
            tokens = attention.tokens
            if value is not None and tokens and tokens[0] == self.area(value) <= tokens[1]:
                return tokens[0]
        return None
