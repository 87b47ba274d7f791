"""The sizes of a network's inputs that a symbol may stand for, and the dims that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from unetscope.analysis.forms import place
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec
from unetscope.sources.inputs import Given
from unetscope.sources.source import Runnable

if TYPE_CHECKING:
    from torch import nn

NAMES = {"B": "batch", "H": "height", "W": "width", "T": "tokens"}
"""Symbol -> the size of the inputs that it stands for; frames have no option."""
_TRIED = (64, 128)
"""Two sizes, from which it is read which dims of the inputs follow a size."""

Path = tuple[Any, ...]
"""Where a tensor is among the arguments: their keys, one inside the other."""
Tensors = Mapping[Path, TensorSpec]
Place = tuple[Path, int]
"""A tensor, and one of its dims."""


@dataclass(frozen=True)
class Axis:
    """Dims of the inputs that are one size, or multiples of it, and change together.

    Attributes:
        symbol: what stands for the size.
        size: what it is in the pass that is shown.
        places: the dims.
    """

    symbol: str
    size: int
    places: tuple[Place, ...]


def axes(network: Runnable, model: nn.Module, given: Given) -> list[list[Axis]]:
    """For each size, which dims it may be; the network tells which of them can change.

    Sizes that options set are read from the inputs at other sizes. Those of inputs that the user
    described, and the frames of videos, go by the ranks of the tensors: `(B, C, H, W)`,
    `(B, C, F, H, W)` or `(B, F, C, H, W)`, `(B, T, C)`, `(B, C, W)`. The first has the most dims;
    if the dims of another are no size of its, they are `(B2, C, H2, W2)`.
    """
    tensors = dict(_tensors((given.args, dict(given.kwargs or {}))))
    if not tensors:
        return []
    try:
        found = [[axis] for axis in _of_options(network, model, tensors)]
    except UnetscopeError:  # the user described the inputs
        found = list(_of_ranks(tensors))
    slots = ([axis for axis in slot if axis.size] for slot in (*found, *_frames(tensors)))
    return sorted(filter(None, slots), key=lambda slot: place(slot[0].symbol))


def resized(given: Given, sizes: Mapping[Axis, int]) -> Given:
    """The inputs at other sizes."""

    def other(path: Path, spec: TensorSpec) -> TensorSpec:
        dims = list(spec.shape)
        for axis, size in sizes.items():
            for where, dim in axis.places:
                if where == path:
                    dims[dim] = int(Fraction(dims[dim] * size, axis.size))
        return replace(spec, shape=tuple(dims))

    args, kwargs = _mapped((given.args, dict(given.kwargs or {})), other)
    return Given(args, kwargs)


def _of_options(network: Runnable, model: nn.Module, tensors: Tensors) -> Iterator[Axis]:
    """The sizes that options set."""
    for symbol, name in NAMES.items():
        small, large = (
            dict(_tensors((described.args, dict(described.kwargs or {}))))
            for described in (network.at(**{name: size}).inputs(model) for size in _TRIED)
        )
        places = [
            (path, dim)
            for path, spec in small.items()
            for dim, size in enumerate(spec.shape)
            if size != large[path].shape[dim]
        ]
        found = {tensors[p].shape[d] * _TRIED[0] // small[p].shape[d] for p, d in places}
        if len(found) == 1:
            yield Axis(symbol, found.pop(), tuple(places))


def _of_ranks(tensors: Tensors) -> Iterator[list[Axis]]:
    """The sizes of inputs of which nothing but their dims is known."""
    sample = max(tensors, key=lambda path: len(tensors[path].shape))
    rank = len(tensors[sample].shape)
    if rank == 3:  # a signal, or tokens
        signal, tokens = (_alike(s, tensors, sample, d, least=3) for s, d in (("W", 2), ("T", 1)))
        yield from (_alike("B", tensors, sample, 0, least=1), [*signal, *tokens])
    elif rank:
        yield from _of_tensor(tensors, sample)
    others = [path for path, spec in tensors.items() if path != sample and len(spec.shape) > 2]
    texts = [path for path in others if len(tensors[path].shape) == 3 != rank]
    if texts:
        yield _alike("T", tensors, texts[0], 1, least=3, most=3)
    for number, path in enumerate(others, 2):
        yield from _of_tensor(tensors, path, str(number))


def _of_tensor(tensors: Tensors, path: Path, number: str = "") -> Iterator[list[Axis]]:
    """The sizes of one tensor, each with those of others that are alike."""
    spec = tensors[path]
    rank = len(spec.shape)
    yield _alike(f"B{number}", tensors, path, 0, least=1)
    if rank >= 4:
        yield _alike(f"H{number}", tensors, path, rank - 2, least=4)
        yield _alike(f"W{number}", tensors, path, rank - 1, least=4)
    elif rank == 3 or (rank == 2 and "int" in spec.dtype):  # tokens, or their numbers
        yield _alike(f"T{number}", tensors, path, 1, least=2, most=3)


def _frames(tensors: Tensors) -> Iterator[list[Axis]]:
    """The frames of a video, after its channels or before; texts may come once for each frame."""
    videos = [path for path, spec in tensors.items() if len(spec.shape) == 5]
    if not videos:
        return
    slot = []
    for dim in (2, 1):
        size = tensors[videos[0]].shape[dim]
        places = tuple((path, dim) for path in videos if tensors[path].shape[dim] == size)
        repeated = tuple(
            (path, 0)
            for path, spec in tensors.items()
            if path not in videos and spec.shape and spec.shape[0] % size == 0
        )
        slot += [Axis("F", size, places)]
        slot += [Axis("F", size, (*places, *repeated))] if repeated and size > 1 else []
    yield slot


def _alike(
    symbol: str, tensors: Tensors, of: Path, dim: int, *, least: int, most: int = 5
) -> list[Axis]:
    """A dim of one tensor with those in its place in others, counted from the end but for `B`.

    Those that are as large; else with multiples of it, such as a hint in pixels; else it alone.

    Args:
        symbol: what stands for it.
        tensors: all of them.
        of: the one.
        dim: its dim.
        least: the fewest dims of a tensor that has such a dim.
        most: the most.
    """
    size, from_end = tensors[of].shape[dim], dim - len(tensors[of].shape)
    others: list[tuple[Place, int]] = []
    for path, spec in tensors.items():
        if least <= len(spec.shape) <= most and path != of:
            at = 0 if symbol[0] == "B" else len(spec.shape) + from_end
            if spec.shape[at]:
                others.append(((path, at), spec.shape[at]))
    choices: list[Callable[[int], bool]] = [
        lambda other: other == size,
        lambda other: bool(size) and other % size == 0,
        lambda _: False,
    ]
    found = [((of, dim), *(where for where, n in others if takes(n))) for takes in choices]
    return [Axis(symbol, size, places) for places in dict.fromkeys(found)]


def _tensors(value: Any, path: Path = ()) -> Iterator[tuple[Path, TensorSpec]]:
    """Every described tensor inside of something, and where it is."""
    if isinstance(value, TensorSpec):
        yield path, value
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from _tensors(item, (*path, index))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _tensors(item, (*path, name))


def _mapped(value: Any, other: Callable[[Path, TensorSpec], TensorSpec], path: Path = ()) -> Any:
    """The same with another description in the place of each."""
    if isinstance(value, TensorSpec):
        return other(path, value)
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(item, other, (*path, i)) for i, item in enumerate(value))
    if isinstance(value, Mapping):
        return {name: _mapped(item, other, (*path, name)) for name, item in value.items()}
    return value
