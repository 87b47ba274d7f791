"""The pairs of an object in JSON one by one, so that a hostile one is refused before it is built.

A parser keeps one of two equal keys and needs up to 100 bytes of memory for one of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

# Repetitions have bounds, since the machine of `re` keeps what it may go back to.
_STRING = rb'"[^"\\]{0,9999}(?:\\.[^"\\]{0,9999}){0,9999}"'
_FLAT = rb"\{[^{}\"]{0,9999}(?:" + _STRING + rb"[^{}\"]{0,9999}){0,99}\}"
_SPACE = rb"[ \t\r\n]*"
_KEY = re.compile(rb"%b(%b)%b:%b" % (_SPACE, _STRING, _SPACE, _SPACE), re.DOTALL)
_VALUE = re.compile(_STRING + rb"|" + _FLAT, re.DOTALL)
_END = re.compile(_SPACE + rb"([,}])")
_EMPTY = re.compile(rb"%b\{%b\}%b" % (_SPACE, _SPACE, _SPACE))
_BEGIN = re.compile(_SPACE + rb"\{")
_decode = msgspec.json.Decoder(str).decode


def pairs(
    text: bytes, most: int, large: tuple[str, bytes] = ("", b"")
) -> Iterator[tuple[str, bytes]]:
    """The keys of a JSON object with the text of their values, strings or objects of no depth.

    Args:
        text: the object.
        most: pairs that there may be.
        large: a key whose value is known, of any form and length; it is not yielded.

    Raises:
        ValueError: it is no such object, a key occurs twice, or there are more pairs.
    """
    if _EMPTY.fullmatch(text):
        return
    begin = _BEGIN.match(text)
    at, seen, closing = begin.end() if begin else 0, set[str](), b","
    while closing == b",":
        found = _KEY.match(text, at) if begin else None
        if found is None:
            raise ValueError(f"not the JSON of a header at byte {at:,}")
        key = _decode(found[1])
        if key in seen:
            raise ValueError(f"`{key[:80]}` occurs twice")
        seen.add(key)
        if len(seen) > most:
            raise ValueError(f"more than {most:,} entries, the bound for one")
        at = found.end()
        if key == large[0] and text.startswith(large[1], at):
            at += len(large[1])
        elif value := _VALUE.match(text, at):
            at = value.end()
            if key != large[0]:
                yield key, value[0]
        end = _END.match(text, at)
        if end is None:
            raise ValueError(f"not the JSON of a header at byte {at:,}")
        at, closing = end.end(), end[1]
    if text[at:].strip(b" \t\r\n\0"):
        raise ValueError(f"more than an object in JSON at byte {at:,}")
