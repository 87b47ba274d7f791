"""What was found, what can be found, and which sizes of inputs networks take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from unetscope.findings import Finding, Rule, Severity
from unetscope.rules.size_table import SizeClass, size_table
from unetscope.rules.surprises import Configured
from unetscope.table import BREAK, FINDING, Cell, Column, Kind, Part, Table
from unetscope.words import Words


def findings(found: Sequence[Finding], words: Words) -> Table:
    """One row a finding; in a terminal, one paragraph."""
    rows = [
        (finding.severity.value, *_place(finding), finding.id, *_said(finding, words))
        for finding in found
    ]
    titles = (words.severity, words.file, words.line, words.column, "ID", words.message)
    columns = (*map(Column, FINDING, titles), Column("hint", words.hint))
    counted = Counter(finding.severity for finding in found)
    counts = {"errors": counted[Severity.ERROR], "warnings": counted[Severity.WARNING]}
    text = words.checked.format(**counts) if found else words.nothing_found
    return Table(
        "findings",
        "",
        columns,
        tuple(rows),
        after=(Cell.of(text, data=counts),),
        paragraphs=tuple(_paragraph(finding, words) for finding in found),
        data=counts,
    )


def _place(finding: Finding) -> tuple[str | None, int | None, int | None]:
    place = finding.place
    if place is None or place.file.startswith("--"):  # an option stands in no file
        return (None, None, None)
    return (place.file, place.line, place.column)


def _said(finding: Finding, words: Words) -> tuple[str, str | None]:
    """The message and the hint for people."""
    return words.said(finding.message), finding.hint and words.said(finding.hint)


def _paragraph(finding: Finding, words: Words) -> Cell:
    message, hint = _said(finding, words)
    level = Part(words.levels[finding.severity.value], strong=True)
    rule = Part(f"[{finding.id}]", code=True)
    parts = [Part(f"{finding.place}: "), level, Part(" "), rule, Part(f" {message}")]
    if hint:
        parts += [BREAK, Part(f"  {words.hint}: {hint}")]
    return Cell(tuple(parts), finding.id)


def rules(known: Iterable[Rule], words: Words) -> Table:
    """One row a rule, errors first: what it means, and when it can be found."""
    rows = tuple(
        (
            rule.id,
            Cell.of(words.levels[rule.severity.value], data=rule.severity.value),
            Cell.of(words.traced if rule.traced else words.static, data=rule.traced),
            words.said(rule.summary),
        )
        for rule in sorted(known, key=lambda rule: (rule.severity.value, rule.id))
    )
    columns = (
        Column("id", "ID", code=True),
        Column("level", words.severity, priority=1),
        Column("traced", words.found_in, priority=2),
        Column("summary", words.meaning),
    )
    return Table("rules", words.rules, columns, rows)


def sizes_of(name: str, network: Configured, words: Words) -> Table:
    """Which heights and widths a config's network takes."""
    return sizes(name, list(size_table(network.family, network.unet, network.inputs.height)), words)


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
        Column("smallest", words.smallest, Kind.COUNT, priority=1),
        Column("example", words.example, priority=2),
        Column("maps", words.maps_by_level, priority=4),
        Column("odd_level", words.odd_level, priority=3),
    )
    title = words.legal_sizes.format(name)
    return Table("sizes", title, columns, tuple(rows), repeats=True, data={"config": name})


def _class(sizes: SizeClass, words: Words) -> str:
    if sizes.exact:
        return words.multiples.format(sizes.factor)
    if sizes.factor == 1:
        return words.odd_numbers
    return words.multiples_not.format(sizes.factor, 2 * sizes.factor)
