"""Code whose pass or whose building fails: what is said of it, and what is counted all the same."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn


class _Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Conv2d(3, 8, 3)
        self.leave = nn.Sequential(nn.Conv2d(9, 8, 3), nn.BatchNorm2d(8))


class Misfit(_Net):
    def forward(self, x):
        return self.leave(self.enter(x))


class Raising(_Net):
    def forward(self, x):
        self.enter(x)
        raise KeyError("mid\n\x1b[2Jdle")


class Looking(_Net):
    def forward(self, x):
        return self.enter(x) * x.sum().item()


class Unbuilt(_Net):
    def __init__(self):
        super().__init__()
        raise LookupError("nothing")


HERE = __name__
TOTAL = sum(tensor.numel() for tensor in _Net().parameters())


@pytest.mark.parametrize("by", [None, "module", "tensor"])
@pytest.mark.parametrize(
    ("code", "module"), [("Misfit", "leave.0"), ("Raising", ""), ("Looking", "")]
)
def test_parameters_are_counted_without_a_pass(unetscope, code, module, by):
    options = [] if by is None else ["--by", by]
    result = unetscope("params", f"{HERE}:{code}", "--input", "1,3,16,16", "-f", "json", *options)
    assert result.code == 0
    table = json.loads(result.out)["parameters"]
    assert sum(row["parameters"] for row in table["rows"]) == TOTAL
    assert table["total"]["parameters"] == TOTAL
    assert table["by"] == (by or "module")
    assert table["failure"]["module"] == module
    assert result.err.startswith("note: ")


@pytest.mark.parametrize(("lang", "said"), [("en", "pass failed in Raising: "), ("zh", "失败：")])
def test_the_table_says_that_the_pass_failed(unetscope, lang, said):
    name = f"{HERE}:Raising"
    result = unetscope("params", name, "--input", "1,3,16,16", "--lang", lang)
    assert f"{said}KeyError: 'mid" in result.out
    assert "\x1b" not in result.out + result.err


def test_what_a_pass_is_needed_for_is_not_counted(unetscope):
    blocks = unetscope("params", f"{HERE}:Misfit", "--input", "1,3,16,16", "--by", "block")
    assert (blocks.code, blocks.out) == (2, "")
    assert "hint: `--by module` or `--by tensor` needs no pass\n" in blocks.err
    assert unetscope("flops", f"{HERE}:Misfit", "--input", "1,3,16,16").code == 2
    assert unetscope("params", f"{HERE}:Unbuilt").code == 2


def test_a_config_that_cannot_run_is_wrong(unetscope, tmp_path):
    config = tmp_path / "wrong.yaml"
    config.write_text("extends: article_003\ninputs: {height: 7, width: 7}\n")
    assert unetscope("params", config).code == 2


def test_the_hint_of_counting_commands_runs(unetscope):
    for command in ("params", "flops"):
        name = (f"{HERE}:Looking", "--input", "1,3,16,16")
        assert "`--device cpu` runs it for real" in unetscope(command, *name).err
        assert unetscope(command, *name, "--device", "cpu").code == 0


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("flops", "Raising", "the network failed given [1, 3, 16, 16]: KeyError: 'mid"),
        ("params", "Raising", "the network failed given [1, 3, 16, 16]: KeyError: 'mid"),
        ("flops", "Misfit", "`leave.0` failed in `F.conv2d` given"),
        ("flops", "Unbuilt", "failed: LookupError: nothing"),
    ],
)
def test_exceptions_keep_their_type_and_their_traceback(unetscope, command, code, said):
    name = (f"{HERE}:{code}", "--input", "1,3,16,16")
    brief, long = unetscope(command, *name), unetscope("-v", command, *name)
    assert said in brief.err
    assert "Traceback" not in brief.err
    assert long.err.count("Traceback") >= 1
    assert __file__ in long.err.partition("Traceback")[2]
    assert long.code == brief.code


def test_nothing_measures_where_nothing_waits(unetscope):
    result = unetscope("memory", "article_003", "--measure", "--device", "mps")
    assert (result.code, result.out) == (2, "")
    if not torch.backends.mps.is_available():
        assert "cannot wait for the end of what runs on `mps`" in result.err
