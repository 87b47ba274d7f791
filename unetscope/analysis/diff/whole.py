"""The network as a whole: its inputs and outputs, its totals, its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unetscope.analysis.diff.changes import COSTS, Change, ConfigChange, Total
from unetscope.lock import Lock, LockedTensor


def end_changes(old: Lock, new: Lock) -> Iterator[Change]:
    """A change for each input or output that callers would have to treat differently.

    A pass at another batch, height, width or number of tokens is no other network: where inputs
    differ in those alone, so may outputs.
    """
    inputs = list(_compared(old.inputs, new.inputs))
    resized = any(change.id == "io-resized" for change in inputs)
    yield from inputs
    for change in _compared(old.outputs, new.outputs):
        if change.id == "io-reshaped" or resized:
            yield change
        else:
            yield Change("io-reshaped", change.was, change.now, change.old, change.new)


def _compared(old: Sequence[LockedTensor], new: Sequence[LockedTensor]) -> Iterator[Change]:
    for before, after in _paired(old, new):
        was = None if before is None else before.name
        now = None if after is None else after.name
        if before is None or after is None:
            old_shape, new_shape = (None if end is None else end.shape for end in (before, after))
            yield Change("io-reshaped", was, now, old_shape, new_shape)
            continue
        if was != now:
            yield Change("io-renamed", was, now, was, now)
        if before.shape != after.shape:
            name = "io-resized" if _same_but_size(before.shape, after.shape) else "io-reshaped"
            yield Change(name, was, now, before.shape, after.shape)
        if before.dtype != after.dtype:
            yield Change("attr-changed", was, now, before.dtype, after.dtype, "dtype")


def _paired(
    old: Sequence[LockedTensor], new: Sequence[LockedTensor]
) -> list[tuple[LockedTensor | None, LockedTensor | None]]:
    """By name; then what looks alike, in order; then what is there on one side only."""
    gone, come = list(old), list(new)
    pairs: list[tuple[LockedTensor | None, LockedTensor | None]] = []
    for same in (_same_name, _same_look):
        for tensor in list(gone):
            partner = next((other for other in come if same(tensor, other)), None)
            if partner is not None:
                pairs.append((tensor, partner))
                gone.remove(tensor)
                come.remove(partner)
    return [*pairs, *((tensor, None) for tensor in gone), *((None, tensor) for tensor in come)]


def _same_name(old: LockedTensor, new: LockedTensor) -> bool:
    return old.name == new.name


def _same_look(old: LockedTensor, new: LockedTensor) -> bool:
    return old.shape == new.shape and old.dtype == new.dtype


def _same_but_size(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Whether two shapes differ in batch, tokens or spatial dims alone.

    Those of a feature map `(B, C, H, W)` are all but the second, of tokens `(B, T, C)` all but the
    last, of a vector `(B, C)` the first.
    """
    if len(old) != len(new):
        return False
    kept = -1 if len(old) == 3 else 1
    return len(old) < 2 or old[kept] == new[kept]


def totals(old: Lock, new: Lock) -> tuple[Total, ...]:
    """Parameters, multiply-adds and activation memory, before and after."""
    before, after = old.totals, new.totals
    numbers = (
        (before.parameters, after.parameters),
        (before.macs, after.macs),
        (before.activation_bytes, after.activation_bytes),
    )
    return tuple(Total(name, *pair) for name, pair in zip(COSTS, numbers, strict=True))


def config_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[ConfigChange, ...]:
    """The values of a network's config that differ; its name and source are no such values."""
    left, right = (
        _flat({k: c.get(k, {}) for k in ("family", "unet", "inputs")}) for c in (old, new)
    )
    if not old or not new:
        return ()
    return tuple(
        ConfigChange(key, left.get(key), right.get(key))
        for key in {**left, **right}
        if _differ(left.get(key), right.get(key))
    )


def _differ(old: Any, new: Any) -> bool:
    return bool(old != new) or isinstance(old, bool) != isinstance(new, bool)


def _flat(section: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by dotted keys; a list is one value."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            found.update(_flat(value, f"{above}{key}."))
        elif value != {}:
            found[f"{above}{key}"] = value
    return found
