"""CompVis' names: against published checkpoints, and against diffusers' own conversion."""

import json
import re
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unetscope.analysis.names import compvis_names

REFERENCE = Path(__file__).parents[1] / "reference"
NAMES = json.loads((REFERENCE / "compvis_names.json").read_text())
PUBLISHED = json.loads((REFERENCE / "published_unets.json").read_text())


def parameter_names(options):
    with torch.device("meta"):
        return [name for name, _ in UNet2DConditionModel(**options).named_parameters()]


def options_of(name):
    return {k: v for k, v in PUBLISHED[name]["config"].items() if not k.startswith("_")}


@pytest.mark.parametrize("name", NAMES)
def test_published_names(name):
    ours = compvis_names(parameter_names(options_of(name)))
    listed = {
        ours_name: theirs
        for ours_name, theirs in ours.items()
        if not re.search(r"transformer_blocks\.[1-9]", ours_name)
    }
    assert {n.rpartition(".")[0]: t.rpartition(".")[0] for n, t in listed.items()} == NAMES[name]
    assert all(n.rpartition(".")[2] == t.rpartition(".")[2] for n, t in ours.items())


@pytest.mark.parametrize("name", NAMES)
def test_module_names_and_parameter_names_agree(name):
    with torch.device("meta"):
        model = UNet2DConditionModel(**options_of(name))
    modules = compvis_names([path for path, _ in model.named_modules()])
    assert {path: modules[path] for path in NAMES[name]} == NAMES[name]
    assert len(set(modules.values())) == len(modules)


@st.composite
def options(draw):
    levels = draw(st.integers(1, 4))
    plain = st.booleans()
    crosses = [draw(plain) for _ in range(levels)]
    return {
        "block_out_channels": [8 * draw(st.integers(1, 2)) for _ in range(levels)],
        "down_block_types": ["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in crosses],
        "up_block_types": ["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in crosses[::-1]],
        "layers_per_block": draw(st.integers(1, 3)),
        "transformer_layers_per_block": draw(st.integers(1, 2)),
        "norm_num_groups": 4,
        "attention_head_dim": 2,
        "cross_attention_dim": 6,
        "use_linear_projection": draw(plain),
        "num_class_embeds": draw(st.none() | st.just(3)),
        **draw(
            st.sampled_from(
                [
                    {},
                    {
                        "addition_embed_type": "text_time",
                        "addition_time_embed_dim": 4,
                        "projection_class_embeddings_input_dim": 9,
                    },
                ]
            )
        ),
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(options())
def test_diffusers_converts_our_names_back(options):
    names = parameter_names(options)
    if options.get("addition_embed_type") and options["num_class_embeds"]:
        names = [name for name in names if not name.startswith("class_embedding")]
    translated = compvis_names(names)
    assert set(translated) == set(names)
    checkpoint = {f"model.diffusion_model.{t}": name for name, t in translated.items()}
    assert len(checkpoint) == len(names)
    back = convert_ldm_unet_checkpoint(checkpoint, dict(options))
    assert back == {name: name for name in names}


def test_levels_of_unequal_depth_go_on_counting():
    names = parameter_names(options_of("bk_sdm_small"))
    assert set(compvis_names(names)) == set(names)
    levels = {
        "block_out_channels": [8, 8],
        "norm_num_groups": 4,
        "attention_head_dim": 2,
        "down_block_types": ["DownBlock2D"] * 2,
        "up_block_types": ["UpBlock2D"] * 2,
        "layers_per_block": [1, 2],
    }
    found = compvis_names(parameter_names(levels))
    assert found["down_blocks.0.resnets.0.conv1.weight"] == "input_blocks.1.0.in_layers.2.weight"
    assert found["down_blocks.0.downsamplers.0.conv.bias"] == "input_blocks.2.0.op.bias"
    assert found["down_blocks.1.resnets.1.norm2.bias"] == "input_blocks.4.0.out_layers.0.bias"
    assert found["up_blocks.0.upsamplers.0.conv.bias"] == "output_blocks.2.1.conv.bias"
    assert found["up_blocks.1.resnets.0.conv2.bias"] == "output_blocks.3.0.out_layers.3.bias"


def test_what_has_no_counterpart_is_left_out():
    found = compvis_names(
        ["", "down_blocks.0", "down_blocks.0.resnets.0", "down_blocks.0.resnets.0.nonlinearity",
         "time_proj", "time_embedding.act", "time_embedding.cond_proj.weight"]
    )  # fmt: skip
    assert found == {
        "down_blocks.0.resnets.0": "input_blocks.1.0",
        "time_embedding.act": "time_embed.1",
    }


def test_several_transformers_after_one_resnet_have_no_names():
    """AudioLDM2 has one for each of its texts; what stands behind them has none either."""
    roles = "resnets.0.conv1", "attentions.0.norm", "attentions.1.norm", "upsamplers.0.conv"
    inside = "attentions.0.transformer_blocks.0.norm1", "attentions.1.transformer_blocks.0.norm1"
    found = compvis_names([f"up_blocks.0.{role}.weight" for role in (*roles, *inside)])
    assert found == {"up_blocks.0.resnets.0.conv1.weight": "output_blocks.0.0.in_layers.2.weight"}
