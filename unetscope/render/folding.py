"""Lines that fold without splitting names.

A number, a shape and a name stay whole; text goes on in the next line after a space or a CJK
character, a path or a title after a space or a dot. Widths are counted in cells of the terminal, of
which a CJK character takes two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from rich.cells import cell_len, chop_cells

from unetscope.render.spans import Span
from unetscope.table import Kind

Line = Sequence[Span]
Block = Sequence[Line]
"""The lines of one cell of a table."""

_WIDE = "\u2e80-\u303f\u3041-\u9fff\uf900-\ufaff\uff01-\uff60"
_CLOSING = "、。，．：；？！）」』】〉》"
_IN_BRACKETS = r"\([\w/*+-]*(?:\([\w/*+-]*(?:\([\w/*+-]*\)[\w/*+-]*)*\)[\w/*+-]*)*\)"
_DIM = rf"(?:[\w/.*+?-]|{_IN_BRACKETS})+"  # `H/8`, `B*(floor((H+1)/2)+1)`, `65?`
_SHAPE = rf"[\[(](?=[-\d(]|[A-Z]+\b|ceil\(|floor\(){_DIM}(?:,\ {_DIM})*,?[\])]"
_UNIT = r"(?<=\d)\ (?=(?:%|[KMGT]?i?B|[kMGT]?(?:MACs|FLOPs))(?!\w))"  # the space before it


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """What finds the pieces of a text whose words look so; most outputs fold nothing."""
    return re.compile(
        rf"""[^\ {_WIDE}=]+=(?=[\[(])      # the name of a setting, before its value
        | \ *(?:{word})[{_CLOSING}]*\ *    # a word, with the space around it
        | [{_WIDE}][{_CLOSING}]*\ *        # a CJK character
        | \ +""",
        re.VERBOSE,
    )


_TEXT = rf"(?:{_SHAPE}|{_UNIT}|[^\ {_WIDE}])+"
_JOINED = re.compile(r"[^_]*_+|[^_]+")  # `layers_`, then `per_`, then `block`
_PATH = rf"(?:{_SHAPE}|\.{{1,2}}(?=\d)|[^\ .{_CLOSING}])+\.*|\.+"  # not before an index


def width(line: Line) -> int:
    """The width of a line, without the spaces at its end."""
    return cell_len("".join([span.text for span in line]).rstrip(" "))


def widest(blocks: Iterable[Block]) -> int:
    """The width of a column that does not fold."""
    return max((width(line) for block in blocks for line in block), default=0)


def folded(block: Block, room: int | None, *, strict: bool = False) -> list[Line]:
    """A cell in lines of at most `room`, if its pieces are no wider; None for no limit.

    Args:
        block: the lines of the cell.
        room: cells of the terminal.
        strict: whether pieces that are wider are cut.
    """
    return [_trimmed(part) for line in block for part in _folded(line, room, strict=strict)]


def _folded(line: Line, room: int | None, *, strict: bool) -> Sequence[Line]:
    if room is None or width(line) <= room:
        return [line]
    lines: list[list[Span]] = [[]]
    whole = pieces(line)
    for piece in (cut for each in whole for cut in _cut(each, room)) if strict else whole:
        if lines[-1] and width([*lines[-1], *piece]) > room:
            lines.append([])
        lines[-1].extend(piece)
    return lines


def _cut(piece: Line, room: int) -> Iterator[Line]:
    """A piece as it is, or, if it is wider than the room, in parts that are not."""
    if width(piece) <= room:
        yield piece
        return
    for span in piece:
        for part in _JOINED.findall(span.text):
            yield from ([span._replace(text=text)] for text in chop_cells(part, room))


def _trimmed(line: Line) -> Line:
    """The line without spaces at its end."""
    if not line or not line[-1].text.endswith(" "):
        return line
    kept = line[-1].text.rstrip(" ")
    return [*line[:-1], line[-1]._replace(text=kept)] if kept else _trimmed(line[:-1])


def pieces(line: Line) -> Iterator[Line]:
    """The pieces that stay in one line each."""
    piece: list[Span] = []
    for span in line:
        if span.kind is not Kind.TEXT:
            piece.append(span)
            continue
        is_path = span.code or span.heading
        texts = _pattern(_PATH if is_path else _TEXT).findall(span.text)
        for number, text in enumerate(texts, 1):
            piece.append(span._replace(text=text))
            if number < len(texts) or text[-1] in (" ." if is_path else f" {_CLOSING}"):
                yield piece
                piece = []
    if piece:
        yield piece


def longest_piece(blocks: Iterable[Block]) -> int:
    """The least width to which a column can fold."""
    return max((width(p) for block in blocks for line in block for p in pieces(line)), default=0)
