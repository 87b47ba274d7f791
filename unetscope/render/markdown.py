"""Tables as GitHub-flavoured Markdown, and as the body of a pull request's comment.

Syntax: https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from unetscope.render.spans import Span, lines, picture, printable, title
from unetscope.table import About, Cell, Table
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.render import Style

LARGEST_COMMENT = 65_536
"""Characters of a comment that GitHub takes."""

# What GitHub would read as markup. `in_ch`, `a -> b` and `[B, 4]` are none and stay readable.
_MARKUP = re.compile(
    r"""[\\`*|~$]
    | <(?=[A-Za-z/!?])          # a tag
    | &(?=\#?\w+;)              # a character reference
    | (?<![^\W_])_ | _(?![^\W_])  # emphasis; within a word it is none
    | (?<=\])\(                 # a link
    """,
    re.VERBOSE,
)
_MENTION = re.compile(r"@(?=\w)")
"""What would tell a person that it was named here; with a space without width, it does not."""
_BLOCK_START = re.compile(r"^(\d*)([#>+\-=\[.)])")


def render(tables: Sequence[Table], style: Style, about: About | None = None) -> str:
    """Write each table below its heading; behind them what is folded, to be unfolded.

    A table with an anchor belongs to a comment: of one that is too long, rows are left out.
    """
    words = Words(style.language)
    text = _written(tables, words, about)
    if any(table.anchor for table in tables):
        most = max(len(table.rows) for table in tables)
        while len(text) > LARGEST_COMMENT and most:
            most = most * 4 // 5
            text = _written([_cut(table, most, words) for table in tables], words, about)
    return text


def _written(tables: Sequence[Table], words: Words, about: About | None) -> str:
    blocks = [f"<!-- {table.anchor} -->" for table in tables if table.anchor][:1]
    blocks += [_paragraph(about.cell)] if about is not None and tables else []
    blocks += [block for table in tables if not table.folded for block in _blocks(table)]
    hidden = [table for table in tables if table.folded]
    folded = [block for table in hidden if table.picture is None for block in _blocks(table)]
    if folded:
        summary = f"<details>\n<summary>{words.all_changes}</summary>"
        blocks += [summary, *folded, "</details>"]
    for table in hidden:
        if table.picture is not None:
            blocks += [_summary(table.title), *_blocks(replace(table, title="")), "</details>"]
    return "\n\n".join(blocks) + "\n"


def _summary(title: str) -> str:
    """What is read of a picture that is to be unfolded; there, HTML is read and no Markdown."""
    name = _MENTION.sub("@&#8203;", escape(printable(title)))
    return f"<details>\n<summary>{name}</summary>"


def _cut(table: Table, most: int, words: Words) -> Table:
    """A table of at most so many rows; how many are left out stands below it."""
    cut = len(table.rows) - most
    if cut <= 0:
        return table
    note = Cell.of(words.left_out.format(cut))
    return replace(table, rows=table.rows[:most], after=(*table.after, note))


def _blocks(table: Table) -> Iterator[str]:
    drawn = picture(table)
    if table.picture is not None and not drawn:
        return
    if table.title:
        yield f"{'#' * min(table.level + 1, 6)} {_line(title(table.title))}"
    yield from map(_paragraph, table.before)
    if table.facts:
        yield "\n".join(_facts(table))
    elif table.columns:
        yield "\n".join(_grid(table))
    elif drawn:
        yield _code_block(drawn)
    yield from map(_paragraph, table.below())


def _code_block(drawn: Sequence[str]) -> str:
    """Lines as they are, in a fence that is longer than any that they hold."""
    longest = max(map(len, re.findall("`+", "\n".join(drawn))), default=0)
    fence = "`" * max(longest + 1, 3)
    return "\n".join([f"{fence}text", *drawn, fence])


def _facts(table: Table) -> Iterator[str]:
    for column, cell in zip(table.columns, table.cells(table.rows[0]), strict=True):
        yield f"- {_line(title(column.title, strong=True))}: {_cell(cell)}"


def _grid(table: Table) -> Iterator[str]:
    header = [_line(title(column.title)) for column in table.columns]
    records = [[_cell(cell) for cell in table.cells(row)] for row in table.rows]
    if table.total:
        records.append([_cell(cell, strong=True) for cell in table.cells(table.total)])
    right = table.right if table.transposed else [False] * len(header)
    if table.transposed:
        titles = [
            header[0],
            *(_line(title(column.title, strong=True)) for column in table.columns[1:]),
        ]
        header, *records = map(list, zip(titles, *records, strict=True))
    yield _row(header)
    yield _row(["---:" if is_right else ":---" for is_right in right])
    yield from map(_row, records)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, *, strong: bool = False) -> str:
    return " <br> ".join(map(_line, lines(cell, strong=strong)))


def _paragraph(cell: Cell) -> str:
    return _BLOCK_START.sub(r"\1\\\2", _cell(cell).strip())


def _line(spans: Iterable[Span]) -> str:
    written = []
    for strong, group in groupby(spans, key=lambda span: span.strong):
        text = "".join(
            _mark("".join(span.text for span in alike), code)
            for code, alike in groupby(group, key=lambda span: span.code)
        )
        written.append(_bold(text) if strong else text)
    return "".join(written)


def _mark(text: str, code: bool) -> str:
    if not code:
        return _escaped(text)
    if not text.strip() or "`" in text or "\\|" in text:
        return f"<code>{_escaped(text)}</code>"
    pipes = text.replace("|", "\\|")
    return f"`{pipes}`"


def _bold(text: str) -> str:
    # Asterisks next to a space mark nothing, so spaces stay outside.
    core = text.strip()
    return text.replace(core, f"**{core}**", 1) if core else text


def _escaped(text: str) -> str:
    text = _MARKUP.sub(lambda match: f"\\{match[0]}", text)
    return _MENTION.sub("@&#8203;", text)
