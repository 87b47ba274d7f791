"""Networks of a family in which every role of a module occurs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import msgspec
from other_values import counts_layers
from perturbed_networks import Base
from perturbing import Observed, kinds_of, observe

from unetscope.analysis.shaped import ANY, spelled
from unetscope.config.sections import keys_of
from unetscope.config.types import alternatives
from unetscope.families import find


def bases(name: str) -> list[tuple[Base, Observed]]:
    """Networks of a family in which every role occurs that was found, and what was seen of them.

    The first have the same types of blocks at every level, of four levels, of three with more
    layers and of one; the others have what a change of one option brought in. Each name that an
    option may have is in one of them.
    """
    known: set[tuple[str, ...]] = set()
    chosen: list[tuple[Base, Observed]] = []
    for base in seeds(name):
        before = base.facts({})
        if before is not None and (new := roles(kinds_of(before)) - known):
            known |= new
            chosen += _observed(base, deep(cut(base, 3)), cut(base, 1))
    for base, seen in chosen:  # grows
        for changed, kinds in seen.variants:
            if new := roles(kinds) - known:
                known |= new
                chosen += _observed(_with(base, changed, new))
    held = {(key, str(value)) for base, _ in chosen for key, value in base.options.items()}
    for changed, _ in chosen[0][1].variants:
        key, value = next(iter(changed.items()))
        if isinstance(value, str) and (key, value) not in held:
            chosen += _observed(_with(chosen[0][0], changed, set()))
    return chosen


def _with(base: Base, changed: dict[str, Any], new: set[tuple[str, ...]]) -> Base:
    """A base for what a change brings in: of all levels, if it is in them."""
    wider = Base(base.family, {**base.options, **changed}, thorough=True)
    if any(part.partition(":")[0] == ANY for role in new for part in role):
        return wider
    return cut(wider, 2)


def _observed(*wanted: Base) -> list[tuple[Base, Observed]]:
    found = []
    for base in wanted:
        if (seen := observe(base)) is not None:
            found.append((base, seen))
        base.forget()
    return found


def roles(kinds: dict[str, str]) -> set[tuple[str, ...]]:
    """What the modules of a network are, wherever they are."""
    none: dict[str, int] = defaultdict(int)
    return {tuple(general for general, *_ in spelled(path, kinds, none)) for path in kinds if path}


def seeds(name: str) -> Iterator[Base]:
    """The default network of a family, and those with one type of block at all levels."""
    family = find(name)
    keys = keys_of(family.options)
    types = {
        key: family.covered.values[key]
        for key in family.level_keys
        if key in keys and key in family.covered.values
    }
    yield _shallow(Base(name, {}))
    # Names at the same place in both lists mostly belong together: these pairs come first.
    pairs = sorted(product(*(enumerate(names) for names in types.values())), key=_distance)
    for chosen in pairs if types else ():
        uniform = {
            key: [value] * len(keys[key].default)
            for key, (_, value) in zip(types, chosen, strict=True)
        }
        yield _shallow(Base(name, uniform, thorough=True))


def _distance(chosen: tuple[tuple[int, str], ...]) -> int:
    places = [place for place, _ in chosen]
    return max(places, default=0) - min(places, default=0)


def _layer_keys(name: str) -> list[str]:
    """The options that count layers."""
    return [
        key
        for key, spec in keys_of(find(name).options).items()
        if any(map(counts_layers, alternatives(spec.type)))
    ]


def _shallow(base: Base) -> Base:
    layers = {key: 1 for key in _layer_keys(base.family) if base.keys[key].default is not None}
    return replace(base, options={**layers, **base.options})


def cut(base: Base, levels: int) -> Base:
    """The same with so many levels."""
    family = find(base.family)
    unet = msgspec.convert(base.options, family.options)
    most = len(family.channels(unet))
    options = dict(base.options)
    for key in base.keys:
        value = base.value(key)
        if isinstance(value, list) and (key in family.level_keys or len(value) == most):
            options[key] = value[:levels]
    return Base(base.family, options)


def deep(base: Base) -> Base:
    """The same with more layers."""
    layers = {key: 3 for key in _layer_keys(base.family) if base.keys[key].default is not None}
    return replace(base, options={**base.options, **layers})
