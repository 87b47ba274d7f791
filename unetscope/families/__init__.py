"""UNets as plain PyTorch that reads like the papers, with the published parameter names.

A family is a folder in this package and one line in `FAMILIES`. Naming families imports nothing;
asking for one imports its options and rules, and building a network imports torch.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unetscope.errors import ConfigError, nearest

if TYPE_CHECKING:
    from torch import nn

    from unetscope.families.family import Family, Options

FAMILIES = {
    "UNet2DConditionModel": "unetscope.families.diffusers:UNET_2D_CONDITION",
    "UNet2DModel": "unetscope.families.diffusers:UNET_2D",
    "ControlNetModel": "unetscope.families.diffusers:CONTROLNET",
    "Diffusion": "unetscope.families.article_002:FAMILY",
    "SimpleUNet": "unetscope.families.article_003:FAMILY",
}
"""Name of a family -> where its `Family` is."""


@cache
def find(name: str) -> Family[Any]:
    """The family of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in FAMILIES:
        close = nearest(name, FAMILIES)
        raise ConfigError(
            f"unknown family {name!r}; expected one of {', '.join(FAMILIES)}",
            hint=f"did you mean {close}?" if close else None,
        )
    module, _, attribute = FAMILIES[name].partition(":")
    found: Family[Any] = getattr(import_module(module), attribute)
    return found


def every() -> list[Family[Any]]:
    """All families, in the order of the registry."""
    return [find(name) for name in FAMILIES]


def build(name: str, options: Options) -> nn.Module:
    """Build a network on torch's current default device.

    Args:
        name: a key of `FAMILIES`.
        options: the family's options, such as a `UNet2DConditionConfig`.

    Raises:
        ConfigError: the family is unknown, or does not cover the options.
    """
    return find(name).build(options)


def defaults(name: str) -> dict[str, Any]:
    """What the options of a family are where a config leaves them out; none for other names."""
    if name not in FAMILIES:
        return {}
    from msgspec import NODEFAULT, to_builtins
    from msgspec.structs import fields

    options = fields(find(name).options)
    return {f.encode_name: to_builtins(f.default) for f in options if f.default is not NODEFAULT}
