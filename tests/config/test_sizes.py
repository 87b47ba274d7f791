"""Which input sizes work is what diffusers' own network does with them."""

from __future__ import annotations

import diffusers
import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unetscope.families import find

SIDES = st.integers(1, 33)
DOWN = [
    "DownBlock2D",
    "CrossAttnDownBlock2D",
    "AttnDownBlock2D",
    "ResnetDownsampleBlock2D",
    "SimpleCrossAttnDownBlock2D",
]
UP = [
    "UpBlock2D",
    "CrossAttnUpBlock2D",
    "AttnUpBlock2D",
    "ResnetUpsampleBlock2D",
    "SimpleCrossAttnUpBlock2D",
]
PLAIN_DOWN = ["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"]
PLAIN_UP = ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"]


def agrees_with_diffusers(family, options, size, **inputs):
    """Whether their network runs just if ours would."""
    with torch.device("meta"):
        network = getattr(diffusers, family)(**options)
        sample = torch.empty(1, options["in_channels"], *size)
    try:
        network(sample, 1, **inputs)
    except (RuntimeError, ValueError):
        runs = False
    else:
        runs = True
    made = msgspec.convert(options, find(family).options)
    return find(family).sizes.takes(made, size) == runs


def blocks(names, levels):
    return st.lists(st.sampled_from(names), min_size=levels, max_size=levels)


@st.composite
def conditional(draw):
    levels = draw(st.integers(1, 4))
    only_up = draw(st.booleans())
    return {
        "in_channels": 1,
        "out_channels": 1,
        "down_block_types": draw(blocks(DOWN[:1] if only_up else DOWN, levels)),
        "mid_block_type": None,
        "up_block_types": draw(blocks(UP[:2] if only_up else UP, levels)),
        "block_out_channels": [2] * levels,
        "layers_per_block": 1,
        "norm_num_groups": 1,
        "cross_attention_dim": 2,
        "attention_head_dim": 1,
        "downsample_padding": draw(st.sampled_from([0, 1])),
        "conv_in_kernel": draw(st.sampled_from([1, 2, 3, 3, 4])),
        "conv_out_kernel": draw(st.sampled_from([1, 2, 3, 3])),
    }


ROUND = st.integers(1, 8).map(lambda n: 8 * n)


@settings(max_examples=30, deadline=None)
@given(conditional(), SIDES | ROUND, SIDES | ROUND)
def test_conditional_networks(options, height, width):
    assert agrees_with_diffusers(
        "UNet2DConditionModel", options, (height, width), encoder_hidden_states=None
    )


@st.composite
def plain(draw):
    levels = draw(st.integers(1, 4))
    skips = draw(st.booleans())
    return {
        "in_channels": 3,
        "out_channels": 3,
        "down_block_types": draw(blocks(["SkipDownBlock2D"] if skips else PLAIN_DOWN, levels)),
        "mid_block_type": None,
        "up_block_types": draw(blocks(["SkipUpBlock2D"] if skips else PLAIN_UP, levels)),
        "block_out_channels": [4] * levels,
        "layers_per_block": 1,
        "norm_num_groups": 1,
        "attention_head_dim": 1,
        "downsample_type": draw(st.sampled_from(["conv", "resnet"])),
        "upsample_type": draw(st.sampled_from(["conv", "resnet"])),
        "downsample_padding": draw(st.sampled_from([0, 1])),
    }


@settings(max_examples=25, deadline=None)
@given(plain(), SIDES | ROUND, SIDES | ROUND)
def test_plain_networks(options, height, width):
    assert agrees_with_diffusers("UNet2DModel", options, (height, width))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 4), SIDES | ROUND, SIDES | ROUND)
def test_networks_of_k_diffusion(levels, height, width):
    options = {
        "in_channels": 1,
        "out_channels": 1,
        "down_block_types": ["KDownBlock2D"] * levels,
        "mid_block_type": None,
        "up_block_types": ["KUpBlock2D"] * levels,
        "block_out_channels": [32] * levels,
        "layers_per_block": 2,
        "norm_num_groups": None,
        "attention_head_dim": 32,
        "conv_in_kernel": 1,
        "conv_out_kernel": 1,
    }
    assert agrees_with_diffusers(
        "UNet2DConditionModel", options, (height, width), encoder_hidden_states=None
    )


@pytest.mark.parametrize("height", [1, 2, 3, 60, 61, 511])
def test_stable_diffusion_takes_any_size(height):
    from unetscope.config import load

    assert load("sd15", height=height, width=1).inputs.height == height


def test_what_is_said(refusal):
    assert refusal("sd15", overrides=["downsample_padding=0"], height=7, width=16) == (
        "--height 7: inputs.height: the network cannot take a sample of 7x16\n"
        "hint: the nearest that work are 8x16"
    )
    assert refusal("kandinsky22_decoder", height=60, width=64) == (
        "--height 60: inputs.height: the network cannot take a sample of 60x64\n"
        "hint: the nearest that work are 56x64 and 64x64"
    )
    assert refusal("ddpm_cifar10_32", width=33) == (
        "--width 33: inputs.width: the network cannot take a sample of 32x33\n"
        "hint: the nearest that work are 32x32 and 32x40"
    )
    assert refusal("sd_x2_latent_upscaler", height=4, width=64).endswith(
        "hint: the nearest that work are 16x64"
    )
    assert refusal("sd15", overrides=["conv_in_kernel=2"], height=64, width=32) == (
        "--width 32: inputs.width: the network cannot take a sample of 64x32\n"
        "hint: the nearest that work are 63x31 and 65x33"
    )
