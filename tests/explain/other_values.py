"""Other values of an option, from its type and what its family covers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from perturbed_networks import Base

from unetscope.config.types import alternatives
from unetscope.families import find

ENOUGH, EVERY = 2, 99
"""Other values that are tried, of those that a network can be built with."""
MOST_LAYERS = 64
"""Numbers with no higher bound count layers."""


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
