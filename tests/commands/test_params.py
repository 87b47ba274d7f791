"""`unetscope params`: stdout, stderr and exit code."""

import csv
import io
import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from unetscope.files import traces
from unetscope.render import Style
from unetscope.tracing import trace


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["parameters"]


def test_as_it_stands(unetscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = unetscope("params", "--by-block", "--bytes-in", "fp32,fp16")
    assert result.code == 0
    assert result.err == "no config named: taking `sd15`\n"
    lines = result.out.splitlines()
    assert lines[3].split() == ["Block", "Class", "Tensors", "Parameters", "Share", "fp32", "fp16"]
    assert any(line.startswith("down_blocks.0   CrossAttnDownBlock2D") for line in lines)
    total = next(line for line in lines if line.startswith("Total"))
    # The figures that articles print as 3.4 G and 1.6 G.
    assert total.split()[1:3] == ["686", "859,520,964"]
    assert total.endswith("3.4 GB (3.2 GiB)      1.7 GB (1.6 GiB)")
    assert lines[-1].startswith("The rows add up to the total exactly")
    assert unetscope("params", "sd15", "--bytes-in", "fp32,fp16").out == result.out


def test_the_project_s_own_config(unetscope, narrow, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nconfig = "narrow.yaml"\n')
    monkeypatch.chdir(tmp_path)
    result = unetscope("params", "-f", "json")
    assert "narrow.yaml" in result.err
    assert data(result) == data(unetscope("params", narrow, "-f", "json"))


@pytest.mark.parametrize("by", ["block", "part", "mbw", "module", "tensor", "type", "stage-kind"])
def test_every_grouping_in_every_format(unetscope, narrow, by):
    table = data(unetscope("params", narrow, "--by", by, "-f", "json"))
    assert table["by"] == by
    text = unetscope("params", narrow, "--by", by, "-f", "csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(table["rows"])
    if by != "type":
        key = "total" if by == "stage-kind" else "parameters"
        assert sum(int(row[key]) for row in rows) == table["total"][key]
    for form in ("terminal", "markdown"):
        for lang in ("en", "zh"):
            shown = unetscope("params", narrow, "--by", by, "-f", form, "--lang", lang)
            assert (shown.code, shown.err) == (0, "")
            assert len(shown.out.splitlines()) > len(rows)


def test_lora_on_a_glob(unetscope, narrow):
    result = unetscope(
        "params", narrow, "--match", "*.attn2.to_[qkv]", "--lora-rank", 4, "--dtype", "fp16", "-f",
        "json",
    )  # fmt: skip
    table = data(result)
    # 32 channels: one transformer down, two up; 64: one in the middle; 16 of the text.
    assert {row["block"]: row["lora_parameters"] for row in table["rows"]} == {
        "down_blocks.0": 4 * (32 + 32) + 2 * 4 * (16 + 32),
        "mid_block": 4 * (64 + 64) + 2 * 4 * (16 + 64),
        "up_blocks.1": 2 * (4 * (32 + 32) + 2 * 4 * (16 + 32)),
    }
    total = table["total"]
    assert total["lora_parameters"] == sum(row["lora_parameters"] for row in table["rows"])
    assert total["lora_fp16_bytes"] == 2 * total["lora_parameters"]
    assert table["match"] == "*.attn2.to_[qkv]"


def test_what_a_lora_leaves_out_is_said(unetscope, narrow):
    out = unetscope("params", narrow, "--match", "conv_in", "--lora-rank", 4).out
    assert "2 tensors match conv_in" in out
    assert "Tensors that take no LoRA (biases, norms, embeddings): 1." in out


def test_kinds_are_not_summed(unetscope, narrow):
    out = unetscope("params", narrow, "--by", "type").out
    assert "Total" not in out
    assert "These nest in each other, so they are not summed." in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bytes-in", "fp61"], "error: unknown element type `fp61`: expected fp32, fp16, bf16, "
         "int8\nhint: did you mean `fp16`?\n"),
        (["--match", "conv_inn"], "error: no parameter of Narrow matches `conv_inn`\n"
         "hint: did you mean `conv_in`?\n"),
    ],
)  # fmt: skip
def test_errors(unetscope, narrow, arguments, message):
    result = unetscope("params", narrow, *arguments)
    assert (result.code, result.out, result.err) == (2, "", message)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--by-block", "--by", "part"],
        ["--depth", "1"],
        ["--by", "type", "--top", "2"],
        ["--by", "stage-kind", "--lora-rank", "2"],
        ["--lora-rank", "0"],
        ["--by", "blocks"],
    ],
)
def test_options_that_do_not_fit(unetscope, narrow, arguments):
    result = unetscope("params", narrow, *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err


def test_buffers_are_left_out_of_csv_and_that_is_said(unetscope, tmp_path):
    saved = tmp_path / "t.json"
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    saved.write_bytes(traces.dumps(trace(model, [torch.zeros(3, 2)])))
    result = unetscope("params", saved, "-f", "csv")
    assert result.err.startswith("csv holds one table: buffers are left out\n")
    assert len(list(csv.DictReader(io.StringIO(result.out)))) == 2
    assert "num_batches_tracked" in unetscope("params", saved).out


def test_a_saved_trace_needs_no_torch(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    code = (
        "import sys; from unetscope.cli import run; "
        "codes = [run(['params', sys.argv[1], '--by', by]) for by in ('block', 'type', 'mbw')]; "
        "sys.exit(codes != [0] * 3 or 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, saved], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    live = unetscope("params", narrow, "-f", "json").out
    assert unetscope("params", saved, "-f", "json").out == live


def test_a_narrow_terminal_folds_no_number(unetscope, monkeypatch):
    monkeypatch.setattr("unetscope.commands.console.style", lambda: Style(width=80))
    lines = unetscope("params", "sd15", "--bytes-in", "fp32,fp16").out.splitlines()
    assert len(lines) == 2 + 3 + 13 + 2 + 3
    assert max(map(len, lines)) <= 80
    assert lines[-4].split()[:2] == ["Total", "859,520,964"]
    assert lines[-2].startswith("left out: Class; Tensors (")
