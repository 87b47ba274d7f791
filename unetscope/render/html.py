"""Tables as HTML: a whole page, or a part of one for notebooks; no scripts, nothing loaded.

Text has the colour that is around it, so that both read on light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from unetscope.render.spans import Span, lines, picture, title

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Cell, Table

_LOOK = """\
.unetscope { font-family: system-ui, sans-serif; line-height: 1.4 }
.unetscope table { border-collapse: collapse; margin: 0.5em 0 1.5em }
.unetscope th, .unetscope td { padding: 0.15em 1.2em 0.15em 0; text-align: left; \
vertical-align: top; font-weight: normal; border: 0 }
.unetscope thead th { border-bottom: 1px solid; opacity: 0.7 }
.unetscope tfoot td { border-top: 1px solid }
.unetscope .number { text-align: right; font-variant-numeric: tabular-nums }
.unetscope pre { line-height: 1.2; overflow-x: auto }
.unetscope p { max-width: 50em }"""


def render(tables: Sequence[Table], style: Style, about: About | None = None) -> str:
    """Write a page."""
    names = [about.names] if about else [table.title for table in tables if table.title]
    name = next(iter(names), "unetscope")
    return f"""\
<!DOCTYPE html>
<html lang="{style.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{_spans(title(name))}</title>
</head>
<body>
{fragment(tables, about)}</body>
</html>
"""


def fragment(tables: Sequence[Table], about: About | None = None) -> str:
    """Write each table below its heading, all in one `div`."""
    told = [f"<p>{_cell(about.cell)}</p>"] if about is not None and tables else []
    body = "\n".join([*told, *(block for table in tables for block in _blocks(table))])
    return f'<div class="unetscope">\n<style>\n{_LOOK}\n</style>\n{body}\n</div>\n'


def _blocks(table: Table) -> Iterator[str]:
    drawn = picture(table)
    if table.picture is not None and not drawn:
        return
    if table.title:
        level = min(table.level + 2, 6)
        yield f"<h{level}>{_spans(title(table.title))}</h{level}>"
    yield from (f"<p>{_cell(cell)}</p>" for cell in table.before)
    if table.columns:
        yield "<table>"
        yield from _rows(table)
        yield "</table>"
    if drawn:
        yield f"<pre>{escape(chr(10).join(drawn))}</pre>"
    yield from (f"<p>{_cell(cell)}</p>" for cell in table.below())


def _rows(table: Table) -> Iterator[str]:
    header = [_spans(title(column.title)) for column in table.columns]
    records = [list(map(_cell, table.cells(row))) for row in table.rows]
    if table.facts:
        yield from (_row("td", pair) for pair in zip(header, records[0], strict=True))
        return
    numbers = table.right
    if table.transposed:
        header, *records = map(list, zip(header, *records, strict=True))
    yield f"<thead>{_row('th', header, numbers)}</thead>"
    yield from (_row("td", record, numbers) for record in records)
    if table.total:
        total = [_cell(cell, strong=True) for cell in table.cells(table.total)]
        yield f"<tfoot>{_row('td', total, numbers)}</tfoot>"


def _row(tag: str, cells: Sequence[str], numbers: Sequence[bool] = ()) -> str:
    marks = [" class=number" * is_number for is_number in numbers] or [""] * len(cells)
    marked = (f"<{tag}{m}>{c}</{tag}>" for m, c in zip(marks, cells, strict=True))
    return f"<tr>{''.join(marked)}</tr>"


def _cell(cell: Cell, *, strong: bool = False) -> str:
    return "<br>".join(_spans(line) for line in lines(cell, strong=strong))


def _spans(spans: Iterable[Span]) -> str:
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    text = escape(span.text)
    if span.code:
        text = f"<code>{text}</code>"
    return f"<strong>{text}</strong>" if span.strong else text
