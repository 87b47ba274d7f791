"""`unetscope flops`: stdout, stderr and exit code."""

import csv
import io
import json

import pytest

GROUPINGS = ("block", "part", "mbw", "module", "op")


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_stable_diffusion_by_block(unetscope):
    result = unetscope("flops", "sd15")
    assert result.code == 0
    assert result.err == ""
    lines = result.out.splitlines()
    assert "Total           401.6 GMACs  803.3 GFLOPs  100.0 %" in lines
    assert any(line.startswith("up_blocks.3      98.8 GMACs") for line in lines)
    assert "Many papers leave out attention's products: 338.6 GMACs without them." in lines
    assert any(line.startswith("1 MAC, one multiply-add, is 2 FLOPs.") for line in lines)


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("top", [None, 2])
def test_rows_add_up_to_the_total(unetscope, narrow, by, top):
    more = [] if top is None else ["--top", top]
    table = data(unetscope("flops", narrow, "--by", by, *more, "-f", "json"))["flops"]
    for key in ("macs", "flops"):
        assert sum(row[key] for row in table["rows"]) == table["total"][key] > 0
    assert sum(row["share"] for row in table["rows"]) == pytest.approx(1)
    assert table["total"]["flops"] == 2 * table["total"]["macs"]
    assert table["without_formula"] == {}
    if top is not None:
        assert len(table["rows"]) == top + 1
        assert table["rows"][0]["macs"] >= table["rows"][1]["macs"]


def test_every_grouping_has_the_same_total(unetscope, narrow):
    totals = {
        data(unetscope("flops", narrow, "--by", by, "-f", "json"))["flops"]["total"]["macs"]
        for by in GROUPINGS
    }
    assert len(totals) == 1


def test_kinds_of_modules_nest_so_they_have_no_total(unetscope, narrow):
    table = data(unetscope("flops", narrow, "--by", "type", "-f", "json"))["flops"]
    inside = {row["kind"]: row["macs"] for row in table["rows"]}
    assert "total" not in table
    assert 0 < inside["SelfAttention"] < inside["BasicTransformerBlock"]
    assert inside["BasicTransformerBlock"] < inside["SpatialTransformer"] < table["total_macs"]
    assert unetscope("flops", narrow, "--by", "type", "--top", 2).code == 2


def test_stages_by_kind_add_up_both_ways(unetscope, narrow):
    table = data(unetscope("flops", narrow, "--by", "stage-kind", "-f", "json"))["flops"]
    rows, total = table["rows"], table["total"]
    for key in total.keys() - {"stage"}:
        assert sum(row[key] for row in rows) == total[key] > 0
    for row in (*rows, total):
        assert sum(row[key] for key in row.keys() - {"stage", "total"}) == row["total"]
    assert total["total"] == table["total_macs"]


def test_depth_tells_levels_of_modules_apart(unetscope, narrow):
    result = unetscope("flops", narrow, "--by", "module", "--depth", 1, "-f", "json")
    rows = data(result)["flops"]["rows"]
    assert [row["path"] for row in rows] == [
        "time_embedding", "conv_in", "down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.0",
        "up_blocks.1", "conv_out",
    ]  # fmt: skip
    assert unetscope("flops", narrow, "--depth", 1).code == 2


def test_a_whole_image(unetscope, narrow):
    tables = data(unetscope("flops", narrow, "--steps", 50, "--cfg", "-f", "json"))
    one = tables["flops"]["total"]["macs"]
    assert tables["image"] == {
        "steps": 50, "passes_per_step": 2, "forward_passes": 100,
        "macs": 100 * one, "flops": 200 * one,
    }  # fmt: skip


def test_sizes(unetscope, narrow):
    one, two = (
        data(unetscope("flops", narrow, "--batch", batch, "-f", "json"))["flops"]["total_macs"]
        for batch in (1, 2)
    )
    assert two == 2 * one
    wide = data(unetscope("flops", narrow, "--height", 16, "--by", "op", "-f", "json"))
    kinds = {row["op"]: row["macs"] for row in wide["flops"]["rows"]}
    narrower = data(unetscope("flops", narrow, "--by", "op", "-f", "json"))
    before = {row["op"]: row["macs"] for row in narrower["flops"]["rows"]}
    assert kinds["convolution"] == 2 * before["convolution"]
    assert kinds["self_attention"] == 4 * before["self_attention"]


