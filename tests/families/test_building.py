"""What is refused before building, and what building on meta leaves unimported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unetscope.config.supported import SUPPORTED, unsupported
from unetscope.config.unet2d_condition import UNet2DConditionConfig
from unetscope.errors import ConfigError
from unetscope.families import build

REFUSED = [
    ("down_block_types", ("DownBlock2D", "KDownBlock2D", "DownBlock2D", "DownBlock2D"), "KDown"),
    ("up_block_types", ("UpBlock2D", "UpBlock2d", "UpBlock2D", "UpBlock2D"), "UpBlock2d"),
    ("mid_block_type", "UNetMidBlock2DSimpleCrossAttn", "SimpleCrossAttn"),
    ("act_fn", "snake", "snake"),
    ("encoder_hid_dim", 4096, "4096"),
    ("encoder_hid_dim_type", "text_proj", "text_proj"),
    ("num_attention_heads", 8, "8"),
    ("dual_cross_attention", True, "true"),
    ("class_embed_type", "colour", "colour"),
    ("addition_embed_type", "image", "image"),
    ("resnet_time_scale_shift", "scale_shift", "scale_shift"),
    ("resnet_skip_time_act", True, "true"),
    ("time_embedding_type", "fourier", "fourier"),
    ("time_embedding_act_fn", "snake", "snake"),
    ("timestep_post_act", "snake", "snake"),
    ("attention_type", "gated", "gated"),
    ("mid_block_only_cross_attention", True, "true"),
    ("cross_attention_norm", "group_norm", "group_norm"),
]


@pytest.mark.parametrize(("key", "value", "found"), REFUSED)
def test_an_option_without_implementation_is_refused_by_name(key, value, found):
    with pytest.raises(ConfigError) as refusal:
        build("UNet2DConditionModel", UNet2DConditionConfig(**{key: value}))
    assert refusal.value.message.startswith(key)
    assert found in refusal.value.message


def test_every_limited_option_has_a_refusal_above():
    assert {key for key, _, _ in REFUSED} == set(SUPPORTED)


def test_the_entry_of_a_list_is_pointed_at():
    config = UNet2DConditionConfig(up_block_types=("UpBlock2D", "UpBlock", "X", "UpBlock2D"))
    assert [(f.path, f.hint) for f in unsupported(config)] == [
        (("up_block_types", 1), "did you mean UpBlock2D?"),
        (("up_block_types", 2), None),
    ]


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"class_embed_type": "projection"}, {"projection_class_embeddings_input_dim"}),
        ({"class_embed_type": "simple_projection"}, {"projection_class_embeddings_input_dim"}),
        (
            {"addition_embed_type": "text_time"},
            {"addition_time_embed_dim", "projection_class_embeddings_input_dim"},
        ),
        ({"class_embeddings_concat": True}, {"class_embeddings_concat"}),
    ],
)
def test_an_option_that_needs_another_says_which(options, missing):
    findings = list(unsupported(UNet2DConditionConfig(**options)))
    assert {finding.path[0] for finding in findings} == missing


def test_the_published_defaults_are_covered():
    assert list(unsupported(UNet2DConditionConfig())) == []


def test_an_unknown_family_is_named_with_the_nearest():
    with pytest.raises(ConfigError) as refusal:
        build("UNet2DConditionmodel", UNet2DConditionConfig())
    assert "UNet2DConditionmodel" in refusal.value.message
    assert "UNet2DConditionModel" in refusal.value.hint


def test_choosing_a_family_does_not_import_torch():
    code = "import sys, unetscope.families; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_building_on_meta_leaves_slow_modules_unimported():
    code = """
import sys, torch
from unetscope.config.unet2d_condition import UNet2DConditionConfig
from unetscope.families import build
with torch.device("meta"):
    network = build("UNet2DConditionModel", UNet2DConditionConfig(num_class_embeds=10))
assert all(p.is_meta for p in network.parameters())
print([name for name in ("sympy", "torch._dynamo") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
