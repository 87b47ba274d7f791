"""Every table in terminals of many widths: what narrow ones leave out, and what none splits."""

import re
from dataclasses import replace
from functools import cache
from itertools import chain

import pytest
from rich.cells import cell_len

import unetscope
from unetscope.config.files import read_index
from unetscope.render import Style, render
from unetscope.render.folding import pieces
from unetscope.render.spans import lines, title
from unetscope.rules.gate import Gate
from unetscope.table import Reader
from unetscope.views import diff, explain, functions, memory, models, sections, tree
from unetscope.views.diff import Judged
from unetscope.views.flops import Image, flops
from unetscope.views.params import Choice, params
from unetscope.views.view import View
from unetscope.words import Words

NETWORKS = ["sd15", "article_003"]
MOST_ROWS = 60

# A shape, a number with its unit, a path.
WHOLE = re.compile(
    r"[\[(][\w/*-]+(?:, [\w/*-]+)*,?[\])]|\d[\d,.]*(?: (?:[KMGT]?i?B|[kMGTP]?(?:MACs|FLOPs)|%|s))?"
)


@cache
def tables_of(name, language):
    view = View.of(unetscope.load(name).trace(), language)
    paths = [step.module for step in view.network.trace.steps]
    attention = next((path for path in paths if "attn1" in path), paths[-1])
    found = [
        sections.show(view, sections.choose(None))[0],
        tree.calls(replace(view, depth=2)),
        functions.functions(view, attention),
        memory.memory(view, None)[0],
        explain.modules(view, list(view.network.modules)[::40]),
        *(explain.card(view, path, list(explain.SECTIONS))[0] for path in (attention, paths[1])),
        *(params(view, Choice(by)) for by in ("block", "part", "stage-kind", "type", "mbw")),
        params(view, Choice("tensor", top=9, lora_rank=4, dtypes=("fp32", "int8"))),
        *(
            flops(view, by, image=Image(50, guided=True))
            for by in ("block", "stage-kind", "type", "op")
        ),
    ]
    return [table for table in chain.from_iterable(found) if table.picture is None]


@cache
def tables_of_many_models(language):
    words = Words(language)
    paths = [f"configs/locks/{name}.lock" for name in ("sd15", "bk_sdm_small", "sdxl_base")]
    locks = [unetscope.load(path).lock() for path in paths]
    judged = Judged(Gate().judge(unetscope.diff(*paths[:2])), lambda change: None)
    return [
        models.configs(read_index(), words),
        *models.compare(locks * 2, words),
        *diff.tables([judged], words, Reader.PEOPLE, names=True),
    ]


def unsplit(text):
    """The shapes and numbers of a text, wherever its lines end."""
    return set(WHOLE.findall(text))


def widest_piece(table):
    """Cells of the longest text that no terminal may split."""
    rows = [*table.rows, *([table.total] if table.total else [])]
    cells = [*table.before, *table.after, *chain.from_iterable(map(table.cells, rows))]
    texts = [line for cell in cells for line in lines(cell)]
    texts += [title(text) for text in (table.title, *(column.title for column in table.columns))]
    found = (piece for text in texts for piece in pieces(text))
    return max(cell_len("".join(span.text for span in piece).rstrip()) for piece in found)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [*NETWORKS, None])
def test_what_a_width_changes(name, language):
    found = tables_of_many_models(language) if name is None else tables_of(name, language)
    # What a legend says goes with its column, so that a wider terminal may have more of it.
    bare = [replace(t, columns=tuple(replace(c, legend="") for c in t.columns)) for t in found]
    for number, table in enumerate(table for table in bare if len(table.rows) <= MOST_ROWS):
        whole = render([table], "terminal", Style(language=language))
        known, most = unsplit(whole), widest_piece(table) + 2
        shown, height = set(), float("inf")
        for width in range(40 + number % 19, 221, 19):
            text = render([table], "terminal", Style(width, language=language))
            body = re.sub(r"(left out: |未显示：)(.|\n)*", "", text)
            assert unsplit(body) <= known
            assert max(map(cell_len, text.split("\n"))) <= max(width, most)
            columns = {c.key for c in table.columns if c.title and c.title.split()[0] in body}
            assert shown <= columns
            assert text.count("\n") <= height
            shown, height = columns, text.count("\n")


@pytest.mark.parametrize("width", [80, 100])
def test_a_table_of_rows_stays_one_at_80_columns(width):
    for table in chain.from_iterable(
        (tables_of("sd15", "en"), tables_of_many_models("en")),
    ):
        titled = any(column.title for column in table.columns)
        if not titled or table.facts or table.transposed:
            continue
        first = render([table], "terminal", Style(width)).split("\n")
        assert any(line.startswith("─") and set(line) <= set("─ ") for line in first)


@pytest.mark.parametrize("name", [*NETWORKS, None])
def test_rows_are_flat(name):
    for table in tables_of_many_models("en") if name is None else tables_of(name, "en"):
        assert len(table.keys) == len(set(table.keys))
        for row in (*table.rows, *([table.total] if table.total else [])):
            record = table.record(row)
            assert list(record) == table.keys
            for value in chain.from_iterable(
                value if isinstance(value, (list, tuple)) else [value] for value in record.values()
            ):
                assert not isinstance(value, dict)
