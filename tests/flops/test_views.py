"""What the tables say about what was not counted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.analysis.scaling import Point
from unetscope.render.chart import svg, text
from unetscope.table import Bar, Chart, Kind
from unetscope.tracing import trace
from unetscope.views.flops import flops, no_formula, uncounted
from unetscope.views.overview import heading
from unetscope.views.sweep import sweep
from unetscope.views.view import View
from unetscope.words import Words


class Filtered(nn.Module):
    """A convolution behind a filter that has no formula."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1)

    def forward(self, x):
        return F.silu(self.conv(torch.fft.fftn(torch.fft.fftn(x, dim=(2, 3)), dim=(2, 3)).real))


def traced():
    return trace(Filtered(), [torch.zeros(1, 2, 4, 4)])


def sentences(table):
    return ["".join(str(part.value) for part in cell.parts) for cell in table.after]


def test_functions_without_a_formula_are_named_and_never_zero():
    recorded = traced()
    view = View.of(recorded)
    (table,), listed = flops(view), uncounted(view)
    unknown = "Kinds of functions without a formula, not counted: 1 (torch.fft.fftn)."
    assert unknown in sentences(table)
    assert table.data["without_formula"] == {"torch.fft.fftn": 2}
    assert table.total is not None
    assert table.total[1] == 16 * 6
    rows = {row[0]: row[1:] for row in listed.rows}
    assert rows == {"F.silu": (1, 48)}
    assert not any("attention" in sentence for sentence in sentences(table))
    assert [table.rows for table in no_formula(view)] == [(("torch.fft.fftn", 2),)]
    assert "macs" not in [column.key for column in heading(view)[0].columns]


def test_a_network_that_does_nothing():
    view = View.of(trace(nn.SiLU(), [torch.zeros(2, 3)]))
    (table,) = flops(view)
    assert table.rows == ()
    assert table.total is not None
    assert table.total[1:] == (0, 0, 0.0)
    assert Cost(Network(view.network.trace)).by_kind() == {}


def test_a_sweep_names_them_too():
    sizes = {"batch": 1, "height": 8, "width": 8, "tokens": 1}
    (table,) = sweep(Words("en"), [Point(sizes, 9, {"linear": 5}, {"torch.fft.fftn": 2}, 64)])
    assert table.data == {"without_formula": ["torch.fft.fftn"]}
    assert any("torch.fft.fftn" in sentence for sentence in sentences(table))


def test_charts_escape_what_they_write():
    chart = Chart("a<b", "x&y", ("one", "two"), (Bar("<1>", (3, 1)), Bar("2", (0, 0))), Kind.MACS)
    image = svg(chart)
    assert "a&lt;b" in image
    assert "&lt;1&gt;" in image
    assert "x&amp;y" in image
    lines = text(chart, 60).splitlines()
    assert abs(lines[3].count("█") - 3 * lines[3].count("▒")) <= 2
    assert max(map(len, lines)) <= 60
