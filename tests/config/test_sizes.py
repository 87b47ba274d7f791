"""Which input sizes work is what diffusers' own network does with them."""

from __future__ import annotations

import msgspec
import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unetscope.config.sizes import takes
from unetscope.config.unet2d_condition import UNet2DConditionConfig

SIDES = st.integers(1, 33)


@settings(max_examples=60, deadline=None)
@given(
    SIDES,
    SIDES,
    st.integers(1, 4),
    st.sampled_from([0, 1]),
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from([1, 2, 3]),
)
@example(1, 1, 4, 1, 3, 3)
@example(7, 8, 4, 0, 3, 3)
@example(8, 8, 4, 1, 2, 3)
@example(1, 1, 1, 1, 3, 2)
def test_as_in_diffusers(height, width, levels, padding, kernel_in, kernel_out):
    options = {
        "in_channels": 1,
        "out_channels": 1,
        "down_block_types": ["DownBlock2D"] * levels,
        "mid_block_type": None,
        "up_block_types": ["UpBlock2D"] * levels,
        "block_out_channels": [2] * levels,
        "layers_per_block": 1,
        "norm_num_groups": 1,
        "downsample_padding": padding,
        "conv_in_kernel": kernel_in,
        "conv_out_kernel": kernel_out,
        "attention_head_dim": 1,
    }
    with torch.device("meta"):
        network = UNet2DConditionModel(**options)
        sample = torch.empty(1, 1, height, width)
    config = msgspec.convert(options, UNet2DConditionConfig)
    if takes(config, (height, width)):
        assert network(sample, 1, None).sample.shape[:2] == (1, 1)
    else:
        with pytest.raises(RuntimeError):
            network(sample, 1, None)


@pytest.mark.parametrize("height", [1, 2, 3, 60, 61, 511])
def test_stable_diffusion_takes_any_size(height):
    from unetscope.config import load

    assert load("sd15", height=height, width=1).inputs.height == height


def test_what_is_said(refusal):
    assert refusal("sd15", overrides=["downsample_padding=0"], height=7, width=16) == (
        "--height 7: inputs.height: the network cannot take a sample of 7x16\n"
        "hint: the nearest that work are 8x17"
    )
    assert refusal("sd15", overrides=["conv_in_kernel=2"], height=64, width=32) == (
        "--width 32: inputs.width: the network cannot take a sample of 64x32\n"
        "hint: the nearest that work are 63x31 and 65x33"
    )
