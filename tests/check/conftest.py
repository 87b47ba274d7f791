"""Narrow configs, and `unetscope check` run as a shell would see it."""

from __future__ import annotations

import pytest

NARROW = """\
family: UNet2DConditionModel
unet:
  sample_size: 16
  block_out_channels: [64, 128]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  attention_head_dim: 2
  cross_attention_dim: 768
"""


@pytest.fixture
def check(unetscope, monkeypatch, tmp_path):
    """A function that runs `unetscope check ARGUMENTS` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: unetscope("check", *arguments)


@pytest.fixture
def narrow(tmp_path):
    """A function that writes the narrow config with some text replaced."""

    def write(*replaced, name="narrow.yaml"):
        text = NARROW
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write
