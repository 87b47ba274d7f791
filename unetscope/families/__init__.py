"""UNets as plain PyTorch that reads like the papers, with the published parameter names.

A family is one module in this package and one line in `FAMILIES`. Choosing one costs no import:
torch is loaded when a network is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from unetscope.errors import ConfigError, nearest

if TYPE_CHECKING:
    from msgspec import Struct
    from torch import nn

FAMILIES = {
    "UNet2DConditionModel": "unetscope.families.diffusers.networks.unet2d_condition",
    "UNet2DModel": "unetscope.families.diffusers.networks.unet2d",
    "ControlNetModel": "unetscope.families.diffusers.networks.controlnet",
    "Diffusion": "unetscope.families.article_002.network",
    "SimpleUNet": "unetscope.families.article_003.network",
}
"""Name of a family's class -> the module that holds it."""


def build(family: str, config: Struct) -> nn.Module:
    """Build a network on torch's current default device.

    Args:
        family: a key of `FAMILIES`.
        config: the family's options, such as a `UNet2DConditionConfig`.

    Raises:
        ConfigError: the family is unknown, or the config asks for what it does not cover.
    """
    if family not in FAMILIES:
        close = nearest(family, FAMILIES)
        raise ConfigError(
            f"unknown family {family!r}; expected one of {', '.join(FAMILIES)}",
            hint=f"did you mean {close}?" if close else None,
        )
    network: nn.Module = getattr(import_module(FAMILIES[family]), family)(config)
    return network
