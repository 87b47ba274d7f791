"""`--names compvis`: the original's names, in every table."""

import json
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[1] / "reference" / "compvis_names.json"


def data(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.mark.parametrize("config", ["sd15", "sdxl_base", "sd_x4_upscaler"])
def test_every_parameter_has_its_published_name(unetscope, config):
    published = json.loads(REFERENCE.read_text())[config]
    ours = data(unetscope("params", config, "--by", "tensor", "-f", "json"))
    theirs = data(unetscope("params", config, "--by", "tensor", "--names", "compvis", "-f", "json"))
    (table,) = [t for t in ours.values() if isinstance(t, dict) and "rows" in t][:1]
    (named,) = [t for t in theirs.values() if isinstance(t, dict) and "rows" in t][:1]
    compared = 0
    for row, other in zip(table["rows"], named["rows"], strict=True):
        module, _, suffix = row["name"].rpartition(".")
        if module in published:  # deeper transformer blocks are named like the first
            assert other["name"] == f"{published[module]}.{suffix}"
            compared += 1
        assert not other["name"].startswith(("down_blocks", "up_blocks", "mid_block"))
    assert compared >= 500


def test_the_ledger_and_the_steps_are_told_in_the_originals_names(unetscope):
    tables = data(unetscope("trace", "sd15", "--names", "compvis", "-f", "json"))
    producers = {row["push"]: row["producer"] for row in tables["ledger"]["rows"]}
    assert producers[0] == "input_blocks.0.0"
    assert producers[5] == "input_blocks.5.1"
    assert producers[9] == "input_blocks.9.0"
    steps = [row["operation"] for table in tables["steps"] for row in table["rows"]]
    assert steps[1] == "output_blocks.0.0"
    assert tables["steps"][0]["rows"][1]["layer"] == "in_layers.2"
    assert "resnets" not in json.dumps(tables["steps"])


def test_numbers_do_not_change_with_the_names(unetscope):
    def numbers(value):
        if isinstance(value, dict):
            return [numbers(item) for item in value.values()]
        if isinstance(value, list):
            return [numbers(item) for item in value]
        return None if isinstance(value, str) else value

    ours, theirs = (
        data(unetscope("trace", "sd15", "--names", names, "-f", "json"))
        for names in ("diffusers", "compvis")
    )
    assert numbers(ours) == numbers(theirs)


def test_a_block_may_be_asked_for_by_either_name(unetscope):
    ours = unetscope("trace", "sd15", "--ops", "down_blocks.0.resnets.0", "-f", "json")
    theirs = unetscope("trace", "sd15", "--ops", "input_blocks[1][0]", "-f", "json")
    assert data(ours) == data(theirs)


def test_a_diff_is_told_in_the_originals_names_and_judged_the_same(unetscope):
    ours, theirs = (
        unetscope("diff", "sd15", "sd15_inpaint", "--names", names, "-f", "json")
        for names in ("diffusers", "compvis")
    )
    assert ours.code == theirs.code == 1
    assert "input_blocks.0.0.weight" in theirs.out
    assert "conv_in" not in theirs.out
    told = theirs.out.replace("input_blocks.0.0.weight", "conv_in.weight")
    assert told.replace('"names": "compvis"', '"names": "diffusers"') == ours.out


def test_an_attention_without_a_text_has_one_tensor_of_queries_keys_and_values(unetscope):
    found = unetscope(
        "params", "adm_imagenet64", "--by", "tensor", "--match", "mid_block.attentions.*",
        "--names", "compvis", "-f", "json",
    )  # fmt: skip
    names = [row["name"] for row in data(found)["parameters"]["rows"]]
    kinds = ["norm", *["qkv"] * 3, "proj_out"]
    assert names == [
        f"middle_block.1.{kind}.{part}" for kind in kinds for part in ("weight", "bias")
    ]
    assert "`to_q`, `to_k` and `to_v` of an attention without a text in one tensor" in found.err


def test_resnets_that_halve_are_resnets_there(unetscope):
    found = unetscope("trace", "adm_imagenet64", "--names", "compvis", "--ops", "input_blocks.4.0")
    assert found.code == 0
    assert "Functions: input_blocks.4.0" in found.out


@pytest.mark.parametrize("config", ["article_003", "sd_x2_latent_upscaler"])
def test_a_network_without_such_names_is_refused(unetscope, config):
    found = unetscope("trace", config, "--names", "compvis")
    assert found.code == 2
    assert "has no names there" in found.err
    assert found.out == ""
