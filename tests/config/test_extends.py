"""`extends` takes over what a config does not say."""

from __future__ import annotations

import pytest

from unetscope.config import load
from unetscope.config.inheritance import LONGEST_CHAIN

TINY = """
    unet:
      down_block_types: [DownBlock2D, DownBlock2D]
      up_block_types: [UpBlock2D, UpBlock2D]
      mid_block_type: null
      block_out_channels: [32, 64]
      norm_num_groups: 8
    inputs: {height: 16, width: 8}
"""


def test_mappings_are_merged_and_lists_replaced(write):
    write(TINY, "tiny.yaml")
    spec = load(
        write("extends: tiny.yaml\nunet: {block_out_channels: [8, 16]}\ninputs: {width: 4}\n")
    )
    assert spec.unet.block_out_channels == (8, 16)
    assert spec.unet.norm_num_groups == 8
    assert (spec.inputs.height, spec.inputs.width) == (16, 4)


def test_null_is_a_value(write):
    assert load(write("extends: sd15\nunet: {mid_block_type: null}\n")).unet.mid_block_type is None


def test_a_path_is_relative_to_the_extending_file(write):
    write(TINY, "bases/tiny.yaml")
    write("extends: tiny.yaml\n", "bases/same.yaml")
    assert load(write("extends: bases/same.yaml\n")).unet.block_out_channels == (32, 64)


def test_the_place_of_an_inherited_value_is_where_it_stands(write, refusal):
    write("extends: sd15\nunet:\n  norm_num_groups: 32\n  layers_per_block: x\n", "base.yaml")
    said = refusal(write("extends: base.yaml\nunet:\n  in_channels: 9\n"))
    assert said.startswith(
        "base.yaml:4:3: unet.layers_per_block: expected an int or a list of ints"
    )


def test_the_value_that_causes_a_fault_with_an_inherited_one(write, refusal):
    said = refusal(write("extends: sd15\nunet:\n  norm_num_groups: 7\n"))
    assert said.startswith("x.yaml:3:3: unet.norm_num_groups: expected a divisor of the levels' ")


@pytest.mark.parametrize("chain", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle(write, refusal, chain):
    for name, base in zip(chain, [*chain[1:], chain[0]], strict=True):
        write(f"name: {name}\nextends: {base}.yaml\n", f"{name}.yaml")
    assert refusal("a.yaml") == (
        f'{chain[-1]}.yaml:2:1: extends: "a.yaml" is this file or extends it in turn\n'
        "hint: a shipped config that has the name of this file is meant without its suffix"
    )


def test_a_shipped_config_under_the_name_of_the_file(write):
    assert load(write("extends: sd15\nname: Mine\n", "sd15.yaml")).unet.block_out_channels[0] == 320


def test_the_chain_has_a_longest(write, refusal):
    write(TINY, "0.yaml")
    for index in range(1, LONGEST_CHAIN + 1):
        write(f"extends: {index - 1}.yaml\n", f"{index}.yaml")
    assert load(f"{LONGEST_CHAIN - 1}.yaml").unet.norm_num_groups == 8
    assert refusal(f"{LONGEST_CHAIN}.yaml") == (
        "1.yaml:1:1: extends: a chain of more than 8 files, the bound for configs"
    )


def test_a_base_that_is_missing(write, refusal):
    assert refusal(write("extends: sdd15\n")) == (
        'x.yaml:1:1: there is no file and no shipped config "sdd15"\n'
        'hint: did you mean "sd15"? `unetscope list` shows the shipped configs'
    )


def test_a_base_that_is_no_name(write, refusal):
    said = refusal(write("extends: [sd15]\nunet: {}\n"))
    assert said == "x.yaml:1:1: extends: expected a string, found a list of 1"


def test_a_base_that_is_empty(write, refusal):
    write("", "base.yaml")
    said = refusal(write("extends: base.yaml\nunet: {}\n"))
    assert said == "base.yaml: expected a mapping, found null"
