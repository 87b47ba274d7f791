"""Configs narrow enough to trace and lock in a moment, for the tests of several folders."""

NARROW = """\
extends: sd15
name: Narrow
unet:
  block_out_channels: [8, 16]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  attention_head_dim: 2
  cross_attention_dim: 6
  norm_num_groups: 4
inputs: {height: 16, width: 16, tokens: 5}
"""
"""Stable Diffusion's blocks, a few channels wide."""
NARROWING = (
    "block_out_channels=[8, 16]",
    "down_block_types=[CrossAttnDownBlock2D, DownBlock2D]",
    "up_block_types=[UpBlock2D, CrossAttnUpBlock2D]",
    "norm_num_groups=4",
    "attention_head_dim=2",
    "cross_attention_dim=6",
    "layers_per_block=1",
)
"""The same as values for `--set`."""
OTHER_LEVELS = {
    "attention below": (
        "down_block_types=[DownBlock2D, CrossAttnDownBlock2D]",
        "up_block_types=[CrossAttnUpBlock2D, UpBlock2D]",
    ),
    "three levels": (
        "block_out_channels=[8, 8, 16]",
        "down_block_types=[CrossAttnDownBlock2D, DownBlock2D, DownBlock2D]",
        "up_block_types=[UpBlock2D, UpBlock2D, CrossAttnUpBlock2D]",
    ),
}
"""What makes such a network one of other levels, likewise."""
OBLONG = """\
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
inputs: {height: 8, width: 12, tokens: 5}
"""
"""The same blocks, run on what is wider than high."""
TINY = """\
name: tiny
family: UNet2DModel
unet:
  sample_size: 8
  block_out_channels: [8]
  layers_per_block: 1
  norm_num_groups: 8
  down_block_types: [DownBlock2D]
  up_block_types: [UpBlock2D]
  add_attention: false
"""
"""One block down and one up, without attention."""
