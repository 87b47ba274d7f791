"""Perturbs the options of a network, one at a time, and sees which modules change.

A module is changed by an option if it is there with one value and not with the other, or if its
class, its attributes, its tensors, its calls or what runs in its body differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from other_values import EVERY, is_free_length, item_type, others
from perturbed_networks import Base, built

from unetscope.families import find

NEEDED = ((8, 256, 64), (256, 8, 64), (16, 16, 16))
"""Numbers for options that another needs beside it."""


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
    seen = Observed(kinds_of(before))
    for key in base.keys if options is None else options:
        spec = base.keys[key]
        for known, old, new, entry, length in _variants(base, key, spec.type):
            seen.tried.add((key, length))
            seen.variants.append((known, kinds_of(new)))
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


def kinds_of(found: dict[str, Any]) -> dict[str, str]:
    """The class of each module."""
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
            seen.added.append((kinds_of(new), path, change))


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
            for enough, other in _other_entries(base, key, item, listed, held):
                if found >= enough:
                    continue
                changed = {key: [*listed[:entry], other, *listed[entry + 1 :]]}
                after = base.facts(changed)
                if after is not None:
                    found += 1
                    yield changed, old, after, entry, len(listed)
        return


def _other_entries(
    base: Base, key: str, item: Any, listed: list[Any], held: Any
) -> Iterator[tuple[int, Any]]:
    """Other values of an entry; those of other entries too, as what is equal needs no change."""
    for enough, other in others(base, key, item, held):
        yield (1 if isinstance(held, str) and not base.thorough else enough), other
    if base.thorough and not isinstance(held, str):
        yield from ((EVERY, other) for other in dict.fromkeys(listed) if other != held)


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
