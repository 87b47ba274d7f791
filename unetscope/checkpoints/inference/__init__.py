"""A whole config, read off the names and shapes of a network's tensors, and proven by them.

What is seen decides the options; the tensors that a network of these options has are then listed
and compared with those given, so that no config is returned that builds other ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unetscope.checkpoints.identified import Inferred
from unetscope.checkpoints.inference.naming import Named, named
from unetscope.checkpoints.inference.tree import NotInferredError, Shape, Tree
from unetscope.checkpoints.inference.writing import to_yaml
from unetscope.record import TensorSpec

__all__ = ["NotInferredError", "infer", "to_yaml"]

_MOST_TOLD = 3
"""Names that a sentence lists."""


def infer(tensors: Mapping[str, TensorSpec]) -> Inferred:
    """The config of a UNet, from its tensors.

    Args:
        tensors: all of them, named without a prefix, of the shapes that they have when used.

    Raises:
        NotInferredError: no family builds a network with exactly these tensors.
    """
    from unetscope.checkpoints.inference.foreign import refuse
    from unetscope.checkpoints.inference.options import Network

    refuse(tensors)
    found = named({name: spec.shape for name, spec in tensors.items()})
    network = Network(Tree.of(found.shapes))
    faults: list[tuple[str, ...]] = []
    for family in network.families:
        try:
            return _proven(network, family, found)
        except NotInferredError as error:
            faults.append(error.reasons)
    raise NotInferredError(*faults[0])


def _proven(network: Any, family: str, found: Named) -> Inferred:
    """The config for a family, if it builds these tensors."""
    from msgspec import ValidationError, convert

    from unetscope.checkpoints.inference.conventions import conventions
    from unetscope.families import find
    from unetscope.families.diffusers.tensors import tensors_of

    told_by_shapes, doubts = network.options(family)
    by_convention, told = conventions(network, family, found.dialect)
    known = find(family)
    try:
        unet = told_by_shapes | by_convention
        options = convert(unet, known.options)
    except ValidationError as error:
        raise NotInferredError(f"no {family} is so built: {error}") from None
    for finding in known.findings(options, {}):
        key = ".".join(map(str, finding.path))
        raise NotInferredError(f"no {family} is so built: {key}: {finding.message}")
    _compare(found, tensors_of(options))
    config: dict[str, Any] = {"family": family, "unet": unet}
    if sizes := _sizes(known, options):
        config["inputs"] = sizes
    return Inferred(config, found.dialect, (*doubts, *told), found.names)


def _sizes(family: Any, options: Any) -> dict[str, int]:
    """The smallest square sample above the usual that the network takes; none if that does."""
    side = max(family.usual_size(options))
    wanted = side
    while not family.sizes.takes(options, (wanted, wanted)):
        wanted *= 2
        if wanted > 65_536:
            raise NotInferredError("no sample up to 65,536 pixels wide passes through the network")
    return {} if wanted == side else {"height": wanted, "width": wanted}


def _compare(found: Named, built: Mapping[str, Shape]) -> None:
    """Raises unless a network has exactly the tensors that were found."""
    reasons = []
    over = [found.names[name] for name in found.shapes if name not in built]
    lacking = [name for name in built if name not in found.shapes]
    other = [
        f"`{found.names[name]}` {list(shape)} ≠ {list(built[name])}"
        for name, shape in found.shapes.items()
        if name in built and built[name] != shape
    ]
    if over:
        reasons.append(f"left over, {len(over)} in all: {_listed(over)}")
    if lacking:
        reasons.append(f"missing, {len(lacking)} in all: {_listed(lacking)}")
    if other:
        told = "; ".join(other[:_MOST_TOLD])
        reasons.append(f"of other shapes than the network's, {len(other)} in all: {told}")
    if reasons:
        raise NotInferredError(*reasons)


def _listed(names: list[str]) -> str:
    told = ", ".join(f"`{name}`" for name in names[:_MOST_TOLD])
    return told if len(names) <= _MOST_TOLD else f"{told} and {len(names) - _MOST_TOLD} more"