def test_csv_is_the_one_table(unetscope, narrow):
    result = unetscope("flops", narrow, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    table = data(unetscope("flops", narrow, "-f", "json"))["flops"]
    assert [int(row["macs"]) for row in rows] == [row["macs"] for row in table["rows"]]
    assert list(rows[0]) == ["block", "macs", "flops", "share"]


def test_chinese_and_markdown(unetscope, narrow):
    result = unetscope("flops", narrow, "--by", "op", "--lang", "zh", "-f", "markdown")
    assert result.code == 0
    assert "| 卷积 |" in result.out
    assert "1 MAC（一次乘加）等于 2 FLOPs" in result.out


def test_a_saved_trace_is_counted_the_same(unetscope, narrow, tmp_path):
    saved = tmp_path / "t.json"
    unetscope("trace", narrow, "--save", saved, "-q", "--sections", "model")
    from_trace = unetscope("flops", saved, "-f", "json")
    assert data(from_trace) == data(unetscope("flops", narrow, "-f", "json"))
    refused = unetscope("flops", saved, "--audit")
    assert refused.code == 2
    assert "is a saved trace: an audit runs the network again" in refused.err


def test_the_heading_of_a_trace_has_them_too(unetscope, narrow):
    model = data(unetscope("trace", narrow, "--sections", "model", "-f", "json"))["model"]
    total = data(unetscope("flops", narrow, "-f", "json"))["flops"]["total"]
    assert (model["macs"], model["flops"]) == (total["macs"], total["flops"])


@pytest.mark.parametrize(
    "arguments", [["--by", "colour"], ["--top", "0"], ["--full"], ["--steps", "-1"]]
)
def test_what_cannot_be_is_refused(unetscope, narrow, arguments):
    result = unetscope("flops", narrow, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert arguments[0] in result.err


def test_an_audit_explains_every_difference(unetscope, narrow):
    result = unetscope("flops", narrow, "--audit", "-f", "json")
    torchs, fvcores = data(result)["audit"]
    assert torchs["explained"] is fvcores["explained"] is True
    assert torchs["total"]["difference"] == 0
    assert torchs["total"]["unetscope_macs"] > 0
    lines = {row["kind"]: row for row in fvcores["rows"]}
    assert lines["products"]["reasons"] == ["no_attention"]
    assert lines["products"]["reason_macs"] == [-lines["products"]["unetscope_macs"]]
    assert "4, 8 channels" in fvcores["network"]  # a narrow twin
    assert "Narrow, 4, 8 channels, 4x4 for fvcore" in result.err


def test_a_full_audit_runs_the_network_itself(unetscope, narrow):
    tables = data(unetscope("flops", narrow, "--audit", "--full", "-q", "-f", "json"))["audit"]
    assert tables[0]["network"] == tables[1]["network"] == "Narrow, 32, 64 channels, 8x12"
    assert tables[0]["total"]["unetscope_macs"] == tables[1]["total"]["unetscope_macs"]


def test_an_audit_with_an_unexplained_difference_is_exit_1(unetscope, narrow, monkeypatch):
    from unetscope.tracing import engines

    honest = engines.by_torch

    def too_many(model, args, kwargs):
        counted = honest(model, args, kwargs)
        return {**counted, "convolution": counted["convolution"] + 1}

    monkeypatch.setattr(engines, "by_torch", too_many)
    result = unetscope("flops", narrow, "--audit")
    assert result.code == 1
    assert "Some differences are not explained." in result.out


def test_a_twin_is_the_same_network_with_fewer_channels():
    from unetscope.sources import Request, resolve

    for name in ("sd15", "sdxl_base", "sd_x4_upscaler"):
        network = resolve(Request(name))
        spec, twin = network.spec, network.narrow().spec
        assert max(twin.unet.block_out_channels) <= 64
        assert twin.unet.down_block_types == spec.unet.down_block_types
        assert twin.unet.attention_head_dim == spec.unet.attention_head_dim
