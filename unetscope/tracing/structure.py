"""Tensors inside what calls take and give: tuples, lists, dicts and dataclasses of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

_PLAIN = (int, float, str, type(None))


def named_leaves(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors in `value` with their dotted names below `name`, in order."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from named_leaves(item, f"{name}.{index}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from named_leaves(item, f"{name}.{key}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from named_leaves(getattr(value, field.name), f"{name}.{field.name}")


def leaves(value: Any) -> list[Tensor]:
    """The tensors in `value`, in order."""
    found: list[Tensor] = []
    _collect((value,), found)
    return found


def _collect(values: Iterable[Any], found: list[Tensor]) -> None:
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            _collect(value, found)
        elif not isinstance(value, _PLAIN):
            found += [tensor for _, tensor in named_leaves(value, "")]
