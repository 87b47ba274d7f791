"""What weights files are: one row a file, or all that is known of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from unetscope.checkpoints.identified import Certainty, Identified
from unetscope.checkpoints.identified import Part as Held
from unetscope.checkpoints.prefixes import AVERAGES
from unetscope.errors import UnetscopeError
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.words import Words

UNREADABLE = "unreadable"
"""What stands for the certainty of a file that cannot be read."""
_TOLD = ("evidence", "differences", "contradictions", "missing", "loading", "undecided")
"""What is told of a file in sentences, by field of `Identified`."""
_WIDEST = 20
"""Names that tell how wide the column of names is."""
_WHOLE = 48
"""Characters of a name that is not folded."""
_REMARKED = ("loading", "differences", "contradictions")
"""What a row has room for; of what may be a whole pipeline also what is missing."""
_OF_PIPELINES = {"text encoder", "autoencoder"}
"""Kinds of parts that stand beside a network where a file is meant to be all that is needed."""


@dataclass(frozen=True)
class Row:
    """A file, and what it is or why that is not known.

    Attributes:
        file: as the user named it.
        found: what it is; an error if it cannot be read.
    """

    file: str
    found: Identified | UnetscopeError


def files(rows: Sequence[Row], words: Words) -> Table:
    """One row a file."""
    table = Table("files", words.weights_files, columns(words), tuple(row(r, words) for r in rows))
    if not rows or not table.is_blank("remarks"):
        return table
    shown = (replace(c, read=c.read and c.key != "remarks") for c in table.columns)
    return replace(table, columns=tuple(shown))


def columns(words: Words) -> tuple[Column, ...]:
    """The columns of `files`."""
    return (
        Column("file", words.file, code=True),
        Column("certainty", words.certainty, priority=1),
        Column("parameters", words.parameters, Kind.COUNT, priority=4),
        Column("dtype", words.dtype, priority=4),
        Column("size_bytes", words.stored, Kind.DECIMAL_BYTES, priority=3),
        Column("label", words.answer),
        Column("remarks", words.remarks, priority=2),
        Column("networks", words.networks, read=False),
        Column("parts", words.in_it, read=False),
        *(Column(key, words.told_of_files[key], read=False) for key in (*_TOLD, "doubts")),
        Column("error", words.remarks, read=False),
    )


def row(of: Row, words: Words) -> tuple[Value, ...]:
    """A row of `files`."""
    if isinstance(of.found, UnetscopeError):
        place, message = of.found.place, of.found.message
        told = message if place is None or place.file == of.file else f"{place.file}: {message}"
        said = words.said(told)
        certainty = Cell.of(words.certainties[UNREADABLE], data=UNREADABLE)
        nothing: list[Value] = [None] * (len(columns(words)) - 8)
        label, blank = Cell.of(said, data=None), Cell.of("", data=[])
        return of.file, certainty, None, None, None, label, blank, *nothing, said
    found = of.found
    main = _main(found)
    remarks = [text for key in _REMARKED for text in getattr(found, key)]
    kinds = {part.kind for part in found.parts}
    remarks += found.missing if kinds & _OF_PIPELINES else ()
    return (
        of.file,
        Cell.of(words.certainties[found.certainty.value], data=found.certainty.value),
        None if main is None else main.parameters,
        _dtypes(main),
        _stored(found),
        Cell.of(_label(found, words), data=found.label),
        _sentence(words.between_columns.join(map(words.said, remarks)), remarks),
        list(found.networks),
        [f"{part.kind}: {part.name}".removesuffix(": ") for part in found.parts],
        *(list(getattr(found, key)) for key in _TOLD),
        [text for part in found.parts for text in part.doubts],
        None,
    )


def samples(names: Sequence[str], words: Words) -> Table:
    """Rows as wide as those of `files` may be, for files of these names."""
    blank = (None,) * (len(columns(words)) - 7)
    shown = (9_999_999_999, "bfloat16, float32", 999_900_000, "x " * 12, "x " * 12)
    certainties = [("", each, *shown, *blank) for each in words.certainties.values()]
    longest = sorted(names, key=len)[-_WIDEST:]
    whole = ["x" * len(name) if len(name) <= _WHOLE else name for name in longest]
    files = [(name, None, *shown, *blank) for name in whole]
    return Table("files", "", columns(words), (*certainties, *files))


def _main(found: Identified) -> Held | None:
    """The part that a file is named after."""
    named = [part for part in found.parts if part.kind in ("unet", "controlnet")]
    named.sort(key=lambda part: bool(AVERAGES.search(part.prefix)))
    return next(iter((*named, *found.parts)), None)


def _stored(found: Identified) -> int:
    """Bytes of all tensors, as they are stored."""
    return sum(part.nbytes for part in found.parts)


def _label(found: Identified, words: Words) -> str:
    if found.label == Certainty.UNKNOWN.value:
        return words.certainties[found.label]
    return words.said(found.label)


def _sentence(text: str, data: object) -> Cell:
    """A sentence, with what it quotes set as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a name holds such a mark
        return Cell.of(text, data=data)
    parts = (Part(piece, code=bool(number % 2)) for number, piece in enumerate(pieces) if piece)
    return Cell(tuple(parts), data)


