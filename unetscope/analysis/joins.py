"""Every join of a pass, in exactly one class: what was put together, and why it met.

       f ─────────── the short way ───────────▶ a ─┐
       │  (never below the join's resolution)      ├─ join
       └─ down … the long way … up ────────────▶ b ┘

A *skip* is a join of two ways from one tensor, of which the long one comes back up from a lower
resolution and the short one did not go there. The tensor where they part, a *fork*, was pushed. All
other joins are of a class of `JoinClass`. Only layers and joins make a resolution: what was pooled
and brought back without any was filtered.

The pass is walked once. For each value a set of forks, as the bits of a number, says from which of
them a way leads to it that has not been lower, and joins are classified as they are met, because
what an earlier skip brought does not count as a way of the decoder's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from unetscope.analysis.combining import Combination, Manner, combinations
from unetscope.analysis.network import Network
from unetscope.analysis.ways import UNLEARNED, MapFlow
from unetscope.ops import OpKind

_LOWER = 0.75
"""What has fewer than this share of a resolution's elements is at a lower one."""
_MOST_OPERANDS = 64
"""Nested concatenations are taken as one up to this number of operands."""


class JoinClass(Enum):
    """Why the operands of a join met. The value is the key of machine-readable output."""

    SKIP = "skip"
    """The short way of a fork meets the long one, which comes back up."""
    LONG_SKIP = "long_skip"
    """Likewise, around blocks of one resolution, as in U-ViT."""
    RESIDUAL = "residual"
    """A sum of relatives: a tensor and what was computed from it."""
    DENSE = "dense"
    """A concatenation of a tensor with what was computed from it, as in DenseNet."""
    BRANCHES = "branches"
    """Ways of equal standing meet: Inception, GEGLU, queries, keys and values."""
    GATE = "gate"
    """A product of a tensor with a weight computed from it, or a join inside such a weight."""
    EMBEDDING = "embedding"
    """What is broadcast over the map, such as the time, a parameter, or no map at all."""
    CONTEXT = "context"
    """Tensors of different origin: text, tokens, a hint."""
    OTHER = "other"
    """A function that combines maps in a way that this table does not know."""


class Skip(NamedTuple):
    """One skip that a join pops."""

    pushed: int
    """The value that was pushed."""
    operand: int
    """The value that it arrived as."""
    onto: int
    """The value that it was joined to."""
    place: int
    """The position among the function's inputs at which it arrived."""


@dataclass(frozen=True)
class Join:
    """One function that combines tensors.

    Attributes:
        op: its index in `trace.ops`.
        value: what it returns, or what holds that after a write into a part of it.
        kind: its class.
        skips: the skips that it pops.
        doubt: why the flow cannot decide; None if it can.
    """

    op: int
    value: int
    kind: JoinClass
    skips: tuple[Skip, ...] = ()
    doubt: str | None = None


def find_joins(network: Network) -> tuple[Join, ...]:
    """Every join of a pass, in the order in which they ran; its skips need not be known."""
    return tuple(_Sweep(network).joins())


_RISING = (OpKind.CONVOLUTION, OpKind.RESAMPLING, OpKind.JOIN)


