"""A whole config, read off the names and shapes of a network's tensors, and proven by them.

What is seen decides the options; the tensors that a network of these options has are then listed
and compared with those given, so that no config is returned that builds other ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unetscope.checkpoints.identified import Inferred
from unetscope.checkpoints.inference.comparing import differences
from unetscope.checkpoints.inference.naming import Named, mixed, named
from unetscope.checkpoints.inference.tree import NotInferredError, Tree
from unetscope.checkpoints.inference.writing import to_yaml
from unetscope.record import TensorSpec

__all__ = ["NotInferredError", "infer", "to_yaml"]


def infer(tensors: Mapping[str, TensorSpec]) -> Inferred:
    """The config of a UNet, from its tensors.

    Args:
        tensors: all of them, named without a prefix, of the shapes that they have when used.

    Raises:
        NotInferredError: no family builds a network with exactly these tensors.
    """
    try:
        return _inferred(tensors)
    except NotInferredError as error:
        if told := mixed(tensors):
            raise NotInferredError(told, *error.reasons) from None
        raise


def _inferred(tensors: Mapping[str, TensorSpec]) -> Inferred:
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
    if faults := differences(found.names, found.shapes, tensors_of(options)):
        raise NotInferredError(*faults)
    config: dict[str, Any] = {"family": family, "unet": unet}
    if sizes := _sizes(known, options):
        config["inputs"] = sizes
    return Inferred(config, found.dialect, (*doubts, *told), found.names, found.shapes)


def _sizes(family: Any, options: Any) -> dict[str, int]:
    """The smallest square sample above the usual that the network takes; none if that does."""
    side = max(family.usual_size(options))
    wanted = side
    while not family.sizes.takes(options, (wanted, wanted)):
        wanted *= 2
        if wanted > 65_536:
            raise NotInferredError("no sample up to 65,536 pixels wide passes through the network")
    return {} if wanted == side else {"height": wanted, "width": wanted}
