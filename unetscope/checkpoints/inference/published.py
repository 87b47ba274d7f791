"""The options of the published networks, and in which of them others differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

_SHAPELESS = frozenset({"sample_size", "upcast_attention"})
"""Options that shape no tensor, and are a published network's own."""


def options_of(unet: Any) -> dict[str, Any]:
    """The options of a network by their keys, as plain values."""
    import msgspec

    options: dict[str, Any] = msgspec.to_builtins(unet)
    return options


def changes(family: str, options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What other options change of each published network of a family: key -> the other value."""
    return {
        name: {
            key: value
            for key, value in options.items()
            if there[key] != value and key not in _SHAPELESS
        }
        for name, (kind, there) in published().items()
        if kind == family
    }


def nearest(changed: Mapping[str, Collection[str]]) -> str:
    """The network that is changed the least; of several, that which most others extend."""
    from unetscope.config.files import heirs

    return min(changed, key=lambda name: (len(changed[name]), -heirs()[name], name))


@cache
def published() -> dict[str, tuple[str, dict[str, Any]]]:
    """The family of each, and its options."""
    from unetscope.config import load, shipped

    specs = {name: load(name) for name in shipped()}
    return {name: (spec.family, options_of(spec.unet)) for name, spec in specs.items()}
