"""Lines of text in the cells of a terminal: measuring, folding, sharing out the width.

A CJK character takes two cells. Nothing is ever cut off: what does not fit goes on in the next
line, broken after spaces and after the dots of a path. Numbers and shapes stay whole if they can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from unetscope.render.spans import Span
from unetscope.table import Kind

Line = Sequence[Span]

_WORD = re.compile(r"[^ ]* +|[^ ]+")
_PATH_WORD = re.compile(r"[^ .]*(?: +|\.+)|[^ .]+")
_NARROWEST = 8
"""Cells below which a column is confetti."""


def width(line: Line) -> int:
    """Cells that a line takes, spaces at its end not counted."""
    return cell_len("".join([span.text for span in line]).rstrip(" "))


def trimmed(line: Line) -> Line:
    """The line without spaces at its end."""
    if not line or not line[-1].text.endswith(" "):
        return line
    kept = line[-1].text.rstrip(" ")
    return [*line[:-1], line[-1]._replace(text=kept)] if kept else trimmed(line[:-1])


def fold(line: Line, room: int | None) -> list[Line]:
    """Break a line into lines of at most `room` cells, two or more; None for no limit."""
    if room is None or width(line) <= room:
        return [line]
    folded: list[list[Span]] = [[]]
    for piece in _pieces(line, room):
        if folded[-1] and width([*folded[-1], *piece]) > room:
            folded.append([])
        folded[-1].extend(piece)
    return list(folded)


def share(columns: Sequence[Sequence[Line]], room: int | None) -> list[int] | None:
    """The widths of columns that show these lines in `room` cells; None if they cannot.

    Columns give way from the widest on: first as far as numbers and shapes stay whole, then words,
    then until they would be too narrow to read.
    """
    widths = [max(map(width, column), default=0) for column in columns]
    if room is None or sum(widths) <= room:
        return widths
    for floors in (
        [_longest_word(column) for column in columns],
        [_longest_word(column, split=True) for column in columns],
        [min(natural, _NARROWEST) for natural in widths],
    ):
        if sum(floors) <= room:
            return _narrowed(widths, floors, room)
    return None


def _narrowed(widths: list[int], floors: list[int], room: int) -> list[int]:
    narrowed = [
        max(floor, min(natural, room)) for natural, floor in zip(widths, floors, strict=True)
    ]
    while sum(narrowed) > room:
        loose = [i for i, floor in enumerate(floors) if narrowed[i] > floor]
        narrowed[max(loose, key=narrowed.__getitem__)] -= 1
    return narrowed


def _pieces(line: Line, room: int) -> Iterator[Line]:
    """The largest pieces of a line that fit a room."""
    for word in _words(line):
        if width(word) <= room:
            yield word
            continue
        for part in _words(word, split=True):
            if width(part) <= room:
                yield part
            else:
                yield from _characters(part)


def _words(line: Line, *, split: bool = False) -> Iterator[Line]:
    """What should stay in one line; `split` breaks up numbers and shapes too."""
    word: list[Span] = []
    for span in line:
        whole = span.kind is not Kind.TEXT and not split
        pattern = _PATH_WORD if span.code and span.kind is Kind.TEXT else _WORD
        for text in [span.text] if whole else pattern.findall(span.text):
            word.append(span._replace(text=text))
            if not whole and text[-1] in (" ." if pattern is _PATH_WORD else " "):
                yield word
                word = []
    if word:
        yield word


def _characters(line: Line) -> Iterator[Line]:
    """Single characters, each with the marks that combine with it."""
    for span in line:
        cluster = ""
        for character in span.text:
            if cluster and cell_len(character):
                yield [span._replace(text=cluster)]
                cluster = ""
            cluster += character
        yield [span._replace(text=cluster)]


def _longest_word(lines: Sequence[Line], *, split: bool = False) -> int:
    return max((width(word) for line in lines for word in _words(line, split=split)), default=0)
