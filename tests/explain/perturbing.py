"""Perturbs the options of a family, one at a time, and sees which modules change.

A module is changed by an option if it is there with one value and not with the other, or if its
class, its attributes, its tensors, its calls or what runs in its body differ. Everything runs on
the meta device, where channels cost nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from random import Random
from typing import Any

import msgspec
import torch

from unetscope.analysis.bodies import body
from unetscope.analysis.network import Network
from unetscope.config.sections import keys_of
from unetscope.config.types import alternatives
from unetscope.families import find
from unetscope.families.sizes import check_sizes
from unetscope.tracing import devices, trace
from unetscope.tracing.modules import attributes

ENOUGH, THOROUGH, EVERY = 2, 3, 99
"""Other values that are tried, of those that a network can be built with."""
MOST_LAYERS = 64
"""Numbers with no higher bound count layers."""
NEEDED = ((8, 256, 64), (256, 8, 64), (16, 16, 16))
"""Numbers for options that another needs beside it."""


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
        thorough: whether several types of blocks are tried at each level.
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


# --- other values ------------------------------------------------------------------------------


def numbers(value: Any, alternative: Any) -> list[Any]:
    """Other numbers within the bounds, likely ones first."""
    meta = alternative.meta
    if alternative.kind is int:
        near = [2 * value, value // 2, value + 1, value - 1, 1] if value else []
        usual = [2, 1, 3, 0] if counts_layers(alternative) else [8, 4, 64, 256, 2, 16, 0]
        tried = [*near, *usual]
    else:
        tried = [*([2 * value, value / 2] if value else []), 0.5, 0.25, 1.0]
    low, above, high = (getattr(meta, bound, None) for bound in ("ge", "gt", "le"))
    return [
        number
        for number in dict.fromkeys(tried)
        if number != value
        and (low is None or number >= low)
        and (above is None or number > above)
        and (high is None or number <= high)
    ]


def others(base: Base, key: str, wanted: Any, value: Any) -> Iterator[tuple[int, Any]]:
    """Other values of an option, or of an entry of it, and how many of them are enough."""
    covered = find(base.family).covered.values.get(key)
    if covered is not None:
        rest = [other for other in covered if other != value]
        Random(key + repr(base.options)).shuffle(rest)
        yield from ((EVERY, other) for other in rest)
        return
    for alternative in alternatives(wanted):
        if alternative.kind is bool:
            yield from ((EVERY, other) for other in (True, False) if other is not value)
        elif alternative.kind is type(None):
            yield from ((EVERY, None) for _ in [None] if value is not None)
        elif alternative.kind in (int, float):
            current = value if isinstance(value, (int, float)) else None
            if not isinstance(value, bool):
                # One layer more tells other things than one less.
                enough = ENOUGH if counts_layers(alternative) else 1
                yield from ((enough, number) for number in numbers(current, alternative))


def counts_layers(alternative: Any) -> bool:
    """Whether a number is one of layers: no other has so low a bound."""
    return alternative.kind is int and bool(alternative.meta) and alternative.meta.le == MOST_LAYERS


def item_type(wanted: Any) -> Any:
    """The type of the entries of an option that may be a list; None if it may not."""
    return next((a.item for a in alternatives(wanted) if a.kind is list), None)


def is_free_length(wanted: Any) -> bool:
    """Whether a list of this type is not just a height and a width."""
    metas = [a.meta for a in alternatives(wanted) if a.kind is list]
    return not any(meta and meta.min_length == meta.max_length for meta in metas)


@dataclass(frozen=True)
class Change:
    """An option that changes a module, or that the module is there for.

    Attributes:
        option: its name.
        exists: whether the module is there for it.
        entry: the entry of its list; None if the option as a whole was another.
        length: of the list.
    """

    option: str
    exists: bool
    entry: int | None
    length: int


@dataclass
class Observed:
    """What was seen of one base.

    Attributes:
        kinds: the classes of its modules.
        changes: by module, of it and of its variants.
        added: the classes in the variants where modules are added.
        tried: the options, and whether as lists, for which there is a variant.
        variants: the changed options of each.
    """

    kinds: dict[str, str]
    changes: dict[str, set[Change]] = field(default_factory=dict)
    added: list[tuple[dict[str, str], str, Change]] = field(default_factory=list)
    tried: set[tuple[str, int]] = field(default_factory=set)
    variants: list[tuple[dict[str, Any], dict[str, str]]] = field(default_factory=list)


def observe(base: Base, options: Collection[str] | None = None) -> Observed | None:
    """Perturb every option of a base, or some; None if it is no network."""
    before = base.facts({})
    if before is None:
        return None
    seen = Observed(_kinds(before))
    for key in base.keys if options is None else options:
        spec = base.keys[key]
        for known, old, new, entry, length in _variants(base, key, spec.type):
            seen.tried.add((key, length))
            seen.variants.append((known, _kinds(new)))
            _compare(seen, key, old, new, entry, length)
        if not any(key == tried for tried, _ in seen.tried) and (pair := _built(base, key)):
            seen.tried.add((key, 0))
            _compare(seen, key, *pair, None, 0)
    return seen


def _built(base: Base, key: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both networks where rules refuse to run one with another value; None if none is built."""
    value = base.value(key)
    for _, other in others(base, key, base.keys[key].type, value):
        old, new = (built(base.family, {**base.options, **more}) for more in ({}, {key: other}))
        if old is not None and new is not None and not isinstance(value, list):
            return old, new
    return None


