"""`unetscope explain`: stdout, stderr and exit code."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_the_resnet_of_the_article(unetscope):
    result = unetscope("explain", "sd15", "up_blocks.2.resnets.0")
    assert (result.code, result.err) == (0, "")
    for said in (
        "1920 = 1280 from up_blocks.1.upsamplers.0 + 640 from skip 5, pushed by "
        "down_blocks.1.attentions.1",
        "3·3·1920·640 + 640",
        "1·32·32·3·3·1920·640",
        "output_blocks.6.0",
        "OUT06",
        "block_out_channels.1=640, block_out_channels.2=1280, ",
        "640, set by up_blocks.2.resnets.0.conv2",
    ):
        assert said in result.out
    assert re.search(r"^Parameters +16,801,280$", result.out, re.M)


def test_formulas_can_be_worked_out(unetscope, narrow):
    card = data(unetscope("explain", narrow, "up_blocks.1.resnets.0", "-f", "json"))
    for layer in card["layers"]["rows"]:
        assert eval(layer["formula"].replace("·", "*")) == layer["parameters"]
        if layer["macs_formula"]:
            assert eval(layer["macs_formula"].replace("·", "*")) == layer["macs"]
    total = card["layers"]["total"]
    assert total["parameters"] == card["module"]["parameters"]
    assert total["macs"] == card["module"]["macs"]


def test_attention(unetscope, narrow):
    path = "up_blocks.1.attentions.0.transformer_blocks.0.attn2"
    tables = data(
        unetscope("explain", narrow, path, "--sections", "attention,module", "-f", "json")
    )
    (row,) = tables["attention"]["rows"]
    assert row == {
        "path": path,
        "kind": "CrossAttention",
        "heads": [4, 8],
        "tokens": [96, 5],
        "query_from": [path.replace("attn2", "norm2")],
        "key_from": ["encoder_hidden_states"],
        "value_from": ["encoder_hidden_states"],
        "map_shape": [1, 32, 8, 12],
        "token_shape": [1, 96, 32],
    }
    assert tables["module"]["kind"] == "CrossAttention"
    options = dict(
        zip(tables["module"]["config_keys"], tables["module"]["config_values"], strict=True)
    )
    assert {key: options[key] for key in list(options)[:3]} == {
        "block_out_channels.0": 32,
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
    }
    # The attention is there for these.
    assert options["up_block_types.1"] == "CrossAttnUpBlock2D"
    assert "down_block_types.0" not in options


def test_a_projection_is_explained_by_the_attention_around_it(unetscope, narrow):
    path = "mid_block.attentions.0.transformer_blocks.0.attn1.to_k"
    tables = data(unetscope("explain", narrow, path, "-f", "json"))
    assert tables["attention"]["rows"][0]["path"] == path.removesuffix(".to_k")
    assert tables["attention"]["rows"][0]["kind"] == "SelfAttention"


def test_functions_inside(unetscope, narrow):
    found = data(unetscope("explain", narrow, "up_blocks.0.upsamplers.0", "-f", "json"))
    assert [row["function"] for row in found["ops"][0]["rows"]] == [
        "F.interpolate", "up_blocks.0.upsamplers.0.conv",
    ]  # fmt: skip


def test_a_module_that_is_called_twice(unetscope, narrow):
    card = data(unetscope("explain", narrow, "mid_block.resnets.0.nonlinearity", "-f", "json"))
    assert card["module"]["calls"] == 3
    assert [row["call"] for row in card["shapes"]["rows"]] == [1, 1, 2, 2, 3, 3]
    assert "layers" not in card


def test_several_modules_are_a_table(unetscope, narrow):
    table = data(unetscope("explain", narrow, "IN01", "-f", "json"))["modules"]
    assert [(row["path"], row["compvis_name"], row["merge_blocks"]) for row in table["rows"]] == [
        ("down_blocks.0.resnets.0", "input_blocks.1.0", ["IN01"]),
        ("down_blocks.0.attentions.0", "input_blocks.1.1", ["IN01"]),
    ]
    text = unetscope("explain", narrow, "*.attn2.to_k", "-f", "csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["parameters"] for row in rows] == ["512", "512", "512", "1024"]
    assert rows[0]["output_shape"] == "1x5x32"


@pytest.mark.parametrize("name", ["output_blocks.2.0", "up_blocks[1].resnets[0]"])
def test_other_names_give_the_same_card(unetscope, narrow, name):
    expected = unetscope("explain", narrow, "up_blocks.1.resnets.0").out
    assert unetscope("explain", narrow, name).out == expected


def test_one_argument_is_the_module(unetscope, narrow, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nconfig = "narrow.yaml"\n')
    monkeypatch.chdir(tmp_path)
    result = unetscope("explain", "conv_in")
    assert result.out == unetscope("explain", narrow, "conv_in").out
    assert "narrow.yaml" in result.err


def test_a_lone_network_says_what_to_name(unetscope, narrow, monkeypatch):
    asked = unetscope("explain", narrow)
    assert (asked.code, asked.out) == (2, "")
    assert asked.err == (
        "error: expected a module of Narrow to explain, found none\n"
        "hint: after it, name a path (`time_proj`, `time_embedding`, `conv_in` and 4 more), "
        "a glob ('*.conv1') or `.`, the whole network\n"
    )
    (narrow.parent / "pyproject.toml").write_text("[tool.unetscope]\nconfig = 'narrow.yaml'\n")
    (narrow.parent / "conv_in").touch()
    monkeypatch.chdir(narrow.parent)
    assert unetscope("explain", "conv_in").code == 0, "a file may be called as a module is"
    assert "config" not in unetscope("explain", "torch.nn:Linear").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up_block.1"], "error: no module `up_block.1` in Narrow\nhint: did you mean `up_block"),
        (["IN44"], "error: no module `IN44` in Narrow\nhint: did you mean `IN0"),
        (["quux" * 9], f"error: no module `{'quux' * 9}` in Narrow\n"),
        (["conv_in", "--sections", "shape"], "error: no section `shape`: expected module, shapes, "
         "channels, layers, attention, functions\nhint: did you mean `shapes`?\n"),
    ],
)  # fmt: skip
def test_errors(unetscope, narrow, arguments, message):
    result = unetscope("explain", narrow, *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(message)


def test_every_module_has_a_card_in_every_format(unetscope, narrow):
    paths = [
        row["path"]
        for row in data(unetscope("explain", narrow, "*", "-f", "json"))["modules"]["rows"]
    ]
    assert len(paths) > 100
    for number, path in enumerate([".", *paths[::9]]):
        lang = ("en", "zh")[number % 2]
        form = ("terminal", "markdown", "json")[number % 3]
        result = unetscope("explain", narrow, path, "-f", form, "--lang", lang)
        assert (result.code, result.err) == (0, "")
        assert path.strip(".") in result.out
    one = unetscope("explain", narrow, "conv_in", "--sections", "layers", "-f", "csv")
    assert one.out.splitlines()[1].startswith("conv_in,Conv2d,3·3·4·32 + 32,1184,")
    assert unetscope("explain", narrow, "conv_in", "-f", "csv").code == 2


def test_chinese(unetscope, narrow):
    out = unetscope("explain", narrow, "up_blocks.1.resnets.0", "--lang", "zh").out
    assert "96 = 64 来自 up_blocks.0.upsamplers.0 + 32 来自跨层连接 1" in out


def test_a_saved_trace_needs_no_torch(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    live = unetscope("explain", narrow, "mid_block", "-f", "json").out
    assert unetscope("explain", saved, "mid_block", "-f", "json").out == live
    code = (
        "import sys; from unetscope.cli import run; "
        f"code = run(['explain', {str(saved)!r}, 'mid_block']); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()


@pytest.mark.parametrize("name", ["Encoder", "encoder", "Middle block", "Decoder"])
def test_a_part_is_no_module_and_its_blocks_are_named(unetscope, name):
    done = unetscope("explain", "article_003", name)
    assert (done.code, done.out) == (2, "")
    said, hint = done.err.splitlines()
    assert said == f"error: `{name}` is a part of Simplified UNet, and no module"
    blocks = hint.removeprefix("hint: its blocks: ").replace("`", "").split(", ")
    assert all(unetscope("explain", "article_003", block).code == 0 for block in blocks)
