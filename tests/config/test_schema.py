"""The JSON Schema accepts what loads, and rejects what is refused for a type or a bound.

An editor reads a config by YAML 1.1, as PyYAML does, and knows it by the schema alone.
"""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from unetscope.config import shipped
from unetscope.config.json_schema import json_schema
from unetscope.config.sections import keys_of
from unetscope.families import FAMILIES, every, find

SCHEMA = json.loads(json.dumps(json_schema()))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def errors(text):
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(json_schema()) == list(json_schema())


@pytest.mark.parametrize("path", shipped().values(), ids=shipped())
def test_shipped_configs(path):
    assert errors(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("unets: {}", "$"),
        ("unet: {layer_per_block: 2}", "$.unet"),
        ("inputs: {hight: 64}", "$.inputs"),
        ("unet: {layers_per_block: two}", "$.unet.layers_per_block"),
        ("unet: {layers_per_block: 1000000000}", "$.unet.layers_per_block"),
        ("unet: {block_out_channels: []}", "$.unet.block_out_channels"),
        ("unet: {down_block_types: [DownBlok2D]}", "$.unet.down_block_types[0]"),
        ("unet: {mid_block_type: UNetMidBlok2D}", "$.unet.mid_block_type"),
        ("inputs: {batch: 0}", "$.inputs.batch"),
        ("family: UNet", "$.family"),
        ("family: UNet2DModel\nunet: {cross_attention_dim: 8}", "$.unet"),
        ("family: UNet2DModel\nunet: {add_attention: 8}", "$.unet.add_attention"),
        ("family: ControlNetModel\nunet: {up_block_types: [UpBlock2D]}", "$.unet"),
        ("extends: x\nunet: {layer_per_block: 8}", "$.unet"),
        ("extends: x\nunet: {add_attention: 8}", "$.unet.add_attention"),
        ("extends: x\nunet: {mid_block_type: UNetMidBlok2D}", "$.unet.mid_block_type"),
    ],
)
def test_typos(text, at):
    assert errors(text) == [at]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("norm_eps", "0"),
        ("norm_eps", "[1.0e-5]"),
        ("dropout", "1.5"),
        ("block_out_channels", "[320, 640, 1280, 70000]"),
        ("block_out_channels", "[320, 640, 1280, wide]"),
        ("layers_per_block", "65"),
        ("layers_per_block", "2.5"),
        ("downsample_padding", "2"),
        ("sample_size", "[64, 64, 64]"),
        ("use_linear_projection", "1"),
        ("mid_block_type", "true"),
        ("act_fn", "selu"),
        ("transformer_layers_per_block", "[1, 2, 3, [65]]"),
    ],
)
def test_it_refuses_what_is_refused_for_its_type_or_bounds(write, refusal, option, value):
    text = f"extends: sd15\nunet:\n  {option}: {value}\n"
    assert refusal(write(text)).startswith("x.yaml:3:")
    (at,) = errors(text)
    assert at.startswith(f"$.unet.{option}")


def test_it_takes_what_every_family_has_by_default():
    for name in FAMILIES:
        defaults = {key: each.default for key, each in keys_of(find(name).options).items()}
        text = yaml.safe_dump(json.loads(json.dumps({"family": name, "unet": defaults})))
        assert errors(text) == [], name


def test_an_heir_may_be_of_any_family():
    options = {key for each in every() for key in keys_of(each.options)}
    assert set(SCHEMA["$defs"]["InheritedOptions"]["properties"]) == options
    assert errors("extends: x\nunet: {add_attention: true, cross_attention_dim: [1, 2]}") == []
    assert errors("unet: {add_attention: true}") == ["$.unet"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_option_is_there(family):
    options = find(family).options
    assert list(SCHEMA["$defs"][options.__name__]["properties"]) == list(keys_of(options))


def test_sections_are_described():
    config = SCHEMA["$defs"]["ConfigFile"]
    assert all(entry["description"] for entry in config["properties"].values())
    assert config["properties"]["source"]["description"] == "where the values come from."
