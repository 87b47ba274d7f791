"""The tables of pruned networks: what is pushed, what is popped, and what is left."""

from __future__ import annotations

import json
import re

import pytest

PRUNED = """
unet:
  block_out_channels: [8, 16, 16]
  down_block_types: [CrossAttnDownBlock2D, CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]
  norm_num_groups: 4
  attention_head_dim: 2
  cross_attention_dim: 768
  layers_per_block: [2, 1, 1]
  up_layers_per_block: [[1], 2, [0, 2]]
  transformer_layers_per_block: [[1, null], 1, 1]
  reverse_transformer_layers_per_block: [1, [null, 2], 1]
inputs: {height: 16, width: 16}
"""
LEFT = ["down_blocks.0.attentions.0", "down_blocks.2.resnets.0"]


@pytest.fixture
def pruned(tmp_path):
    path = tmp_path / "pruned.yaml"
    path.write_text(PRUNED)
    return path


def test_pushes_and_pops(unetscope, pruned):
    tables = json.loads(unetscope("trace", pruned, "-f", "json").out)
    ledger, residuals = tables["ledger"], tables["residuals"]
    assert (ledger["pushed"], ledger["popped"], ledger["never_joined"]) == (5, 5, LEFT)
    assert ledger["last_in_first_out"]
    assert residuals["total"] == 7
    assert [row["producer"] for row in residuals["rows"] if row["push"] is None] == LEFT


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_left_is_named(unetscope, pruned, language):
    told = unetscope("skips", pruned, "--lang", language).out
    assert all(name in told for name in LEFT)


def test_compvis_names_count_the_layers_that_there_are(unetscope, pruned):
    told = unetscope("params", pruned, "--names", "compvis", "--by", "module").out
    found = {int(number) for number in re.findall(r"output_blocks\.(\d+)\.0\.in_layers", told)}
    assert found == {0, 1, 2, 3, 4}
    # The one ResNet of the first level, its missing transformer, and the upsampler behind it.
    assert "output_blocks.0.1.conv" in told
    assert "output_blocks.1.1" not in told


@pytest.mark.parametrize(
    "command",
    [
        ("params",),
        ("flops",),
        ("memory",),
        ("sweep", "--height", "16,32"),
        ("check",),
        ("show",),
        ("compare", "sd15"),
        ("explain", "up_blocks.1.attentions.1"),
        ("trace", "--set", "up_layers_per_block.2=[1]", "--set",
         "reverse_transformer_layers_per_block.2=[null]"),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_every_command_takes_one(unetscope, pruned, command):
    name, *arguments = command
    done = unetscope(name, pruned, *arguments)
    assert (done.code, done.err) == (0, "")


def test_lock_and_diff(unetscope, pruned, monkeypatch):
    monkeypatch.chdir(pruned.parent)
    assert unetscope("lock", "pruned.yaml").code == 0
    assert unetscope("lock", "--check", "pruned.yaml").code == 0
    pruned.write_text(PRUNED.replace("[[1], 2, [0, 2]]", "[[0], 2, [0, 2]]"))
    done = unetscope("lock", "--check", "pruned.yaml")
    assert done.code == 1
    assert "down_blocks.1.downsamplers.0 -> down_blocks.2.resnets.0" in done.out
