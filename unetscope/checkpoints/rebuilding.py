"""What torch's own functions stand for in a checkpoint, known by their names alone.

Source: PyTorch, `torch/_utils.py`, `torch/_tensor.py` and `torch/serialization.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from unetscope.checkpoints.header import MOST_AXES
from unetscope.checkpoints.machine import PERSISTENT, Global
from unetscope.dtypes import is_dtype, itemsize
from unetscope.record import TensorSpec

_LARGEST = 2**63
"""More elements, and larger strides, no tensor of torch's can have."""
_STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
    "QInt8": "qint8",
    "QInt32": "qint32",
    "QUInt8": "quint8",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    "Untyped": "",
}
_STORAGE = re.compile(r"torch\.(?:cuda\.|storage\.)?(\w+?)Storage(?:Base)?")


@dataclass(frozen=True, slots=True)
class Storage:
    """The memory behind tensors, which stands elsewhere in the file."""

    dtype: str
    """Empty if it has none of its own."""
    key: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor, and the storage that holds its elements; None if it has none."""

    spec: TensorSpec
    storage: Storage | None


def is_structure(name: str) -> bool:
    """Whether a name that a pickle imports is one of those that tensors alone need."""
    return name in _CALLS or _dtype(name) is not None


def rebuild(name: str, arguments: Any) -> Any:
    """What a call returns: a tensor, a storage or a dictionary; None if it is not known.

    Raises:
        ValueError: its arguments are none that torch writes.
    """
    known = _CALLS.get(name)
    if known is None:
        return None
    try:
        return known(*arguments)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        why = f": {error}" if isinstance(error, _DamagedError) else ""
        raise ValueError(f"`{name}` is called with other arguments than torch's{why}") from None


class _DamagedError(ValueError):
    """Arguments that do not fit together."""


def _dtype(name: str) -> str | None:
    """The dtype that `torch.float16` or `torch.HalfStorage` stands for; empty for mere bytes."""
    if match := _STORAGE.fullmatch(name):
        return _STORAGES.get(match[1])
    short = name.removeprefix("torch.")
    return short if short != name and is_dtype(short) else None


def _persistent(kind: Any, *identity: Any) -> Storage | Global | None:
    """A storage, from its class, a key, the device, the number of elements and a view.

    Old files also keep classes of modules so, with their code.
    """
    if kind == "module" and isinstance(identity[0], Global):
        return identity[0]
    if kind != "storage":
        return None
    storage, key, _, numel, *_ = identity
    if not isinstance(storage, Global):
        raise _DamagedError("no storage")
    dtype = _dtype(storage.name)
    if dtype is None:
        raise _DamagedError(f"`{storage.name}` is no storage")
    if not (type(numel) is int and 0 <= numel < _LARGEST and isinstance(key, str)):
        raise _DamagedError("no storage")
    return Storage(dtype, key, numel * (itemsize(dtype) if dtype else 1))


def _held(storage: Any, offset: Any, size: Any, stride: Any, dtype: str | None = None) -> Held:
    """A tensor that lies in a storage; what it reaches must be in there."""
    if not isinstance(storage, Storage):
        raise _DamagedError("the storage is of no known kind")
    element = dtype or storage.dtype
    if not element:
        raise _DamagedError("a storage without a type")
    shape, steps = _sizes(size), _sizes(stride)
    if len(shape) != len(steps) or type(offset) is not int or not 0 <= offset < _LARGEST:
        raise _DamagedError("no shape")
    last = offset + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
    if all(shape) and (last + 1) * itemsize(element) > storage.nbytes:
        raise _DamagedError(f"a tensor of {shape} reaches past its storage")
    return Held(TensorSpec(shape, element), storage)


def _sizes(value: Any) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, (tuple, list)) else (-1,)
    whole = all(type(n) is int and 0 <= n < _LARGEST for n in found)
    if not whole or len(found) > MOST_AXES or prod(found) >= _LARGEST:
        raise _DamagedError("no shape")
    return found


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Held:
    return _held(storage, offset, size, stride)


def _typed(
    storage: Any, offset: Any, size: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, *_: Any
) -> Held:
    return _held(storage, offset, size, stride, _dtype(dtype.name))


def _without_storage(dtype: Any, size: Any, *_: Any) -> Held:
    found = _dtype(dtype.name)
    if not found:
        raise _DamagedError("no type")
    return Held(TensorSpec(_sizes(size), found), None)


def _subclassed(function: Any, _kind: Any, arguments: Any, *_: Any) -> Any:
    return rebuild(function.name, arguments)


def _dictionary(*arguments: Any) -> dict[Any, Any]:
    pairs = arguments[0] if arguments else ()
    if isinstance(pairs, dict):
        return dict(pairs)
    return {key: value for key, value in pairs if isinstance(key, (str, int))}


_CALLS: dict[str, Callable[..., Any]] = {
    PERSISTENT: _persistent,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed,
    "torch._utils._rebuild_qtensor": _tensor,
    "torch._utils._rebuild_meta_tensor_no_storage": _without_storage,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, *_: data,
    "torch._tensor._rebuild_from_type": _subclassed,
    "torch._tensor._rebuild_from_type_v2": _subclassed,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": lambda _factory=None, *more: _dictionary(*more),
    "builtins.dict": _dictionary,
    "__builtin__.dict": _dictionary,
    "torch.Size": lambda sizes=(): tuple(sizes),
    "torch.nn.parameter.Parameter": lambda data=None, *_: data,
}
