"""What the modules of a network are, of a family with some options, on the meta device.

Channels cost nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import torch

from unetscope.analysis.bodies import body
from unetscope.analysis.network import Network
from unetscope.config.sections import keys_of
from unetscope.families import find
from unetscope.families.sizes import check_sizes
from unetscope.tracing import devices, trace
from unetscope.tracing.modules import attributes


def module_facts(made: Any) -> dict[str, Any]:
    """What each module is, without what is in it, by path."""
    network = Network(made)
    ran: dict[str, list[Any]] = {}
    for call, step in enumerate(made.steps):
        ran.setdefault(step.module, []).append(body(network, call))
    return {
        module.path: (
            module.kind,
            repr(module.attributes),
            module.parameters,
            module.buffers,
            ran.get(module.path),
        )
        for module in made.modules
    }


@dataclass
class Base:
    """One network of a family, of which the options are perturbed.

    Attributes:
        family: its name.
        options: what is not the default.
        thorough: whether every type of block is tried at each level.
    """

    family: str
    options: dict[str, Any]
    thorough: bool = False
    _facts: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def keys(self) -> dict[str, Any]:
        """The options of its family."""
        return keys_of(find(self.family).options)

    def value(self, key: str) -> Any:
        value = self.options.get(key, self.keys[key].default)
        return list(value) if isinstance(value, tuple) else value

    def facts(self, changed: dict[str, Any]) -> dict[str, Any] | None:
        """What the modules are with other values of some options; None if there is no network."""
        options = {**self.options, **changed}
        name = repr(sorted(options.items()))
        if name not in self._facts:
            self._facts[name] = facts(self.family, options)
        return self._facts[name]

    def forget(self) -> None:
        """Give the memory of all facts back."""
        self._facts.clear()


def facts(name: str, options: dict[str, Any]) -> dict[str, Any] | None:
    """What the modules of a network are; None if there is no such network."""
    family = find(name)
    try:
        unet = msgspec.convert(options, family.options)
    except msgspec.ValidationError:
        return None
    if any(family.findings(unet, {})):
        return None
    side, tokens = 2 ** len(family.channels(unet)), family.usual_tokens(unet)
    if any(check_sizes(family, unet, 1, (side, side), tokens)):
        return None
    tensors = family.inputs(unet, 1, (side, side), tokens)
    try:
        model = devices.build(lambda: family.build(unet), "meta", "float32")
        return module_facts(trace(model, kwargs=_given(tensors)))
    except Exception:
        return None


def built(name: str, options: dict[str, Any]) -> dict[str, Any] | None:
    """What the modules of a network are that need not run; None if it cannot be built."""
    family = find(name)
    try:
        unet = msgspec.convert(options, family.options)
        model = devices.build(lambda: family.build(unet), "meta", "float32")
    except Exception:
        return None
    return {
        path: (
            type(module).__name__,
            repr(attributes(module)),
            [(key, tensor.shape) for key, tensor in module.named_parameters(recurse=False)],
        )
        for path, module in model.named_modules()
    }


def _given(tensors: Any) -> Any:
    if isinstance(tensors, dict):
        return {name: _given(tensor) for name, tensor in tensors.items()}
    return torch.empty(tensors.shape, dtype=getattr(torch, tensors.dtype), device="meta")
