"""Tensors of a pass: which is which.

Values and storages are followed without keeping any alive.

Identity is Python's (`id`), which torch keeps stable for as long as a tensor or storage lives, even
while only C++ holds it. Ids are reused after that: a weak reference shows whether it still lives.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import _disable_current_modes

from unetscope.record import Storage, TensorSpec, Value
from unetscope.tracing.overlap import Layout, apart, layout

_MOST_WRITES = 64
"""Of the writes to one storage, how many are looked at: earlier ones are taken to matter."""


Memory = UntypedStorage | Tensor
"""What holds the elements of a tensor: its storage, or itself if it has none."""


def memory(tensor: Tensor) -> Memory:
    """The storage of a tensor, or of what it wraps; itself if it has none, as sparse ones."""
    if tensor.layout is torch.jagged:
        return memory(packed(tensor))
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        pass
    with torch._C.DisableTorchFunction():
        inner = unwrapped(tensor)
        return tensor if inner is tensor else memory(inner)


def nbytes(held: Memory) -> int:
    """The bytes of the elements that `memory` found."""
    if isinstance(held, UntypedStorage):
        return held.nbytes()
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        return sum(part.untyped_storage().nbytes() for part in _parts(held))


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """The dense tensors that a sparse one consists of."""
    if tensor.layout is torch.sparse_coo:
        return tensor._indices(), tensor._values()
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return tensor.crow_indices(), tensor.col_indices(), tensor.values()
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return tensor.ccol_indices(), tensor.row_indices(), tensor.values()
    return ()


def unwrapped(tensor: Tensor) -> Tensor:
    """What a transform of `torch.func` has wrapped, with its batch dims; else the tensor itself."""
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(tensor):
        tensor = functorch.get_unwrapped(tensor)
    return tensor


def packed(nested: Any) -> Tensor:
    """What a nested tensor keeps its elements in: all rows, or all numbers, one after the other.

    Raises:
        ShapelessError: it is no nested tensor, or one that tells no values.
    """
    try:
        with torch._C.DisableTorchFunction(), _disable_current_modes():
            held: Tensor = nested._values if nested.layout is torch.jagged else nested.values()
    except (AttributeError, RuntimeError) as error:
        raise ShapelessError from error
    return held


@contextmanager
def dated() -> Iterator[Callable[[object], bool]]:
    """A function that tells whether Python made a tensor since this context began.

    The garbage collector keeps apart what was there before, and what was looked through already.
    """
    made: set[int] = set()

    def is_new(thing: object) -> bool:
        made.update(id(each) for each in gc.get_objects() if issubclass(type(each), Tensor))
        gc.freeze()
        return id(thing) in made

    gc.freeze()
    try:
        yield is_new
    finally:
        gc.unfreeze()


class ShapelessError(Exception):
    """A tensor has no shape of numbers."""

    def __init__(self) -> None:
        super().__init__("a tensor has no shape of numbers, so that it cannot be recorded")


class Tensors:
    """The values and storages seen so far, on one clock."""

    def __init__(self, names: Mapping[int, str]) -> None:
        """`names` maps the ids of tensors that exist before the pass to their names."""
        self.clock = 0
        self.unseen: Callable[[Tensor], int | None] = lambda _: None
        """Is called with each tensor of unknown origin: the function that made it in the pass."""
        self._names = names
        self._specs: dict[tuple[Any, Any], TensorSpec] = {}
        # One entry a value, in the order of their making.
        self._value_specs: list[TensorSpec] = []
        self._value_storages: list[int] = []
        self._made_by: list[int | None] = []
        self._sources: dict[int, str] = {}
        self._producers: dict[int, int] = {}
        self._ragged: list[int] = []
        # By storage: what was written to it, and where.
        self._writes: dict[int, list[tuple[int, Layout | None]]] = {}
        self._updated: dict[int, tuple[int, ...]] = {}
        # One entry a storage, in the order of their birth.
        self._sizes: list[int] = []
        self._born: list[int] = []
        self._first_values: list[int] = []
        self._died: dict[int, int] = {}
        self._resident: set[int] = set()
        # By id: the last tensor that was there, and the storages that live now.
        self._live_values: dict[int, tuple[weakref.ref[Tensor], int]] = {}
        self._live_storages: dict[int, tuple[weakref.ref[Memory], int]] = {}

    @property
    def count(self) -> int:
        """The number of values so far."""
        return len(self._value_specs)

    def tick(self) -> int:
        """Advance the clock by one event and return its time."""
        self.clock += 1
        return self.clock

    def spec(self, tensor: Tensor) -> TensorSpec:
        """The tensor's shape and dtype; equal ones are one object.

        A nested tensor has those of what it keeps its elements in.

        Raises:
            ShapelessError: it has none.
        """
        try:
            key = (tensor.shape, tensor.dtype)
        except RuntimeError:  # a nested one of several shapes
            return self.spec(packed(tensor))
        spec = self._specs.get(key)
        if spec is None:
            if any(isinstance(size, torch.SymInt) for size in tensor.shape):
                return self.spec(packed(tensor))
            # While `torch.jit.trace` runs, sizes are tensors.
            spec = TensorSpec(
                tuple(map(int, tensor.shape)), str(tensor.dtype).removeprefix("torch.")
            )
            self._specs[key] = spec
        return spec

    def described(self, tensors: Iterable[Tensor]) -> list[TensorSpec]:
        """Shapes and dtypes of tensors, for messages; nested ones are left out."""
        return [self.spec(tensor) for tensor in tensors if not tensor.is_nested]

    def find(self, tensor: Tensor) -> int | None:
        """The value that `tensor` holds now, or None if it was never seen."""
        known = self._live_values.get(id(tensor))
        if known is None or known[0]() is not tensor:  # ids are reused
            return None
        value = known[1]
        writes = self._writes.get(self._value_storages[value])
        if writes is None or writes[-1][0] <= value:
            return value
        own = layout(tensor)
        newer = list(takewhile(lambda write: write[0] > value, reversed(writes)))
        touching = [w for w, where in newer[:_MOST_WRITES] if not apart(own, where)]
        touching += [w for w, _ in newer[_MOST_WRITES:]]
        if not touching:
            return value
        # Where it lies was written to: it holds a new value, of its own shape.
        newest = self._add(tensor, made_by=self._made_by[touching[0]])
        self._updated[newest] = (value, *reversed(touching))
        return newest

    def see(self, tensor: Tensor, source: str | None = None) -> int:
        """The value that `tensor` holds now.

        One never seen before was there before the pass, or else is what `unseen` makes of it.
        """
        value = self.find(tensor)
        if value is None:
            source = source or self._names.get(id(tensor))
            made_by = None if source is not None else self.unseen(tensor)
            value = self._add(tensor, made_by=made_by)
            if source is not None:
                self._sources[value] = source
        return value

    def sharing(self, tensor: Tensor) -> int | None:
        """The value whose memory `tensor` shares, all of it if it can be; None if there is none."""
        known = self._live_storages.get(id(memory(tensor)))
        if known is None:
            return None
        writes = self._writes.get(known[1])
        return writes[-1][0] if writes else self._first_values[known[1]]

    def made(self, tensor: Tensor, op: int, *, written: bool = False) -> int:
        """A new value made by function `op`: in a new tensor, or written into one that was there.

        What is written changes every tensor that has some of its elements.
        """
        value = self._add(tensor, made_by=op)
        if written:
            writes = self._writes.setdefault(self._value_storages[value], [])
            writes.append((value, layout(tensor)))
        return value

    def handed_through(self, tensor: Tensor, given: Tensor) -> int | None:
        """The value of `given` if `tensor` is all of the same memory, else None."""
        same = memory(tensor) is memory(given)
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
            Value(
                spec,
                storage,
                op,
                self._producers.get(index),
                self._sources.get(index),
                self._updated.get(index, ()),
            )
            for index, (spec, storage, op) in enumerate(
                zip(self._value_specs, self._value_storages, self._made_by, strict=True)
            )
        )

    def ragged(self) -> tuple[int, ...]:
        """The values that are nested tensors."""
        return tuple(self._ragged)

    def storages(self) -> tuple[Storage, ...]:
        """Every storage, in the order of their birth; what lives now has not died."""
        return tuple(
            Storage(size, born, self._died.get(index), index in self._resident)
            for index, (size, born) in enumerate(zip(self._sizes, self._born, strict=True))
        )

    def _add(self, tensor: Tensor, made_by: int | None) -> int:
        value = len(self._value_specs)
        spec, storage = self.spec(tensor), self._storage(tensor, resident=made_by is None)
        self._value_specs.append(spec)
        self._value_storages.append(storage)
        self._made_by.append(made_by)
        if tensor.is_nested:
            self._ragged.append(value)
        self._live_values[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def _storage(self, tensor: Tensor, *, resident: bool) -> int:
        storage = memory(tensor)
        key = id(storage)
        known = self._live_storages.get(key)
        if known is not None:
            return known[1]
        index = len(self._sizes)
        self._sizes.append(nbytes(storage))
        self._born.append(self.clock)
        self._first_values.append(len(self._value_specs))
        if resident:
            self._resident.add(index)

        def died(_: object) -> None:
            del self._live_storages[key]
            self._died[index] = self.clock

        self._live_storages[key] = (weakref.ref(storage, died), index)
        return index
