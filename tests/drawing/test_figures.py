"""What is drawn of networks that are no published UNet: the facts, and the words about them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
import torch
from diffusers import UNet2DModel
from torch import nn

from unetscope.analysis.memory import Memory
from unetscope.api import trace
from unetscope.drawing.building import figure
from unetscope.drawing.figure import Figure, NoU
from unetscope.drawing.heat import TERMINAL
from unetscope.drawing.layout import numbers
from unetscope.drawing.svg import svg
from unetscope.drawing.text import text
from unetscope.errors import ForwardError
from unetscope.sources import Request, resolve
from unetscope.views.draw import drawing
from unetscope.views.view import View


def conv(given: int, made: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(given, made, 3, stride, 1)


class Joined(nn.Module):
    """Two skips, popped as a stack is or in the order of the pushes; a scale that may fail."""

    def __init__(self, order: tuple[int, int] = (1, 0), up: int = 2) -> None:
        super().__init__()
        self.first, self.second, self.lowest = conv(3, 8), conv(8, 8, 2), conv(8, 8, 2)
        self.up1, self.up2 = conv(16, 8), conv(16, 3)
        self.order, self.up = order, up

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pushed = [self.first(x)]
        pushed.append(self.second(pushed[0]))
        x = self.lowest(pushed[1])
        for at, block in zip(self.order, (self.up1, self.up2), strict=True):
            size = pushed[at].shape[2:]
            x = nn.functional.interpolate(x, size=size if self.up == 2 else (5, 5))
            x = block(torch.cat([x, pushed[at]], 1))
        return x


def drawn(network: nn.Module, size: int = 16) -> View:
    with torch.device("meta"):
        sample = torch.empty(1, 3, size, size)
    try:
        return View.of(trace(network.to("meta"), sample))
    except ForwardError as error:
        return View.of(error.trace)


def names(found: Figure, part: str) -> list[str]:
    return [found.blocks[at].name for at in found.side((part,))]


def test_a_u_of_plain_modules() -> None:
    found = figure(drawn(Joined()).network)
    assert found.no_u is None
    assert names(found, "entry") + names(found, "encoder") == ["first", "second"]
    assert names(found, "middle") == ["lowest"]
    assert names(found, "decoder") == ["up1", "up2"]
    ends = [(found.blocks[a.start].name, found.blocks[a.end].name) for a in found.arcs]
    assert ends == [("second", "up1"), ("first", "up2")]
    assert [found.blocks[at].level for at in range(5)] == [0, 1, 2, 1, 0]
    assert not any(arc.crossing for arc in found.arcs)


def test_skips_out_of_order_are_dashed_in_warning_colour() -> None:
    view = drawn(Joined(order=(0, 1)))
    sheet = drawing(view)
    assert [arc.crossing for arc in sheet.figure.arcs] == [True, False]
    picture = svg(sheet)
    assert picture.count('class="warning" d=') == 3  # the line, its head and the key
    assert "stroke-dasharray" in picture
    assert "popped out of order" in text(sheet)
    assert "\x1b[33m" in text(sheet, color=True)
    assert "\x1b" not in text(sheet)
    assert "stroke-dasharray" not in svg(drawing(drawn(Joined())))


def test_a_pass_that_fails_is_drawn_up_to_the_failure() -> None:
    view = drawn(Joined(up=3))
    sheet = drawing(view)
    assert view.network.trace.failure is not None
    assert [block.name for block in sheet.figure.blocks] == ["first", "second", "lowest"]
    assert "failed in" in text(sheet)
    ET.fromstring(svg(sheet))


def test_the_block_that_fails_is_marked() -> None:
    network = nn.Sequential(conv(3, 8), conv(4, 8))
    sheet = drawing(drawn(network))
    assert [block.failed for block in sheet.figure.blocks] == [False, True]
    assert "! 1" in text(sheet)


def test_a_block_that_fails_in_the_decoder_is_drawn_with_its_skip() -> None:
    network = Joined()
    network.up2 = conv(7, 8)
    sheet = drawing(drawn(network))
    blocks, arcs = sheet.figure.blocks, sheet.figure.arcs
    assert sheet.figure.no_u is None
    assert [(b.name, b.failed) for b in blocks][-2:] == [("up1", False), ("up2", True)]
    assert [blocks[arc.end].name for arc in arcs] == ["up1", "up2"]
    assert blocks[-1].level == 0
    assert "! up2" in text(sheet)
    assert "Not drawn" not in text(sheet)


def test_an_encoder_whose_skips_were_not_yet_joined_is_drawn() -> None:
    kinds = {f"{way}_block_types": (f"{way.title()}Block2D",) * 3 for way in ("down", "up")}
    network = UNet2DModel(sample_size=32, block_out_channels=(32, 64, 64), **kinds)
    network.up_blocks[1].resnets[1].conv1 = conv(7, 64)
    with torch.device("meta"):
        given = torch.empty(1, 3, 32, 32), torch.zeros(1, dtype=torch.int64)
    with pytest.raises(ForwardError) as failed:
        trace(network.to("meta"), *given)
    found = figure(View.of(failed.value.trace).network)
    assert [block.name for block in found.blocks] == [
        *("conv_in", "down_blocks.0", "down_blocks.1", "down_blocks.2", "mid_block"),
        *("up_blocks.0", "up_blocks.1"),
    ]
    assert [block.failed for block in found.blocks] == [False] * 6 + [True]
    assert found.no_u is None
    assert found.steering == ()


def test_what_fails_behind_a_unet_is_drawn() -> None:
    found = drawing(drawn(nn.Sequential(Joined(), conv(7, 8)))).figure
    assert [(b.name, b.part, b.failed) for b in found.blocks][-1] == ("1", "exit", True)
    assert found.no_u is None


def test_what_fails_stands_at_the_size_that_it_was_given() -> None:
    found = drawing(drawn(nn.Sequential(conv(3, 8), nn.MaxPool2d(2), conv(4, 8)))).figure
    assert [found.sizes[block.level] for block in found.blocks] == [(16, 16), (8, 8), (8, 8)]


def test_several_unets_have_no_parts() -> None:
    found = drawing(drawn(nn.Sequential(Joined(), Joined()))).figure
    assert found.no_u is NoU.SEVERAL
    assert {block.part for block in found.blocks} == {""}  # those of one UNet fit no other


class ChannelsLast(nn.Module):
    """A UNet of maps `(B, H, W, C)`; its decoder takes apart the channels into positions."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.high = conv(3, 8, 2), nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8))
        self.low, self.widen = nn.Linear(32, 16), nn.Linear(16, 64)
        self.merge = nn.Linear(24, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        held = self.high(self.enter(x).permute(0, 2, 3, 1))
        places = (slice(None, None, 2), slice(1, None, 2))
        x = torch.cat([held[:, i, j] for i in places for j in places], -1)
        x = self.widen(self.low(x)).unflatten(-1, (2, 2, 16)).permute(0, 1, 3, 2, 4, 5)
        return self.merge(torch.cat([x.flatten(3, 4).flatten(1, 2), held], -1))


def test_channels_that_lie_last() -> None:
    network = drawn(ChannelsLast()).network
    found = figure(network, detail="layer")
    assert found.no_u is None
    assert found.sizes == ((8, 8), (4, 4))
    blocks = {block.name: block for block in found.blocks}
    assert (blocks["enter"].given, blocks["enter"].made) == ((3, 16, 16), (8, 8, 8))
    assert (blocks["low"].given, blocks["low"].made) == ((32, 4, 4), (16, 4, 4))
    assert (blocks["merge"].given, blocks["merge"].made) == ((16, 8, 8), (8, 8, 8))
    assert [arc.shape for arc in found.arcs] == [(8, 8, 8)]
    assert [row.width for row in blocks["high"].rows] == [(8, 8), (8, 8)]


def test_a_sample_of_indices_has_channels_once_they_are_embedded() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(20, 8)
            self.first, self.last = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 20, 1)

        def forward(self, ids: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
            maps = self.first(self.words(ids).permute(0, 3, 1, 2))
            return self.last(maps + text.mean((1, 2))[:, None, None, None])

    with torch.device("meta"):
        ids, text = torch.zeros(1, 6, 6, dtype=torch.int64), torch.zeros(1, 5, 9)
        view = View.of(trace(Tokens(), ids, text))
    made = {block.name: block.made for block in drawing(view).figure.blocks}
    assert (made["first"], made["last"]) == ((4, 6, 6), (20, 6, 6))


def test_what_only_holds_drawn_blocks_is_not_left_out() -> None:
    stages = nn.Sequential(*(nn.Sequential(conv(8, 8), conv(8, 8, 2)) for _ in range(3)))
    network = nn.Sequential(conv(3, 8), stages)
    found = figure(drawn(network).network)
    assert any(block.name.startswith("1.") for block in found.blocks)
    assert found.beside == ()


def test_no_skips_are_columns() -> None:
    network = nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 8, 2), conv(8, 8, 2))
    sheet = drawing(drawn(network))
    assert sheet.figure.no_u is NoU.NO_SKIPS
    assert [block.level for block in sheet.figure.blocks] == [0, 0, 1, 2]
    assert "no U" in text(sheet)
    assert "不是 U 形" in text(drawing(View.of(drawn(network).network.trace, "zh")))


