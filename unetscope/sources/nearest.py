"""The published network that is nearest to other tensors, and how they differ from its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from unetscope.config.writing import spelled

if TYPE_CHECKING:
    from unetscope.config import Spec
    from unetscope.record import TensorSpec

Shape = tuple[int, ...]
_LEAST = 0.5
"""Of all names that one or the other has, the share that is equal in both, for it to be near."""
_LEAST_OF_A_PART = 0.1
"""The same, where it has all names and shapes that are given."""
_MOST_OPTIONS = 2
"""Options that a label tells."""
_IN_WORDS = {
    "in_channels": "{} input channels",
    "out_channels": "{} output channels",
    "layers_per_block": "{} layers per block",
    "cross_attention_dim": "a text of {} channels",
}
"""What a label says of an option; of another, its key and its value."""


@dataclass(frozen=True)
class Nearest:
    """The nearest published network.

    Attributes:
        networks: the names of its config, and of those with equal tensors.
        label: the same in a few words.
        differences: how the other one differs, in sentences.
    """

    networks: tuple[str, ...]
    label: str
    differences: tuple[str, ...]


def by_options(family: str, unet: Any, by_convention: Collection[str]) -> Nearest | None:
    """The network of the same family whose options differ the least.

    Args:
        family: of the network.
        unet: its options.
        by_convention: those of them that no tensor tells.
    """
    from unetscope.checkpoints.inference.published import changes, nearest, options_of, published

    told = {key: value for key, value in options_of(unet).items() if key not in by_convention}
    changed = changes(family, told)
    if not changed:
        return None
    name = nearest(changed)
    networks, options, there = alike(name), changed[name], published()[name][1]
    label = f"like {', '.join(networks)} but with {' and '.join(map(_in_words, options.items()))}"
    if not 0 < len(options) <= _MOST_OPTIONS:
        label = f"{family}, nearest to {', '.join(networks)}"
    said = (f"`{key}`: {spelled(new)}, not {spelled(there[key])}" for key, new in options.items())
    return Nearest(networks, label, tuple(said))


def by_tensors(tensors: Mapping[str, TensorSpec]) -> Nearest | None:
    """The network that shares the most names and shapes; None if that is less than half.

    One that has all that are given is nearer than any other: they may be one file of several. Of
    such networks, and of equally near ones, that is taken which most others extend.
    """
    from unetscope.checkpoints.inference.comparing import differences
    from unetscope.checkpoints.inference.naming import named
    from unetscope.checkpoints.inference.tree import NotInferredError
    from unetscope.config.files import heirs

    shapes = {name: spec.shape for name, spec in tensors.items()}
    try:
        translated = named(shapes)
    except NotInferredError:
        own, given = {name: name for name in shapes}, shapes
    else:
        own, given = translated.names, translated.shapes
    pairs, ranks = given.items(), {}
    for name, there in _tensors().items():
        share, is_part = _share(pairs, there.items()), pairs <= there.items()
        if share >= (_LEAST_OF_A_PART if is_part else _LEAST):
            ranks[name] = (True, heirs()[name], share) if is_part else (False, share, heirs()[name])
    if not ranks:
        return None
    name = max(ranks, key=lambda each: ranks[each])
    networks, there = alike(name), _tensors()[name]
    label = _label(given, there, ", ".join(networks))
    return Nearest(networks, label, differences(own, given, there))


def _share(ours: Set[Any], theirs: Set[Any]) -> float:
    common = len(ours & theirs)
    return common / (len(ours) + len(theirs) - common)


def _label(given: Mapping[str, Shape], there: Mapping[str, Shape], named: str) -> str:
    """How many tensors differ, or are too few or too many where that is all."""
    if given.items() <= there.items():
        return f"{len(given)} of the {len(there)} tensors of {named}"
    if given.items() >= there.items():
        return f"like {named} with more tensors: {len(given) - len(there)}"
    unlike = {name for name in (*given, *there) if given.get(name) != there.get(name)}
    return f"like {named} but for {len(unlike)} of {len(there)} tensors"


@cache
def _specs() -> dict[str, Spec]:
    """The shipped configs of families whose tensors can be listed."""
    from unetscope.config import load, shipped

    specs = {name: load(name) for name in shipped()}
    return {name: spec for name, spec in specs.items() if _lists(spec.family)}


def _lists(family: str) -> bool:
    return family in ("UNet2DConditionModel", "UNet2DModel", "ControlNetModel")


@cache
def _tensors() -> dict[str, dict[str, Shape]]:
    """The names and shapes of each of them."""
    from unetscope.families.diffusers.tensors import tensors_of

    options: dict[str, Any] = {name: spec.unet for name, spec in _specs().items()}
    return {name: tensors_of(unet) for name, unet in options.items()}


def alike(name: str) -> tuple[str, ...]:
    """A network, and those with equal tensors."""
    return tuple(other for other, there in _tensors().items() if there == _tensors()[name])


def _in_words(option: tuple[str, Any]) -> str:
    key, value = option
    form = _IN_WORDS.get(key, f"{key} {{}}") if isinstance(value, int) else f"{key} {{}}"
    return form.format(spelled(value))
