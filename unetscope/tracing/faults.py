"""Layers that do not fit their channels, all of one network.

Building stops at the first and so does a pass; here both go on, with the shape that the layer
declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd


@dataclass(frozen=True)
class Fault:
    """Layers of one module that are given too many channels, or too few.

    Attributes:
        module: the path of the module that holds them.
        layers: their names in it, in the order of their calls.
        expected: the channels that they are built for.
        found: the channels that they are given.
    """

    module: str
    layers: tuple[str, ...]
    expected: int
    found: int


@dataclass(frozen=True)
class Ungrouped:
    """Norms whose groups do not divide their channels.

    Attributes:
        layers: their paths.
        groups: of the norm.
        channels: of the norm.
    """

    layers: tuple[str, ...]
    groups: int
    channels: int


@contextmanager
def lenient_norms() -> Iterator[Callable[[nn.Module], list[Ungrouped]]]:
    """Let norms be built whose groups do not divide their channels, with one group instead.

    Yields:
        What finds those norms in the model that was built, one entry for each pair of numbers.
    """
    noted: dict[nn.Module, tuple[int, int]] = {}
    original = nn.GroupNorm.__init__

    @wraps(original)
    def build(
        self: nn.GroupNorm, num_groups: int, num_channels: int, *args: Any, **kwargs: Any
    ) -> None:
        if num_channels % num_groups:
            noted[self] = num_groups, num_channels
            num_groups = 1
        original(self, num_groups, num_channels, *args, **kwargs)

    def found(model: nn.Module) -> list[Ungrouped]:
        paths: dict[tuple[int, int], list[str]] = {}
        for path, module in model.named_modules():
            if module in noted:
                paths.setdefault(noted[module], []).append(path)
        return [Ungrouped(tuple(layers), *numbers) for numbers, layers in paths.items()]

    nn.GroupNorm.__init__ = build  # type: ignore[method-assign]
    try:
        yield found
    finally:
        nn.GroupNorm.__init__ = original  # type: ignore[method-assign]


def faults(model: nn.Module, kwargs: Mapping[str, Any]) -> list[Fault]:
    """The faults of `model(**kwargs)`, one a cause; empty if something else stops the pass.

    Args:
        model: on the meta device; its layers are changed, so that it is of no further use.
        kwargs: its inputs, on the same device.
    """
    found: list[Fault] = []
    for path, module in model.named_modules():
        if (built_for := _built_for(module)) is not None:
            vars(module)["forward"] = _lenient(module, path, *built_for, found)
    with torch.no_grad(), suppress(RuntimeError, ValueError, TypeError):
        model(**kwargs)
    return found


def _built_for(module: nn.Module) -> tuple[int, int] | None:
    """The dim that holds a layer's channels, and how many it takes."""
    match module:
        case _ConvNd():
            return 1, module.in_channels
        case nn.GroupNorm():
            return 1, module.num_channels
        case nn.Linear():
            return -1, module.in_features
        case nn.LayerNorm():
            return -1, module.normalized_shape[-1]
    return None


def _lenient(
    module: nn.Module, path: str, dim: int, expected: int, found: list[Fault]
) -> Callable[..., Tensor]:
    """A layer's `forward` that notes a fault instead of raising it."""
    forward: Callable[..., Tensor] = module.forward

    @wraps(forward)
    def lenient(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        given = x.shape[dim]
        if given == expected:
            return forward(x, *args, **kwargs)
        _note(found, path, expected, given)
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            return x  # a norm keeps the shape
        shape = list(x.shape)
        shape[dim] = expected
        return forward(x.new_empty(shape), *args, **kwargs)

    return lenient


def _note(found: list[Fault], path: str, expected: int, given: int) -> None:
    """Add a fault, or its layer to the one of the same module and widths."""
    module, _, layer = path.rpartition(".")
    for index, other in enumerate(found):
        if (other.module, other.expected, other.found) == (module, expected, given):
            if layer not in other.layers:
                found[index] = replace(other, layers=(*other.layers, layer))
            return
    found.append(Fault(module, (layer,), expected, given))
