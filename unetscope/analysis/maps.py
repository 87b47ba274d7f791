"""The feature maps of a pass: which values they are, at which resolution, where their channels lie.

A *map* is a value that was computed from the sample and still has its positions: text, parameters,
masks and global averages are none. Its *resolution* is the number of its elements divided by that
of its channels, so all positions, batch, frames, windows and heads included: what only rearranges
elements leaves it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple

from unetscope.analysis.dims import PERMUTING, numbers, permutation
from unetscope.ops import UNSEEN, OpKind, operation
from unetscope.record import Op, Trace

Shape = tuple[int, ...]

_DIMS = re.compile(r"(\d)d(?![a-z0-9])")
_LISTED = re.compile(r"(?<!\w)dims?=(\([^)]*\)|-?\d+)")
_AT_A_PLACE = re.compile(r"-?\d+")
_IN_PLACE = frozenset(
    {
        *(OpKind.ACTIVATION, OpKind.NORM, OpKind.POINTWISE, OpKind.PRODUCT, OpKind.SUM),
        *(OpKind.SOFTMAX, OpKind.DROPOUT, OpKind.COPY, OpKind.CAST, OpKind.FOURIER),
    }
)
"""What these make of one map of the same shape has its channels where that has them."""
_NO_MAPS = (OpKind.CREATION, OpKind.COMPARISON)
"""What these make has the shape of a map and nothing of its content."""
WRITES = {
    "setitem": -1,
    "slice_scatter": 1,
    "select_scatter": 1,
    "diagonal_scatter": 1,
    "index_copy": 2,
    "index_put": -1,
    "masked_scatter": 2,
    "scatter": 2,
}
"""Functions that write a tensor into places of another, and which of their inputs that is."""
FLOATING = ("float", "bfloat", "complex")
"""How the dtypes of features begin: they are no counts and no truth values."""
_SHUFFLES = ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
_POSITIONS_AT_ONCE = 2
"""Pooling that leaves one position of more than these in a dim is a global average."""


class Map(NamedTuple):
    """What is known of a feature map."""

    resolution: int
    """Elements divided by channels."""
    channels: tuple[int, ...]
    """The dims that the channels are spread over, such as heads and their widths; empty if that is
    lost since the last layer."""
    layer: bool = False
    """Whether a layer made it, out of its channels: one that mixes positions is none."""


def feature_maps(trace: Trace, parents: Sequence[Sequence[int]]) -> list[Map | None]:
    """What is known of each value as a feature map; None for values that are none.

    Args:
        trace: of one pass.
        parents: of each value those that it was computed from.
    """
    return _Layout(trace, parents).maps


class _Layout:
    """One walk through a pass, in the order of its functions."""

    def __init__(self, trace: Trace, parents: Sequence[Sequence[int]]) -> None:
        self._shapes = [value.spec.shape for value in trace.values]
        self._trace = trace
        self.maps: list[Map | None] = [None] * len(trace.values)
        known = samples(trace)
        for value in [*known, *(_beside(trace, known[0]) if known else ())]:
            self.maps[value] = self._sample(value)
        for value, record in enumerate(trace.values):
            if record.op is None or self.maps[value] is not None:
                continue
            given = [parent for parent in parents[value] if self.maps[parent] is not None]
            if not given:
                continue
            op = trace.ops[record.op]
            if record.updated or operation(op.name).name in WRITES:
                self.maps[value] = self._written(given, value)
            else:
                self.maps[value] = self._made(op, given, value)

    def _sample(self, value: int) -> Map:
        """The layout of the network's input, which the first layer on its way tells."""
        shape = self._shapes[value]
        if not shape:
            return Map(1, ())
        reached = {value}
        for op in self._trace.ops:
            if reached.isdisjoint(op.inputs):
                continue
            kind = operation(op.name).kind
            if kind in (OpKind.CONVOLUTION, OpKind.LINEAR) and len(op.inputs) > 1:
                dim = _channels_dim(op, len(shape), self._shapes)
                weight = self._shapes[op.inputs[1]]
                if op.inputs[0] == value or shape[dim] == weight[1 % len(weight)]:
                    return _at(shape, (dim,))
                break
            reached.update(op.outputs)
        floating = self._trace.values[value].spec.dtype.startswith(FLOATING)
        width = shape[1] if floating and len(shape) > 1 else 1
        return Map(prod(shape) // max(width, 1), ())

    def _made(self, op: Op, given: list[int], value: int) -> Map | None:
        """The layout of what a function made of at least one map."""
        row, new = operation(op.name), self._shapes[value]
        if len(given) == 1 and self._shapes[given[0]] == new and row.kind in _IN_PLACE:
            before = self._known(given[0])
            return before._replace(layer=False) if before.layer else before
        if row.kind in _NO_MAPS or prod(new) == 1:
            return None
        main = given[0]
        if len(given) > 1:
            main = next((v for v in given if self._shapes[v] == new), main)
        if row.kind in _BROADCASTING:
            main = max(given, key=lambda v: (self._shapes[v] == new, bool(self._known(v)[1])))
        before, old = self._known(main), self._shapes[main]
        if row.kind in (OpKind.CONVOLUTION, OpKind.LINEAR):
            return self._layer(op, before, given, value)
        if row.kind is OpKind.EMBEDDING:
            return _at(new, (len(new) - 1,))
        if row.kind is OpKind.POOLING and _is_global(old, new):
            return None
        if row.kind in (OpKind.POOLING, OpKind.RESAMPLING) or row.name in _SHUFFLES:
            dims = 2 if row.name in _SHUFFLES else _spatial(row.name, len(old) - 2)
            return _at(new, (len(new) - dims - 1,))
        if row.kind is OpKind.MATRIX_PRODUCT and self._is_layer(op):
            return _at(new, (len(new) - 1,), layer=True)
        if row.kind in (OpKind.MATRIX_PRODUCT, OpKind.ATTENTION):
            after = _carried(before, old, new)
            one = after.channels and after.resolution == new[0]
            return None if one and before.resolution > _POSITIONS_AT_ONCE * new[0] else after
        if row.kind is OpKind.REDUCTION:
            return _reduced(op, before, old, new)
        if row.kind is OpKind.JOIN or row.name == "stack":
            return self._joined(op, given, value)
        if row.kind is OpKind.VIEW or (row.kind is OpKind.MOVEMENT and len(old) == len(new)):
            return _viewed(op, before, old, new)
        if row.name == "unfold":
            return Map(before.resolution, ())
        return _carried(before, old, new)

    def _known(self, value: int) -> Map:
        found = self.maps[value]
        assert found is not None
        return found

    def _layer(self, op: Op, before: Map, given: list[int], value: int) -> Map | None:
        """Layers have their channels where they are made to.

        One that finds them elsewhere mixes positions, as in an MLP-Mixer, or filters each channel
        for itself, as StyleGAN's resampling does.
        """
        new, old = self._shapes[value], self._shapes[op.inputs[0]]
        if op.inputs[0] not in given:  # a map was made a weight
            return Map(before.resolution, ())
        dim = _channels_dim(op, len(new), self._shapes)
        if dim not in before.channels and len(old) == len(new) and old[dim] == new[dim] == 1:
            if before.channels:
                return _carried(before, old, new)
            return Map(before.resolution * prod(new) // max(prod(old), 1), ())
        on_a_line = dim == len(new) - 1 or len(new) == 3
        if on_a_line and before.channels and dim not in before.channels:
            return _carried(before, self._shapes[op.inputs[0]], new)
        channels = before.channels if on_a_line and before.channels else (dim,)
        return _at(new, channels, layer=True)

    def _is_layer(self, op: Op) -> bool:
        """Whether a matrix product has a parameter as its second factor."""
        values = self._trace.values
        return values[op.inputs[-1]].op is None and self.maps[op.inputs[-1]] is None

    def _joined(self, op: Op, given: list[int], value: int) -> Map:
        """The layout of tensors beside each other."""
        new = self._shapes[value]
        main = max(given, key=lambda v: bool(self._known(v).channels))
        before, old = self._known(main), self._shapes[main]
        if before.channels and len(old) == len(new):
            return _at(new, before.channels)
        highest = max(self._known(v).resolution for v in given)
        if before.channels and operation(op.name).name == "stack":
            dim = _listed(op, len(new)) or [0]
            return _at(new, tuple(c + (c >= dim[0]) for c in before.channels))
        return Map(highest, ())

    def _written(self, given: list[int], value: int) -> Map:
        """The layout of a tensor into whose places others were written."""
        new = self._shapes[value]
        for parent in given:
            before = self._known(parent)
            if before.channels and len(self._shapes[parent]) == len(new):
                return _at(new, before.channels)
        return Map(max(self._known(v).resolution for v in given), ())


_BROADCASTING = (OpKind.SUM, OpKind.PRODUCT, OpKind.POINTWISE)


def samples(trace: Trace) -> list[int]:
    """The network's sample, its first input of the highest rank; none if nothing goes in.

    What something unseen made may have been computed from it: values of its rank are listed too.
    """
    inputs = [argument.value for argument in trace.inputs]
    if not inputs:
        return []
    rank = max(len(trace.values[value].spec.shape) for value in inputs)
    unseen = [value for op in trace.ops if op.name == UNSEEN for value in op.outputs]
    first = next(value for value in inputs if len(trace.values[value].spec.shape) == rank)
    return [first, *(v for v in unseen if len(trace.values[v].spec.shape) == rank)]


def _beside(trace: Trace, sample: int) -> list[int]:
    """The inputs that lie beside the sample, position by position."""
    size = trace.values[sample].spec.shape
    shapes = {argument.value: trace.values[argument.value].spec.shape for argument in trace.inputs}
    return [
        value
        for value, shape in shapes.items()
        if len(size) > 2 and (shape[:1], shape[2:]) == (size[:1], size[2:])
    ]


def _at(shape: Shape, channels: tuple[int, ...], *, layer: bool = False) -> Map:
    width = shape[channels[0]] if len(channels) == 1 else prod([shape[dim] for dim in channels])
    return Map(prod(shape) // max(width, 1), channels, layer)


def _channels_dim(op: Op, rank: int, shapes: Sequence[Shape]) -> int:
    """The dim of the channels of a layer's tensors."""
    if operation(op.name).kind is OpKind.LINEAR:
        return rank - 1
    spatial = len(shapes[op.inputs[1]]) - 2 if len(op.inputs) > 1 else rank - 2
    return max(rank - spatial - 1, 0)


def _spatial(name: str, otherwise: int) -> int:
    """How many spatial dims a function works on, by its name."""
    found = _DIMS.search(name)
    return int(found[1]) if found else otherwise


def _is_global(old: Shape, new: Shape) -> bool:
    """Whether pooling leaves a single position of many."""
    pooled = [before for before, after in zip(old, new, strict=False) if before != after]
    left = [after for before, after in zip(old, new, strict=False) if before != after]
    return bool(left) and max(left) == 1 and max(pooled) > _POSITIONS_AT_ONCE


def _listed(op: Op, rank: int) -> list[int]:
    """The dims that a function's arguments name."""
    found = _LISTED.search(op.detail)
    return [] if found is None else [n % rank for n in numbers(found[1])]


def _reduced(op: Op, before: Map, old: Shape, new: Shape) -> Map | None:
    """The layout of a map that was summed up over some dims; None if no positions are left."""
    dims = _listed(op, len(old)) if old else []
    if not dims:
        changed = len(old) == len(new) and [d for d, s in enumerate(old) if new[d] != s]
        dims = changed or list(range(len(old)))
    if not before.channels:
        return Map(before.resolution, ()) if len(dims) == 1 else None
    positions = [d for d in range(len(old)) if d not in before.channels and old[d] > 1]
    inside = [d for d in positions if d > 0]
    if inside and all(d in dims for d in inside) and len(old) > 2:
        return None
    kept = len(old) == len(new)
    channels = tuple(
        d if kept else d - sum(gone < d for gone in dims)
        for d in before.channels
        if kept or d not in dims
    )
    if channels:
        return _at(new, channels)
    return Map(prod(new), ())


def _carried(before: Map, old: Shape, new: Shape) -> Map:
    """The layout after what works element by element or leaves the dims where they are."""
    shift = len(new) - len(old)
    if not before.channels:
        return before._replace(layer=False)
    if shift < 0:
        return Map(before.resolution, ())
    return _at(new, tuple([dim + shift for dim in before.channels]))


def _viewed(op: Op, before: Map, old: Shape, new: Shape) -> Map:
    """The layout after a function that returns elements of a map in another shape or order."""
    row = operation(op.name)
    channels = before.channels
    if not channels:
        return before._replace(layer=False)
    if row.name in PERMUTING:
        places = permutation(op, len(old))
        return _at(new, tuple([places.index(dim) for dim in channels]))
    if row.name in ("getitem", "select", "unbind", "index_select", "gather"):
        followed = _FOLLOWING.get(row.name, _indexed)(op, old)
        if followed is not None:
            left = tuple(place for dim in channels if (place := followed[dim]) is not None)
            if not left:
                return Map(prod(new), ())
            if all(dim < len(new) for dim in left):
                return _at(new, left)
        return Map(before.resolution, ())
    if row.name in ("expand", "expand_as", "repeat", "tile"):
        return _carried(before, old, new)
    if prod(old) == prod(new):
        regrouped = _regrouped(channels, old, new)
        return _at(new, regrouped) if regrouped else Map(before.resolution, ())
    if len(old) == len(new):
        return _at(new, channels)
    return Map(before.resolution, ())


def _indexed(op: Op, old: Shape) -> list[int | None] | None:
    """For each dim of a tensor its place after indexing; None where one element is taken of it."""
    if len(op.inputs) > 1:  # by a tensor: told apart where it stands for one dim
        return list(range(len(old)))
    found: list[int | None] = []
    place = 0
    for item in op.detail.split(", "):
        if item == "None":
            place += 1
        elif item == "...":
            return None
        elif _AT_A_PLACE.fullmatch(item):
            found.append(None)
        else:
            found.append(place)
            place += 1
    for _ in range(len(old) - len(found)):
        found.append(place)
        place += 1
    return found


def _selected(op: Op, old: Shape) -> list[int | None]:
    dim = (_listed(op, len(old)) or [0])[0]
    return [None if d == dim else d - (d > dim) for d in range(len(old))]


def _as_they_are(_: Op, old: Shape) -> list[int | None]:
    return list(range(len(old)))


_FOLLOWING: dict[str, Callable[[Op, Shape], list[int | None] | None]] = {
    "select": _selected,
    "unbind": _selected,
    "index_select": _as_they_are,
    "gather": _as_they_are,
}


@lru_cache(maxsize=256)  # a network repeats its shapes
def _regrouped(channels: tuple[int, ...], old: Shape, new: Shape) -> tuple[int, ...]:
    """Where the channels lie after a reshape; empty where they are merged with positions.

    Both shapes are parted into the smallest runs of dims that hold as many elements.
    """
    found: list[int] = []
    i = j = 0
    while i < len(old) or j < len(new):
        taken, made = [i] if i < len(old) else [], [j] if j < len(new) else []
        before, after = prod(old[d] for d in taken), prod(new[d] for d in made)
        i, j = i + len(taken), j + len(made)
        while before != after:
            if before < after and i < len(old):
                taken.append(i)
                before *= old[i]
                i += 1
            elif after < before and j < len(new):
                made.append(j)
                after *= new[j]
                j += 1
            else:
                return ()
        wide = [dim for dim in taken if old[dim] > 1]
        inside = [dim for dim in wide if dim in channels]
        if inside and len(inside) < len(wide):
            return ()
        if inside:
            found += [dim for dim in made if new[dim] > 1]
    return tuple(found)
