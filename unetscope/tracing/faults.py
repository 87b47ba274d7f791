"""Layers that do not fit their channels, all of one network.

Building stops at the first and so does a pass; here both go on, with the shape that the layer
declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from unetscope.findings import FORWARD, GROUPS, Finding
from unetscope.turns import turn
from unetscope.wording import listed

Faults = dict[tuple[str, int, int], list[str]]
"""Path of a module, channels that its layers are built for, channels that come in -> the names of
those layers in it, in the order of their calls."""


@contextmanager
def lenient_norms() -> Iterator[Callable[[nn.Module], list[Finding]]]:
    """Let norms be built whose groups do not divide their channels, with one group instead.

    Yields:
        What finds those norms in the model that was built, one finding for each pair of numbers,
        in the first of the norms.
    """
    noted: dict[nn.Module, tuple[int, int]] = {}
    original = nn.GroupNorm.__init__
    owner = get_ident()

    @wraps(original)
    def build(
        self: nn.GroupNorm, num_groups: int, num_channels: int, *args: Any, **kwargs: Any
    ) -> None:
        if num_channels % num_groups and get_ident() == owner:
            noted[self] = num_groups, num_channels
            num_groups = 1
        original(self, num_groups, num_channels, *args, **kwargs)

    def found(model: nn.Module) -> list[Finding]:
        paths: dict[tuple[int, int], list[str]] = {}
        for path, module in model.named_modules():
            if module in noted:
                paths.setdefault(noted[module], []).append(path)
        return [
            GROUPS.in_module(
                norms[0],
                f"{listed(norms)}: expected groups that divide {channels} channels, found {groups}",
            )
            for (groups, channels), norms in paths.items()
        ]

    with turn():
        nn.GroupNorm.__init__ = build  # type: ignore[method-assign]
        try:
            yield found
        finally:
            nn.GroupNorm.__init__ = original  # type: ignore[method-assign]


def faults(model: nn.Module, kwargs: Mapping[str, Any]) -> list[Finding]:
    """The faults of `model(**kwargs)`, one a cause; empty if something else stops the pass.

    Args:
        model: on the meta device; its layers are changed, so that it is of no further use.
        kwargs: its inputs, on the same device.
    """
    found: Faults = {}
    for path, module in model.named_modules():
        if (built_for := _built_for(module)) is not None:
            vars(module)["forward"] = _lenient(module, path, *built_for, found)
    with torch.no_grad(), suppress(RuntimeError, ValueError, TypeError):
        model(**kwargs)
    return [
        FORWARD.in_module(
            module,
            f"{f'{module}: ' if module else ''}expected {given} channels, as they come in, found "
            f"layers built for {expected}: {listed(layers)}",
        )
        for (module, expected, given), layers in found.items()
    ]


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
    module: nn.Module, path: str, dim: int, expected: int, found: Faults
) -> Callable[..., Tensor]:
    """A layer's `forward` that notes a fault instead of raising it."""
    forward: Callable[..., Tensor] = module.forward
    parent, _, layer = path.rpartition(".")

    @wraps(forward)
    def lenient(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        given = x.shape[dim]
        if given == expected:
            return forward(x, *args, **kwargs)
        layers = found.setdefault((parent, expected, given), [])
        if layer not in layers:
            layers.append(layer)
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            return x  # a norm keeps the shape
        shape = list(x.shape)
        shape[dim] = expected
        return forward(x.new_empty(shape), *args, **kwargs)

    return lenient
