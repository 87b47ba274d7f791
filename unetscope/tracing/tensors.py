"""Tensors of a pass: those inside what is taken and given, and which is which.

Values and storages are followed without keeping any alive.

Identity is Python's (`id`), which torch keeps stable for as long as a tensor or storage lives, even
while only C++ holds it. Ids are reused after that: a weak reference shows whether it still lives.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, UntypedStorage

from unetscope.record import Storage, TensorSpec, Value

_LEAFLESS = (int, float, str, type(None))


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


def leaves(*values: Any) -> list[Tensor]:
    """The tensors in `values`, in order."""
    found: list[Tensor] = []
    _collect(values, found)
    return found


def _collect(values: Iterable[Any], found: list[Tensor]) -> None:
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            _collect(value, found)
        elif not isinstance(value, _LEAFLESS):
            found += [tensor for _, tensor in named_leaves(value, "")]


class Tensors:
    """The values and storages seen so far, on one clock."""

    def __init__(self, names: Mapping[int, str]) -> None:
        """`names` maps the ids of tensors that exist before the pass to their names."""
        self.clock = 0
        self._names = names
        self._specs: dict[tuple[Any, Any], TensorSpec] = {}
        # One entry a value, in the order of their making.
        self._value_specs: list[TensorSpec] = []
        self._value_storages: list[int] = []
        self._made_by: list[int | None] = []
        self._sources: dict[int, str] = {}
        self._producers: dict[int, int] = {}
        self._newest_write: dict[int, int] = {}  # by storage
        # One entry a storage, in the order of their birth.
        self._sizes: list[int] = []
        self._born: list[int] = []
        self._died: dict[int, int] = {}
        self._resident: set[int] = set()
        # By id: the last tensor that was there, and the storages that live now.
        self._live_values: dict[int, tuple[weakref.ref[Tensor], int]] = {}
        self._live_storages: dict[int, tuple[weakref.ref[UntypedStorage], int]] = {}

    @property
    def count(self) -> int:
        """The number of values so far."""
        return len(self._value_specs)

    def tick(self) -> int:
        """Advance the clock by one event and return its time."""
        self.clock += 1
        return self.clock

    def spec(self, tensor: Tensor) -> TensorSpec:
        """The tensor's shape and dtype; equal ones are one object."""
        key = (tensor.shape, tensor.dtype)
        spec = self._specs.get(key)
        if spec is None:
            spec = TensorSpec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
            self._specs[key] = spec
        return spec

    def find(self, tensor: Tensor) -> int | None:
        """The value that `tensor` holds now, or None if it was never seen."""
        known = self._live_values.get(id(tensor))
        if known is None or known[0]() is not tensor:  # ids are reused
            return None
        value = known[1]
        write = self._newest_write.get(self._value_storages[value], value)
        if write <= value:
            return value
        # Another tensor of its storage was written to: it holds a new value, of its own shape.
        return self._add(tensor, made_by=self._made_by[write])

    def see(self, tensor: Tensor, source: str | None = None) -> int:
        """The value that `tensor` holds now; one never seen before was there before the pass."""
        value = self.find(tensor)
        if value is None:
            value = self._add(tensor, made_by=None)
            source = source or self._names.get(id(tensor))
            if source is not None:
                self._sources[value] = source
        return value

    def made(self, tensor: Tensor, op: int, *, written: bool = False) -> int:
        """A new value made by function `op`: in a new tensor, or written into one that was there.

        What is written changes every tensor that shares the storage.
        """
        value = self._add(tensor, made_by=op)
        if written:
            self._newest_write[self._value_storages[value]] = value
        return value

    def handed_through(self, tensor: Tensor, given: Tensor) -> int | None:
        """The value of `given` if `tensor` is all of the same memory, else None."""
        same = tensor.untyped_storage() is given.untyped_storage()
        if not same or self.spec(tensor) is not self.spec(given):
            return None
        value = self.see(given)
        self._live_values[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def produced(self, value: int, call: int) -> None:
        """Note that `value` is the whole output of `call`; outer calls end, and are noted, last."""
        self._producers[value] = call

    def values(self) -> tuple[Value, ...]:
        """Every value, in the order of their making."""
        return tuple(
            Value(spec, storage, op, self._producers.get(index), self._sources.get(index))
            for index, (spec, storage, op) in enumerate(
                zip(self._value_specs, self._value_storages, self._made_by, strict=True)
            )
        )

    def storages(self) -> tuple[Storage, ...]:
        """Every storage, in the order of their birth; what lives now has not died."""
        return tuple(
            Storage(size, born, self._died.get(index), index in self._resident)
            for index, (size, born) in enumerate(zip(self._sizes, self._born, strict=True))
        )

    def _add(self, tensor: Tensor, made_by: int | None) -> int:
        value = len(self._value_specs)
        self._value_specs.append(self.spec(tensor))
        self._value_storages.append(self._storage(tensor, resident=made_by is None))
        self._made_by.append(made_by)
        self._live_values[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def _storage(self, tensor: Tensor, *, resident: bool) -> int:
        storage = tensor.untyped_storage()
        key = id(storage)
        known = self._live_storages.get(key)
        if known is not None:
            return known[1]
        index = len(self._sizes)
        self._sizes.append(storage.nbytes())
        self._born.append(self.clock)
        if resident:
            self._resident.add(index)

        def died(_: object) -> None:
            del self._live_storages[key]
            self._died[index] = self.clock

        self._live_storages[key] = (weakref.ref(storage, died), index)
        return index
