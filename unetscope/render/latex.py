r"""Tables as LaTeX, for papers: a float each, with rules of booktabs.

Its caption is the table's title, its label `tab:` and the table's key. What is not ASCII is for a
TeX that reads Unicode, but for signs that mathematics has; a comment says so where there is some.
https://ctan.org/pkg/booktabs
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from unetscope.render.spans import Span, lines, title
from unetscope.tex import NBSP, escaped

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Cell, Table

_BEGIN = re.compile("^ +")  # at the beginning of a line, TeX would leave them out


def render(
    tables: Sequence[Table],
    style: Style,  # noqa: ARG001
    about: About | None = None,
) -> str:
    """Write each table as a float; what has no columns as a paragraph."""
    labels: dict[str, int] = {}
    body = "\n".join("\n".join(_float(table, labels)) for table in tables)
    told = [] if about is None or not tables else lines(about.cell)
    said = [f"% {''.join(span.text for span in line)}" for line in told]
    needed = [r"% Needs \usepackage{booktabs}"] if r"\toprule" in body else []
    if not body.isascii():
        needed.append("% and, for what is not ASCII, XeLaTeX or LuaLaTeX; for Chinese ctex too")
    return "\n".join([*said, *needed, body])


def _float(table: Table, labels: dict[str, int]) -> Iterator[str]:
    heading = _spans(title(table.title))
    if not table.columns:
        paragraphs = [*map(_paragraph, (*table.before, *table.after))]
        yield "\n\n".join([f"\\paragraph{{{heading}}}", *paragraphs] if heading else paragraphs)
        yield ""
        return
    yield r"\begin{table}"
    yield r"  \centering"
    if heading:
        yield f"  \\caption{{{heading}}}"
        yield f"  \\label{{{_label(table.key, labels)}}}"
    yield from _notes(table.before)
    yield from _grid(table)
    yield from _notes(table.below())
    yield "\\end{table}\n"


def _label(key: str, labels: dict[str, int]) -> str:
    """A label of its own for each of several tables that share a key."""
    label = re.sub(r"[^A-Za-z0-9]+", "-", key)
    labels[label] = labels.get(label, 0) + 1
    return f"tab:{label}" if labels[label] == 1 else f"tab:{label}-{labels[label]}"


def _notes(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        yield f"  \\par\\medskip\\parbox{{\\linewidth}}{{\\footnotesize {_paragraph(cell)}}}"
    if cells:
        yield r"  \par\medskip"


def _grid(table: Table) -> Iterator[str]:
    header = [_spans(title(column.title)) for column in table.columns]
    numbers = [False] * len(header) if table.transposed or table.facts else table.right
    records = [
        [_cell(cell, right=right) for cell, right in zip(table.cells(row), numbers, strict=True)]
        for row in table.rows
    ]
    total: list[str] = []
    if table.total:
        cells = zip(table.cells(table.total), numbers, strict=True)
        total = [_cell(cell, strong=True, right=right) for cell, right in cells]
    if table.facts:
        records, header = [list(pair) for pair in zip(header, *records, strict=True)], []
        numbers = [False, False]
    elif table.transposed:
        records = [*records, total] if total else records
        header, *records = map(list, zip(header, *records, strict=True))
        numbers, total = table.right, []
    yield f"  \\begin{{tabular}}{{{''.join('lr'[right] for right in numbers)}}}"
    yield r"    \toprule"
    if any(header):
        yield _row(header)
        yield r"    \midrule"
    yield from map(_row, records)
    if total:
        yield r"    \midrule"
        yield _row(total)
    yield r"    \bottomrule"
    yield r"  \end{tabular}"


def _row(cells: Iterable[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cell(cell: Cell, *, strong: bool = False, right: bool = False) -> str:
    written = [_spans(line) for line in lines(cell, strong=strong)]
    if len(written) == 1:
        return written[0]
    stacked = r" \\ ".join(written)
    return f"\\begin{{tabular}}[t]{{@{{}}{'lr'[right]}@{{}}}}{stacked}\\end{{tabular}}"


def _paragraph(cell: Cell) -> str:
    """A cell's lines as lines of a paragraph; one without text ends no line."""
    return r" \newline ".join(filter(None, map(_spans, lines(cell))))


def _spans(spans: Iterable[Span]) -> str:
    written = ""
    for (strong, code), alike in groupby(spans, key=lambda span: (span.strong, span.code)):
        text = "".join(span.text for span in alike)
        begun = text if written else _BEGIN.sub(lambda match: NBSP * len(match[0]), text)
        text = escaped(begun)
        if code:
            text = f"\\texttt{{{text}}}"
        written += f"\\textbf{{{text}}}" if strong else text
    return written
