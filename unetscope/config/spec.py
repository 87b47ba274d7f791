"""A config that was found valid: a network and the tensors that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unetscope.config.forward import forward_inputs
from unetscope.config.sections import Options
from unetscope.errors import Place
from unetscope.findings import Path
from unetscope.record import TensorSpec


@dataclass(frozen=True)
class Inputs:
    """The sizes of a network's inputs.

    Attributes:
        batch: images at once.
        height: rows of the sample.
        width: columns of the sample.
        tokens: tokens of the text.
        scale: pixels of the image for each row of the sample.
    """

    height: int
    width: int
    batch: int = 1
    tokens: int = 77
    scale: int = 1


@dataclass(frozen=True)
class Spec:
    """A network, as its config describes it.

    Attributes:
        reference: the config as the user named it.
        name: what people call the network; by default the name of its file.
        family: the published class.
        source: where the values come from; may be empty.
        unet: the family's options.
        inputs: the sizes of its inputs.
        resolved: the config with `extends`, overrides and flags worked in, as plain values.
        places: where each key of `resolved` stands.
        notes: what of the file was left out, if it is of another dialect.
    """

    reference: str
    name: str
    family: str
    source: str
    unet: Options
    inputs: Inputs
    resolved: dict[str, Any]
    places: Mapping[Path, Place]
    notes: tuple[str, ...] = ()

    def tensors(self) -> dict[str, TensorSpec | dict[str, TensorSpec]]:
        """The keyword arguments of the network's `forward`."""
        sizes = self.inputs
        return forward_inputs(self.unet, sizes.batch, (sizes.height, sizes.width), sizes.tokens)