class _Sweep:
    """The walk through one pass."""

    def __init__(self, network: Network) -> None:
        self._network, self._graph = network, network.graph
        self._values, self._ops = network.trace.values, network.trace.ops
        self._flow = network.flow
        self._forks = _Forks(self._flow)
        self._combined = combinations(self._flow)
        self._levels = sorted(
            {
                self._flow.resolution(value)
                for value, combined in self._combined.items()
                if self._flow.maps[value] is not None and combined.manner is not Manner.WEIGHING
            }
        )
        self._nowhere = _Sets(0, 0, 0, 0, 0, 0, [0] * len(self._levels))
        self._sets: list[_Sets | None] = [None] * len(self._values)
        self._found: dict[int, Join] = {}  # by value
        self._level: dict[tuple[int, Manner, int], list[Join]] = {}
        self._inside: dict[int, tuple[int, ...]] = {}  # operands of parts of joins, by value
        self._branching: set[int] = set()  # joins of ways that feed several resolutions
        self._operands: dict[int, list[int]] = {}  # of whole concatenations, by value

    # The walk

    def joins(self) -> list[Join]:
        """Every join, once all are known: some are understood by later ones."""
        for value, known in enumerate(self._flow.maps):
            combined = self._combined.get(value)
            if (known or combined) is None or self._flow.handed[value] != value:
                continue
            if combined is not None and not self._is_part(value, combined):
                self._found[value] = self._classify(value, combined)
            if known is not None:
                self._sets[value] = self._arrive(value, self._flow.ways[value])
        self._find_gates()
        self._find_skips_at_one_resolution()
        self._find_doubled()
        return sorted(self._found.values(), key=lambda join: join.op)

    def _arrive(self, value: int, ways: Sequence[int]) -> _Sets:
        """From which forks ways lead to a value, by what they have passed."""
        join = self._found.get(value)
        bit = self._forks.bit(value)
        if not bit and len(ways) == 1 and join is None and self._is_level(value, ways[0]):
            return self._at(ways[0])
        resolution = self._flow.resolution(value)
        ways = self._operands.get(value, ways)
        brought = {skip.operand for skip in join.skips} if join else set()
        weighing = join is not None and self._combined[value].manner is Manner.WEIGHING
        if weighing:  # what is attended to at another resolution brings no positions with it
            brought = {parent for parent in ways if self._flow.resolution(parent) != resolution}
        own = [self._at(parent) for parent in ways if parent not in brought]
        ancestors = reached = stays = risen = first = unmet = 0
        levels = [0] * len(self._levels)
        for parent in ways:
            ancestors |= self._at(parent).ancestors
        for sets in own:
            reached |= sets.own
            stays |= sets.stays
            risen |= sets.risen
            first |= sets.first
            unmet |= sets.unmet
            levels = [forks | more for forks, more in zip(levels, sets.levels, strict=True)]
        met = join is not None and len(ways) > 1 and not weighing
        lower = bisect_right(self._levels, resolution / _LOWER)
        if met or self._flow.is_layer(value):
            stays &= self._forks.below(resolution / _LOWER, inclusive=True)
            levels[lower:] = [0] * (len(levels) - lower)
        if met:
            unmet &= self._forks.below(_LOWER * resolution)
            first = 0 if brought else first & unmet
        if self._rises(value):
            risen |= stays & self._forks.below(_LOWER * resolution)
        for level in range(lower if bit else 0):
            levels[level] |= bit
        return _Sets(
            ancestors | bit, reached | bit, stays | bit, risen, first | bit, unmet | bit, levels
        )

    def _is_level(self, value: int, given: int) -> bool:
        """Whether a function of one map leaves it where all has been from which ways lead to it."""
        if not (self._flow.is_layer(value) or self._rises(value)):
            return True
        resolution, sets = self._flow.resolution(value), self._at(given)
        return not (
            sets.stays & ~self._forks.below(resolution / _LOWER, inclusive=True)
            or sets.stays & self._forks.below(_LOWER * resolution) & ~sets.risen
            or any(sets.levels[bisect_right(self._levels, resolution / _LOWER) :])
        )

    def _rises(self, value: int) -> bool:
        """Whether a function may bring a map up: what windows are padded to is no resolution."""
        op = self._values[value].op
        return op is not None and (
            self._flow.rows[op].kind in _RISING
            or self._flow.rows[op].name in ("pixel_shuffle", "setitem")
        )

    def _at(self, value: int) -> _Sets:
        return self._sets[value] or self._nowhere

    # Classes

    def _classify(self, value: int, combined: Combination) -> Join:
        op, manner, told = combined
        given = [v for v in told if self._flow.maps[v] is not None]
        maps = given
        if manner is Manner.BESIDE:
            maps = self._operands[value] = self._flattened(given)
        if len(maps) < 2:
            return Join(op, value, self._with_no_map(manner, told, maps))
        if manner is Manner.BESIDE and not self._along_channels(op, value, maps):
            return Join(op, value, JoinClass.CONTEXT)
        is_map = self._flow.maps[value] is not None and manner is not Manner.WEIGHING
        skips = self._skips(value, manner, maps) if is_map else ()
        if manner in (Manner.BESIDE, Manner.SUM):
            if skips:
                return Join(op, value, JoinClass.SKIP, skips)
            if len(given) == 2:
                self._note_level(op, value, manner, given)
        elif skips:
            return Join(op, value, JoinClass.OTHER, doubt="product")
        if value in self._branching:
            return Join(op, value, JoinClass.BRANCHES)
        return Join(op, value, self._relation(manner, maps))

    def _note_level(self, op: int, value: int, manner: Manner, maps: Sequence[int]) -> None:
        """Keep a join of a tensor with what was computed from it: it may be a skip at one level."""
        found = []
        for operand, onto in ((min(maps), max(maps)), (max(maps), min(maps))):
            ancestors = self._at(onto).ancestors
            for steps, pushed in enumerate(self._back(operand)):
                if self._forks.bit(pushed) & ancestors:
                    if pushed not in self._flow.before(onto):
                        found.append((steps, pushed, operand, onto))
                    break
        if not found:
            return
        _, pushed, operand, onto = min(found)
        # What is added may have been scaled, what is put beside added to, as by a ControlNet.
        if manner is Manner.BESIDE or pushed in self._flow.before(operand):
            skip = self._skip(value, pushed, operand, onto)
            self._level.setdefault(
                (self._common(pushed, op), manner, self._flow.resolution(operand)), []
            ).append(Join(op, value, JoinClass.LONG_SKIP, (skip,)))

    def _common(self, pushed: int, op: int) -> int:
        """The innermost call during which a value was made and joined; the root for an input."""
        made_in = self._network.made_in(pushed)
        return self._network.common(made_in or 0, self._ops[op].step or 0)

    def _is_around_calls(self, join: Join, call: int) -> bool:
        """Whether a child of a call ran as a whole between a push and a join."""
        start, end = self._graph.born(join.skips[0].pushed), self._ops[join.op].clock
        steps, children = self._network.trace.steps, self._network.children[call]
        after = bisect_right(children, start, key=lambda child: steps[child].start)
        return after < len(children) and (steps[children[after]].end or end) < end

    def _with_no_map(self, manner: Manner, told: Sequence[int], maps: Sequence[int]) -> JoinClass:
        """The class of a join of one map at most with something else."""
        if not maps:
            return JoinClass.EMBEDDING
        others = [v for v in told if v not in maps]
        if manner not in (Manner.SUM, Manner.PRODUCT):
            return JoinClass.CONTEXT
        if manner is Manner.PRODUCT and any(self._is_kin(v) for v in others):
            return JoinClass.GATE
        return JoinClass.EMBEDDING

    def _is_kin(self, value: int) -> bool:
        """Whether what is no map was computed from one, as a global average was."""
        return any(self._flow.maps[v] is not None for v in self._graph.back(value))

    def _along_channels(self, op: int, value: int, maps: Sequence[int]) -> bool:
        """Whether tensors were put beside each other along their channels, or along a new dim."""
        made = self._flow.maps[value]
        new = self._values[value].spec.shape
        if self._flow.rows[op].name == "stack" or made is None:
            return True
        if not made.channels:  # the first dim is the batch
            return len(new) < 3 or any(self._values[v].spec.shape[1:] != new[1:] for v in maps)
        shapes = [self._values[v].spec.shape for v in maps]
        return any(
            len(old) != len(new) or any(new[dim] != old[dim] for dim in made.channels)
            for old in shapes
        )

    def _is_part(self, value: int, combined: Combination) -> bool:
        """Whether a concatenation is only an operand of another one: then the two are one join."""
        maps = self._flow.ways[value]
        if len(maps) < 2 or len(self._flow.children[value]) != 1:
            return False
        outer = self._flow.children[value][0]
        around = self._combined.get(outer)
        if around is None or combined.manner != around.manner or around.manner != Manner.BESIDE:
            return False
        operands = self._flattened(maps)
        one_join = (
            len(operands) <= _MOST_OPERANDS
            and self._along_channels(combined.op, value, maps)
            and self._along_channels(around.op, outer, self._flow.ways[outer])
        )
        if one_join:
            self._inside[value] = tuple(operands)
        return one_join

    def _flattened(self, maps: Sequence[int]) -> list[int]:
        """The operands of a concatenation, those of concatenations among them in their place."""
        operands = [v for way in maps for v in self._inside.get(way, (way,))]
        return list(dict.fromkeys(operands))

    def _relation(self, manner: Manner, maps: Sequence[int]) -> JoinClass:
        """The class of a join of several maps that is no skip."""
        bits = [self._forks.bit(v) for v in maps]
        pasts = [self._at(v).ancestors & ~bit for v, bit in zip(maps, bits, strict=True)]
        past = shared = seen = 0
        for ancestors in pasts:
            shared |= seen & ancestors
            seen |= ancestors
        for bit in bits:
            past |= bit & seen
        if past:
            return {
                Manner.BESIDE: JoinClass.DENSE,
                Manner.SUM: JoinClass.RESIDUAL,
                Manner.PRODUCT: JoinClass.GATE,
                Manner.WEIGHING: JoinClass.BRANCHES,
                Manner.OTHER: JoinClass.OTHER,
            }[manner]
        if not shared:
            return JoinClass.CONTEXT
        return JoinClass.RESIDUAL if manner is Manner.SUM else JoinClass.BRANCHES

    def _skips(self, value: int, manner: Manner, maps: Sequence[int]) -> tuple[Skip, ...]:
        """The skips among the operands of a join."""
        resolution = self._flow.resolution(value)
        if manner is Manner.BESIDE:
            resolution = max(self._flow.resolution(v) for v in maps)
        found: dict[int, Skip] = {}
        matches = self._matched(resolution, manner, maps)
        for operand, (forks, onto) in matches.items():
            target = max([other for other in onto if other not in matches] or onto)
            pushed = self._pushed(operand, forks, target)
            pooled = {self._pooled(pushed, v) for v in maps if v != operand} - {None}
            if len(pooled) > 1 or self._is_exchange(pushed, operand, value, resolution):
                self._branching.add(value)
            elif manner is not Manner.SUM or pushed not in self._inputs:
                found.setdefault(pushed, self._skip(value, pushed, operand, target))
        return tuple(found.values())

    def _matched(
        self, resolution: int, manner: Manner, maps: Sequence[int]
    ) -> dict[int, tuple[int, list[int]]]:
        """The operands that came by a short way: from which forks, and which came by a long one."""
        level = min(range(len(self._levels)), key=lambda i: abs(self._levels[i] - resolution))
        # Of forks at or below the join their own resolution bounds a way, else the join's does.
        lower = self._forks.below(resolution, inclusive=True)
        at = [self._at(v) for v in maps]
        short = [(s.stays & lower) | (s.levels[level] & ~lower) for s in at]
        long = [s.own & ~s.risen & ~stays for s, stays in zip(at, short, strict=True)]
        found = _matches(maps, short, long)
        if manner is not Manner.BESIDE:
            return found
        # Brought up: beside a skip what another one raised counts too, as deeper decoders' features
        # in UNet 3+, else only what met a join where it was, as hidden states in UNETR.
        brought = [
            s.first & self._forks.below(_LOWER * self._flow.resolution(v))
            for s, v in zip(at, maps, strict=True)
        ]
        if not any(brought):
            return found
        met = [s.ancestors & ~(s.first if found else s.unmet) for s in at]
        raised = {}
        for operand, (forks, others) in _matches(maps, brought, met).items():
            onto = [other for other in others if other not in found]
            if onto and operand not in found:
                raised[operand] = (forks, onto)
        return found | raised

    def _skip(self, value: int, pushed: int, operand: int, onto: int) -> Skip:
        inputs = self._ops[self._values[value].op or 0].inputs
        places = (
            place
            for place, given in enumerate(inputs)
            if operand
            in (self._flow.handed[given], *self._inside.get(self._flow.handed[given], ()))
        )
        return Skip(pushed, operand, onto, next(places, 0))

    @cached_property
    def _inputs(self) -> set[int]:
        return {argument.value for argument in self._network.trace.inputs}

    def _pushed(self, operand: int, forks: int, onto: int) -> int:
        """The value that was pushed: the first fork on the way back from where it arrived."""
        for value in self._back(operand):
            if self._forks.bit(value) & forks:
                return value
        ancestors = self._at(onto).ancestors

        def onwards(value: int) -> Iterable[int]:
            join = self._found.get(value)
            # What a skip's join was made of is that skip's.
            ends = self._forks.bit(value) & ancestors or (join is not None and join.skips)
            return () if ends else self._flow.ways[value]

        wanted = [
            value
            for value in self._graph.back(operand, along=onwards)
            if self._forks.bit(value) & ancestors & forks
        ]
        return wanted[0] if len(wanted) == 1 else operand

    def _back(self, operand: int) -> Iterator[int]:
        """The values that an operand was before functions without weights changed it."""

        def onwards(value: int) -> Iterable[int]:
            op = self._values[value].op
            join = self._found.get(value)
            if op is None or self._flow.rows[op].kind not in UNLEARNED or (join and join.skips):
                return ()
            return self._flow.ways[value]

        return self._graph.back(operand, along=onwards)

    def _pooled(self, pushed: int, operand: int) -> int | None:
        """What a way begins with, if that is pooling and the way meets no other."""
        value, last = operand, operand
        while value != pushed:
            if len(self._flow.ways[value]) != 1:
                return None
            value, last = self._flow.ways[value][0], value
        op = self._values[last].op
        return last if op is not None and self._flow.rows[op].kind is OpKind.POOLING else None

    def _is_exchange(self, pushed: int, operand: int, join: int, resolution: int) -> bool:
        """Whether what lies on a short way feeds a lower resolution too, as in HRNet."""
        if pushed == operand:
            return False
        lowest = _LOWER * min(resolution, self._flow.resolution(pushed))
        between = self._between(pushed, operand)
        for value in between:
            if self._flow.resolution(value) < lowest:
                continue
            for child in self._flow.children[value]:
                if child != join and child not in between and self._leads_below(child, resolution):
                    return True
        return False

    def _leads_below(self, value: int, resolution: int) -> bool:
        """Whether the next layer is at a lower resolution."""
        waiting, seen = [value], {value}
        for v in waiting:
            if self._flow.is_layer(v):
                if self._flow.resolution(v) < _LOWER * resolution:
                    return True
                continue
            if v in self._found:
                continue
            waiting += [c for c in self._flow.children[v] if c not in seen]
            seen.update(self._flow.children[v])
        return False

    def _between(self, pushed: int, operand: int) -> set[int]:
        """The values on the way from what was pushed to what it arrived as, the latter included."""

        def onwards(value: int) -> list[int]:
            return [parent for parent in self._flow.ways[value] if parent >= pushed]

        ways = {value: onwards(value) for value in self._graph.back(operand, along=onwards)}
        return self._graph.between(pushed, ways)

    # What later joins tell of earlier ones

    def _find_gates(self) -> None:
        """Joins that come back to the short way of one push alone make a gate of it."""
        for join in list(self._found.values()):
            for skip in join.skips:
                between = self._between(skip.pushed, skip.operand)
                for value in between:
                    inner = self._found.get(value)
                    if inner is None or inner.op == join.op:
                        continue
                    of_this = inner.kind is JoinClass.SKIP and all(
                        other.pushed == skip.pushed for other in inner.skips
                    )
                    if (of_this or inner.doubt) and all(
                        child in between or child == join.value
                        for child in self._flow.children[value]
                    ):
                        self._found[value] = Join(inner.op, value, JoinClass.GATE)

    def _find_skips_at_one_resolution(self) -> None:
        """Skips that never leave one resolution, which they show together with others.

        At the bottom of a U they are popped where its other skips are, or by the same code; else
        they go around blocks in one body, all pushed before the first is popped, as in U-ViT.
        """
        popped = [join for join in self._found.values() if join.kind is JoinClass.SKIP]
        shared = {self._common(skip.pushed, join.op) for join in popped for skip in join.skips}
        code = {self._body_kind(join) for join in popped}

        def alike(join: Join) -> bool:
            body = self._ops[join.op].step or 0
            return self._body_kind(join) in code and self._is_around_calls(join, body)

        for (common, manner, _), level in self._level.items():
            joins = [j for j in level if self._is_around_calls(j, common) or alike(j)]
            pushes = [join.skips[0].pushed for join in joins]
            if not joins or len({*pushes}) < len(pushes) or max(pushes) >= joins[0].value:
                continue
            beside = manner is Manner.BESIDE
            nested = pushes == sorted(pushes, reverse=True) and self._inputs.isdisjoint(pushes)
            known = common in shared or all(map(alike, joins))
            if beside and known and self._is_bottom(joins, popped):
                self._found |= {j.value: replace(j, kind=JoinClass.SKIP) for j in joins}
            elif len(joins) > 1 and (nested or beside):
                self._found |= {join.value: join for join in joins}
            elif beside and common == 0:
                alone = self._found[joins[0].value]
                self._found[alone.value] = replace(alone, doubt="lone")

    def _find_doubled(self) -> None:
        """With no block between encoder and decoder the deepest tensor is popped onto itself."""
        bodies = {self._ops[join.op].step for join in self._found.values() if join.skips}
        for value, join in self._found.items():
            op = self._ops[join.op]
            doubled = len(op.inputs) == 2 and len({*op.inputs}) == 1 and op.step in bodies
            if doubled and self._along_channels(join.op, value, op.inputs[:1]):
                skip = Skip(op.inputs[0], op.inputs[0], op.inputs[0], 1)
                self._found[value] = Join(join.op, value, JoinClass.SKIP, (skip,))

    def _body_kind(self, join: Join) -> str:
        """The class of the module in whose body a join is."""
        return self._network.module(self._ops[join.op].step or 0).kind

    def _is_bottom(self, joins: Sequence[Join], popped: Sequence[Join]) -> bool:
        """Whether joins are nested in a skip that was popped at a higher resolution."""
        first, last = min(j.skips[0].pushed for j in joins), max(j.value for j in joins)
        resolution = self._flow.resolution(joins[0].skips[0].operand)
        return any(
            join.value > last
            and skip.pushed < first
            and resolution < _LOWER * self._flow.resolution(skip.operand)
            for join in popped
            for skip in join.skips
        )