def _kinds(found: dict[str, Any]) -> dict[str, str]:
    return {path: each[0] for path, each in found.items()}


def _compare(
    seen: Observed, key: str, old: dict[str, Any], new: dict[str, Any], entry: Any, length: int
) -> None:
    for path in {**old, **new}:
        exists = (path in old) != (path in new)
        if exists and path.rpartition(".")[0] not in (old if path in new else new):
            continue  # what it is in was added or removed
        if not exists and old[path] == new[path]:
            continue
        change = Change(key, exists, entry, length)
        if path in old:
            seen.changes.setdefault(path, set()).add(change)
        else:
            seen.added.append((_kinds(new), path, change))


def _variants(base: Base, key: str, wanted: Any) -> Iterator[tuple[Any, Any, Any, int | None, int]]:
    """What differs, both networks, and the entry that differs of a list of so many."""
    before, value = base.facts({}), base.value(key)
    found = 0
    for enough, other in others(base, key, wanted, value):
        if isinstance(value, list) or found >= enough:
            continue
        for beside in _beside(base, key, other):
            changed = {key: other, **beside}
            after = base.facts(changed)
            if after is not None:
                # What is needed beside it is no effect of its own.
                old = base.facts(beside) if beside else before
                yield changed, old or before, after, None, 0
                found += 1
                break
    item = item_type(wanted)
    if item is None or not is_free_length(wanted):
        return
    for listed in _as_lists(base, key, item, value):
        old = base.facts({key: listed})
        if old is None:
            continue
        for entry, held in enumerate(listed):
            found = 0
            for enough, other in others(base, key, item, held):
                if found >= (
                    (THOROUGH if base.thorough else 1) if isinstance(held, str) else enough
                ):
                    break
                changed = {key: [*listed[:entry], other, *listed[entry + 1 :]]}
                after = base.facts(changed)
                if after is not None:
                    found += 1
                    yield changed, old, after, entry, len(listed)
        return


def _as_lists(base: Base, key: str, item: Any, value: Any) -> Iterator[list[Any]]:
    """An option's value as a list, with one entry a level if it is none."""
    if isinstance(value, list):
        yield value
        return
    unet = msgspec.convert(base.options, find(base.family).options)
    levels = len(find(base.family).channels(unet))
    entries = [value] if value is not None else [o for _, o in others(base, key, item, None)]
    for entry in entries:
        yield [entry] * levels


def _beside(base: Base, key: str, value: Any) -> Iterator[dict[str, Any]]:
    """Values for the options that a value needs beside it."""
    needs = find(base.family).covered.needs
    try:
        wanted = needs.get((key, value), ())
    except TypeError:
        wanted = ()
    missing = [name for name in wanted if base.value(name) is None]
    for given in NEEDED if missing else ((),):
        yield dict(zip(missing, given, strict=False))


# --- bases -------------------------------------------------------------------------------------

ACTIVATIONS = {"SiLU", "GELU", "Mish", "ReLU"}
"""Classes that tell no role: any may stand where another does."""


def bases(name: str) -> list[tuple[Base, Observed]]:
    """Networks of a family in which every role occurs that was found, and what was seen of them.

    The first have the same types of blocks at every level, of four levels, of three with more
    layers and of one; the others have what a change of one option brought in, on two levels.
    """
    known: set[tuple[str, ...]] = set()
    chosen: list[tuple[Base, Observed]] = []
    for base in seeds(name):
        before = base.facts({})
        if before is not None and (new := roles(_kinds(before)) - known):
            known |= new
            chosen += _observed(base, deep(cut(base, 3)), cut(base, 1))
    for base, seen in chosen:  # grows
        for changed, kinds in seen.variants:
            if roles(kinds) - known:
                wider = cut(Base(name, {**base.options, **changed}), 2)
                before = wider.facts({})
                if before is not None and (new := roles(_kinds(before)) - known):
                    known |= new
                    chosen += _observed(wider)
                known |= roles(kinds)
    return chosen


def _observed(*wanted: Base) -> list[tuple[Base, Observed]]:
    found = [(base, observe(base)) for base in wanted]
    return [(base, seen) for base, seen in found if seen is not None]


def roles(kinds: dict[str, str]) -> set[tuple[str, ...]]:
    """What the modules of a network are, wherever they are."""
    return {
        tuple((" ", N)[part.isdigit()] + part * (not part.isdigit()) + kind for part, kind in chain)
        for chain in (chain_of(path, kinds) for path in kinds)
    }


N = "N"


def chain_of(path: str, kinds: dict[str, str]) -> list[tuple[str, str]]:
    """The names on the way to a module with the classes there, if they tell the role."""
    parts = path.split(".")
    found = []
    for depth, part in enumerate(parts, 1):
        kind = kinds[".".join(parts[:depth])]
        found.append((part, "" if kind in ACTIVATIONS else kind))
    return found


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
