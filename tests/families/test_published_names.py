"""Parameter names, shapes and order, and the classes of modules, are the published ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unetscope.config.unet2d_condition import UNet2DConditionConfig
from unetscope.families import build

REFERENCE = Path(__file__).parents[1] / "reference"
NARROW = {"block_out_channels": [8, 8, 8, 8], "attention_head_dim": 2, "norm_num_groups": 4}
PUBLISHED = json.loads((REFERENCE / "published_unets.json").read_text())


def on_meta(options):
    with torch.device("meta"):
        return build("UNet2DConditionModel", msgspec.convert(options, UNet2DConditionConfig))


def theirs_on_meta(options):
    with torch.device("meta"):
        return UNet2DConditionModel(**options)


def names_and_shapes(network):
    return [(name, tuple(p.shape)) for name, p in network.named_parameters()]


def options_of(name):
    return {k: v for k, v in PUBLISHED[name]["config"].items() if not k.startswith("_")}


def test_sd15_has_the_published_tensors():
    listed = json.loads((REFERENCE / "state_dicts" / "sd15.json").read_text())
    network = on_meta(options_of("sd15"))
    assert sorted(names_and_shapes(network)) == [(name, tuple(shape)) for name, shape in listed]
    assert len(listed) == 686
    assert sum(p.numel() for p in network.parameters()) == 859_520_964


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name):
    facts, network = PUBLISHED[name], on_meta(options_of(name))
    assert names_and_shapes(network) == names_and_shapes(theirs_on_meta(options_of(name)))
    assert sum(p.numel() for p in network.parameters()) == facts["params"]
    assert len(network.state_dict()) == facts["n_tensors"]
    assert Counter(type(m).__name__ for m in network.modules()) == facts["module_histogram"]


def test_a_network_with_memory_is_initialised_as_torch_does():
    torch.manual_seed(0)
    network = build("UNet2DConditionModel", msgspec.convert(NARROW, UNet2DConditionConfig))
    torch.manual_seed(0)
    expected = torch.nn.Conv2d(4, 8, kernel_size=3, padding=1)
    assert network.conv_in.weight.equal(expected.weight)
    assert network.conv_in.bias.equal(expected.bias)
    assert network.conv_norm_out.weight.eq(1).all()
    assert network.conv_norm_out.bias.eq(0).all()


def each(entry, levels):
    """One value for all levels, or one a level."""
    return entry | st.lists(entry, min_size=levels, max_size=levels)


@st.composite
def small_options(draw):
    levels = draw(st.integers(1, 4))
    layers = draw(each(st.integers(1, 3), levels))
    depths = draw(each(st.integers(1, 2), levels))
    down = draw(st.lists(st.sampled_from(["DownBlock2D", "CrossAttnDownBlock2D"]),
                         min_size=levels, max_size=levels))  # fmt: skip
    up = draw(st.lists(st.sampled_from(["UpBlock2D", "CrossAttnUpBlock2D"]),
                       min_size=levels, max_size=levels))  # fmt: skip
    options = {
        "block_out_channels": draw(st.lists(st.sampled_from([8, 16, 24]),
                                            min_size=levels, max_size=levels)),
        "down_block_types": down,
        "mid_block_type": draw(
            st.sampled_from(["UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None])
        ),
        "up_block_types": up,
        "layers_per_block": layers,
        "transformer_layers_per_block": depths,
        "attention_head_dim": draw(each(st.sampled_from([1, 2, 3, 4]), levels)),
        "cross_attention_dim": draw(each(st.sampled_from([5, 12]), levels)),
        "only_cross_attention": draw(each(st.booleans(), levels)),
        "norm_num_groups": draw(st.sampled_from([2, 4])),
        "use_linear_projection": draw(st.booleans()),
        "class_embed_type": draw(
            st.sampled_from([None, "timestep", "identity", "projection", "simple_projection"])
        ),
        "num_class_embeds": draw(st.none() | st.integers(1, 4)),
        "addition_embed_type": draw(st.sampled_from([None, "text_time"])),
        "addition_time_embed_dim": 6,
        "projection_class_embeddings_input_dim": 20,
        "time_cond_proj_dim": draw(st.none() | st.integers(1, 9)),
        "time_embedding_dim": draw(st.none() | st.integers(2, 9)),
        "time_embedding_act_fn": draw(st.sampled_from([None, "silu"])),
        "timestep_post_act": draw(st.sampled_from([None, "gelu"])),
        "conv_in_kernel": draw(st.sampled_from([1, 3])),
        "conv_out_kernel": draw(st.sampled_from([1, 3])),
        "resnet_out_scale_factor": draw(st.sampled_from([1.0, 1.5])),
        "downsample_padding": draw(st.sampled_from([0, 1])),
    }  # fmt: skip
    embeds_classes = options["class_embed_type"] or options["num_class_embeds"]
    options["class_embeddings_concat"] = draw(st.booleans()) if embeds_classes else False
    return options


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_options())
def test_any_small_config_has_the_published_tensors_and_modules(options):
    ours, theirs = on_meta(options), theirs_on_meta(options)
    assert names_and_shapes(ours) == names_and_shapes(theirs)
    assert [(name, type(m).__name__) for name, m in ours.named_modules()] == [
        (name, type(m).__name__) for name, m in theirs.named_modules()
    ]
