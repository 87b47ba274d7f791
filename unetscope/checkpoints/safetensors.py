"""The header of a safetensors file: the names, shapes and dtypes of its tensors.

A file begins with the length of the header (eight bytes, little-endian), then the header in JSON:
`{"conv_in.weight": {"dtype": "F16", "shape": [320, 4, 3, 3], "data_offsets": [0, 23040]}, ...}`.
Nothing after it is read, but the short texts in which bitsandbytes describes what it packed.

Source: https://github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from math import inf

import msgspec

from unetscope.checkpoints.header import MOST_AXES, MOST_TENSORS, Header, is_name
from unetscope.checkpoints.pairs import pairs
from unetscope.checkpoints.quantised import LARGEST_STATE, STATE, described
from unetscope.checkpoints.stored import Stored
from unetscope.dtypes import PACKED, is_dtype
from unetscope.record import TensorSpec

LARGEST_HEADER = 100_000_000
"""The most bytes that a header may have; safetensors itself has the same limit."""
LARGEST_METADATA = 4_000_000
"""The most bytes of metadata that are kept."""

_MOST_STATES = 20_000
"""The most descriptions of packed weights that are read of a file."""
_LENGTH = 8
_METADATA = "__metadata__"
_KEY = re.compile(rb'"__metadata__"[ \t\r\n]*:[ \t\r\n]*')
_NOTHING = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
"""Stands for the metadata where all else is read."""
_ORDINARY = 4_000_000
"""Bytes of a header that is read at once; the largest checkpoints' have some 1,000,000."""
_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
}


class _Entry(msgspec.Struct):
    """The header's entry for one tensor."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class _Top(msgspec.Struct):
    """What is read of a header before its tensors."""

    metadata: msgspec.Raw = msgspec.field(name=_METADATA, default_factory=msgspec.Raw)


_top = msgspec.json.Decoder(_Top).decode
_entry = msgspec.json.Decoder(_Entry).decode
_whole = msgspec.json.Decoder(dict[str, _Entry]).decode
_texts = msgspec.json.Decoder(dict[str, str]).decode


def read(file: Stored) -> Header:
    """The header of a file.

    Raises:
        UnetscopeError: it cannot be read, is not a safetensors file, or is damaged.
    """
    if file.size < _LENGTH:
        file.damaged(f"{file.size} bytes, too few for a safetensors file")
    length = int.from_bytes(file.read(0, _LENGTH), "little")
    if length > LARGEST_HEADER:
        file.damaged(
            f"not a safetensors file: its header would have {length:,} bytes, and at most "
            f"{LARGEST_HEADER:,} are read"
        )
    if length > file.size - _LENGTH:
        file.damaged(f"cut short: a header of {length:,} bytes in a file of {file.size:,}")
    text = file.read(_LENGTH, length)
    if (count := text.count(b'"data_offsets"')) > MOST_TENSORS:
        file.damaged(f"a header of {count:,} tensors, and at most {MOST_TENSORS:,} are read")
    if not text.strip(b"\0"):
        file.damaged("a damaged header: nothing but zeros, as after a download that broke off")
    return _header(file, text, file.size - _LENGTH - length)


def _header(file: Stored, text: bytes, room: int) -> Header:
    """What a header lists; the tensors must lie in the `room` bytes after it."""
    header = Header("safetensors", {})
    taken = []
    states: list[tuple[str, tuple[int, int]]] = []
    try:
        metadata = bytes(_top(text.rstrip(b"\0")).metadata)
        if len(metadata) > LARGEST_METADATA:
            header.unread[_METADATA] = f"{len(metadata):,} bytes"
        elif metadata:
            header.metadata.update(_texts(metadata))
        for name, entry in _ordinary(text, metadata) or _entries(text, metadata):
            if not is_name(name):
                file.damaged(f"a damaged header: not a name of a tensor: {name[:80]!a}")
            spec = _spec(entry)
            if spec is None:
                file.damaged(f"a damaged header: shape, dtype and bytes of `{name}` do not agree")
            if entry.data_offsets[1] > room:
                file.damaged(f"cut short: `{name}` ends past the end of the file")
            header.tensors[name] = spec
            if entry.data_offsets[0] < entry.data_offsets[1]:
                taken.append(entry.data_offsets)
            if STATE in name:
                states.append((name, entry.data_offsets))
    except (ValueError, RecursionError) as error:
        file.damaged(f"a damaged header: {error}")
    taken.sort()
    if any(end > begin for (_, end), (begin, _) in pairwise(taken)):
        file.damaged("a damaged header: two tensors lie at the same bytes")
    header.packed.update(_packed(file, states[:_MOST_STATES], file.size - room))
    return header


def _packed(
    file: Stored, states: Iterable[tuple[str, tuple[int, int]]], start: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shapes of packed weights, from what describes each, after the bytes from `start` on."""
    for name, (begin, end) in states:
        if end - begin <= LARGEST_STATE:
            shape = described(file.read(start + begin, end - begin))
            if shape is not None:
                yield name.partition(STATE)[0], shape


def _entries(text: bytes, metadata: bytes) -> Iterator[tuple[str, _Entry]]:
    """The entries of any header, one by one.

    Raises:
        ValueError: it is no header, or a name occurs twice.
    """
    return (
        (name, _entry(value)) for name, value in pairs(text, MOST_TENSORS, (_METADATA, metadata))
    )


def _ordinary(text: bytes, metadata: bytes) -> Iterable[tuple[str, _Entry]] | None:
    """The entries of a header that is surely an ordinary one, which is much sooner read at once.

    A parser keeps one of two equal names, so the entries must be as many as their keys are in the
    text, where no escape can hide one. Of a header that is not huge, a parser needs little memory.
    """
    if len(text) > _ORDINARY or not text.startswith(b"{"):
        return None
    if metadata:
        key = _KEY.search(text)
        if key is None or not text.startswith(metadata, key.end()):
            return None
        text = text[: key.end()] + _NOTHING + text[key.end() + len(metadata) :]
        if len(_KEY.findall(text)) > 1:
            return None
    if b"\\" in text:
        return None
    try:
        found = _whole(text.rstrip(b"\0"))
    except ValueError:
        return None  # `_entries` says what is wrong
    if len(found) != text.count(b'"data_offsets"'):
        return None
    found.pop(_METADATA, None)
    return found.items()


def _spec(entry: _Entry) -> TensorSpec | None:
    """The tensor of an entry; None if its shape and dtype do not fill its bytes."""
    begin, end = entry.data_offsets
    if not 0 <= begin <= end or len(entry.shape) > MOST_AXES:
        return None
    spec, least, most = _known(tuple(entry.shape), entry.dtype)
    return spec if least <= end - begin <= most else None


@lru_cache(maxsize=10_000)  # networks have the same shapes over and over
def _known(shape: tuple[int, ...], dtype: str) -> tuple[TensorSpec | None, int, float]:
    """A tensor, and the least and the most bytes that it may fill; None if there is none such."""
    spec = TensorSpec(shape, _DTYPES.get(dtype, dtype))
    if min(shape, default=0) < 0:
        return None, 0, 0
    if is_dtype(spec.dtype) or dtype in PACKED:
        return spec, spec.nbytes, spec.nbytes
    if not dtype.isidentifier() or len(dtype) > MOST_AXES:
        return None, 0, 0
    # Several elements of a newer type may share a byte.
    return spec, -(-spec.numel // 8), inf
