"""Two networks in one drawing: what `diff` tells is there, and both networks are there whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from narrow_configs import NARROWING, OTHER_LEVELS
from test_layouts import check, check_svg, check_text
from torch import nn

from unetscope import load as loaded
from unetscope.analysis.diff import Diff, diff
from unetscope.analysis.digest import digest
from unetscope.api import trace
from unetscope.config import load
from unetscope.drawing.building import figure
from unetscope.drawing.bundles import MANY
from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import arc_label
from unetscope.drawing.overlay import Overlay
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.svg import svg
from unetscope.drawing.text import text
from unetscope.record import Trace
from unetscope.sources import Request, resolve
from unetscope.views.overlay import overlaid
from unetscope.views.view import View

CONFIGS = {
    "plain": (),
    "wider": ("block_out_channels=[8, 24]",),
    "deeper blocks": ("layers_per_block=2",),
    "no middle": ("mid_block_type=null",),
    "nine channels": ("in_channels=9",),
    "other text": ("cross_attention_dim=10",),
    **OTHER_LEVELS,
}


def conv(given: int, made: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(given, made, 3, stride, 1)


class Net(nn.Module):
    """A U of two skips, with what may be in it or not."""

    def __init__(self, *, extra: bool = False, pool: bool = False, order: bool = True) -> None:
        super().__init__()
        self.stem, self.down, self.lowest = conv(3, 8), conv(8, 8, 2), conv(8, 8, 2)
        self.extra = conv(8, 8) if extra else None
        self.pool = nn.MaxPool2d(1) if pool else None
        self.mid, self.up1, self.up2 = conv(8, 8), conv(16, 8), conv(16, 3)
        self.order = (1, 0) if order else (0, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pushed = [self.stem(x)]
        pushed.append(self.down(pushed[0]))
        x = self.lowest(pushed[1])
        for block in (self.extra, self.pool, self.mid):
            x = x if block is None else block(x)
        for at, block in zip(self.order, (self.up1, self.up2), strict=True):
            x = nn.functional.interpolate(x, size=pushed[at].shape[2:])
            x = block(torch.cat([x, pushed[at]], 1))
        return x


def row(count: int) -> nn.Module:
    return nn.Sequential(conv(3, 8), *[conv(8, 8) for _ in range(count)], conv(8, 3))


MODULES = {
    "net": Net,
    "extra": lambda: Net(extra=True),
    "pool": lambda: Net(pool=True),
    "order": lambda: Net(order=False),
    "row of ten": lambda: row(10),
    "row of six": lambda: row(6),
}


@cache
def traced(name: str) -> Trace:
    if name in CONFIGS:
        spec = load("sd15", overrides=[*NARROWING, *CONFIGS[name]], height=16, width=16, tokens=5)
        return loaded(spec).trace()
    with torch.device("meta"):
        return trace(MODULES[name](), torch.empty(1, 3, 16, 16))


@cache
def compared(old: str, new: str) -> Diff:
    return diff(digest(traced(old)), digest(traced(new)))


@cache
def sheet_of(old: str, new: str) -> Sheet:
    return overlaid(View.of(traced(old)), View.of(traced(new)))


def drawn(old: str, new: str) -> Overlay:
    found = sheet_of(old, new).figure
    assert isinstance(found, Overlay)
    return found


@cache
def alone(name: str) -> Figure:
    return figure(View.of(traced(name)).network)


PAIRS = [
    *(("plain", name) for name in CONFIGS),
    ("three levels", "wider"),
    ("no middle", "deeper blocks"),
    *(("net", name) for name in MODULES),
    *(("row of ten", name) for name in ("row of six", "nine channels", "order")),
    ("plain", "net"),
    ("extra", "pool"),
]
each_pair = pytest.mark.parametrize(("old", "new"), PAIRS)


def ids(found: Overlay) -> Iterator[str]:
    """The ids on a drawing, as often as blocks bear them."""
    for block in found.blocks:
        for line in block.told:
            yield line.partition(" x ")[0]


@each_pair
def test_every_change_is_drawn_or_said_to_be_outside(old: str, new: str) -> None:
    found, changes = drawn(old, new), compared(old, new).changes
    told = set(ids(found)) | {f"{change.mark} {change.id}" for change in found.outside}
    assert told == {f"{change.mark} {change.id}" for change in changes}
    outside = Counter(single for change in found.outside for single in change.singles())
    every = Counter(single for change in changes for single in change.singles())
    assert outside <= every


@pytest.mark.parametrize("new", CONFIGS)
def test_blocks_bear_the_ids_of_the_tensors_in_them(new: str) -> None:
    """A tensor is in the block that its name begins with."""
    expected: dict[str, Counter[str]] = {}
    for change in compared("plain", new).changes:
        if not change.id.startswith(("param-", "buffer-")):
            continue
        names = {
            match[0]
            for single in change.singles()
            if (match := re.match(r"(down_blocks|up_blocks)\.\d+|mid_block|conv_in", single.where))
        }
        for name in names:
            expected.setdefault(name, Counter())[f"{change.mark} {change.id}"] += 1
    for block in drawn("plain", new).blocks:
        assert not block.name.startswith("conv_norm_out") or block.mark != "+"
        told = {line.partition(" x ")[0]: line.partition(" x ")[2] or "1" for line in block.told}
        of_tensors = {id_: int(n) for id_, n in told.items() if re.match(r". (param|buffer)-", id_)}
        name = block.name.rpartition(" > ")[2]
        if not name.startswith("conv_norm_out"):
            assert of_tensors == dict(expected.get(name, {})), name


@each_pair
def test_both_networks_are_there_whole(old: str, new: str) -> None:
    found = drawn(old, new)
    for name, other, side in ((old, "+", 0), (new, "-", 1)):
        own = alone(name)
        held = [block for block in found.blocks if block.mark != other]
        shown = [block if side or block.was is None else block.was for block in held]
        assert sum(block.times for block in shown) == sum(block.times for block in own.blocks)
        assert sum(block.macs for block in shown) == sum(block.macs for block in own.blocks)
        assert len([arc for arc in found.arcs if arc.mark != other]) == len(own.arcs)
    assert [block.made for block in found.blocks if block.mark != "-"][-1] == own.blocks[-1].made
    assert found.rest == pytest.approx(own.rest)


@each_pair
def test_the_way_back_swaps_added_and_removed(old: str, new: str) -> None:
    there, back = drawn(old, new), drawn(new, old)
    swapped = {"+": "-", "-": "+", "~": "~", "": ""}
    names = Counter((block.mark, block.name) for block in there.blocks)
    assert names == Counter(
        (swapped[block.mark], " > ".join(block.name.split(" > ")[::-1])) for block in back.blocks
    )
    arcs = Counter((arc.mark, arc.shape) for arc in there.arcs if arc.mark in "+-")
    assert arcs == Counter((swapped[arc.mark], arc.shape) for arc in back.arcs if arc.mark in "+-")
    assert Counter(arc.mark for arc in there.arcs if arc.mark not in "+-") == Counter(
        arc.mark for arc in back.arcs if arc.mark not in "+-"
    )


@each_pair
def test_nothing_overlaps_and_nothing_is_cut(old: str, new: str) -> None:
    sheet = sheet_of(old, new)
    check(sheet.figure)
    check_text(sheet)
    check_svg(sheet)


def test_many_skips_of_both_are_one_arc_with_the_numbers_of_both() -> None:
    one, other = (
        loaded("sd15", layers_per_block=MANY + more, block_out_channels=[32, 32, 32, 32]).trace()
        for more in (0, 1)
    )
    sheet = overlaid(View.of(one), View.of(other))
    labels = [arc_label(arc).lstrip("~") for arc in sheet.figure.arcs]
    assert "#1-8 32x64x64" in labels
    assert "#10-17>11-18 32x32x32" in labels
    assert "+#9 32x64x64" in labels
    assert "drawn as one" in sheet.sentences[0]
    check(sheet.figure)
    check_text(sheet)
    check_svg(sheet)


def test_the_same_networks_give_the_same_bytes() -> None:
    one = sheet_of("plain", "three levels")
    again = overlaid(View.of(traced("plain")), View.of(traced("three levels")))
    assert (text(again), svg(again)) == (text(one), svg(one))


@each_pair
def test_marks_are_told_without_colour(old: str, new: str) -> None:
    sheet = sheet_of(old, new)
    written = text(sheet, 200)
    assert "\x1b" not in written
    marks = {each.mark for each in (*sheet.figure.blocks, *sheet.figure.arcs)}
    for block in sheet.figure.blocks:
        assert not block.mark or f"{block.mark} {block.name}"[:14] in written
    for mark in marks - {""}:
        assert f" {mark} {sheet.marks[mark]}" in written
        assert f"{mark} {sheet.marks[mark]}" in svg(sheet).replace("&gt;", ">")
    assert bool(sheet.marks) == bool(marks - {""})


@pytest.mark.parametrize("name", ["plain", "net", "row of ten"])
def test_equal_networks_are_drawn_as_one(name: str) -> None:
    own, found = alone(name), drawn(name, name)
    assert [block._replace(was=None) for block in found.blocks] == list(own.blocks)
    assert [(arc.start, arc.end, arc.mark) for arc in found.arcs] == [
        (arc.start, arc.end, "") for arc in own.arcs
    ]
    sheet = sheet_of(name, name)
    assert "is the same network as" in text(sheet, 200)


def test_an_added_block_stands_where_it_runs() -> None:
    marks = [(block.name, block.mark, block.told) for block in drawn("net", "extra").blocks]
    at = marks.index(("extra", "+", ("+ param-added",)))
    assert [name for name, _, _ in marks[at - 1 : at + 2]] == ["lowest", "extra", "mid"]
    assert not any(mark for name, mark, _ in marks if name != "extra")


def test_of_a_run_alike_only_what_went_is_marked() -> None:
    blocks = [(b.name, b.times, b.mark) for b in drawn("row of ten", "row of six").blocks]
    assert blocks == [("0", 1, ""), ("1-6", 6, ""), ("7-10", 4, "-"), ("11 > 7", 1, "")]


def test_blocks_without_tensors_need_no_change_to_be_marked() -> None:
    blocks = {block.name: block for block in drawn("net", "pool").blocks}
    assert (blocks["pool"].mark, blocks["pool"].told) == ("+", ())
    assert [change.id for change in drawn("net", "pool").outside] == ["op-changed"]


@each_pair
def test_two_us_are_one(old: str, new: str) -> None:
    found = drawn(old, new)
    assert (found.no_u is None) == (alone(old).no_u is None and alone(new).no_u is None)


def test_a_network_of_another_form_is_named() -> None:
    sheet = sheet_of("net", "row of six")
    assert "Sequential: This is no U" in text(sheet, 200)


@pytest.mark.parametrize("other", ["tiny_sd", "ddpm_cifar10_32", "article_003"])
def test_published_networks(other: str, trace_once) -> None:
    views = [View.of(trace_once(resolve(Request(name)))) for name in ("sd15", other)]
    sheet = overlaid(*views)
    check(sheet.figure)
    check_text(sheet)
    check_svg(sheet)
    assert sheet.figure.no_u is None
    assert views[0].name in text(sheet)
    assert views[1].name in text(sheet)
