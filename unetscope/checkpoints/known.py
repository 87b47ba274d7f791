"""The published networks by their tensors: which of them have exactly these names and shapes.

The index of the shipped configs holds a digest of each network's tensors, under the names that it
has here and, if it has others there, under those of the original code (CompVis' or ADM's). Networks
of equal tensors have equal digests, so that the answer is a set.
`python -m unetscope.sources.index` writes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import prod

from unetscope.record import TensorSpec

Shape = tuple[int, ...]
HERE, ORIGINAL = "here", "original"
"""Whose names a digest is of: those that the network has here (diffusers'), or the original's."""
_FUSED = ("to_q", "to_k", "to_v")
"""What the original holds in one tensor, in this order."""


@dataclass(frozen=True)
class Known:
    """Published networks that have one set of names and shapes.

    Attributes:
        networks: the names of their configs.
        names: `HERE` or `ORIGINAL`.
        kind: `unet` or `controlnet`.
    """

    networks: tuple[str, ...]
    names: str
    kind: str


def find(tensors: Mapping[str, TensorSpec]) -> Known | None:
    """The published networks that have exactly these names and shapes; None if none has."""
    return find_shapes({name: spec.shape for name, spec in tensors.items()})


def find_shapes(shapes: Mapping[str, Shape]) -> Known | None:
    """The same for names and shapes alone."""
    # Most files have another number of elements, and that is sooner counted than names are sorted.
    if sum(map(prod, shapes.values())) not in _sizes():
        return None
    return _known().get(digest(shapes))


@cache
def _sizes() -> frozenset[int]:
    """How many elements published networks have: their parameters, since none has buffers."""
    from unetscope.config.files import read_index

    return frozenset(about["parameters"] for about in read_index().values())


@cache
def _known() -> dict[str, Known]:
    from unetscope.config.files import read_index

    found: dict[str, Known] = {}
    for name, about in read_index().items():
        for names, each in about["digests"].items():
            before = found[each].networks if each in found else ()
            kind = "controlnet" if about["family"] == "ControlNetModel" else "unet"
            found[each] = Known((*before, name), names, kind)
    return found


def digests(shapes: Mapping[str, Shape]) -> dict[str, str]:
    """What the index holds of a network.

    Args:
        shapes: of all that a `state_dict` of it holds, by the names that they have here.
    """
    original = in_original_names(shapes)
    return {HERE: digest(shapes)} | ({} if original is None else {ORIGINAL: digest(original)})


def digest(shapes: Mapping[str, Shape]) -> str:
    """What tells a set of names and shapes from every other, in 32 hexadecimal digits."""
    pairs = sorted((name, tuple(shape)) for name, shape in shapes.items())
    return sha256(repr(pairs).encode(errors="surrogatepass")).hexdigest()[:32]


def in_original_names(shapes: Mapping[str, Shape]) -> dict[str, Shape] | None:
    """A network's tensors as CompVis' and ADM's code name and shape them.

    An attention that is no transformer has queries, keys and values in one tensor there, and
    projects by convolutions along one axis.

    Returns:
        Name -> shape; None if the original has other names for some that nobody knows here.
    """
    from unetscope.analysis.names import compvis_names

    names = compvis_names(shapes)
    if len(names) < len(shapes):
        return None
    found: dict[str, Shape] = {}
    for ours, theirs in names.items():
        shape = shapes[ours]
        _, _, held = ours.rpartition(".attentions.")
        layer = held.partition(".")[2].partition(".")[0]
        if "transformer" not in held and layer in (*_FUSED, "to_out"):
            if layer in _FUSED:
                shape = (len(_FUSED) * shape[0], *shape[1:])
            shape = (*shape, 1) if len(shape) == 2 else shape
        found[theirs] = shape
    return found