def _matches(
    maps: Sequence[int], ones: Sequence[int], others: Sequence[int]
) -> dict[int, tuple[int, list[int]]]:
    """The operands that have forks in common with other ones, which forks and with which."""
    found = {}
    anywhere = 0
    for forks in others:
        anywhere |= forks
    if not anywhere:
        return {}
    for i, operand in enumerate(maps):
        if not ones[i] & anywhere:
            continue
        met = {maps[j]: ones[i] & forks for j, forks in enumerate(others) if i != j}
        onto = [other for other, forks in met.items() if forks]
        if onto:
            forks = 0
            for other in onto:
                forks |= met[other]
            found[operand] = (forks, onto)
    return found


class _Forks:
    """The forks of a pass, maps that two others or more were computed from, as bits of a number."""

    def __init__(self, flow: MapFlow) -> None:
        forks = [value for value, children in enumerate(flow.children) if len(children) > 1]
        forks.sort(key=lambda value: (flow.resolution(value), value))
        self._bits = {value: 1 << place for place, value in enumerate(forks)}
        self._heights = [flow.resolution(value) for value in forks]
        self._known: dict[tuple[float, bool], int] = {}

    def bit(self, value: int) -> int:
        """The bit of a fork; 0 for other values."""
        return self._bits.get(value, 0)

    def below(self, resolution: float, *, inclusive: bool = False) -> int:
        """The forks at less than a resolution: those of higher ones have higher bits."""
        key = (resolution, inclusive)
        if key not in self._known:
            place = (bisect_right if inclusive else bisect_left)(self._heights, resolution)
            self._known[key] = (1 << place) - 1
        return self._known[key]


class _Sets(NamedTuple):
    """From which forks ways lead to a value, as bits.

    A way that leads through what a skip brought counts in the first alone.
    """

    ancestors: int
    """Any way, also one that a skip brought."""
    own: int
    """Any way."""
    stays: int
    """Some way never below the fork."""
    risen: int
    """Some way that rose above the fork before it was ever below."""
    first: int
    """Some way that met no join at the fork's resolution or below it, and no skip."""
    unmet: int
    """Likewise, skips or not."""
    levels: list[int]
    """For each resolution of a join: some way never below that."""
