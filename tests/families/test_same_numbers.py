"""With equal weights the networks return what diffusers' return."""

from __future__ import annotations

import pytest
import torch

FOUR_DOWN = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
SDXL = {
    "block_out_channels": [8, 16, 32],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "attention_head_dim": [2, 4, 8],
    "transformer_layers_per_block": [1, 2, 3],
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 6,
    "projection_class_embeddings_input_dim": 6 * 6 + 10,
}
SHALLOW = {
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
}

TWINS = {
    "sd15": {},
    "sd2": {"use_linear_projection": True, "attention_head_dim": [1, 2, 4, 8]},
    "upcast": {"upcast_attention": True},
    "sdxl": SDXL,
    "ssd_1b": SDXL
    | {
        "mid_block_type": "UNetMidBlock2D",
        "transformer_layers_per_block": [[1], [2, 2], [2, 1]],
        "reverse_transformer_layers_per_block": [[2, 1, 3], [2, 1, 1], 1],
    },
    "nested_depths_in_the_middle": SDXL
    | {
        "transformer_layers_per_block": [[1], [2, 1], [3, 1]],
        "reverse_transformer_layers_per_block": [[1, 2, 1], [2, 1, 1], [1, 1, 1]],
    },
    "koala": SDXL | {"mid_block_type": None, "layers_per_block": 1},
    "bk_tiny": SHALLOW | {"mid_block_type": None, "layers_per_block": 1},
    "asymmetric_layers": {"layers_per_block": [1, 3, 2, 1]},
    "audioldm": {"cross_attention_dim": [8, 16, 16, 32]},
    "x4_upscaler": {
        "in_channels": 7,
        "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 3,
        "up_block_types": ["CrossAttnUpBlock2D"] * 3 + ["UpBlock2D"],
        "only_cross_attention": [True, True, True, False],
        "num_class_embeds": 10,
    },
    "only_cross_attention": SHALLOW | {"only_cross_attention": True},
    "lcm": SHALLOW | {"time_cond_proj_dim": 9},
    "class_timestep": SHALLOW | {"class_embed_type": "timestep", "act_fn": "gelu"},
    "class_identity": SHALLOW | {"class_embed_type": "identity"},
    "class_projection": SHALLOW
    | {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 7},
    "class_concat": SHALLOW
    | {
        "class_embed_type": "simple_projection",
        "projection_class_embeddings_input_dim": 7,
        "class_embeddings_concat": True,
    },
    "sines_first": SHALLOW | {"flip_sin_to_cos": False, "freq_shift": 1},
    "odd_width_of_sinusoids": SHALLOW | {"block_out_channels": [9, 15], "norm_num_groups": 3,
                                         "attention_head_dim": 3},
    "heads_that_do_not_divide": SHALLOW | {"attention_head_dim": 3},
    "activations": SHALLOW
    | {
        "act_fn": "mish",
        "time_embedding_act_fn": "gelu",
        "timestep_post_act": "relu",
        "time_embedding_dim": 20,
    },
    "scales": SHALLOW | {"mid_block_scale_factor": 1.4, "resnet_out_scale_factor": 1.3},
    "centred": SHALLOW | {"center_input_sample": True, "norm_eps": 1e-3},
    "kernels": SHALLOW | {"conv_in_kernel": 5, "conv_out_kernel": 1},
    "padding_0": SHALLOW | {"downsample_padding": 0},
    "dropout": SHALLOW | {"dropout": 0.3},
}  # fmt: skip


def class_labels(options, batch):
    match options.get("class_embed_type"):
        case "timestep":
            return torch.arange(batch)
        case "identity":
            return torch.randn(batch, 4 * options["block_out_channels"][0])
        case None:
            return torch.arange(batch) if "num_class_embeds" in options else None
    return torch.randn(batch, options["projection_class_embeddings_input_dim"])


def inputs_for(options, *, height=8, width=16, batch=2):
    inputs = {
        "sample": torch.randn(batch, options.get("in_channels", 4), height, width),
        "timestep": torch.tensor([1, 999])[:batch],
        "class_labels": class_labels(options, batch),
    }
    context = options["cross_attention_dim"]
    inputs["encoder_hidden_states"] = (
        torch.randn(batch, 3, context) if isinstance(context, int) else None
    )
    if "time_cond_proj_dim" in options:
        inputs["timestep_cond"] = torch.randn(batch, options["time_cond_proj_dim"])
    if "addition_embed_type" in options:
        inputs["added_cond_kwargs"] = {
            "text_embeds": torch.randn(batch, 10),
            "time_ids": torch.randint(0, 1024, (batch, 6)),
        }
    return inputs


@pytest.mark.parametrize("name", TWINS)
def test_narrow_twins(pair, name):
    both = pair(**TWINS[name])
    ours, theirs = both.names_and_shapes()
    assert ours == theirs
    ours, theirs = both.outputs(**inputs_for(both.options))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(7, 9), (8, 8), (9, 24), (1, 1), (13, 8)])
def test_sizes_that_doubling_misses(pair, size):
    both = pair()
    ours, theirs = both.outputs(**inputs_for(both.options, height=size[0], width=size[1]))
    assert ours.shape[2:] == size
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("timestep", [7, 7.5, torch.tensor(7), torch.tensor([7])])
def test_one_timestep_for_all_samples(pair, timestep):
    both = pair(**SHALLOW)
    inputs = inputs_for(both.options) | {"timestep": timestep}
    ours, theirs = both.outputs(**inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_half_precision(pair):
    both = pair(**SDXL)
    inputs = inputs_for(both.options)
    for network in (both.ours, both.theirs):
        network.bfloat16()
    for name in ("sample", "encoder_hidden_states"):
        inputs[name] = inputs[name].bfloat16()
    ours, theirs = both.outputs(**inputs)
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours, theirs)


def test_an_input_that_the_network_needs_is_named(pair):
    labelled = pair(**SHALLOW, num_class_embeds=3)
    with pytest.raises(ValueError, match="class_labels"):
        labelled.ours(**inputs_for(labelled.options) | {"class_labels": None})
    xl = pair(**SDXL)
    with pytest.raises(ValueError, match="time_ids"):
        xl.ours(
            **inputs_for(xl.options) | {"added_cond_kwargs": {"text_embeds": torch.randn(2, 10)}}
        )
