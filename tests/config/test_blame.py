"""Of the keys that a broken rule is about, the one that was given latest is to blame."""

from __future__ import annotations

import pytest

from unetscope.cli import run
from unetscope.config.loading import document_of

BASE = """
    unet:
      down_block_types: [CrossAttnDownBlock2D, CrossAttnDownBlock2D, DownBlock2D]
      up_block_types: [UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]
      block_out_channels: [32, 64, 64]
      norm_num_groups: 32
      attention_head_dim: [4, 8, 8]
      cross_attention_dim: 16
      layers_per_block: [1, 2, 1]
      transformer_layers_per_block: [1, 1, 1]
      reverse_transformer_layers_per_block: [[1, 1], [1, 1, 1], [1, 1]]
    inputs: {height: 8, width: 8}
"""

OVERRIDES = {
    "block_out_channels: [32, 64]": "block_out_channels: expected 3 entries",
    "block_out_channels: [32, 48, 64]": "block_out_channels.1: expected a multiple of norm_num_gr",
    "block_out_channels: [32, 64, 64, 64]": "block_out_channels: expected 3 entries",
    "norm_num_groups: 64": "norm_num_groups: expected a divisor of the levels' channels, 32, found",
    "norm_num_groups: null": "norm_num_groups: expected a number",
    "attention_head_dim: 7": "attention_head_dim: expected a divisor",
    "attention_head_dim: [4, 7, 8]": "attention_head_dim.1: expected a divisor",
    "down_block_types: [DownBlock2D, DownBlock2D]": "up_block_types: expected 2 entries",
    "down_block_types: [KDownBlock2D, KDownBlock2D, KDownBlock2D]": "up_block_types.0: expected bl",
    "layers_per_block: [1, 2]": "layers_per_block: expected 3 entries",
    "layers_per_block: 2": "reverse_transformer_layers_per_block.2: expected 3 entries",
    "conv_in_kernel: 2": "inputs.height: the network cannot take",
    "addition_embed_type: text_time": "addition_time_embed_dim: expected a number",
    "encoder_hid_dim_type: text_proj": "encoder_hid_dim: expected a number",
    "class_embeddings_concat: true": "class_embeddings_concat: expected class_embed_type",
    "cross_attention_dim: [16, 16]": "cross_attention_dim: expected 3 entries",
}


@pytest.fixture
def base(write):
    """A config that others extend."""
    return write(BASE, "base.yaml")


@pytest.mark.parametrize(("line", "said"), OVERRIDES.items())
def test_a_child_that_breaks_what_its_base_said(write, refusal, base, line, said):
    name = write(f"extends: {base}\nunet:\n  act_fn: gelu\n  {line}\n")
    place, found = refusal(name).split(": ", 1)
    assert place.startswith("x.yaml:4:")
    assert found.removeprefix("unet.").startswith(said)


@pytest.mark.parametrize(("line", "said"), OVERRIDES.items())
def test_the_command_line_over_a_child(write, refusal, base, line, said):
    name = write(f"extends: {base}\nunet: {{norm_num_groups: 32, layers_per_block: [1, 2, 1]}}\n")
    override = line.replace(": ", "=")
    found = refusal(name, overrides=["act_fn=gelu", override])
    assert found.startswith(f"--set {override}: ")
    assert said in found


def test_an_item_that_is_set(write, refusal, base):
    name = write(f"extends: {base}\nname: x\n")
    for override in ("block_out_channels.1=48", "attention_head_dim.0=7", "down_block_types.1=K"):
        assert refusal(name, overrides=[override]).startswith(f"--set {override}: ")


def test_the_later_of_two_options(refusal, base):
    groups, channels = "norm_num_groups=16", "block_out_channels=[32, 40, 64]"
    assert refusal(base, overrides=[channels, groups]).startswith(
        f"--set {groups}: unet.norm_num_groups: expected a divisor of the levels' channels, 40"
    )
    assert refusal(base, overrides=[groups, channels]).startswith(
        f"--set {channels}: unet.block_out_channels.1: expected a multiple of norm_num_groups, 16"
    )
    assert refusal(base, batch=65_536, height=65_536).startswith("--height 65536: ")


def test_the_latest_of_three_files(write, refusal, base):
    write(
        f"extends: {base}\nunet: {{block_out_channels: [32, 48, 64], norm_num_groups: 16}}\n",
        "middle.yaml",
    )
    assert refusal(write("extends: middle.yaml\nunet:\n  norm_num_groups: 32\n")).startswith(
        "x.yaml:3:3: unet.norm_num_groups: expected a divisor of the levels' channels, 48, found 32"
    )
    write("extends: middle.yaml\nunet: {norm_num_groups: 32}\n", "lower.yaml")
    assert refusal(write("extends: lower.yaml\nunet:\n  act_fn: gelu\n")).startswith("lower.yaml:2")


def test_a_family_that_does_not_know_what_its_base_says(write, refusal, base):
    said = refusal(write(f"extends: {base}\nname: x\nfamily: UNet2DModel\n"))
    assert said.startswith("x.yaml:3:1: unet.")


def test_within_one_file_the_rule_says_which(write, refusal):
    lines = "norm_num_groups: 31\n  block_out_channels: [31, 31, 31, 32]"
    said = refusal(write(f"unet:\n  {lines}\n"))
    assert said.startswith("x.yaml:3:36: unet.block_out_channels.3: expected a multiple of norm_nu")


def test_check_says_the_same(write, capsys, base):
    name = write(f"extends: {base}\nunet:\n  down_block_types: [DownBlock2D]\n")
    assert run(["check", name, "--format", "github"]) == 1
    out = capsys.readouterr().out
    assert "file=x.yaml,line=3" in out
    assert "base.yaml" not in out


def test_layers_do_not_make_places_differ(write, base):
    places = document_of(write(f"extends: {base}\nunet: {{act_fn: gelu}}\n")).places
    assert places["unet", "act_fn"].layer == 1
    assert places["unet", "norm_num_groups"].layer == 0
