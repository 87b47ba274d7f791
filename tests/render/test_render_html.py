"""Pages that a browser reads without anything else, and what is in them stays text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from unetscope.render import Style, render
from unetscope.render.html import fragment
from unetscope.table import Cell, Column, Kind, Part, Table

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """What is open, and what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


PARAMS = Table(
    "params",
    "Parameters",
    (Column("path", "Block", code=True), Column("parameters", "Parameters", Kind.COUNT)),
    (("conv_in", 11_840), ("mid_block", None)),
    total=("total", 11_840),
    after=(Cell.of("They add up."),),
)


def test_a_page_is_whole_and_loads_nothing() -> None:
    text = render([PARAMS], "html", Style(language="zh"))
    assert text.startswith('<!DOCTYPE html>\n<html lang="zh">\n')
    assert '<meta charset="utf-8">' in text
    reader = read(text)
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not {"src", "href"} & {name for name, _ in reader.attributes}
    assert ("content", "light dark") in reader.attributes
    assert "url(" not in text


def test_a_part_of_a_page() -> None:
    text = fragment([PARAMS])
    assert text.startswith('<div class="unetscope">\n')
    assert "<html" not in text
    assert (
        "<tr><td><code>conv_in</code></td><td class=number>11,840</td></tr>\n"
        "<tr><td><code>mid_block</code></td><td class=number>-</td></tr>\n"
        "<tfoot><tr><td><strong><code>total</code></strong></td>"
        "<td class=number><strong>11,840</strong></td></tr></tfoot>\n"
    ) in text


def test_one_record_a_column_and_facts() -> None:
    columns = (Column("name", "Name"), Column("size", "Size"))
    rows = (("a", 1), ("b", 2))
    turned = fragment([Table("t", "", columns, rows, transposed=True)])
    assert (
        "<thead><tr><th>Name</th><th class=number>a</th><th class=number>b</th></tr></thead>"
        in turned
    )
    assert "<tr><td>Size</td><td class=number>1</td><td class=number>2</td></tr>" in turned
    facts = fragment([Table("t", "", columns, rows[:1], facts=True)])
    assert "<tr><td>Name</td><td>a</td></tr>\n<tr><td>Size</td><td>1</td></tr>" in facts


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.booleans())
def test_whatever_it_says(text: str, code: bool) -> None:
    cell = Cell((Part(text, code=code), Part(" end")), text)
    page = render([Table("t", text, (Column("a", text),), ((cell,),), before=(cell,))], "html")
    said = read(page).text
    if text.isprintable():
        assert said.count(f"{text} end") >= 2
    assert "\x1b" not in page
