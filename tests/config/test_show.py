"""What `show` prints is a config that loads as the same network."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from unetscope.config import load, shipped
from unetscope.config.document import parse
from unetscope.config.writing import to_yaml


def show_config(reference, **options):
    """What `unetscope show` prints."""
    return to_yaml(load(reference, **options).resolved)


@pytest.mark.parametrize("name", shipped())
def test_it_loads_as_the_same(write, name):
    spec = load(name)
    again = load(write(show_config(name)))
    assert (again.unet, again.inputs) == (spec.unet, spec.inputs)
    assert again.resolved == spec.resolved
    assert show_config("x.yaml") == show_config(name)


def test_what_it_prints():
    shown = show_config(
        "bk_sdm_small", overrides=["block_out_channels.3=960", "norm_eps=1e-6"], height=96
    )
    assert shown == (
        "name: BK-SDM-Small\n"
        "family: UNet2DConditionModel\n"
        "source: nota-ai/bk-sdm-small, unet/config.json\n"
        "\n"
        "unet:\n"
        "  sample_size: 64\n"
        "  in_channels: 4\n"
        "  out_channels: 4\n"
        "  down_block_types: [CrossAttnDownBlock2D, CrossAttnDownBlock2D, CrossAttnDownBlock2D, "
        "DownBlock2D]\n"
        "  mid_block_type: null\n"
        "  up_block_types: [UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D, "
        "CrossAttnUpBlock2D]\n"
        "  block_out_channels: [320, 640, 1280, 960]\n"
        "  layers_per_block: 1\n"
        "  act_fn: silu\n"
        "  norm_num_groups: 32\n"
        "  norm_eps: 1.0e-6\n"
        "  cross_attention_dim: 768\n"
        "  attention_head_dim: 8\n"
        "\n"
        "inputs:\n"
        "  batch: 1\n"
        "  height: 96\n"
        "  width: 64\n"
        "  tokens: 77\n"
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    ["on", "NO", "null", "~", "1e5", "1.0", "0o7", "a: b", "a #b", "- a", "a,b", "<<", "é", "😀"]
)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=20), max_leaves=40)
CONFIG = st.dictionaries(
    st.sampled_from(["name", "source"]), SCALAR | st.dictionaries(st.just("key"), VALUE), min_size=1
)


@given(CONFIG)
def test_any_values_survive(config):
    assert parse(to_yaml(config), "x.yaml").data == config


@given(CONFIG)
def test_readers_of_yaml_1_1_read_the_same(config):
    assert yaml.load(to_yaml(config), Loader=yaml.SafeLoader) == config
