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

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from unetscope.analysis.graph import Graph
from unetscope.analysis.maps import feature_maps
from unetscope.ops import OpKind, operation
from unetscope.record import Op

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


def find_joins(graph: Graph) -> tuple[Join, ...]:
    """Every join of a pass, in the order in which they ran."""
    return tuple(_Sweep(graph).joins())


class _Kind(Enum):
    """How a function combines its operands."""

    BESIDE = "beside"
    SUM = "sum"
    PRODUCT = "product"
    OTHER = "other"


_SUMS = ("sub", "addcmul", "addcdiv", "logaddexp")
_WRITES = {
    "setitem": -1,
    "copy": 1,
    "slice_scatter": 1,
    "select_scatter": 1,
    "diagonal_scatter": 1,
    "index_copy": 2,
    "index_put": -1,
    "masked_scatter": 2,
    "scatter": 2,
}
"""Functions that write a tensor into places of another, and which of their inputs that is."""
_INDEXED = ("getitem", "index_select", "gather", "take", "take_along_dim", "masked_select")
"""Functions whose further inputs say which elements are taken."""
_UNLEARNED = (
    OpKind.NORM,
    OpKind.ACTIVATION,
    OpKind.POINTWISE,
    OpKind.VIEW,
    OpKind.COPY,
    OpKind.CAST,
    OpKind.MOVEMENT,
    OpKind.POOLING,
    OpKind.RESAMPLING,
    OpKind.DROPOUT,
    OpKind.FOURIER,
    OpKind.PRODUCT,
    OpKind.SUM,
    OpKind.JOIN,
    OpKind.REDUCTION,
    OpKind.SOFTMAX,
)


_RISING = (OpKind.CONVOLUTION, OpKind.RESAMPLING, OpKind.JOIN)


