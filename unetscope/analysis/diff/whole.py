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
    after = {tensor.name: tensor for tensor in new}
    for tensor in old:
        partner = after.pop(tensor.name, None)
        if partner is None:
            yield Change("io-reshaped", tensor.name, None, tensor.shape, None)
            continue
        if tensor.shape != partner.shape:
            name = "io-resized" if _same_but_size(tensor.shape, partner.shape) else "io-reshaped"
            yield Change(name, tensor.name, partner.name, tensor.shape, partner.shape)
        if tensor.dtype != partner.dtype:
            before, after_ = tensor.dtype, partner.dtype
            yield Change("attr-changed", tensor.name, partner.name, before, after_, "dtype")
    for tensor in after.values():
        yield Change("io-reshaped", None, tensor.name, None, tensor.shape)


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
    left, right = (_flat({k: c.get(k, {}) for k in ("family", "unet", "inputs")}) for c in (old, new))
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
