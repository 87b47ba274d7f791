"""What the rules accept runs in diffusers, and some of what they refuse cannot be built there."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel
from hypothesis import given, settings
from hypothesis import strategies as st

from unetscope.config.document import Document
from unetscope.config.loading import findings, load
from unetscope.config.writing import to_yaml
from unetscope.errors import Place
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS

DOWN = [name for name, kind in DOWN_BLOCKS.items() if kind.resnet in ("plain", "guided")]
UP = [name for name, kind in UP_BLOCKS.items() if kind.resnet in ("plain", "guided")]
FAILS_IN_DIFFUSERS = {"groups", "reverse-missing"}


@st.composite
def configs(draw):
    """Small networks, most of them sound."""
    levels = draw(st.integers(1, 3))

    def one_or_each(value):
        return value | st.lists(value, min_size=levels, max_size=levels)

    layers = draw(one_or_each(st.integers(1, 2)))
    each = layers if isinstance(layers, list) else [layers] * levels
    depths = [
        draw(st.integers(1, 2) | st.lists(st.integers(1, 2), min_size=count, max_size=count))
        for count in each
    ]
    channels = draw(st.lists(st.sampled_from([4, 8, 12]), min_size=levels, max_size=levels))
    options = {
        "down_block_types": draw(
            st.lists(
                st.sampled_from(DOWN),
                min_size=levels,
                max_size=levels,
            )
        ),
        "up_block_types": draw(
            st.lists(
                st.sampled_from(UP),
                min_size=levels,
                max_size=levels,
            )
        ),
        "mid_block_type": draw(st.sampled_from([*MID_BLOCKS, None])),
        "block_out_channels": channels,
        "layers_per_block": layers,
        "norm_num_groups": draw(st.sampled_from([1, 2, 4, 4, 4, 6])),
        "attention_head_dim": draw(one_or_each(st.sampled_from([1, 2, 4]))),
        "cross_attention_dim": draw(one_or_each(st.sampled_from([8, 8, 12])) | st.just(channels)),
        "only_cross_attention": draw(one_or_each(st.booleans())),
        "transformer_layers_per_block": draw(st.sampled_from([1, 2, depths])),
        "downsample_padding": draw(st.sampled_from([0, 1])),
        "num_class_embeds": draw(st.sampled_from([None, 3])),
        "class_embed_type": draw(
            st.sampled_from([None, "timestep", "identity", "projection", "simple_projection"])
        ),
        "class_embeddings_concat": draw(st.booleans()),
        "addition_embed_type": draw(
            st.sampled_from([None, "text", "text_image", "text_time", "image", "image_hint"])
        ),
        "in_channels": draw(st.sampled_from([4, 8])),
        "addition_time_embed_dim": draw(st.sampled_from([None, 2, 4, 20])),
        "projection_class_embeddings_input_dim": draw(st.sampled_from([None, 13, 20])),
        "time_cond_proj_dim": draw(st.sampled_from([None, 4])),
        "cross_attention_norm": draw(st.sampled_from([None, None, "layer_norm", "group_norm"])),
        "encoder_hid_dim": draw(st.sampled_from([None, 4, 6])),
        "encoder_hid_dim_type": draw(
            st.sampled_from([None, None, "text_proj", "text_image_proj", "image_proj"])
        ),
        "addition_embed_type_num_heads": draw(st.sampled_from([2, 4])),
        "time_embedding_type": draw(st.sampled_from(["positional", "fourier"])),
        "resnet_time_scale_shift": draw(st.sampled_from(["default", "scale_shift"])),
        "attention_type": draw(st.sampled_from(["default", "default", "gated"])),
    }
    if draw(st.booleans()):
        options["reverse_transformer_layers_per_block"] = [
            draw(st.lists(st.integers(1, 2), min_size=count + 1, max_size=count + 1))
            for count in reversed(each)
        ]
    return {"unet": options, "inputs": {"batch": 2, "height": 8, "width": 12, "tokens": 3}}


def on_meta(tensors):
    return {
        name: on_meta(spec)
        if isinstance(spec, dict)
        else torch.empty(spec.shape, dtype=getattr(torch, spec.dtype), device="meta")
        for name, spec in tensors.items()
    }


def run_in_diffusers(options, tensors):
    with torch.device("meta"):
        network = UNet2DConditionModel(**options)
    inputs = {"encoder_hidden_states": None, **on_meta(tensors)}
    if "gligen" in inputs:
        inputs["cross_attention_kwargs"] = {"gligen": inputs.pop("gligen")}
    return network(**inputs).sample


@settings(deadline=None, max_examples=40)
@given(config=configs())
def test_as_in_diffusers(tmp_path_factory, config):
    ids = {f.id for f in findings(Document(config, {(): Place("x.yaml")}))}
    path = tmp_path_factory.getbasetemp() / "x.yaml"
    path.write_text(to_yaml(config))
    if not ids:
        tensors = load(str(path)).tensors()
        shape = run_in_diffusers(config["unet"], tensors).shape
        assert shape[2:] == tensors["sample"].shape[2:]
    elif ids <= FAILS_IN_DIFFUSERS:
        with pytest.raises((ValueError, TypeError)), torch.device("meta"):
            UNet2DConditionModel(**config["unet"])