class _Sweep:
    """The walk through one pass."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._values, self._ops = graph.trace.values, graph.trace.ops
        self._parents = [self._read(value) for value in range(len(self._values))]
        self._maps = feature_maps(graph.trace, self._parents)
        self._rows = [operation(op.name) for op in self._ops]
        self._handed = self._hand_through()
        self._ways = [
            tuple(dict.fromkeys(self._handed[p] for p in parents if self._maps[p] is not None))
            for parents in self._parents
        ]
        self._children = self._find_children()
        self._forks = self._number_forks()
        self._found: dict[int, Join] = {}  # by value
        self._level: dict[tuple[int, _Kind, int], list[Join]] = {}
        self._inside: dict[int, tuple[int, ...]] = {}  # operands of parts of joins, by value
        self._branching: set[int] = set()  # joins of ways that feed several resolutions
        self._operands: dict[int, list[int]] = {}  # of whole concatenations, by value

    # What reads what

    def _read(self, value: int) -> tuple[int, ...]:
        """What a value was computed from: what a write overwrites is none of it."""
        record = self._values[value]
        if record.updated:
            return tuple(p for p in record.updated if p < value)
        op = self._graph.op(value)
        if op is None:
            return ()
        name, inputs = operation(op.name).name, op.inputs
        if name in _INDEXED:
            inputs = inputs[:1]
        elif name in _WRITES and len(inputs) > 1:
            inputs = (inputs[0], self._written(op))
            if name == "copy":  # overwrites all
                inputs = inputs[1:]
        return tuple(p for p in inputs if p < value)

    def _written(self, op: Op) -> int:
        """What a function writes into places of another tensor."""
        at = _WRITES[operation(op.name).name]
        return op.inputs[at if at < len(op.inputs) else -1]

    def _hand_through(self) -> list[int]:
        """For each value the one that it is a mere copy of."""
        handed = list(range(len(self._values)))
        for value, record in enumerate(self._values):
            parents = self._parents[value]
            if record.op is None or record.updated or len(parents) != 1:
                continue
            kind = self._rows[record.op].kind
            if kind in (OpKind.COPY, OpKind.CAST, OpKind.DROPOUT):
                handed[value] = handed[parents[0]]
        return handed

    def _find_children(self) -> list[list[int]]:
        children: list[list[int]] = [[] for _ in self._values]
        for value, ways in enumerate(self._ways):
            if self._maps[value] is not None and self._handed[value] == value:
                for parent in ways:
                    children[parent].append(value)
        return children

    def _number_forks(self) -> dict[int, int]:
        """The bit of each fork; those of higher resolutions are higher."""
        forks = [value for value, children in enumerate(self._children) if len(children) > 1]
        forks.sort(key=lambda value: (self._resolution(value), value))
        return {value: bit for bit, value in enumerate(forks)}

    def _resolution(self, value: int) -> int:
        found = self._maps[value]
        return 0 if found is None else found.resolution

    # The walk

    def joins(self) -> Iterator[Join]:
        """Every join, once all are known: some are understood by later ones."""
        resolutions = sorted({self._resolution(v) for v in self._forks})
        counts = Counter(self._resolution(v) for v in self._forks)
        self._starts: list[tuple[int, int]] = []  # resolution, and the first bit of it
        first = 0
        for resolution in resolutions:
            self._starts.append((resolution, first))
            first += counts[resolution]
        self._all = (1 << first) - 1
        self._below_cache: dict[float, int] = {}
        candidates = self._candidates()
        self._levels = sorted({self._resolution(value) for value, _, _ in candidates.values()})
        self._sets: list[_Sets | None] = [None] * len(self._values)
        by_value = {value: (op, kind) for op, (value, kind, _) in candidates.items()}
        for value, ways in enumerate(self._ways):
            if self._handed[value] != value:
                continue
            join = by_value.get(value)
            if join is not None and not self._is_part(value, by_value):
                op, kind = join
                self._found[value] = self._classify(op, value, kind, candidates[op][2])
            if self._maps[value] is None:
                continue
            self._sets[value] = self._arrive(value, ways)
        yield from sorted(self._afterthoughts(), key=lambda join: join.op)

    def _candidates(self) -> dict[int, tuple[int, _Kind, tuple[int, ...]]]:
        """The functions that combine tensors: what each returns, how, and its operands."""
        found: dict[int, tuple[int, _Kind, tuple[int, ...]]] = {}
        for value, record in enumerate(self._values):
            if record.op is None or (record.op in found and not record.updated):
                continue
            op = self._ops[record.op]
            if len(op.inputs) < 2 and not record.updated:
                continue
            row = self._rows[record.op]
            if record.updated:
                kind, operands = _Kind.BESIDE, self._parents[value]
            elif row.name in _WRITES and len(op.inputs) > 1 and row.name != "copy":
                kind, operands = _Kind.BESIDE, (op.inputs[0], self._written(op))
            elif row.kind is OpKind.JOIN or row.name == "stack":
                kind, operands = _Kind.BESIDE, op.inputs
            elif row.kind is OpKind.SUM or row.name in _SUMS:
                kind, operands = (
                    _Kind.SUM,
                    op.inputs[:3] if row.name[:4] == "addc" else op.inputs[:2],
                )
            elif row.kind is OpKind.PRODUCT:
                kind, operands = _Kind.PRODUCT, op.inputs
            elif row.kind is OpKind.COMPARISON:
                continue
            else:
                operands = op.inputs[1:] if row.name == "where" else op.inputs
                kind = _Kind.OTHER
                if sum(self._maps[v] is not None or self._graph.fed(v) for v in operands) < 2:
                    continue  # a layer and its weights
            told = tuple(dict.fromkeys(self._handed[v] for v in operands if self._is_feature(v)))
            doubled = kind is _Kind.BESIDE and len(op.inputs) == 2 and len({*op.inputs}) == 1
            fed = [v for v in told if self._graph.fed(v) or self._maps[v] is not None]
            if kind is _Kind.BESIDE and (record.updated or row.name in _WRITES):
                # A new tensor into which the first is written is no operand.
                told = tuple(v for v in told if self._is_filled(v))
            wanted = len(told) > 1 and bool(fed)
            if kind in (_Kind.PRODUCT, _Kind.OTHER):
                wanted = len(fed) > 1
            if kind is _Kind.OTHER and sum(self._maps[v] is not None for v in told) == 0:
                wanted = False
            if wanted or (doubled and self._maps[operands[0]] is not None):
                found[record.op] = (value, kind, told)
        return found

    def _is_filled(self, value: int) -> bool:
        """Whether a tensor holds more than numbers that it was made of."""
        maker = self._values[value].op
        made = maker is not None and self._rows[maker].kind is OpKind.CREATION
        return self._graph.fed(value) and not made

    def _is_feature(self, value: int) -> bool:
        spec = self._values[value].spec
        return spec.numel > 1 and spec.dtype.startswith(("float", "bfloat", "complex"))

    def _arrive(self, value: int, ways: Sequence[int]) -> _Sets:
        """From which forks ways lead to a value, by what they have passed."""
        join = self._found.get(value)
        bit = self._bit(value)
        if len(ways) == 1 and join is None and not (bit or self._changes(value)):
            return self._at(ways[0])
        ways = self._operands.get(value, ways)
        brought = {skip.operand for skip in join.skips} if join else set()
        own = [self._at(parent) for parent in ways if parent not in brought]
        ancestors = own_ = stays = risen = first = unmet = 0
        levels = [0] * len(self._levels)
        for parent in ways:
            ancestors |= self._at(parent).ancestors
        for sets in own:
            own_ |= sets.own
            stays |= sets.stays
            risen |= sets.risen
            first |= sets.first
            unmet |= sets.unmet
            for level, forks in enumerate(sets.levels):
                levels[level] |= forks
        resolution = self._resolution(value)
        met = join is not None and len(ways) > 1 and not self._is_weighing(value)
        if met or self._is_layer(value):
            stays &= self._below(resolution / _LOWER, inclusive=True)
            for level, height in enumerate(self._levels):
                if resolution < _LOWER * height:
                    levels[level] = 0
        if met:
            unmet &= self._below(_LOWER * resolution)
            first = 0 if brought else first & unmet
        if self._rises(value):
            risen |= stays & self._below(_LOWER * resolution)
        for level, height in enumerate(self._levels):
            if resolution >= _LOWER * height:
                levels[level] |= bit
        return _Sets(
            ancestors | bit, own_ | bit, stays | bit, risen, first | bit, unmet | bit, levels
        )

    def _is_layer(self, value: int) -> bool:
        found = self._maps[value]
        return found is not None and found.layer

    def _is_weighing(self, value: int) -> bool:
        """Whether a function is a matrix product, as of attention: its result is no resolution."""
        op = self._values[value].op
        return op is not None and self._rows[op].kind in (OpKind.MATRIX_PRODUCT, OpKind.ATTENTION)

    def _changes(self, value: int) -> bool:
        """Whether a function may be lower than what it is given, or bring it up."""
        return self._is_layer(value) or self._rises(value)

    def _rises(self, value: int) -> bool:
        """Whether a function may bring a map up: what windows are padded to is no resolution."""
        op = self._values[value].op
        return op is not None and (
            self._rows[op].kind in _RISING or self._rows[op].name in ("pixel_shuffle", "setitem")
        )

    def _bit(self, value: int) -> int:
        place = self._forks.get(value)
        return 0 if place is None else 1 << place

    def _below(self, resolution: float, *, inclusive: bool = False) -> int:
        """The forks at less than a resolution, as bits."""
        key = -resolution if inclusive else resolution
        found = self._below_cache.get(key)
        if found is None:
            found = self._all
            for height, start in self._starts:
                if height > resolution or (height == resolution and not inclusive):
                    found = (1 << start) - 1
                    break
            self._below_cache[key] = found
        return found

    def _at(self, value: int) -> _Sets:
        found = self._sets[value]
        return _Sets(0, 0, 0, 0, 0, 0, [0] * len(self._levels)) if found is None else found

    # Classes

    def _classify(self, op: int, value: int, kind: _Kind, told: tuple[int, ...]) -> Join:
        maps = [v for v in told if self._maps[v] is not None]
        if kind is _Kind.BESIDE:
            maps = self._flattened(maps)
            self._operands[value] = maps
        if len(maps) < 2:
            return Join(op, value, self._with_no_map(kind, told, maps))
        along = kind is not _Kind.BESIDE or self._along_channels(op, value, maps)
        if not along:
            return Join(op, value, JoinClass.CONTEXT)
        skips = self._skips(value, kind, maps)
        if skips and kind in (_Kind.BESIDE, _Kind.SUM):
            return Join(op, value, JoinClass.SKIP, skips)
        if not skips and len(maps) == 2 and kind in (_Kind.BESIDE, _Kind.SUM):
            self._note_level(op, value, kind, maps)
        if skips:
            return Join(op, value, JoinClass.OTHER, doubt="product")
        if value in self._branching:
            return Join(op, value, JoinClass.BRANCHES)
        return Join(op, value, self._relation(kind, maps))

    def _note_level(self, op: int, value: int, kind: _Kind, maps: Sequence[int]) -> None:
        """Keep a join of a tensor with what was computed from it: it may be a skip at one level."""
        for operand, onto in ((min(maps), max(maps)), (max(maps), min(maps))):
            ancestors = self._at(onto).ancestors
            pushed = next((v for v in self._back(operand) if self._bit(v) & ancestors), None)
            if pushed is None or pushed in self._before(onto):
                continue
            # What is added may have been scaled, what is put beside added to, as by a ControlNet.
            if kind is _Kind.BESIDE or pushed in self._before(operand):
                skip = self._skip(value, pushed, operand, onto)
                self._level.setdefault(
                    (self._common(pushed, op), kind, self._resolution(operand)), []
                ).append(Join(op, value, JoinClass.LONG_SKIP, (skip,)))
                return

    def _common(self, pushed: int, op: int) -> int:
        """The innermost call during which a value was made and joined."""
        maker, producer = self._graph.op(pushed), self._graph.producer(pushed)
        made_in = maker.step if maker is not None else None
        if producer is not None:
            made_in = self._graph.trace.steps[producer].parent
        one, other = made_in or 0, self._ops[op].step or 0
        while one != other:  # a call comes after those that it runs in
            if one > other:
                one = self._graph.trace.steps[one].parent or 0
            else:
                other = self._graph.trace.steps[other].parent or 0
        return one

    def _is_around_calls(self, join: Join, call: int) -> bool:
        """Whether a child of a call ran as a whole between a push and a join."""
        start, end = self._graph.born(join.skips[0].pushed), self._ops[join.op].clock
        steps = self._graph.trace.steps
        return any(
            steps[child].start > start and (steps[child].end or end) < end
            for child in self._calls[call]
        )

    @cached_property
    def _calls(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self._graph.trace.steps]
        for call, step in enumerate(self._graph.trace.steps):
            if step.parent is not None:
                found[step.parent].append(call)
        return found

    def _with_no_map(self, kind: _Kind, told: Sequence[int], maps: Sequence[int]) -> JoinClass:
        """The class of a join of one map at most with something else."""
        if not maps:
            return JoinClass.EMBEDDING
        others = [v for v in told if v not in maps]
        if kind is _Kind.BESIDE or kind is _Kind.OTHER:
            return JoinClass.CONTEXT
        if kind is _Kind.PRODUCT and any(self._is_kin(v) for v in others):
            return JoinClass.GATE
        return JoinClass.EMBEDDING

    def _is_kin(self, value: int) -> bool:
        """Whether what is no map was computed from one, as a global average was."""
        return any(self._maps[v] is not None for v in self._graph.back(value))

    def _along_channels(self, op: int, value: int, maps: Sequence[int]) -> bool:
        """Whether tensors were put beside each other along their channels, or along a new dim."""
        made = self._maps[value]
        new = self._values[value].spec.shape
        if self._rows[op].name == "stack" or made is None:
            return True
        if not made.channels:  # the first dim is the batch
            return len(new) < 3 or any(self._values[v].spec.shape[1:] != new[1:] for v in maps)
        shapes = [self._values[v].spec.shape for v in maps]
        return any(
            len(old) != len(new) or any(new[dim] != old[dim] for dim in made.channels)
            for old in shapes
        )

    def _is_part(self, value: int, joins: Mapping[int, tuple[int, _Kind]]) -> bool:
        """Whether a concatenation is only an operand of another one: then the two are one join."""
        op, kind = joins[value]
        if kind is not _Kind.BESIDE or len(self._children[value]) != 1:
            return False
        outer = self._children[value][0]
        maps = self._ways[value]
        if outer not in joins or joins[outer][1] is not kind or len(maps) < 2:
            return False
        along = self._along_channels(op, value, maps)
        if along and self._along_channels(joins[outer][0], outer, self._ways[outer]):
            operands = [v for way in maps for v in self._inside.get(way, (way,))]
            if len(operands) <= _MOST_OPERANDS:
                self._inside[value] = tuple(dict.fromkeys(operands))
                return True
        return False

    def _flattened(self, maps: Sequence[int]) -> list[int]:
        """The operands of a concatenation, those of concatenations among them in their place."""
        operands = [v for way in maps for v in self._inside.get(way, (way,))]
        return list(dict.fromkeys(operands))

    def _relation(self, kind: _Kind, maps: Sequence[int]) -> JoinClass:
        """The class of a join of several maps that is no skip."""
        ancestors = [self._at(v).ancestors for v in maps]
        past = [
            any(self._bit(v) & other for i, other in enumerate(ancestors) if i != place)
            for place, v in enumerate(maps)
        ]
        if any(past):
            return {
                _Kind.BESIDE: JoinClass.DENSE,
                _Kind.SUM: JoinClass.RESIDUAL,
                _Kind.PRODUCT: JoinClass.GATE,
                _Kind.OTHER: JoinClass.OTHER,
            }[kind]
        shared = any(one & other for i, one in enumerate(ancestors) for other in ancestors[i + 1 :])
        if not shared:
            return JoinClass.CONTEXT
        return JoinClass.RESIDUAL if kind is _Kind.SUM else JoinClass.BRANCHES

    def _skips(self, value: int, kind: _Kind, maps: Sequence[int]) -> tuple[Skip, ...]:
        """The skips among the operands of a join."""
        resolution = self._resolution(value)
        if kind is _Kind.BESIDE:
            resolution = max(self._resolution(v) for v in maps)
        level = min(range(len(self._levels)), key=lambda i: abs(self._levels[i] - resolution))
        lower = self._below(resolution, inclusive=True)  # forks whose own resolution bounds the way
        at = [self._at(v) for v in maps]
        short = [(s.stays & lower) | (s.levels[level] & ~lower) for s in at]
        long = [s.own & ~s.risen & ~stays for s, stays in zip(at, short, strict=True)]
        brought = [
            s.first & self._below(_LOWER * self._resolution(v))
            for s, v in zip(at, maps, strict=True)
        ]
        matches = _matches(maps, short, long)
        later: dict[int, tuple[int, list[int]]] = {}
        if kind is _Kind.BESIDE:
            # Beside a skip what another skip raised counts too, as deeper decoders in UNet 3+.
            carried = [s.ancestors & ~(s.first if matches else s.unmet) for s in at]
            for operand, match in _matches(maps, brought, carried).items():
                onto = [other for other in match[1] if other not in matches]
                if onto and operand not in matches:
                    later[operand] = (match[0], onto)
            matches |= later
        found: dict[int, Skip] = {}
        for operand, (forks, onto) in matches.items():
            behind = [other for other in onto if other not in matches] or onto
            target = max(behind)
            pushed = self._pushed(operand, forks, target)
            if self._is_exchange(pushed, operand, value, resolution):
                self._branching.add(value)
                continue
            if kind is _Kind.SUM and pushed in self._inputs:
                continue
            if len({self._pooled(pushed, v) for v in maps if v != operand} - {None}) > 1:
                self._branching.add(value)
                continue
            found.setdefault(pushed, self._skip(value, pushed, operand, target))
        return tuple(found.values())

    def _skip(self, value: int, pushed: int, operand: int, onto: int) -> Skip:
        inputs = self._ops[self._values[value].op or 0].inputs
        places = (
            place
            for place, given in enumerate(inputs)
            if operand in (self._handed[given], *self._inside.get(self._handed[given], ()))
        )
        return Skip(pushed, operand, onto, next(places, 0))

    @property
    def _inputs(self) -> set[int]:
        return {argument.value for argument in self._graph.trace.inputs}

    def _pushed(self, operand: int, forks: int, onto: int) -> int:
        """The value that was pushed: the first fork on the way back from where it arrived."""
        for value in self._back(operand):
            if self._bit(value) & forks:
                return value
        ancestors = self._at(onto).ancestors
        entries: dict[int, None] = {}
        waiting, seen = [operand], {operand}
        for value in waiting:  # which grows meanwhile
            if self._bit(value) & ancestors:
                entries[value] = None
                continue
            join = self._found.get(value)
            if join is not None and join.skips:  # what it was made of is another skip's
                continue
            for parent in self._ways[value]:
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        wanted = [value for value in entries if self._bit(value) & forks]
        return wanted[0] if len(wanted) == 1 else operand

    def _back(self, operand: int) -> Iterator[int]:
        """The values that an operand was before functions without weights changed it."""

        def onwards(value: int) -> Iterable[int]:
            op = self._values[value].op
            join = self._found.get(value)
            if op is None or self._rows[op].kind not in _UNLEARNED or (join and join.skips):
                return ()
            return self._ways[value]

        return self._graph.back(operand, along=onwards)

    def _before(self, value: int) -> Iterator[int]:
        """A value and what it was before functions of one map, without weights, changed it."""
        while True:
            yield value
            op = self._values[value].op
            if op is None or len(self._ways[value]) != 1 or self._rows[op].kind not in _UNLEARNED:
                return
            (value,) = self._ways[value]

    def _pooled(self, pushed: int, operand: int) -> int | None:
        """What a way begins with, if that is pooling and the way meets no other."""
        value, last = operand, operand
        while value != pushed:
            if len(self._ways[value]) != 1:
                return None
            value, last = self._ways[value][0], value
        op = self._values[last].op
        return last if op is not None and self._rows[op].kind is OpKind.POOLING else None

    def _is_exchange(self, pushed: int, operand: int, join: int, resolution: int) -> bool:
        """Whether what lies on a short way feeds a lower resolution too, as in HRNet."""
        if pushed == operand:
            return False
        lowest = _LOWER * min(resolution, self._resolution(pushed))
        between = self._between(pushed, operand)
        for value in between:
            if self._resolution(value) < lowest:
                continue
            for child in self._children[value]:
                if child != join and child not in between and self._leads_below(child, resolution):
                    return True
        return False

    def _leads_below(self, value: int, resolution: int) -> bool:
        """Whether the next layer is at a lower resolution."""
        waiting, seen = [value], {value}
        for v in waiting:
            if self._is_layer(v):
                if self._resolution(v) < _LOWER * resolution:
                    return True
                continue
            if v in self._found:
                continue
            waiting += [c for c in self._children[v] if c not in seen]
            seen.update(self._children[v])
        return False

    def _between(self, pushed: int, operand: int) -> set[int]:
        """The values on the way from what was pushed to what it arrived as, the latter included."""
        reached: set[int] = set()
        waiting = [operand]
        seen = {operand}
        order = []
        for value in waiting:
            order.append(value)
            for parent in self._ways[value]:
                if parent >= pushed and parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        for value in sorted(order):
            if value == pushed or any(p in reached for p in self._ways[value]):
                reached.add(value)
        return reached - {pushed}

    # What later joins tell of earlier ones

    def _afterthoughts(self) -> list[Join]:
        found = dict(self._found)
        for join in self._found.values():
            for skip in join.skips:
                between = self._between(skip.pushed, skip.operand)
                for value in between:
                    inner = found.get(value)
                    if inner is None or inner.op == join.op:
                        continue
                    same = inner.kind is JoinClass.SKIP and all(
                        s.pushed == skip.pushed for s in inner.skips
                    )
                    if (same or inner.doubt) and all(
                        c in between or c == join.value for c in self._children[value]
                    ):
                        found[value] = Join(inner.op, value, JoinClass.GATE)
        return list(self._long(found).values())

    def _long(self, found: dict[int, Join]) -> dict[int, Join]:
        """The skips that never leave one resolution, which several of them together show."""
        popped = [join for join in found.values() if join.kind is JoinClass.SKIP]
        shared = {self._common(skip.pushed, join.op) for join in popped for skip in join.skips}
        code = {self._body_kind(join) for join in popped}
        for (common, kind, _), joins in self._level.items():
            joins = [
                join
                for join in joins
                if self._is_around_calls(join, common)
                or (
                    self._body_kind(join) in code
                    and self._is_around_calls(join, self._ops[join.op].step or 0)
                )
            ]
            pushes = [join.skips[0].pushed for join in joins]
            if not joins or len({*pushes}) < len(pushes):
                continue
            if max(pushes) >= min(join.value for join in joins):
                continue
            nested = pushes == sorted(pushes, reverse=True) and self._inputs.isdisjoint(pushes)
            known = common in shared or all(self._body_kind(join) in code for join in joins)
            if kind is _Kind.BESIDE and known and self._is_bottom(joins, popped):
                for join in joins:
                    found[join.value] = replace(join, kind=JoinClass.SKIP)
            elif len(joins) > 1 and (nested or kind is _Kind.BESIDE):
                found.update((join.value, join) for join in joins)
            elif kind is _Kind.BESIDE and common == 0:
                found[joins[0].value] = replace(found[joins[0].value], doubt="lone")
        bodies = {self._ops[join.op].step for join in found.values() if join.skips}
        for value, join in found.items():
            inputs = self._ops[join.op].inputs
            if (
                len(inputs) == 2
                and len({*inputs}) == 1
                and self._ops[join.op].step in bodies
                and self._along_channels(join.op, value, inputs[:1])
            ):
                found[value] = replace(
                    join,
                    kind=JoinClass.SKIP,
                    skips=(Skip(inputs[0], inputs[0], inputs[0], 1),),
                )
        return found

    def _body_kind(self, join: Join) -> str:
        """The class of the module in whose body a join is."""
        steps = self._graph.trace.steps
        path = steps[self._ops[join.op].step or 0].module if steps else ""
        return next(module.kind for module in self._graph.trace.modules if module.path == path)

    def _is_bottom(self, joins: Sequence[Join], popped: Sequence[Join]) -> bool:
        """Whether joins are nested in a skip that was popped at a higher resolution."""
        first, last = min(j.skips[0].pushed for j in joins), max(j.value for j in joins)
        resolution = self._resolution(joins[0].skips[0].operand)
        return any(
            join.value > last
            and skip.pushed < first
            and resolution < _LOWER * self._resolution(skip.operand)
            for join in popped
            for skip in join.skips
        )


def _matches(
    maps: Sequence[int], ones: Sequence[int], others: Sequence[int]
) -> dict[int, tuple[int, list[int]]]:
    """The operands that have forks in common with other ones, which forks and with which."""
    found = {}
    for i, operand in enumerate(maps):
        met = {maps[j]: ones[i] & forks for j, forks in enumerate(others) if i != j}
        onto = [other for other, forks in met.items() if forks]
        if onto:
            forks = 0
            for other in onto:
                forks |= met[other]
            found[operand] = (forks, onto)
    return found


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
