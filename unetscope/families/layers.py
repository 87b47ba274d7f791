"""torch's own layers, except that on the meta device they skip their initialisation.

There is nothing to initialise on meta, and torch's random fills take their slow Python path there.
The classes keep torch's names, since a network's tables show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable


M = TypeVar("M", bound=type[nn.Module])


def published_as(name: str) -> Callable[[M], M]:
    """Give a class the name that tables show, where the published code has one for several."""

    def rename(cls: M) -> M:
        cls.__name__ = cls.__qualname__ = name
        return cls

    return rename


class _InitialisedInMemory(nn.Module):
    """Initialises its parameters as torch does, if there is memory that holds them."""

    weight: Any

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:
            super().reset_parameters()  # type: ignore[misc]  # of the next base class


class Conv2d(_InitialisedInMemory, nn.Conv2d):
    """`torch.nn.Conv2d`: `(B, C_in, H, W)` to `(B, C_out, H', W')`."""


class ConvTranspose2d(_InitialisedInMemory, nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`: `(B, C_in, H, W)` to `(B, C_out, H', W')`."""


class Linear(_InitialisedInMemory, nn.Linear):
    """`torch.nn.Linear`: `(..., C_in)` to `(..., C_out)`."""


class GroupNorm(_InitialisedInMemory, nn.GroupNorm):
    """`torch.nn.GroupNorm` over `(B, C, H, W)`."""


class LayerNorm(_InitialisedInMemory, nn.LayerNorm):
    """`torch.nn.LayerNorm` over the last dimension."""


class Embedding(_InitialisedInMemory, nn.Embedding):
    """`torch.nn.Embedding`: `(B,)` integers to `(B, C)`."""


_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "mish": nn.Mish,
    "relu": nn.ReLU,
}


def activation(name: str) -> nn.Module:
    """The activation that published configs call `name`."""
    return _ACTIVATIONS[name]()
