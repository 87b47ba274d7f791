"""Where everything stands: nothing overlaps, nothing is cut, arcs join the blocks they are of."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unetscope.drawing.bars import ADVANCE
from unetscope.drawing.building import figure
from unetscope.drawing.bundles import MANY, bundled
from unetscope.drawing.columns_of_cells import columns_of_cells
from unetscope.drawing.columns_of_pixels import columns_of_pixels
from unetscope.drawing.figure import Arc, Block, Figure, NoU
from unetscope.drawing.forms import drawn
from unetscope.drawing.layout import Box, Label, Layout, arc_label, cells, folded
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.svg import svg
from unetscope.drawing.text import text
from unetscope.drawing.u_of_cells import u_of_cells
from unetscope.drawing.u_of_pixels import u_of_pixels
from unetscope.sources import Request, resolve
from unetscope.views.draw import drawing
from unetscope.views.view import View
from unetscope.wording import harmless

CONFIGS = sorted(path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.yaml"))
WORDS = ("params", "MACs")
HOSTILE = '</text><script>&"\x1b[31m' + "注意" * 4
WIDTHS = (80, 160)


def sheet_of(found: Figure, title: str = "net") -> Sheet:
    parts = {name: name for name in ("entry", "encoder", "middle", "decoder", "exit", "")}
    words = ("left", "right"), ("down",), ("skips",), "narrow", "no room"
    rest = "{parameters} {macs}"
    return Sheet(
        found, title, " · 1", parts, *words, (), "branches", rest, "out", "{}", "{}", *WORDS
    )


@st.composite
def figures(draw: st.DrawFn) -> Figure:
    """A U of any depth whose skips are in any order, some of blocks with strange names."""
    levels = draw(st.integers(1, 4))
    down = draw(st.lists(st.integers(0, levels - 1), min_size=1, max_size=6).map(sorted))
    up = draw(st.lists(st.integers(0, levels - 1), min_size=1, max_size=6).map(sorted))[::-1]
    middle = draw(st.integers(0, 2))
    names = st.sampled_from(
        ("a", "down_blocks.0", "model.1.submodule.1.submodule.2", harmless(HOSTILE))
    )
    places = [("encoder", at) for at in down] + [("middle", levels - 1)] * middle
    places += [("decoder", at) for at in up]
    blocks = []
    for part, level in places:
        size = 64 >> level
        channels = draw(st.sampled_from((3, 320, 12800)))
        made = (channels, size, size)
        blocks.append(Block(draw(names), 1, part, level, (3, size, size), made, 5, 7))
    ends = st.tuples(
        st.integers(0, len(down) - 1), st.integers(len(down) + middle, len(blocks) - 1)
    )
    arcs = [
        Arc(number, start, end, (320, 8, 8), draw(st.booleans()))
        for number, (start, end) in enumerate(sorted(draw(st.lists(ends, min_size=1, max_size=9))))
    ]
    sizes = tuple((64 >> level, 64 >> level) for level in range(levels))
    return Figure(
        tuple(blocks), tuple(arcs), sizes, None, 1000, 1000, (), frozenset(range(1, len(blocks)))
    )


@pytest.fixture(params=CONFIGS)
def shipped(request, trace_once) -> Sheet:
    return drawing(View.of(trace_once(resolve(Request(request.param)))))


def layouts(found: Figure) -> Iterator[tuple[Layout, bool, bool]]:
    """Every layout, whether its boxes are frames, and whether it is in pixels."""
    for width in WIDTHS:
        framed = None if found.no_u else u_of_cells(found, width, "→")
        if framed is not None:
            yield framed, True, False
        yield columns_of_cells(found, width, "→"), False, False
    if not found.no_u:
        yield u_of_pixels(found, WORDS), True, True
    yield columns_of_pixels(found, WORDS), False, True


def spans(label: Label, advance: float) -> tuple[float, float]:
    width = advance * cells(label.text)
    start = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
    return start, start + width


def area(box: Box, pixels: bool) -> tuple[float, float, float, float]:
    """A box with the labels that stand at it."""
    sides = [spans(label, ADVANCE if pixels else 1) for label in box.labels]
    left = min([box.x, *(start for start, _ in sides)])
    right = max([box.x + box.width, *(end for _, end in sides)])
    low = [label.y if pixels else label.y + 1 for label in box.labels]
    return left, box.y, right, max([box.y + box.height, *low])


def check(found: Figure) -> None:
    for layout, framed, pixels in layouts(found):
        areas = [area(box, pixels) for box in layout.boxes]
        shared = 1 if framed and not pixels else 0  # frames one below the other share a line
        for one, other in combinations(areas, 2):
            apart_x = one[2] <= other[0] or other[2] <= one[0]
            apart_y = one[3] - shared <= other[1] or other[3] - shared <= one[1]
            assert apart_x or apart_y, (one, other)
        assert {box.block for box in layout.boxes} == set(range(len(found.blocks)))
        for left, top, right, bottom in areas:
            assert left >= 0
            assert top >= 0
            assert right <= layout.width + 0.1
            assert bottom <= layout.height + 0.1
        by_block = {box.block: area(box, pixels) for box in layout.boxes}
        drawn = {route.arc: route for route in layout.routes if route.arc is not None}
        assert set(drawn) == set(range(len(found.arcs)))
        for index, arc in enumerate(found.arcs):
            route = drawn[index]
            for (x, y), at in ((route.points[0], arc.start), (route.points[-1], arc.end)):
                left, top, right, bottom = by_block[at]
                assert left - 1 <= x <= right + 3, (x, by_block[at])
                assert top <= y <= bottom, (y, by_block[at])
            assert all(a == c or b == d for (a, b), (c, d) in pairwise(route.points))
            assert route.label is not None
            assert route.label.text == arc_label(arc)
            start, end = spans(route.label, ADVANCE if pixels else 1)
            assert start >= 0
            assert end <= layout.width


def check_text(sheet: Sheet) -> None:
    for width in WIDTHS:
        for plain in (False, True):
            written = text(sheet, width, ascii=plain)
            assert max(map(cells, written.splitlines())) <= width
            assert not plain or set("─│┌▶●→").isdisjoint(written)
            for arc in sheet.figure.arcs:
                assert arc_label(arc) in written


def check_svg(sheet: Sheet) -> None:
    written = svg(sheet)
    assert "style=" not in written
    root = ET.fromstring(written)
    wide, high = map(float, root.attrib["viewBox"].split()[2:])
    assert root[0].tag.endswith("title")
    assert root[1].tag.endswith("desc")
    assert all(element.tag.rpartition("}")[2] in SHAPES for element in root.iter())

    def walk(element: ET.Element, x: float, y: float) -> None:
        moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.attrib.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if element.tag.endswith("text"):
            place = (float(element.attrib[key]) for key in "xy")
            label = Label(*place, element.text or "", element.attrib["text-anchor"])
            start, end = spans(label, ADVANCE)
            assert 0 <= start + x < end + x <= wide, label
            assert 0 <= label.y + y <= high, label
        for child in element:
            walk(child, x, y)

    walk(root, 0, 0)


SHAPES = {"svg", "title", "desc", "style", "g", "rect", "path", "text"}


def test_a_number_is_not_parted_from_its_unit() -> None:
    assert folded("time_emb_proj  4→8  0.0 %", 23) == ["time_emb_proj  4→8", "0.0 %"]
    assert folded("down_blocks.0  12.5 MiB", 20) == ["down_blocks.0", "12.5 MiB"]
    assert folded("down_blocks.0 12.5 more", 20) == ["down_blocks.0 12.5", "more"]


def test_shipped_configs(shipped: Sheet) -> None:
    check(shipped.figure)
    check_text(shipped)
    check_svg(shipped)


@pytest.mark.parametrize("detail", ["layer", "op"])
@pytest.mark.parametrize("name", ["article_003", "bk_sdm_tiny"])
def test_what_is_in_blocks(name, detail, trace_once) -> None:
    sheet = drawing(View.of(trace_once(resolve(Request(name)))), "bytes", detail)
    check(sheet.figure)
    check_text(sheet)
    check_svg(sheet)


@settings(max_examples=60)
@given(figures())
def test_drawn_figures(found: Figure) -> None:
    check(found)
    check(replace(found, no_u=NoU.LEVELS))
    for sheet in (sheet_of(found), sheet_of(replace(found, no_u=NoU.NESTED), HOSTILE)):
        check_svg(sheet)


@settings(max_examples=20)
@given(figures(), st.integers(1, 3))
def test_a_skip_within_one_block_leaves_it_and_comes_back(found: Figure, count) -> None:
    loops = tuple(Arc(50 + at, 0, 0, (8, 4, 4)) for at in range(count))
    looped = replace(found, arcs=(*found.arcs, *loops), no_u=NoU.NESTED)
    check(looped)
    for layout, _, _ in layouts(looped):
        ends = [r.points for r in layout.routes if r.arc is not None and r.arc >= len(found.arcs)]
        assert all(points[0][1] != points[-1][1] for points in ends)
        rows = [y for points in ends for y in (points[0][1], points[-1][1])]
        assert len(set(rows)) == 2 * count


@settings(max_examples=30)
@given(figures(), st.integers(1, 3 * MANY), st.booleans(), st.booleans())
def test_many_skips_of_two_blocks_are_one(found: Figure, count, stack, crossing) -> None:
    start, end, shape = found.arcs[0].start, found.arcs[0].end, (640, 4, 4)
    more = [Arc(100 + at, start, end, shape, crossing) for at in range(count)]
    some = [Arc(200 + 2 * at, start, end, shape, crossing) for at in range(MANY)]  # not in a row
    arcs = (*found.arcs, *(more[::-1] if stack else more), *some)
    kept = bundled(arcs)
    told = [arc_label(arc) for arc in kept if arc.shape == shape and arc.number < 200]
    if count < MANY:
        assert told == [arc_label(arc) for arc in arcs if arc in more]
    else:
        assert told == [f"#100-{99 + count} 640x4x4"]
    assert [arc for arc in kept if arc in some] == some
    assert all(arc.crossing is crossing for arc in kept if arc.shape == shape)
    check(replace(found, arcs=kept))
    check(replace(found, arcs=kept, no_u=NoU.LEVELS))
    check_svg(sheet_of(replace(found, arcs=kept)))


def test_a_deep_unet_is_drawn_with_few_arcs() -> None:
    sheet = drawing(View.of(resolve(Request("sd15", (f"layers_per_block={2 * MANY}",))).trace()))
    labels = [arc_label(arc) for arc in sheet.figure.arcs]
    assert labels[-2:] == [f"#1-{2 * MANY} 320x64x64", "#0 320x64x64"]
    assert len(labels) == 8
    check(sheet.figure)
    check_text(sheet)
    assert "drawn as one" in sheet.sentences[0]
    for form in ("dot", "mermaid"):
        assert f"1-{2 * MANY} 320x64x64" in str(drawn(sheet, form))


def test_the_same_trace_gives_the_same_bytes(sd15) -> None:
    one, other = (drawing(View.of(sd15)) for _ in range(2))
    assert svg(one) == svg(other)
    assert text(one) == text(other)


def test_skips_of_a_stack_cross_nothing(sd15) -> None:
    layout = u_of_cells(figure(View.of(sd15).network), 80, "→")
    assert layout is not None
    arcs = [route for route in layout.routes if route.arc is not None]
    assert len(arcs) == 12
    assert all(len(route.points) == 2 for route in arcs)
    assert len({route.points[0][1] for route in arcs}) == 12
    assert all(route.points[0][1] == route.points[1][1] for route in arcs)
