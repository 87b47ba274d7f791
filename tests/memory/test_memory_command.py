"""`unetscope memory`: stdout, stderr and exit code."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest

from unetscope.table import Kind
from unetscope.units import spell
from unetscope.words import Word, Words

SECTIONS = ["memory", "weights", "peak", "blocks", "skips", "training"]


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_all_sections(unetscope, narrow):
    result = unetscope("memory", narrow, "-f", "json")
    tables = data(result)
    assert list(tables) == ["format_version", "provenance", *SECTIONS]
    assert result.err == ""
    facts = tables["memory"]
    assert facts["total_bytes"] == (
        facts["weight_bytes"] + facts["input_bytes"] + facts["activation_peak_bytes"]
    )
    assert facts["input_bytes"] == 4 * 4 * 16 * 24 + 8 + 4 * 5 * 16
    assert (
        facts["peak_by_last_use_bytes"]
        <= facts["activation_peak_bytes"]
        <= facts["peak_with_matrices_bytes"]
    )


def test_weights_in_each_type(unetscope):
    rows = data(unetscope("memory", "sd15", "--sections", "weights", "-f", "json"))["weights"]
    sizes = {row["dtype"]: row["weight_bytes"] for row in rows["rows"]}
    assert sizes == {
        "float32": 4 * 859_520_964,
        "float16": 2 * 859_520_964,
        "bfloat16": 2 * 859_520_964,
        "int8": 859_520_964,
    }
    text = unetscope("memory", "sd15", "--sections", "weights").out
    assert "3.2 GiB" in text
    assert "3.4 GB" in text


@pytest.mark.parametrize("top", [1, 3, 1000])
def test_the_tensors_at_the_peak_add_up(unetscope, narrow, top):
    table = data(unetscope("memory", narrow, "--top", top, "-f", "json"))["peak"]
    held = [row["held_bytes"] for row in table["rows"]]
    assert sum(held) == table["total"]["held_bytes"]
    assert sum(row["share"] for row in table["rows"]) == pytest.approx(1)
    assert held[:top] == sorted(held[:top], reverse=True)
    assert len(held) <= top + 1
    assert {row["push"] for row in table["rows"]} <= {None, 0, 1, 2, 3}


def test_lifetimes_in_blocks(unetscope, narrow):
    rows = data(unetscope("memory", narrow, "--sections", "skips", "-f", "json"))["skips"]["rows"]
    assert [(row["made_in"], row["joined_in"]) for row in rows] == [
        ("conv_in", "up_blocks.1"),
        ("down_blocks.0", "up_blocks.1"),
        ("down_blocks.0", "up_blocks.0"),
        ("down_blocks.1", "up_blocks.0"),
    ]
    assert all(row["made_clock"] < row["joined_clock"] <= row["freed_clock"] for row in rows)


def test_training_is_called_an_estimate(unetscope, narrow):
    for options, items in (
        ([], ["weights", "gradients", "adam_moments", "kept_activations"]),
        (
            ["--dtype", "float16"],
            ["weights", "gradients", "adam_moments", "master_weights", "kept_activations"],
        ),
    ):
        table = data(unetscope("memory", narrow, *options, "-f", "json"))["training"]
        assert table["estimate"] is True
        assert [row["item"] for row in table["rows"]] == items
        assert sum(row["bytes"] for row in table["rows"]) == table["total"]["bytes"]
    assert "estimate" in unetscope("memory", narrow, "--sections", "training").out


def test_one_section_as_csv(unetscope, narrow):
    result = unetscope("memory", narrow, "--sections", "blocks", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["block"] for row in rows if row["waiting_skips"] == "4"] == [
        "down_blocks.1",
        "mid_block",
    ]
    several = unetscope("memory", narrow, "-f", "csv")
    assert (several.code, several.out) == (2, "")


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_chinese_says_all_in_chinese(unetscope, narrow, form):
    text = unetscope("memory", narrow, "--lang", "zh", "-f", form).out
    said = [word.spellings["en"] for word in vars(Words).values() if isinstance(word, Word)]
    assert "一次前向传播的内存" in text
    assert not [english for english in said if len(english) > 20 and english in text]
    assert Words("zh").training in text


def test_no_skips(unetscope, tmp_path, narrow):
    import torch
    from torch import nn

    from unetscope.files import traces
    from unetscope.tracing import trace

    saved = tmp_path / "t.json"
    saved.write_bytes(traces.dumps(trace(nn.Sequential(nn.Linear(2, 2)), (torch.zeros(1, 2),))))
    result = unetscope("memory", saved, "--sections", "skips")
    assert (result.code, result.out.strip()) == (0, "")
    assert result.err == "left out, as this network has none: skips\n"
    assert unetscope("memory", saved).code == 0


def test_saved_traces_need_no_torch(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    live = unetscope("memory", narrow, "-f", "json")
    assert unetscope("memory", saved, "-f", "json").out == live.out
    code = (
        "import sys; from unetscope import cli; "
        f"code = cli.run(['memory', {str(saved)!r}]); sys.exit(code or 'torch' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (0, "")


def test_without_a_config(unetscope, narrow, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nconfig = "narrow.yaml"\n')
    monkeypatch.chdir(tmp_path)
    result = unetscope("memory", "-f", "json")
    assert data(result) == data(unetscope("memory", narrow, "-f", "json"))
    assert "narrow.yaml" in result.err


def test_measured_on_cpu(unetscope, narrow):
    result = unetscope(
        "memory", narrow, "--measure", "--device", "cpu", "--runs", 1, "--sections",
        "measured,blocks", "-f", "json",
    )  # fmt: skip
    tables = data(result)
    measured, blocks = tables["measured"], tables["blocks"]
    assert (result.code, result.err) == (0, "")
    assert [(row["block"], row["predicted_peak_bytes"]) for row in measured["rows"]] == [
        (row["block"], row["peak_bytes"]) for row in blocks["rows"]
    ]
    assert all(0 < row["seconds"] < measured["total"]["seconds"] for row in measured["rows"])
    assert measured["runs"] == 1
    assert "measured_peak_bytes" not in measured["rows"][0]


def test_measuring_quietly(unetscope, narrow):
    options = ["--measure", "--device", "cpu", "--runs", 1, "--sections", "measured", "-q"]
    result = unetscope("memory", narrow, *options)
    assert (result.code, result.err) == (0, "")
    assert " ms" in result.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sections", "peek"], "error: no section `peek`: expected memory, measured, weights, "
         "peak, blocks, skips, training\nhint: did you mean `peak`?\n"),
        (["--measure"], "error: nothing runs on meta, so there is nothing to measure\n"
         "hint: add `--device cuda` or `--device cpu`\n"),
    ],
)  # fmt: skip
def test_bad_options(unetscope, narrow, options, message):
    result = unetscope("memory", narrow, *options)
    assert (result.code, result.out, result.err) == (2, "", message)


def test_measured_without_measuring(unetscope, narrow):
    result = unetscope("memory", narrow, "--sections", "measured")
    assert (result.code, result.out) == (2, "")
    assert "goes with `--measure`" in result.err


def test_a_saved_trace_cannot_be_measured(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    result = unetscope("memory", saved, "--measure")
    assert (result.code, result.out) == (2, "")
    assert "is a saved trace: it holds no network to measure" in result.err
    result = unetscope("memory", saved, "--measure", "--device", "cpu")
    assert (result.code, result.out) == (2, "")
    assert "is a saved trace: its network and inputs are fixed" in result.err


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.0, Kind.SECONDS, "0.0 ms"),
        (0.01234, Kind.SECONDS, "12.3 ms"),
        (0.99996, Kind.SECONDS, "1.00 s"),
        (61.5, Kind.SECONDS, "61.50 s"),
        (999, Kind.DECIMAL_BYTES, "999 B"),
        (3_438_083_856, Kind.DECIMAL_BYTES, "3.4 GB"),
        (3_438_083_856, Kind.BYTES, "3.2 GiB"),
    ],
)
def test_spellings(value, kind, text):
    assert spell(value, kind) == text
