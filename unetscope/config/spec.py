"""A config that was found valid: a network and the tensors that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from unetscope.errors import Place
from unetscope.families import find
from unetscope.families.sizes import check_sizes
from unetscope.findings import Path

if TYPE_CHECKING:
    from torch import nn

    from unetscope.families.family import Options, Tensors


_LAST = 1_000_000
"""The layer of options of the command line that nothing can override."""


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

    @property
    def network(self) -> tuple[str, Options, Inputs]:
        """What the network is and is given, whatever it is called and wherever that stands.

        Configs for which this is equal have the same pass; an image's scale shapes no tensor.
        """
        return self.family, self.unet, replace(self.inputs, scale=1)

    def tensors(self) -> Tensors:
        """The keyword arguments of the network's `forward`."""
        sizes = self.inputs
        size = (sizes.height, sizes.width)
        return find(self.family).inputs(self.unet, sizes.batch, size, sizes.tokens)

    def resized(self, sizes: Mapping[str, int]) -> Spec:
        """The same network with inputs of other sizes, as options of the command line give them.

        Args:
            sizes: `batch`, `height`, `width` and `tokens`, those that differ.

        Raises:
            ConfigError: the network cannot take them.
        """
        inputs = replace(self.inputs, **sizes)
        size = (inputs.height, inputs.width)
        places = {**self.places, **flag_places(sizes)}
        for finding in check_sizes(find(self.family), self.unet, inputs.batch, size, inputs.tokens):
            raise finding.error(places)
        return replace(self, inputs=inputs, places=places)

    def build(self) -> nn.Module:
        """Build the network on torch's current default device."""
        return find(self.family).build(self.unet)


def flag_places(sizes: Mapping[str, int]) -> dict[Path, Place]:
    """Where sizes stand that options of the command line give, such as `--height 64`."""
    return {
        ("inputs", name): Place(f"--{name} {size}", layer=_LAST) for name, size in sizes.items()
    }