def test_alike_in_a_row_are_one() -> None:
    network = nn.Sequential(conv(3, 8), *[conv(8, 8) for _ in range(10)], conv(8, 3))
    blocks = figure(drawn(network).network).blocks
    assert [(block.name, block.times) for block in blocks] == [("0", 1), ("1-10", 10), ("11", 1)]
    assert blocks[1].parameters == 10 * (8 * 8 * 9 + 8)


def test_hostile_names_are_text() -> None:
    network = Joined()
    evil = '</text><script>alert(1)</script>&"\x1b[31m'
    network.add_module(evil.replace(".", ""), conv(8, 8, 2))
    network.lowest = network._modules.pop(evil)
    network._modules[evil] = network._modules.pop("lowest")
    network.__dict__["lowest"] = network._modules[evil]
    sheet = drawing(drawn(network))
    assert any("script" in block.name for block in sheet.figure.blocks)
    assert "\x1b" not in text(sheet)
    root = ET.fromstring(svg(sheet))
    assert not [element for element in root.iter() if element.tag.endswith("script")]


@pytest.mark.parametrize("name", ["sd15", "article_003", "sd_x2_latent_upscaler", "sdxl_base"])
def test_shares_add_up(name, trace_once) -> None:
    record = trace_once(resolve(Request(name)))
    found = figure(View.of(record).network)
    parameters, macs = found.rest
    held = sum(found.parameter_share(block) or 0 for block in found.blocks)
    assert held + parameters == pytest.approx(1)
    assert 0 <= parameters < 0.1
    assert sum(found.mac_share(block) or 0 for block in found.blocks) + macs == pytest.approx(1)
    assert len(found.arcs) == len(record.skips)


