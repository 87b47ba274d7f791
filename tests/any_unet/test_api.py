"""`unetscope.trace` and what a `Trace` can do in programs and notebooks."""

from __future__ import annotations

import doctest
import io
import json
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import torch
from rich.console import Console
from rich.pretty import pretty_repr
from torch import Tensor, nn

import unetscope
import unetscope.api
from unetscope.errors import ForwardError, UnetscopeError
from unetscope.files import traces


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.down = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 2, stride=2)
        self.up, self.leave = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Conv2d(8, 3, 1)

    def forward(self, model: Tensor, name: str = "", config: float = 1.0) -> Tensor:
        a = self.enter(model) * config
        return self.leave(torch.cat([self.up(self.down(a)), a], dim=1))


@pytest.fixture(scope="module")
def record() -> unetscope.Trace:
    return unetscope.trace(Net(), torch.zeros(1, 3, 8, 8))


def test_inputs_of_any_name_are_the_model_s() -> None:
    found = unetscope.trace(Net(), model=torch.zeros(1, 3, 8, 8), name="<b>", config=2.0)
    assert found.name == "Net"
    assert [argument.name for argument in found.inputs] == ["model"]


def test_what_is_no_module() -> None:
    with pytest.raises(UnetscopeError, match="found the class `Net`"):
        unetscope.trace(Net, torch.zeros(1, 3, 8, 8))  # type: ignore[arg-type]
    with pytest.raises(ForwardError) as caught:
        unetscope.trace(Net(), torch.zeros(1, 2, 8, 8))
    assert "failed in enter" in repr(caught.value.trace)


def test_totals(record: unetscope.Trace) -> None:
    assert record.total_params == sum(p.numel() for p in Net().parameters())
    # Kernels of 3 x 3 at 8 x 8, 2 x 2 at 4 x 4, each of those back, 1 x 1 at 8 x 8.
    assert record.total_macs == 64 * 9 * 3 * 4 + 2 * (16 * 4 * 4 * 4) + 64 * 8 * 3
    assert sum(row["parameters"] for row in unetscope.load(record).blocks()) == record.total_params
    assert sum(row["macs"] for row in unetscope.load(record).blocks()) == record.total_macs
    assert [row["path"] for row in unetscope.load(record).blocks()] == [
        "enter",
        "down",
        "up",
        "leave",
    ]


def test_tables_are_rows_of_plain_data(record: unetscope.Trace) -> None:
    tables = unetscope.load(record).tables()
    assert [row["push"] for row in tables["ledger"]] == [0]
    assert [row["path"] for row in tables["calls"]] == ["", "enter", "down", "up", "leave"]
    assert [row["popped"] for row in tables["stages"] if row["popped"]] == [[0]]
    assert json.loads(json.dumps(tables)) == json.loads(json.dumps(unetscope.load(record).tables()))
    for rows in tables.values():
        assert rows
        assert len({tuple(row) for row in rows}) == 1


def test_json_is_a_saved_trace(record: unetscope.Trace) -> None:
    assert traces.loads(unetscope.load(record).to_json().encode()) == record
    assert json.loads(unetscope.load(record).to_json())["trace"] == unetscope.load(record).to_dict()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "br":
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


def test_html(record: unetscope.Trace) -> None:
    reader = _Reader()
    reader.feed(unetscope.load(record)._repr_html_())
    assert reader.open == []
    assert "(1, 3, 8, 8)" in reader.cells
    assert "enter" in reader.cells


def test_html_escapes() -> None:
    hostile = type("<script>&", (Net,), {})
    shown = unetscope.load(unetscope.trace(hostile(), torch.zeros(1, 3, 8, 8)))._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;&amp;" in shown


def test_rich(record: unetscope.Trace) -> None:
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(unetscope.load(record))
    shown = console.export_text()
    assert "Skip ledger" in shown
    assert max(map(len, shown.splitlines())) <= 60
    assert pretty_repr(record).startswith("<Trace of Net: ")


def test_repr_is_short(record: unetscope.Trace) -> None:
    assert repr(record) == "<Trace of Net: 275 parameters, 10.5 kMACs, 5 calls, 1 skips>"


def test_the_example_in_the_docstring() -> None:
    failed, tried = doctest.testmod(unetscope.api)
    assert (failed, tried > 3) == (0, True)


def test_importing_the_package_imports_nothing_else() -> None:
    code = """
import sys
import unetscope
assert "trace" in dir(unetscope)
unetscope.Trace
heavy = {"torch", "msgspec", "yaml", "rich", "typer", "numpy"} & set(sys.modules)
assert not heavy, heavy
assert not hasattr(unetscope, "no_such_thing")
unetscope.trace
"""
    subprocess.run([sys.executable, "-c", code], check=True)
