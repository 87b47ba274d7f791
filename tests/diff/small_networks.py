"""Networks small enough to compare in a moment, and ways to change them."""

from __future__ import annotations

import re
from dataclasses import replace

from narrow_configs import NARROWING
from torch import nn, zeros

from unetscope import load as loaded
from unetscope.analysis.digest import digest
from unetscope.config import load
from unetscope.tracing import trace


def narrow_trace(*overrides, base="sd15", **sizes):
    """The trace of a narrow Stable Diffusion on the meta device."""
    sizes = {"height": 16, "width": 16, "tokens": 5, **sizes}
    return loaded(load(base, overrides=[*NARROWING, *overrides], **sizes)).trace()


def narrow(*overrides, **more):
    """Its lock."""
    return digest(narrow_trace(*overrides, **more))


def locked(model, *shape):
    """The lock of any module that takes one tensor."""
    return digest(trace(model.eval(), (zeros(*(shape or (1, 4, 8, 8))),)))


def conv(given, made, kernel=3):
    return nn.Conv2d(given, made, kernel, padding=kernel // 2)


class Chain(nn.Module):
    """Layers called in the order of a list of their names."""

    def __init__(self, order, **layers):
        super().__init__()
        self._order = order
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, input):  # noqa: A002 - as that of nn.Sequential
        x = input
        for name in self._order:
            x = getattr(self, name)(x)
        return x


class Listed(nn.Module):
    """A `ModuleList` called in some order."""

    def __init__(self, layers, order=None):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self._order = order or range(len(layers))

    def forward(self, x):
        for index in self._order:
            x = self.layers[index](x)
        return x


class SmallUNet(nn.Module):
    """Two levels down, two up, each joined with what the encoder left."""

    def __init__(self, width=8, joins=(1, 0), flipped=False, half=0.5):
        super().__init__()
        self.enter = conv(4, width)
        self.downs = nn.ModuleList([conv(width, width) for _ in range(2)])
        self.middle = conv(width, width)
        self.ups = nn.ModuleList([conv(2 * width, width) for _ in range(2)])
        self.leave = conv(width, 4)
        self._joins, self._flipped, self._half = joins, flipped, half

    def forward(self, x):
        from torch import cat

        h = self.enter(x)
        skips = []
        for down in self.downs:
            h = down(h)
            skips.append(h)
        h = self.middle(h) * self._half
        for up, join in zip(self.ups, self._joins, strict=True):
            pair = [skips[join], h] if self._flipped else [h, skips[join]]
            h = up(cat(pair, dim=1))
        return self.leave(h)


def renamed(traced, rename, kind=lambda name: name):
    """A trace with every module's path and class renamed."""
    paths = {module.path: rename(module.path) if module.path else "" for module in traced.modules}
    assert len(set(paths.values())) == len(paths)

    def tied(parameter):
        if parameter.tied_to is None:
            return parameter
        path, _, own = parameter.tied_to.rpartition(".")
        return replace(parameter, tied_to=f"{paths[path]}.{own}")

    def sourced(value):
        path, _, own = (value.source or "").rpartition(".")
        known = value.source is not None and path in paths and value.op is None
        if not known or value.source in inputs:
            return value
        return replace(value, source=f"{paths[path]}.{own}".lstrip("."))

    inputs = {argument.name for argument in traced.inputs}
    return replace(
        traced,
        values=tuple(map(sourced, traced.values)),
        modules=tuple(
            replace(
                module,
                path=paths[module.path],
                kind=kind(module.kind),
                parameters=tuple(map(tied, module.parameters)),
            )
            for module in traced.modules
        ),
        steps=tuple(replace(step, module=paths[step.module]) for step in traced.steps),
    )


def prefixed(path):
    """`down_blocks.0.resnets` is `m_down_blocks.0.m_resnets`: another name at each level."""
    return re.sub(r"(?<![\w])(?=[A-Za-z_])", "m_", path)
