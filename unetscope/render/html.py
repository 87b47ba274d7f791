"""Tables as a fragment of HTML, for notebooks: no scripts, no colours, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from unetscope.render.spans import Span, lines, title

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import Cell, Table


def render(tables: Sequence[Table], style: Style) -> str:  # noqa: ARG001
    """Write each table below its heading, all in one `div`."""
    body = "\n".join(block for table in tables for block in _blocks(table))
    return f'<div class="unetscope">\n{body}\n</div>\n'


def _blocks(table: Table) -> Iterator[str]:
    if table.title:
        level = min(table.level + 2, 6)
        yield f"<h{level}>{_spans(title(table.title))}</h{level}>"
    yield from (f"<p>{_cell(cell)}</p>" for cell in table.before)
    if table.columns:
        yield "<table>"
        yield from _rows(table)
        yield "</table>"
    yield from (f"<p>{_cell(cell)}</p>" for cell in table.after)


def _rows(table: Table) -> Iterator[str]:
    header = [_spans(title(column.title)) for column in table.columns]
    records = [[_cell(cell) for cell in table.cells(row)] for row in table.rows]
    if table.facts:
        for name, value in zip(header, records[0], strict=True):
            yield f"<tr><th>{name}</th><td>{value}</td></tr>"
        return
    if table.total:
        records.append([_cell(cell, strong=True) for cell in table.cells(table.total)])
    if table.transposed:
        header, *records = map(list, zip(header, *records, strict=True))
        records = [[f"<strong>{first}</strong>", *rest] for first, *rest in records]
    yield _row("th", header)
    yield from (_row("td", record) for record in records)


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def _cell(cell: Cell, *, strong: bool = False) -> str:
    return "<br>".join(_spans(line) for line in lines(cell, strong=strong))


def _spans(spans: Iterable[Span]) -> str:
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    text = escape(span.text)
    if span.code:
        text = f"<code>{text}</code>"
    return f"<strong>{text}</strong>" if span.strong else text
