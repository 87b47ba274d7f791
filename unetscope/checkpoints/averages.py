"""Averages of a network's weights (EMA), which stand beside it or alone in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.prefixes import AVERAGES, EMA
from unetscope.record import TensorSpec

_COUNTERS = frozenset({"decay", "num_updates"})
"""What CompVis' code keeps beside its averages."""


def with_averages(found: list[Part]) -> list[Part]:
    """The parts, where what repeats a network under the name of an average is said to."""
    kept: list[Part] = []
    plain = [part for part in found if not AVERAGES.search(part.prefix)]
    for part in found:
        if part.prefix == EMA:
            kept.append(_flattened(part, found))
        elif AVERAGES.search(part.prefix) and any(_repeats(part, other) for other in plain):
            evidence = (f"it stands under `{part.prefix}` beside a {part.kind}", *part.evidence)
            of = part.name or part.kind
            kept.append(replace(part, kind="averaged weights", name=of, evidence=evidence))
        else:
            kept.append(part)
    return kept


def _repeats(part: Part, other: Part) -> bool:
    """Whether two parts have the same names and shapes."""
    return part.kind == other.kind and _shapes(part) == _shapes(other)


def _shapes(part: Part) -> dict[str, tuple[int, ...]]:
    return {name: spec.shape for name, spec in part.tensors.items()}


def _flattened(part: Part, found: list[Part]) -> Part:
    """Averages of CompVis' code, under the names of the network beside them if they are its own."""
    own = {name: spec for name, spec in part.tensors.items() if name not in _COUNTERS}
    for other in found:
        inside = other.prefix.removeprefix("model.")
        named = _with_dots(own, {inside + name: spec for name, spec in other.tensors.items()})
        if named is not own and own:
            tensors = {name[len(inside) :]: spec for name, spec in named.items()}
            evidence = (f"its names are those of `{other.prefix}` without dots",)
            of = other.name or other.kind
            return replace(part, name=of, tensors=tensors, evidence=evidence, doubts=())
    doubts = ("the dots of its names were removed, and no network beside it tells where",)
    return replace(part, tensors=own, doubts=doubts)


def _with_dots(
    averages: Mapping[str, TensorSpec], known: Mapping[str, TensorSpec]
) -> Mapping[str, TensorSpec]:
    """Averages under the names of the network that they are of, whose dots were removed.

    Args:
        averages: as the file has them, such as `diffusion_modelinput_blocks00weight`.
        known: the network's, such as `diffusion_model.input_blocks.0.0.weight`.

    Returns:
        As they are, if the network's names are not theirs.
    """
    names = {name.replace(".", ""): name for name in known}
    if not all(name in names for name in averages):
        return averages
    return {names[name]: spec for name, spec in averages.items()}
