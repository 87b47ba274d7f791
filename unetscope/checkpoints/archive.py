"""The list of entries of a zip archive, within bounds of size and number.

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 to 4.3.16 and
4.5.3.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from unetscope.checkpoints.stored import Stored

LARGEST_LIST = 20_000_000
"""The most bytes that the list of entries may have."""
_MOST_ENTRIES = 200_000
_TAIL = 22 + 2**16
_STORED, _DEFLATED = 0, 8
_ALL = 0xFFFFFFFF
_ENTRY = struct.Struct("<4s6H3I5H2I")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in an archive."""

    method: int
    packed: int
    """Its bytes in the archive."""
    size: int
    """Its bytes when it is unpacked, as the archive says."""
    offset: int
    """Where its own header stands."""


def entries(file: Stored) -> dict[str, Entry]:
    """The entries by name.

    Raises:
        UnetscopeError: it is no zip archive, is cut short or damaged, or the list is too long.
    """
    tail_at = max(file.size - _TAIL, 0)
    tail = file.read(tail_at, file.size - tail_at)
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < 22:
        file.damaged("cut short: a zip archive without the list of entries at its end")
    count, length, offset = struct.unpack_from("<HII", tail, end + 10)
    locator = tail[end - 20 : end] if end >= 20 else b""
    if locator.startswith(b"PK\6\7"):
        (at,) = struct.unpack_from("<Q", locator, 8)
        record = file.read(at, 56)
        count, length, offset = struct.unpack_from("<QQQ", record, 32)
    if length > LARGEST_LIST or count > _MOST_ENTRIES:
        file.damaged(
            f"a list of {count:,} entries in {length:,} bytes; at most {_MOST_ENTRIES:,} and "
            f"{LARGEST_LIST:,} are read"
        )
    return _listed(file, file.read(offset, length), count)


def _listed(file: Stored, text: bytes, count: int) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    at = 0
    for _ in range(count):
        if at + _ENTRY.size > len(text) or not text.startswith(b"PK\1\2", at):
            file.damaged("a damaged list of entries")
        fields = _ENTRY.unpack_from(text, at)
        method, packed, size, offset = fields[4], fields[8], fields[9], fields[16]
        begin = at + _ENTRY.size
        after, at = begin + fields[10], begin + sum(fields[10:13])
        name = text[begin:after].decode("utf-8", "replace")
        wide = iter(_wide(text[after : after + fields[11]]))
        size, packed, offset = (
            next(wide, value) if value == _ALL else value for value in (size, packed, offset)
        )
        if name in found:
            file.damaged(f"a damaged list of entries: {name[:80]!a} occurs twice")
        if offset + packed > file.size:
            file.damaged(f"cut short: {name[:80]!a} ends past the end of the file")
        found[name] = Entry(method, packed, size, offset)
    return found


def _wide(extra: bytes) -> tuple[int, ...]:
    """The sizes and offsets that do not fit into 32 bits."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 1:
            field = extra[4 : 4 + length]
            return struct.unpack_from(f"<{len(field) // 8}Q", field)
        extra = extra[4 + length :]
    return ()


def content(file: Stored, entry: Entry, most: int) -> bytes:
    """The bytes of an entry.

    Raises:
        UnetscopeError: it has more than `most`, is damaged or packed in an unknown way.
    """
    if max(entry.size, entry.packed) > most:
        file.damaged(f"a pickle of {entry.size:,} bytes, and at most {most:,} are read")
    head = file.read(entry.offset, 30)
    if not head.startswith(b"PK\3\4"):
        file.damaged("a damaged entry of a zip archive")
    packed = file.read(entry.offset + 30 + sum(struct.unpack_from("<HH", head, 26)), entry.packed)
    if entry.method == _STORED:
        return packed
    if entry.method != _DEFLATED:
        file.damaged(f"an entry packed by method {entry.method}, which torch does not use")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, entry.size or 1)
    except zlib.error:
        file.damaged("a damaged entry of a zip archive")