def _dtypes(part: Held | None) -> Cell:
    """The element types of a part, most elements first."""
    named = [] if part is None else [name for name, _ in part.dtypes.most_common()]
    return Cell.of(", ".join(named), data=named)


def card(of: Row, words: Words) -> list[Table]:
    """All that is known of one file: what it is, what it holds, and what decided."""
    assert isinstance(of.found, Identified)
    found = of.found
    certainty = found.certainty.value
    facts: list[tuple[Column, Value]] = [
        (Column("file", words.file, code=True), of.file),
        (Column("label", words.answer), Cell.of(_label(found, words), strong=True)),
        (
            Column("certainty", words.certainty),
            Cell.of(
                f"{words.certainties[certainty]} ({words.certainty_means[certainty]})",
                data=certainty,
            ),
        ),
        (Column("size_bytes", words.stored, Kind.DECIMAL_BYTES), _stored(found)),
    ]
    head = Table(
        "file",
        "",
        tuple(column for column, _ in facts),
        (tuple(value for _, value in facts),),
        facts=True,
    )
    return [head, parts(found.parts, words), *_told(found, words)]


def parts(held: Sequence[Held], words: Words) -> Table:
    """What a file holds, one row a part."""
    columns = (
        Column("kind", words.module_kind),
        Column("name", words.name, priority=1),
        Column("prefix", words.prefix, code=True, priority=3),
        Column("tensors", words.tensors, Kind.COUNT, priority=4),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("dtype", words.dtype, priority=2),
        Column("bytes", words.stored, Kind.DECIMAL_BYTES),
        Column("evidence", words.told_of_files["evidence"], read=False),
        Column("doubts", words.told_of_files["doubts"], read=False),
    )
    rows = tuple(
        (
            Cell.of(words.part_kinds.get(part.kind, part.kind), data=part.kind),
            Cell.of(words.said(part.name), data=part.name or None),
            part.prefix,
            len(part.tensors),
            part.parameters,
            _dtypes(part),
            part.nbytes,
            list(part.evidence),
            list(part.doubts),
        )
        for part in held
    )
    return Table("parts", words.in_the_file, columns, rows)


def _told(found: Identified, words: Words) -> Iterator[Table]:
    """What is known of a file, in sentences."""
    columns = (Column("about", words.about_it), Column("sentence", words.in_words))
    rows = tuple(
        (Cell.of(words.told_of_files[about], data=about), _sentence(words.said(text), text))
        for about, text in sentences(found)
    )
    if rows:
        yield Table("told", words.what_is_known, columns, rows)


def sentences(found: Identified) -> Iterator[tuple[str, str]]:
    """Each sentence about a file, with what it is about."""
    for about in _TOLD:
        yield from ((about, text) for text in getattr(found, about))
    if found.inferred is not None and found.certainty is Certainty.BUILT:
        yield from (("conventions", text) for text in found.inferred.conventions)
    several = len(found.parts) > 1
    for part in found.parts:
        named = part.name or part.kind
        yield from (("doubts", f"{named}: {text}" if several else text) for text in part.doubts)
