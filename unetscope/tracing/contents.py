"""The tensors inside what modules and functions take and return.

Containers are looked through, and so are objects, by the attributes that they have. No code of
theirs runs for it, and nothing is taken out of an iterator: what that will yield is not known.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    Set,
    ValuesView,
)
from enum import Enum
from math import inf
from numbers import Number
from types import (
    BuiltinFunctionType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

_PLAIN = (
    *(bool, int, float, complex, str, bytes, bytearray, type(None), type(...), Number, Enum, range),
    *(slice, torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Generator),
    torch.SymInt,
)
"""What surely holds no tensors."""
PLAIN_TYPES = frozenset({bool, int, float, str, type(None), torch.dtype, torch.device})
"""The most of it by its very type, which is faster to ask."""
_TENSOR_TYPES = frozenset({Tensor, nn.Parameter})
_SEQUENCES = (tuple, list, deque, ItemsView, KeysView, ValuesView)
_TO_COME = (Iterator, AsyncIterator, Coroutine)
"""What yields something later, to whoever asks first."""
_CODE = (
    *(nn.Module, type, ModuleType, FunctionType, MethodType),
    *(BuiltinFunctionType, MethodWrapperType),
)
"""What is no data: the tensors of modules have names of their own."""
_HOLDING = {
    *("argparse", "builtins", "collections", "concurrent", "functools", "itertools", "queue"),
    "types",
}
"""The modules of the standard library whose objects hold what others put there."""
_MOST = 10_000
_DEEPEST = 100
"""How many objects of one value are looked into, and how deep they lie in each other."""


class Contents(NamedTuple):
    """What was found in a value, in order, by dotted names."""

    tensors: list[tuple[str, Tensor]]
    closed: list[tuple[str, str]]
    """What may hold tensors and cannot be looked into: its name, and its class."""


def contents(
    value: Any, name: str, order: Callable[[Tensor], int | None] = lambda _: None
) -> Contents:
    """The tensors in a value, and what in it cannot be looked into.

    Functions, classes and modules count as code, which holds none.

    Args:
        value: anything.
        name: its own; what it holds has names below that.
        order: numbers the tensors of sets, which have no order of their own.
    """
    found = Contents([], [])
    if type(value) in PLAIN_TYPES:
        return found
    if isinstance(value, Tensor):
        found.tensors.append((name, value))
    elif not isinstance(value, _PLAIN):
        _Search(found, order).look(value, name)
    return found


def named_leaves(value: Any, name: str) -> list[tuple[str, Tensor]]:
    """The tensors in `value` with their dotted names below `name`, in order."""
    return contents(value, name).tensors


def leaves(*values: Any) -> list[Tensor]:
    """The tensors in `values`, in order."""
    found: list[Tensor] = []
    _collect(values, found)
    return found


def _collect(values: Iterable[Any], found: list[Tensor]) -> None:
    """The same for what functions take and return, which is mostly plain."""
    for value in values:
        kind = type(value)
        if kind in PLAIN_TYPES:
            continue
        if kind in _TENSOR_TYPES or isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            _collect(value, found)
        elif not isinstance(value, _PLAIN):
            found += [tensor for _, tensor in named_leaves(value, "")]


class _Search:
    def __init__(self, found: Contents, order: Callable[[Tensor], int | None]) -> None:
        self._found = found
        self._order = order
        self._passed = 0
        # The ids of what is being looked into, outermost first.
        self._open: list[int] = []

    def look(self, value: Any, name: str) -> None:
        if type(value) in PLAIN_TYPES:
            return
        if isinstance(value, Tensor):
            self._found.tensors.append((name, value))
            return
        if isinstance(value, _PLAIN) or type(value) is object or id(value) in self._open:
            return
        self._passed += 1
        if self._passed > _MOST or len(self._open) == _DEEPEST:
            kind = f"more than {_MOST:,} objects, or {_DEEPEST} levels of them"
            if kind not in dict(self._found.closed).values():
                self._found.closed.append((name, kind))
            return
        self._open.append(id(value))
        if isinstance(value, _SEQUENCES):
            for index, item in enumerate(value):
                self.look(item, f"{name}.{index}")
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.look(item, f"{name}.{key}")
        elif isinstance(value, Set):
            self._look_into_set(value, name)
        elif not isinstance(value, _CODE):
            self._look_into_object(value, name)
        self._open.pop()

    def _look_into_set(self, value: Set[Any], name: str) -> None:
        held = [contents(item, "", self._order) for item in value]

        def first(item: Contents) -> float:
            number = self._order(item.tensors[0][1]) if item.tensors else None
            return inf if number is None else number

        for index, item in enumerate(sorted(held, key=first)):
            at = f"{name}.{index}"
            self._found.tensors.extend((at + below, tensor) for below, tensor in item.tensors)
            self._found.closed.extend((at + below, kind) for below, kind in item.closed)

    def _look_into_object(self, value: object, name: str) -> None:
        kind = type(value)
        origin = kind.__module__.partition(".")[0]
        if origin in sys.stdlib_module_names and origin not in _HOLDING:
            return
        attributes = None if isinstance(value, _TO_COME) else _attributes(value)
        if attributes is None:
            self._found.closed.append((name, kind.__name__))
            return
        for attribute, held in attributes.items():
            self.look(held, f"{name}.{attribute}")


def _attributes(value: object) -> dict[str, Any] | None:
    """What an object holds by name, without asking it; None if it is closed."""
    slots = {
        name: descriptor
        for kind in reversed(type(value).__mro__)
        for name, descriptor in vars(kind).items()
        if isinstance(descriptor, MemberDescriptorType)
        and kind.__module__ != "builtins"
        and name != "__dict__"
    }
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
        if not slots and not any("__slots__" in vars(kind) for kind in type(value).__mro__):
            return None
    held = dict(own)
    for name, descriptor in slots.items():
        try:
            held[name] = descriptor.__get__(value)
        except AttributeError:
            continue  # it was never set
    return held
