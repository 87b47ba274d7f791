"""A network that computes in milliseconds."""

from __future__ import annotations

import pytest

NARROW = """\
name: Narrow
family: UNet2DConditionModel
unet:
  block_out_channels: [32, 64]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  norm_num_groups: 8
  attention_head_dim: 4
  cross_attention_dim: 16
inputs: {height: 16, width: 24, tokens: 5}
"""


@pytest.fixture
def narrow(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(NARROW)
    return path
