"""The header of a safetensors file: the names, shapes and dtypes of its tensors.

A file begins with the length of the header (eight bytes, little-endian), then the header in JSON:
`{"conv_in.weight": {"dtype": "F16", "shape": [320, 4, 3, 3], "data_offsets": [0, 23040]}, ...}`.
Nothing after it is read.

Source: https://github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.files.reading import why
from unetscope.record import TensorSpec, is_dtype

LARGEST_HEADER = 100_000_000
"""The most bytes that a header may have; safetensors itself has the same limit."""

LONGEST_NAME = 500
"""The most characters that the name of a tensor may have."""

_LENGTH = 8
_METADATA = "__metadata__"
_GIT_LFS = b"version https://git-lfs"
_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
}


class _Entry(msgspec.Struct):
    """The header's entry for one tensor."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read(path: Path) -> dict[str, TensorSpec]:
    """The tensors of a file by name, in the file's order.

    Raises:
        UnetscopeError: the file cannot be read, is not a safetensors file, or is damaged.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(len(_GIT_LFS))
            length = int.from_bytes(first[:_LENGTH], "little")
            if first == _GIT_LFS:
                _damaged(path, "a Git LFS pointer, not the weights", "`git lfs pull` fetches them")
            if len(first) < _LENGTH:
                _damaged(path, f"{len(first)} bytes, too few for a safetensors file")
            if length > LARGEST_HEADER:
                _damaged(
                    path,
                    f"not a safetensors file: its header would have {length:,} bytes, and at most "
                    f"{LARGEST_HEADER:,} are read",
                )
            if length > size - _LENGTH:
                _damaged(path, f"cut short: a header of {length:,} bytes in a file of {size:,}")
            file.seek(_LENGTH)
            text = file.read(length)
    except OSError as error:
        _damaged(path, f"cannot be read: {why(error)}")
    return _tensors(path, text, size - _LENGTH - length)


def _tensors(path: Path, text: bytes, room: int) -> dict[str, TensorSpec]:
    """The tensors that a header lists; they must lie in the `room` bytes after it."""
    try:
        raw: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        raw.pop(_METADATA, None)
        entries = msgspec.convert(raw, dict[str, _Entry])
    except (ValueError, RecursionError) as error:
        _damaged(path, f"a damaged header: {error}")
    found = {}
    for name, entry in entries.items():
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            _damaged(path, f"a damaged header: not a name of a tensor: {name[:80]!a}")
        spec = _spec(entry)
        if spec is None:
            _damaged(path, f"a damaged header: shape, dtype and bytes of `{name}` do not agree")
        if entry.data_offsets[1] > room:
            _damaged(path, f"cut short: `{name}` ends past the end of the file")
        found[name] = spec
    return found


def _spec(entry: _Entry) -> TensorSpec | None:
    """The tensor of an entry; None if its shape and dtype do not fill its bytes."""
    begin, end = entry.data_offsets
    if min(entry.shape, default=0) < 0 or not 0 <= begin <= end or not entry.dtype.isidentifier():
        return None
    spec = TensorSpec(tuple(entry.shape), _DTYPES.get(entry.dtype, entry.dtype.lower()))
    if is_dtype(spec.dtype):
        return spec if spec.nbytes == end - begin else None
    # Several elements of a newer type may share a byte.
    return spec if spec.numel <= 8 * (end - begin) else None


def _damaged(path: Path, message: str, hint: str | None = None) -> NoReturn:
    raise UnetscopeError(message, hint=hint, place=Place(str(path))) from None
