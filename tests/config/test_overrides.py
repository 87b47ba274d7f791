"""`--set KEY=VALUE` sets one value of `unet`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetscope.config import load

REFUSED = {
    "block_out_channels.9=1": "index 9, but the list has 4 entries",
    "block_out_channels.x=1": 'expected an index from 0 to 3, found "x"',
    "block_out_channels.-1=1": 'expected an index from 0 to 3, found "-1"',
    "block_out_channels.0.0=1": (
        "block_out_channels.0 is 320, not a list\n"
        "hint: give the whole list: --set block_out_channels.0=[…]"
    ),
    "layers_per_block.1=3": (
        "layers_per_block is 2, not a list\nhint: give the whole list: --set layers_per_block=[…]"
    ),
    "sample_size.1=3": (
        "sample_size is 64, not a list\nhint: give the whole list: --set sample_size=[…]"
    ),
    "block_out_chanels.3=1": (
        "unet.block_out_chanels: unknown key\nhint: did you mean block_out_channels?"
    ),
    "unet.block_out_channels.3=wide": (
        'unet.block_out_channels.3: expected an int, found the string "wide"'
    ),
    "block_out_channels[3]=961": (
        "unet.block_out_channels.3: expected a multiple of norm_num_groups, 32, found 961\n"
        "hint: 960 or 992 would do"
    ),
    "unet={}": ("unet.unet: unknown key\nhint: expected one of "),
    "norm_eps=": "unet.norm_eps: expected a number, found null",
    "norm_eps": "expected KEY=VALUE\nhint: for example --set block_out_channels.3=960",
    "=1": "expected KEY=VALUE\nhint: for example --set block_out_channels.3=960",
    "a..b=1": "expected KEY=VALUE\nhint: for example --set block_out_channels.3=960",
    "norm_eps=[": "not YAML: did not find expected node content while parsing a flow node",
    "norm_eps=!!python/none 1": (
        'the tag "tag:yaml.org,2002:python/none" is refused; a config holds plain values'
    ),
    "norm_eps=\udcff": "not a text file: holds what is not Unicode",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_refused(refusal, text, said):
    shown = text.replace("\udcff", "\\udcff")
    assert refusal("sd15", overrides=[text]).startswith(f"--set {shown}: {said}")


def test_as_the_manual_says():
    spec = load("sd15", overrides=["block_out_channels.3=960"])
    assert spec.unet.block_out_channels == (320, 640, 1280, 960)
    assert spec.resolved["unet"]["block_out_channels"] == [320, 640, 1280, 960]
    assert load("sd15").unet.block_out_channels == (320, 640, 1280, 1280)


def test_spellings_are_equal():
    spellings = ("block_out_channels.3", "unet.block_out_channels[3]", "block_out_channels[3]")
    assert len({load("sd15", overrides=[f"{key}=960"]).unet for key in spellings}) == 1


def test_an_index_into_a_default(write):
    name = write("unet: {sample_size: 8}\n")
    spec = load(name, overrides=["block_out_channels.0=64"])
    assert spec.unet.block_out_channels == (64, 640, 1280, 1280)


def test_the_last_one_counts():
    spec = load(
        "sd15",
        overrides=["layers_per_block=1", "layers_per_block=[1, 1, 1, 3]", "layers_per_block.0=2"],
    )
    assert spec.unet.layers_per_block == (2, 1, 1, 3)


@given(st.integers(0, 3), st.integers(1, 64), st.booleans())
def test_what_is_set_is_read_back(index, groups_of_32, prefix):
    width = 32 * groups_of_32
    key = f"{'unet.' if prefix else ''}block_out_channels.{index}"
    spec = load("sd15", overrides=[f"{key}={width}"])
    assert spec.unet.block_out_channels[index] == width
    assert spec.places["unet", "block_out_channels", index].file == f"--set {key}={width}"


@given(st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_a_list_item_by_item_is_the_list(layers):
    whole = load("sd15", overrides=[f"layers_per_block={json.dumps(layers)}"])
    items = [f"layers_per_block.{index}={count}" for index, count in enumerate(layers)]
    one_by_one = load("sd15", overrides=["layers_per_block=[1, 1, 1, 1]", *items])
    assert whole.resolved == one_by_one.resolved
    assert whole.unet == one_by_one.unet


def test_flags_override_inputs():
    inputs = load("sd15", batch=2, height=96, width=32, tokens=5).inputs
    assert (inputs.batch, inputs.height, inputs.width, inputs.tokens) == (2, 96, 32, 5)
