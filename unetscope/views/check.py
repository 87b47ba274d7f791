"""What is wrong with configs, and which sizes their networks take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from unetscope.errors import Place
from unetscope.findings import RULES, Finding, Severity
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.rules.size_table import SizeClass

_COLUMNS = ("level", "file", "line", "column", "id", "message")


def findings(found: Sequence[Finding], words: Words) -> Table:
    """One row a finding, for programs; a hint has a column of its own."""
    titles = (words.severity, words.file, words.line, words.column, "ID", words.message)
    columns = [*map(Column, _COLUMNS, titles), Column("hint", words.hint)]
    rows = [(*_row(finding), finding.message, finding.hint) for finding in found]
    after = (_sum(found, words),)
    return Table("findings", "", tuple(columns), tuple(rows), after=after, data=_counts(found))


def located(found: Sequence[Finding]) -> Table:
    """The same for services that show one text a finding: the hint is part of it."""
    rows = [
        (*_row(finding), "\n".join(filter(None, (finding.message, finding.hint))))
        for finding in found
    ]
    columns = tuple(Column(key, "") for key in _COLUMNS)
    data = {"rules": {name: rule.summary for name, rule in RULES.items()}}
    return Table("findings", "", columns, tuple(rows), data=data)


def report(found: Sequence[Finding], words: Words) -> Table:
    """The same for people: a paragraph a finding, and how many there are."""
    paragraphs = [_paragraph(finding, words) for finding in found]
    return Table("findings", "", (), (), before=(*paragraphs, _sum(found, words)))


def _row(finding: Finding) -> tuple[str, str | None, int | None, int | None, str]:
    place = finding.place or Place("")
    if place.file.startswith("--"):  # an option of the command line stands in no file
        return (finding.severity.value, None, None, None, finding.id)
    return (finding.severity.value, place.file, place.line, place.column, finding.id)


def _paragraph(finding: Finding, words: Words) -> Cell:
    level = Part(words.levels[finding.severity.value], strong=True)
    rule = Part(f"[{finding.id}]", code=True)
    parts = [Part(f"{finding.place}: "), level, Part(" "), rule, Part(f" {finding.message}")]
    if finding.hint:
        parts += [BREAK, Part(f"  {words.hint}: {finding.hint}")]
    return Cell(tuple(parts), finding.id)


def _counts(found: Sequence[Finding]) -> dict[str, int]:
    counted = Counter(finding.severity for finding in found)
    return {"errors": counted[Severity.ERROR], "warnings": counted[Severity.WARNING]}


def _sum(found: Sequence[Finding], words: Words) -> Cell:
    counts = _counts(found)
    text = words.checked.format(**counts) if any(counts.values()) else words.nothing_found
    return Cell.of(text, data=counts)


def sizes(name: str, classes: Sequence[SizeClass], words: Words) -> Table:
    """Which heights and widths work, by the powers of two that divide them."""
    answers: Mapping[bool | None, str] = {True: words.yes, False: words.no, None: words.sometimes}
    rows = [
        (
            Cell.of(_class(c, words), data=c.factor),
            Cell.of(answers[c.works], data=c.works),
            c.smallest,
            c.example,
            Cell.of(words.listed.join(map(str, c.maps)), data=list(c.maps)),
            Cell.of(words.none if c.odd_level is None else c.odd_level, data=c.odd_level),
        )
        for c in classes
    ]
    columns = (
        Column("multiple_of", words.sides),
        Column("works", words.works),
        Column("smallest", words.smallest, Kind.COUNT),
        Column("example", words.example),
        Column("maps", words.maps_by_level),
        Column("odd_level", words.odd_level),
    )
    title = words.legal_sizes.format(name)
    return Table("sizes", title, columns, tuple(rows), repeats=True, data={"config": name})


def _class(sizes: SizeClass, words: Words) -> str:
    if sizes.exact:
        return words.multiples.format(sizes.factor)
    if sizes.factor == 1:
        return words.odd_numbers
    return words.multiples_not.format(sizes.factor, 2 * sizes.factor)
