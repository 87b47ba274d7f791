"""The U that heads an overview: it is no wider than the terminal, and names all that it draws."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from unetscope.drawing.building import figure
from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import cells
from unetscope.drawing.small_u import SmallU
from unetscope.sources import Request, resolve
from unetscope.tracing import trace
from unetscope.views.u_at_a_glance import u_at_a_glance
from unetscope.views.view import View

WIDTHS = (200, 100, 80, 60, 50)
SHIPPED = ("sd15", "article_003", "sdxl_base", "if_II_L", "sd_x2_latent_upscaler", "adm_imagenet64")


class Deep(nn.Module):
    """A U whose first two skips, of one size, may change places."""

    def __init__(self, depth: int, swapped: bool = False) -> None:
        super().__init__()
        self.swapped = swapped
        self.down = nn.ModuleList(nn.Conv2d(3 if not at else 8, 8, 3, 1, 1) for at in range(depth))
        self.middle = nn.Conv2d(8, 8, 3, 1, 1)
        self.up = nn.ModuleList(nn.Conv2d(16, 8, 3, 1, 1) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pushed = []
        for at, down in enumerate(self.down):
            pushed.append(down(x))
            x = nn.functional.max_pool2d(pushed[-1], 2) if at else pushed[-1]
        x = self.middle(x)
        if self.swapped:
            pushed[:2] = pushed[1::-1]
        for up in self.up:
            skip = pushed.pop()
            x = up(torch.cat([nn.functional.interpolate(x, size=skip.shape[2:]), skip], 1))
        return x


def seen(network: nn.Module, size: int = 64) -> View:
    with torch.device("meta"):
        return View.of(trace(network.to("meta"), [torch.empty(1, 3, size, size)]))


def check(found: Figure, width: int, lines: list[str]) -> None:
    assert max(map(cells, lines)) <= width
    whole = "".join("".join(lines).split())
    for size in found.sizes:
        assert "x".join(map(str, size)) in whole
    if width >= 100:
        assert all("".join(block.name.split()) in whole for block in found.blocks)
    popped = [arc.number for arc in found.arcs]
    assert len(set(popped)) == len(popped)
    told: list[int] = []
    for line in lines:
        for runs in line.partition("#")[2].split(" ─")[0].split(" -")[0].split(", "):
            if runs:
                first, _, last = runs.strip().partition("-")
                told += range(int(first), int(last or first) + 1)
    assert sorted(told) == sorted(popped)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs(name, trace_once) -> None:
    found = figure(View.of(trace_once(resolve(Request(name)))).network, costs=False)
    for width in WIDTHS:
        lines = SmallU(found).lines(width)
        if width == 50 and not lines:
            continue
        assert 3 <= len(lines) <= 30
        assert width < 80 or len(lines) <= 12
        check(found, width, lines)
        plain = SmallU(found).lines(width, ascii=True)
        assert "".join(plain).isascii()
        assert max(map(len, plain)) <= width


def test_a_row_is_a_resolution(sd15) -> None:
    lines = SmallU(figure(View.of(sd15).network, costs=False)).lines(80)
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        "64x64", "32x32", "16x16", "8x8", "8x8",
    ]  # fmt: skip
    row = next(line for line in lines if line.startswith("16x16"))
    assert row.index("down_blocks.2") < row.index("#6-8") < row.index("up_blocks.1")
    assert "mid_block  1280" in lines[-1]


def test_where_there_is_no_room_there_is_none() -> None:
    (table,) = u_at_a_glance(seen(Deep(3)))
    assert table.picture is not None
    assert table.picture.lines(80)
    assert table.picture.lines(20) == []
    (deep,) = u_at_a_glance(seen(Deep(17), 2**17))
    assert deep.picture is not None
    found = [len(deep.picture.lines(width)) for width in range(20, 100)]
    assert max(found) == found[-1] <= 30
    assert 0 in found


def test_what_is_no_u_has_none() -> None:
    assert u_at_a_glance(seen(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)))) == []


def test_skips_out_of_order_are_dashed() -> None:
    straight, swapped = seen(Deep(3)), seen(Deep(3, swapped=True))
    for view, dashed in ((straight, False), (swapped, True)):
        (table,) = u_at_a_glance(view)
        assert table.picture is not None
        assert ("╌" in "".join(table.picture.lines(80))) is dashed
        assert ("out of order" in str(table.after)) is dashed


def test_it_heads_the_overview_for_people_alone(unetscope) -> None:
    drawn = "down1  4→64"
    for form, around in (("terminal", ""), ("markdown", "```text"), ("html", "<pre>")):
        out = unetscope("trace", "article_003", "--overview", "-f", form).out
        assert around in out
        assert 0 < out.index(drawn) < out.index("Parameters")
    for form in ("json", "latex"):
        out = unetscope("trace", "article_003", "--overview", "-f", form).out
        assert drawn not in out
    assert "u" not in json.loads(unetscope("trace", "article_003", "-f", "json").out)
    assert "U 形" in unetscope("trace", "article_003", "--overview", "--lang", "zh").out


def test_names_of_others_are_in_it(unetscope) -> None:
    out = unetscope("trace", "sd15", "--sections", "u", "--names", "compvis").out
    assert "input_blocks" in out
