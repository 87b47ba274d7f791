"""What is refused before building."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unetscope.errors import ConfigError
from unetscope.families import FAMILIES, build, every, find
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

CONDITIONAL = find("UNet2DConditionModel")
COLOUR = "colour"
REFUSED = {
    "UNet2DConditionModel": {
        "down_block_types": ("DownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2d", "UpBlock2D", "UpBlock2D"),
        "mid_block_type": COLOUR,
        "act_fn": "snake",
        "encoder_hid_dim_type": "ip_image_proj",
        "num_attention_heads": 8,
        "class_embed_type": COLOUR,
        "addition_embed_type": COLOUR,
        "resnet_time_scale_shift": "ada_group",
        "time_embedding_type": "learned",
        "time_embedding_act_fn": "snake",
        "timestep_post_act": "snake",
        "attention_type": COLOUR,
        "cross_attention_norm": COLOUR,
    },
    "UNet2DModel": {
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        "up_block_types": ("KUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "downsample_type": "fir",
        "upsample_type": "fir",
        "act_fn": "snake",
        "time_embedding_type": COLOUR,
        "resnet_time_scale_shift": "spatial",
        "class_embed_type": "projection",
    },
    "ControlNetModel": {
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        "mid_block_type": None,
        "act_fn": "snake",
        "encoder_hid_dim": 4096,
        "encoder_hid_dim_type": "text_proj",
        "class_embed_type": "simple_projection",
        "addition_embed_type": "text",
        "resnet_time_scale_shift": "spatial",
        "controlnet_conditioning_channel_order": "rbg",
    },
    "SimpleUNet": {"up_res_channels": "tripled", "attention": COLOUR},
}


@pytest.mark.parametrize(
    ("family", "key"), [(family, key) for family, keys in REFUSED.items() for key in keys]
)
def test_an_option_without_implementation_is_refused_by_name(family, key):
    value = REFUSED[family][key]
    covered = find(family).covered.values[key]
    odd = next(e for e in (value if isinstance(value, tuple) else (value,)) if e not in covered)
    with pytest.raises(ConfigError) as refusal:
        build(family, find(family).options(**{key: value}))
    assert refusal.value.message.startswith(key)
    assert ("null" if odd is None else str(odd)) in refusal.value.message.partition("found")[2]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_limited_option_has_a_refusal_above(family):
    assert set(REFUSED.get(family, {})) == set(find(family).covered.values)


def test_what_is_refused_names_an_option_of_the_family():
    for each in every():
        assert set(each.covered.values) <= set(each.options.__struct_fields__)


def test_the_entry_of_a_list_is_pointed_at():
    config = UNet2DConditionConfig(up_block_types=("UpBlock2D", "UpBlock", "X", "UpBlock2D"))
    assert [(f.path, f.hint) for f in CONDITIONAL.covered.findings(config)] == [
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
        ({"encoder_hid_dim_type": "image_proj"}, {"encoder_hid_dim"}),
        ({"addition_embed_type": "image_hint", "in_channels": 8}, {"encoder_hid_dim"}),
    ],
)
def test_an_option_that_needs_another_says_which(options, missing):
    findings = list(CONDITIONAL.findings(UNet2DConditionConfig(**options), set()))
    assert {finding.path[0] for finding in findings} == missing


@pytest.mark.parametrize("family", every(), ids=list(FAMILIES))
def test_the_published_defaults_are_covered(family):
    assert list(family.covered.findings(family.options())) == []


def test_steps_that_a_learned_time_knows_are_asked_for():
    findings = find("UNet2DModel").covered.findings(UNet2DConfig(time_embedding_type="learned"))
    assert [finding.path for finding in findings] == [("num_train_timesteps",)]


def test_an_unknown_family_is_named_with_the_nearest():
    with pytest.raises(ConfigError) as refusal:
        build("UNet2DConditionmodel", UNet2DConditionConfig())
    assert "UNet2DConditionmodel" in refusal.value.message
    assert "UNet2DConditionModel" in refusal.value.hint


def test_every_family_is_registered_under_its_name():
    assert list(FAMILIES) == [family.name for family in every()]


def test_choosing_a_family_does_not_import_torch():
    code = (
        "import sys; from unetscope.families import every; every(); print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