def test_lines_lead_where_features_go(sd15) -> None:
    found = figure(View.of(sd15).network)
    assert found.handed == set(range(1, len(found.blocks)))

    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.one, self.other = conv(3, 8), conv(8, 8, 2), conv(8, 4, 4)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            x = nn.functional.relu(self.stem(x))
            return self.one(x), self.other(x)

    sheet = drawing(drawn(Branches()))
    assert sheet.figure.handed == {1}
    assert svg(sheet).count('class="flow" d=') == 2  # one line and its head
    assert sheet.branches in svg(sheet).replace("&#x27;", "'")


def test_narrow_terminals(sd15) -> None:
    sheet = drawing(View.of(sd15))
    for width in (40, 50, 60):
        written = text(sheet, width)
        assert all(len(line) <= width for line in written.splitlines())
        assert all(f"down_blocks.{at}" in written for at in range(4))
    assert "too narrow" in text(sheet, 40)


def test_heat_colours_by_cost(sd15) -> None:
    view = View.of(sd15)
    params, macs = svg(drawing(view, "params")), svg(drawing(view, "macs"))
    assert len({params, macs, svg(drawing(view))}) == 3
    assert "share of the params, from 0 to 30.1 %" in params
    assert "share of the MACs, from 0 to 24.6 %" in macs


def test_bytes_are_those_that_memory_reports(sd15) -> None:
    view = View.of(sd15)
    known = {view.network.path(b.call): b.peak for b in Memory(view.network).blocks}
    held = drawing(view, "held").figure
    assert all(block.held == known[block.name] for block in held.blocks if block.name in known)
    assert max(block.held for block in held.blocks) == Memory(view.network).peak.nbytes
    made = drawing(view, "bytes").figure
    storages = [storage.nbytes for storage in sd15.storages if not storage.resident]
    assert 0 <= sum(storages) - sum(block.made_bytes for block in made.blocks) < 2**15
    assert f"{held.blocks[1].held / 2**20:.1f} MiB" in text(drawing(view, "held"))


@pytest.mark.parametrize("heat", ["params", "macs", "bytes", "held"])
@pytest.mark.parametrize("name", ["sd15", "cascaded"])
def test_heat_in_a_terminal(sd15, heat, name) -> None:
    view = View.of(sd15) if name == "sd15" else drawn(nn.Sequential(conv(3, 8), conv(8, 8, 2)))
    sheet = drawing(view, heat)
    plain, colored = text(sheet), text(sheet, color=True)
    assert "\x1b" not in plain
    colors = {each for each in TERMINAL if each in colored}
    assert colors == set(TERMINAL)  # the scale has all of them
    bare = re.sub(r"\x1b\[[\d;]*m", "", colored)
    assert plain.splitlines()[2] in bare
    for block in sheet.figure.blocks:
        number = numbers(sheet.figure, block)[0]
        assert number in plain
        assert f" {number}" in svg(sheet)
    assert "colour: " in bare
    assert "colour: " in svg(sheet)
