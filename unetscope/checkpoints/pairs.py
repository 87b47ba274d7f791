"""The pairs of an object in JSON one by one, so that a hostile one is refused before it is built.

A parser keeps one of two equal keys and needs up to 100 bytes of memory for one of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_FLAT = rb"\{[^{}\"]*(?:" + _STRING + rb"[^{}\"]*)*\}"
_SPACE = rb"[ \t\r\n]*"
_PAIR = re.compile(
    rb"%b(%b)%b:%b(%b|%b)%b([,}])" % (_SPACE, _STRING, _SPACE, _SPACE, _STRING, _FLAT, _SPACE),
    re.DOTALL,
)
_EMPTY = re.compile(rb"%b\{%b\}%b" % (_SPACE, _SPACE, _SPACE))
_BEGIN = re.compile(_SPACE + rb"\{")
_decode = msgspec.json.Decoder(str).decode


def pairs(text: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """The keys of a JSON object with the text of their values, strings or objects of no depth.

    Args:
        text: the object.
        most: pairs that there may be.

    Raises:
        ValueError: it is no such object, a key occurs twice, or there are more pairs.
    """
    if _EMPTY.fullmatch(text):
        return
    begin = _BEGIN.match(text)
    if begin is None:
        raise ValueError("not an object in JSON")
    at, seen, closing = begin.end(), set[str](), b","
    while closing == b",":
        pair = _PAIR.match(text, at)
        if pair is None:
            raise ValueError(f"not the JSON of a header at byte {at:,}")
        key = _decode(pair[1])
        if key in seen:
            raise ValueError(f"`{key[:80]}` occurs twice")
        seen.add(key)
        if len(seen) > most:
            raise ValueError(f"more than {most:,} entries, the bound for one")
        yield key, pair[2]
        at, closing = pair.end(), pair[3]
    if text[at:].strip(b" \t\r\n\0"):
        raise ValueError(f"more than an object in JSON at byte {at:,}")
