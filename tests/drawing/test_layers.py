"""What is drawn inside blocks: nothing is lost, costs add up, what is alike is one row."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from unetscope.drawing.building import figure
from unetscope.drawing.figure import Block, Figure
from unetscope.drawing.layers import Row
from unetscope.drawing.layout import cells
from unetscope.drawing.svg import svg
from unetscope.drawing.text import text
from unetscope.errors import ForwardError
from unetscope.sources import Request, resolve
from unetscope.tracing import trace
from unetscope.views.draw import drawing
from unetscope.views.view import View

DETAILS = ("layer", "op")


def seen(network: nn.Module, channels: int = 3) -> View:
    with torch.device("meta"):
        sample = torch.empty(1, channels, 16, 16)
    try:
        return View.of(trace(network.to("meta"), [sample]))
    except ForwardError as error:
        return View.of(error.trace)


def below(rows: tuple[Row, ...], at: int) -> Iterator[int]:
    """The rows right below one, by index."""
    for index in range(at + 1, len(rows)):
        if rows[index].depth <= rows[at].depth:
            return
        if rows[index].depth == rows[at].depth + 1:
            yield index


def add_up(found: Figure) -> None:
    for block in found.blocks:
        outer = [row for row in block.rows if row.depth == 0]
        if len(outer) > 1:
            assert sum(row.macs for row in outer) == block.macs
            assert sum(row.made_bytes for row in outer) == block.made_bytes
        for at, row in enumerate(block.rows):
            inner = [block.rows[index] for index in below(block.rows, at)]
            assert row.held <= block.held
            if inner:
                assert sum(each.macs for each in inner) == row.macs
                assert sum(each.made_bytes for each in inner) == row.made_bytes
                assert max(each.held for each in inner) <= row.held


def leaves(block: Block) -> int:
    """How many calls without calls in them its rows stand for."""
    count, times = 0, list[int]()
    for at, row in enumerate(block.rows):
        times[row.depth :] = [row.times]
        product = 1
        for each in times:
            product *= each
        count += 0 if list(below(block.rows, at)) else product
    return count


@pytest.mark.parametrize("name", ["sd15", "article_003", "sdxl_base"])
def test_costs_add_up_and_no_layer_is_lost(name, trace_once) -> None:
    view = View.of(trace_once(resolve(Request(name))))
    network = view.network
    add_up(figure(network, detail="op"))
    found = figure(network, detail="layer")
    drawn = {block.name for block in found.blocks}
    for block in found.blocks:
        if block.times == 1 and block.rows:
            call = next(c for c in network.blocks if network.path(c) == block.name)
            inner = [c for c in network.below(call) if not network.children[c]]
            assert leaves(block) == len(inner)
    assert len(drawn) == len(found.blocks)


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("name", ["sd15", "article_003"])
def test_nothing_is_wider_than_the_terminal(name, detail, trace_once) -> None:
    sheet = drawing(View.of(trace_once(resolve(Request(name)))), "held", detail)
    for width in (60, 80, 120):
        for plain in (False, True):
            lines = text(sheet, width, ascii=plain).splitlines()
            assert max(map(cells, lines)) <= width
    written = "".join("".join(re.split(r"[│|\s]", text(sheet, 300))))
    for block in sheet.figure.blocks:
        assert all("".join(row.name.split()) in written for row in block.rows)
    assert "Within a block: its layers" in " ".join(text(sheet, 80).split())
    assert text(sheet, 80) == text(sheet, 80)
    ET.fromstring(svg(sheet))


def test_alike_in_a_row_are_one_row() -> None:
    inner = [nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU()) for _ in range(10)]
    body = nn.Sequential(*inner, nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU()))
    view = seen(nn.Sequential(nn.Conv2d(3, 8, 1), body))
    block = figure(view.network, detail="layer").blocks[-1]
    first, conv, act, other, *_ = block.rows
    assert (first.name, first.times, first.depth) == ("0-9", 10, 0)
    assert (conv.name, conv.times, act.name) == ("0", 1, "1")
    assert conv.macs == first.macs == 10 * 16 * 16 * 8 * 8 * 9
    assert conv.parameters == 10 * (8 * 8 * 9 + 8)
    assert (other.name, other.times, other.width) == ("10", 1, (8, 4))
    assert "0-9 x 10" in text(drawing(view, detail="layer"))


def test_a_module_that_is_called_again_counts_its_parameters_once() -> None:
    class Again(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act = nn.Conv2d(3, 3, 3, 1, 1), nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(self.act(self.conv(x)))

    view = seen(nn.Sequential(nn.Conv2d(3, 3, 1), Again()))
    rows = figure(view.network, heat="parameters", detail="layer").blocks[-1].rows
    assert [row.parameters for row in rows] == [3 * 3 * 9 + 3, 0, None]


class Fails(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fine, self.wrong, self.never = (nn.Conv2d(c, 8, 1) for c in (8, 5, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.never(self.wrong(self.fine(x).relu()))


@pytest.mark.parametrize("detail", ["block", *DETAILS])
@pytest.mark.parametrize("heat", [None, "held"])
def test_a_pass_that_fails_is_drawn_up_to_the_failure(detail, heat) -> None:
    view = seen(nn.Sequential(nn.Conv2d(3, 8, 1), Fails()))
    sheet = drawing(view, heat, detail)
    block = sheet.figure.blocks[-1]
    assert block.failed
    told = text(sheet)
    assert "! 1" in told
    assert "It is drawn up to there" in " ".join(told.split())
    assert "never" not in told
    if detail != "block":
        assert [row.name.split()[0] for row in block.rows if row.failed] == ["wrong"]
        assert "! wrong" in told
    assert ("Tensor.relu" in told) is (detail == "op")
    ET.fromstring(svg(sheet))


def test_names_are_text() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Sequential())
    network[1].add_module('</text>&"\x1b[31m', nn.Conv2d(8, 8, 1))
    network[1].add_module("two", nn.Conv2d(8, 8, 1))
    sheet = drawing(seen(network), detail="op")
    assert "\x1b" not in text(sheet)
    ET.fromstring(svg(sheet))


def test_on_the_command_line(unetscope) -> None:
    blocks, layers, ops = (
        unetscope("draw", "article_003", "--detail", detail).out for detail in ("block", *DETAILS)
    )
    assert blocks == unetscope("draw", "article_003").out
    assert "conv1" in layers
    assert "F.conv2d" not in layers
    assert "torch.cat" in ops
    assert "模块之内" in unetscope("draw", "article_003", "--detail", "op", "--lang", "zh").out
    assert unetscope("draw", "article_003", "--detail", "all").code == 2
