"""`unetscope trace`: stdout, stderr and exit code."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from narrow_configs import OBLONG


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_all_sections_in_the_order_of_the_article(unetscope, narrow):
    result = unetscope("trace", narrow, "--format", "json")
    assert list(data(result)) == [
        "format_version", "provenance", "model", "io", "parts", "verdict", "next", "encoder",
        "encoder_steps", "residuals", "ledger", "middle", "middle_steps", "decoder", "steps",
    ]  # fmt: skip
    assert result.err == ""


def test_changing_the_yaml_changes_the_tables(unetscope, narrow):
    before = data(unetscope("trace", narrow, "-f", "json"))
    narrow.write_text(OBLONG.replace("layers_per_block: 1", "layers_per_block: [1, 3]"))
    after = data(unetscope("trace", narrow, "-f", "json"))
    assert [len(t["ledger"]["rows"]) for t in (before, after)] == [4, 6]
    assert after["residuals"]["from_layers"] == [1, 3]
    assert [block["resnets"] for block in after["decoder"]["rows"]] == [4, 2]


def test_overrides_and_sizes(unetscope, narrow):
    result = unetscope(
        "trace", narrow, "--set", "block_out_channels.1=96", "--batch", 3, "--height", 16, "-f",
        "json", "--sections", "io,parts",
    )  # fmt: skip
    tables = data(result)
    assert tables["io"]["rows"][0]["shape"] == [3, 4, 16, 12]
    assert tables["parts"]["rows"][1]["output_shape"] == [3, 96, 8, 6]


def test_odd_sizes_are_upsampled_to_the_skips(unetscope, narrow):
    tables = data(unetscope("trace", narrow, "--height", 9, "--width", 13, "-f", "json"))
    assert tables["io"]["rows"][-1]["shape"] == [1, 4, 9, 13]
    assert tables["ledger"]["last_in_first_out"] is True


def test_no_middle_block_is_said_on_stderr(unetscope, narrow):
    result = unetscope("trace", narrow, "--set", "mid_block_type=null", "-f", "json")
    assert "middle" not in data(result)
    assert result.err == "left out, as this network has none: middle\n"
    quiet = unetscope("trace", narrow, "--set", "mid_block_type=null", "-q")
    assert quiet.err == ""


def test_no_cross_attention(unetscope, narrow):
    blocks = ["--set", "down_block_types=[DownBlock2D, DownBlock2D]"]
    blocks += ["--set", "up_block_types=[UpBlock2D, UpBlock2D]"]
    tables = data(unetscope("trace", narrow, *blocks, "-f", "json"))
    assert [block["transformers"] for block in tables["encoder"]["rows"]] == [0, 0]
    assert [block["main_inputs"] for block in tables["encoder"]["rows"]] == [["image", "time"]] * 2


def test_attention_steps_have_letters_and_the_others_keep_their_numbers(unetscope, narrow):
    plain = data(unetscope("trace", narrow, "--sections", "steps", "-f", "json"))["steps"]
    more = data(unetscope("trace", narrow, "--sections", "steps", "--attentions", "-f", "json"))
    assert [row["step"] for row in more["steps"][1]["rows"]] == [
        "2.1", "2.2", "2.2a", "2.3", "2.4", "2.4a",
    ]  # fmt: skip
    kept = [row for table in more["steps"] for row in table["rows"] if row["step"][-1] != "a"]
    assert kept == [row for table in plain for row in table["rows"]]


def test_one_block_in_either_spelling(unetscope, narrow):
    dotted = unetscope("trace", narrow, "--block", "up_blocks.1", "-f", "json")
    bracketed = unetscope("trace", narrow, "--block", "up_blocks[1]", "-f", "json")
    assert dotted.out == bracketed.out
    tables = data(dotted)
    assert [row["block"] for row in tables["decoder"]["rows"]] == ["up_blocks.1"]
    assert [table["block"] for table in tables["steps"]] == ["up_blocks.1"]
    assert {row["consumer"].split(".resnets")[0] for row in tables["ledger"]["rows"]} == {
        "up_blocks.1"
    }


def test_symbolic_dims(unetscope, narrow):
    tables = data(unetscope("trace", narrow, "--symbolic", "-f", "json"))
    assert tables["io"]["rows"][0]["shape"] == ["B", 4, "H", "W"]
    assert tables["io"]["rows"][2]["shape"] == ["B", "T", 16]
    assert tables["parts"]["rows"][2]["output_shape"] == ["B", 64, "ceil(H/2)", "ceil(W/2)"]


def test_symbolic_dims_of_the_image(unetscope, narrow):
    narrow.write_text(OBLONG.replace("tokens: 5}", "tokens: 5, scale: 8}"))
    tables = data(unetscope("trace", narrow, "--symbolic", "-f", "json"))
    assert tables["io"]["rows"][0]["shape"] == ["B", 4, "H/8", "W/8"]
    assert tables["parts"]["rows"][2]["output_shape"] == ["B", 64, "ceil(H/16)", "ceil(W/16)"]


def test_tokens_in_symbols(unetscope, narrow):
    path = "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
    table = data(unetscope("trace", narrow, "--symbolic", "--ops", path, "-f", "json"))["ops"][0]
    attention = [row for row in table["rows"] if row["function"].endswith("_attention")]
    assert attention[0]["input_shapes"] == [["B", 4, "HW", 8], ["B", 4, "T", 8], ["B", 4, "T", 8]]


def test_functions_inside_a_module(unetscope, narrow):
    path = "down_blocks.0.attentions.0.transformer_blocks.0.ff.net.0"
    table = data(unetscope("trace", narrow, "--ops", path, "-f", "json"))["ops"][0]
    assert [row["function"] for row in table["rows"]] == [
        f"{path}.proj", "Tensor.chunk", "F.gelu", "*",
    ]  # fmt: skip
    assert table["rows"][1]["input_shapes"] == [[1, 96, 256]]
    assert table["rows"][1]["output_shapes"] == [[1, 96, 128], [1, 96, 128]]


def test_the_tree_of_calls(unetscope, narrow):
    whole = data(unetscope("trace", narrow, "--modules", "-f", "json"))["calls"]
    top = data(unetscope("trace", narrow, "--depth", 1, "-f", "json"))["calls"]
    total = data(unetscope("trace", narrow, "-f", "json"))["model"]["parameters"]
    assert sum(row["own_parameters"] for row in whole["rows"]) == total
    assert [row["path"] for row in top["rows"]][:4] == [
        "",
        "time_proj",
        "time_embedding",
        "conv_in",
    ]
    conv = next(row for row in whole["rows"] if row["path"] == "conv_in")
    assert "kernel_size=(3, 3)" in conv["attributes"]
    assert conv["output_shapes"] == [[1, 32, 8, 12]]


def test_a_saved_trace_shows_the_same(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    live = unetscope("trace", narrow, "--save", saved, "-f", "json", "--modules")
    assert live.err == f"saved {saved}\n"
    again = unetscope("trace", saved, "-f", "json", "--modules")
    assert (again.code, again.out, again.err) == (0, live.out, "")


def test_a_saved_trace_cannot_be_changed(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    result = unetscope("trace", saved, "--height", 9)
    assert (result.code, result.out) == (2, "")
    assert "is a saved trace: its network and inputs are fixed" in result.err


def test_csv_is_one_table(unetscope, narrow):
    result = unetscope("trace", narrow, "-f", "csv", "--sections", "ledger")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["push"] for row in rows] == ["3", "2", "1", "0"]
    assert rows[0]["shape"] == "1x64x4x6"
    several = unetscope("trace", narrow, "-f", "csv")
    assert (several.code, several.out) == (2, "")
    assert "--sections" in several.err


def test_output_to_a_file_is_whole_or_not_at_all(unetscope, narrow, tmp_path):
    target = tmp_path / "t.md"
    assert unetscope("trace", narrow, "-f", "markdown", "-o", target).out == ""
    assert target.read_text() == unetscope("trace", narrow, "-f", "markdown").out
    failed = unetscope("trace", narrow, "-o", tmp_path / "nowhere" / "t.md")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith("error: cannot write")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["narrow.yaml", "t.md"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sections", "leger"], "error: no section `leger`: expected u, model, io, parts, "
         "verdict, next, encoder, encoder-steps, residuals, ledger, middle, middle-steps, decoder, "
         "steps, stages, calls\nhint: did you mean `ledger`?\n"),
        (["--block", "up_block.1"], "error: no block `up_block.1` in Narrow\n"
         "hint: did you mean `up_blocks.1`?\n"),
        (["--ops", "conv_inn"], "error: no module `conv_inn` in Narrow\n"
         "hint: did you mean `conv_in`?\n"),
        (["--device", "tpu3"], "error: unknown device `tpu3`: expected meta, cpu, cuda "
         "(cuda:1 …), mps or xpu\n"),
    ],
)  # fmt: skip
def test_bad_options(unetscope, narrow, arguments, message):
    result = unetscope("trace", narrow, *arguments)
    assert (result.code, result.out, result.err) == (2, "", message)


@pytest.mark.parametrize("device", ["cuda", "cuda:99", "mps", "xpu", "hpu"])
def test_a_device_that_is_not_here_is_a_clear_error(unetscope, narrow, device):
    try:
        torch.empty(0, device=device)
    except Exception:
        result = unetscope("trace", narrow, "--device", device)
        assert (result.code, result.out) == (2, "")
        message, hint = result.err.splitlines()
        assert message.startswith(f"error: there is no device `{device}` here")
        assert len(message) < 160
        assert hint.startswith("hint: `meta` gives the same trace")
    else:
        pytest.skip(f"there is a device {device}")


def test_a_missing_config_names_the_nearest(unetscope):
    result = unetscope("trace", "sd1.5")
    assert (result.code, result.out) == (2, "")
    assert 'did you mean "sd15"?' in result.err


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_cpu_prints_what_meta_prints(unetscope, narrow, dtype):
    tables = []
    for device in ("meta", "cpu"):
        result = unetscope(
            "trace", narrow, "--device", device, "--dtype", dtype, "-f", "json", "--modules"
        )
        tables.append(data(result))
    assert [each["provenance"].pop("device") for each in tables] == ["meta", "cpu"]
    assert tables[0] == tables[1]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_cuda_prints_what_meta_prints(unetscope, narrow):
    tables = [
        data(unetscope("trace", narrow, "--device", device, "-f", "json", "--modules"))
        for device in ("meta", "cuda")
    ]
    assert [each["provenance"].pop("device") for each in tables] == ["meta", "cuda:0"]
    assert tables[0] == tables[1]


def test_names_resolve_from_any_folder(unetscope, narrow, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert unetscope("trace", "narrow.yaml", "-f", "json").code == 0
    assert unetscope("trace", "./narrow.yaml", "-f", "json").code == 0
    assert unetscope("trace", "sd15.yaml", "--sections", "model").code == 0
    assert not Path("sd15.yaml").exists()


def test_chinese_titles(unetscope, narrow):
    result = unetscope("trace", narrow, "--lang", "zh", "--sections", "decoder", "-f", "markdown")
    assert "| **尺寸加倍** | 是 | 否 |" in result.out
    assert "| **Transformer 数量** | **0** | 2 |" in result.out


def test_a_saved_trace_has_no_symbols(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved)
    result = unetscope("trace", saved, "--symbolic")
    assert (result.code, result.out) == (2, "")
    assert (
        "is a saved trace: symbols are found by running the network at other sizes\nhint: "
        in result.err
    )


def test_a_failing_forward_names_module_function_shapes_and_key(unetscope, narrow, monkeypatch):
    from unetscope.families import find
    from unetscope.families.diffusers.networks.resnet import ResnetBlock2D

    forward = ResnetBlock2D.forward

    def broken(self, hidden_states, *rest):
        return forward(self, hidden_states[:, 1:], *rest)

    monkeypatch.setattr(ResnetBlock2D, "forward", broken)
    result = unetscope("trace", narrow)
    assert (result.code, result.out) == (2, "")
    assert (
        "`down_blocks.0.resnets.0.norm1` failed in `F.group_norm` given [1, 31, 8, 12]"
        in result.err
    )
    assert result.err.startswith(f"error: {narrow}:8:3: ")
    assert result.err.endswith("hint: most likely `unet.norm_num_groups`\n")
    likely_key = find("UNet2DConditionModel").likely_key
    assert likely_key("down_blocks.0.resnets.0.conv1") == "block_out_channels"
