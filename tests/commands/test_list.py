"""`unetscope list`: the shipped configs by lineage, from an index that test_zoo.py keeps true."""

import json

from unetscope.config import shipped


def rows(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["configs"]["rows"]


def test_every_config_is_listed_once_behind_the_one_it_extends(unetscope):
    listed = rows(unetscope("list", "-f", "json"))
    names = [row["name"] for row in listed]
    assert sorted(names) == sorted(shipped())
    for row in listed:
        if row["extends"]:
            assert names.index(row["extends"]) < names.index(row["name"])


def test_what_a_row_says(unetscope):
    (row,) = [row for row in rows(unetscope("list", "-f", "json")) if row["name"] == "sd15"]
    assert row == {
        "name": "sd15",
        "title": "Stable Diffusion 1.5",
        "parameters": 859_520_964,
        "macs": 401_636_720_640,
        "sample_size": [64, 64],
        "conditioning": ["encoder_hidden_states"],
        "family": "UNet2DConditionModel",
        "extends": None,
        "source": "runwayml/stable-diffusion-v1-5, unet/config.json",
    }


def test_a_text_chooses(unetscope):
    names = [row["name"] for row in rows(unetscope("list", "SDXL", "-f", "json"))]
    assert "sdxl_base" in names
    assert "sd15" not in names
    nothing = unetscope("list", "no such network")
    assert (nothing.code, nothing.err.splitlines()[0]) == (
        0,
        "no shipped config speaks of `no such network`",
    )


def test_classes_that_run_from_their_own_code_are_named(unetscope):
    result = unetscope("list", "sdxl")
    assert "UNet3DConditionModel" in result.err
    assert unetscope("list", "sdxl", "-q").err == ""
