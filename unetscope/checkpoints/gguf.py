"""The header of a GGUF file: metadata, then names, shapes and types of its tensors.

Shapes are stored from the last axis to the first. What does not fit, such as a convolution's five
axes or rows that no block divides, is flattened, and `comfy.gguf.orig_shape.NAME` has its shape.

Source: https://github.com/ggml-org/ggml, `docs/gguf.md`; for the shapes
https://github.com/city96/ComfyUI-GGUF, `tools/convert.py`.
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from unetscope.checkpoints.header import MOST_TENSORS, Header, is_name
from unetscope.checkpoints.stored import Stored
from unetscope.record import TensorSpec

LARGEST_HEADER = 64_000_000
"""The most bytes of a header that are read; the words of a language model take some 10 million."""

_FIRST = 2**20
_SHAPE = "comfy.gguf.orig_shape."
_VERSIONS = (2, 3)
_MOST_AXES = 8
_MOST_KEYS = 100_000
_LONGEST_TEXT = 100_000
_LONGEST_LIST = 64
_MOST_TEXTS = 1_000_000
_MOST_LISTS = 200_000
_DEEPEST = 8
"""Lists in each other."""
_TEXT, _LIST = 8, 9
_NUMBERS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?")))
_NUMBERS |= {10: "Q", 11: "q", 12: "d"}
_TYPES = {
    0: "float32",
    1: "float16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    9: "Q8_1",
    10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    24: "int8",
    25: "int16",
    26: "int32",
    27: "int64",
    28: "float64",
    29: "IQ1_M",
    30: "bfloat16",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
    40: "NVFP4",
    41: "Q1_0",
}


class _CutShortError(Exception):
    """The header goes on past the bytes that are there."""


def read(file: Stored) -> Header:
    """The header of a file.

    Raises:
        UnetscopeError: it cannot be read, is of another version, or is damaged.
    """
    length = _FIRST
    while True:
        data = file.read(0, min(length, file.size, LARGEST_HEADER))
        try:
            return _header(file, _Cursor(data))
        except _CutShortError:
            if len(data) == file.size:
                file.damaged("cut short: its header breaks off")
            if len(data) == LARGEST_HEADER:
                file.damaged(f"a header of more than {LARGEST_HEADER:,} bytes, the bound for one")
            length *= 8
        except ValueError as error:
            file.damaged(f"a damaged header: {error}")


class _Cursor:
    """A place in the bytes of a header."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.lists = data, 4, 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        end = self.at + length
        if end > len(self.data):
            raise _CutShortError
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, form: str) -> Any:
        """The next number of a form of `struct`'s."""
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def text(self) -> str:
        """The next text, which is cut where it is very long."""
        found = self.take(self.number("Q"))
        return found[:_LONGEST_TEXT].decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Any:
        """The next value of metadata; None for a list that is long or holds no numbers.

        Args:
            kind: of the value.
            depth: of the lists that it stands in.
        """
        if kind == _TEXT:
            return self.text()
        if kind != _LIST:
            if kind not in _NUMBERS:
                raise ValueError(f"a value of the unknown kind {kind}")
            return self.number(_NUMBERS[kind])
        kind, count = self.number("I"), self.number("Q")
        self.lists += 1
        if self.lists > _MOST_LISTS:
            raise ValueError(f"more than {_MOST_LISTS:,} lists, the bound for a header")
        if kind in _NUMBERS:
            form = "<" + _NUMBERS[kind]
            found = self.take(count * struct.calcsize(form))
            short = count <= _LONGEST_LIST
            return [number for (number,) in struct.iter_unpack(form, found)] if short else None
        if kind not in (_TEXT, _LIST):
            raise ValueError(f"a list of the unknown kind {kind}")
        if count > _MOST_TEXTS:
            raise ValueError(f"a list of {count:,} texts, more than {_MOST_TEXTS:,}")
        if depth == _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} levels deep")
        for _ in range(count):
            if kind == _LIST:
                self.value(kind, depth + 1)
            else:
                length = self.number("Q")
                self.at += length
        self.take(0)
        return None


def _header(file: Stored, cursor: _Cursor) -> Header:
    version = cursor.number("I")
    if version not in _VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS
        what = "a big-endian one" if swapped else f"version {version:,}"
        file.damaged(f"a GGUF file of a kind that is not read: {what}; versions 2 and 3 are")
    tensors, keys = cursor.number("Q"), cursor.number("Q")
    if tensors > MOST_TENSORS or keys > _MOST_KEYS:
        raise ValueError(f"{tensors:,} tensors and {keys:,} keys, more than {MOST_TENSORS:,}")
    header = Header("GGUF", {})
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(keys):
        key, value = cursor.text(), cursor.value(cursor.number("I"))
        if key in header.metadata or key in header.unread:
            raise ValueError(f"`{key[:80]}` occurs twice")
        if key.startswith(_SHAPE) and isinstance(value, list):
            shapes[key[len(_SHAPE) :]] = tuple(value)
        elif isinstance(value, (str, int, float)):
            header.metadata[key] = value
        elif value is None:
            header.unread[key] = "a list"
        else:
            header.metadata[key] = ", ".join(map(str, value))
    ends = [_tensor(header, cursor, shapes) for _ in range(tensors)]
    step = header.metadata.get("general.alignment", 32)
    if not isinstance(step, int) or not 0 < step <= 2**20:
        raise ValueError(f"an alignment of {step}")
    begin = -(-cursor.at // step) * step
    for name, end in zip(header, ends, strict=True):
        if begin + end > file.size:
            file.damaged(f"cut short: `{name}` ends past the end of the file")
    return header


def _tensor(header: Header, cursor: _Cursor, shapes: dict[str, tuple[int, ...]]) -> int:
    """Adds the next tensor, and returns where it ends behind the header."""
    name, axes = cursor.text(), cursor.number("I")
    if axes > _MOST_AXES:
        raise ValueError(f"a tensor of {axes:,} axes")
    shape = tuple(cursor.number("Q") for _ in range(axes))[::-1]
    kind, offset = cursor.number("I"), cursor.number("Q")
    if not is_name(name):
        raise ValueError(f"not a name of a tensor: {name[:80]!a}")
    if name in header.tensors:
        raise ValueError(f"`{name}` occurs twice")
    if prod(shape) >= 2**63:
        raise ValueError(f"`{name}` has {prod(shape):,} elements, more than a tensor can have")
    if kind not in _TYPES:
        raise ValueError(f"`{name}` is of the unknown type {kind}")
    whole = shapes.get(name, shape)
    if prod(whole) != prod(shape) or not all(type(n) is int and n >= 0 for n in whole):
        raise ValueError(f"`{name}` has {prod(shape):,} elements, and was of the shape {whole}")
    spec = TensorSpec(whole, _TYPES[kind])
    header.tensors[name] = spec
    return int(offset) + spec.nbytes
