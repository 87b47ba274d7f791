"""With equal weights the networks return what diffusers' return."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.transformers import dual_transformer_2d

from unetscope.families.diffusers.inputs import condition_inputs
from unetscope.families.diffusers.networks.transformer import DualTransformer2DModel

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

GUIDED = {  # Kandinsky, DeepFloyd IF, Karlo
    "block_out_channels": [32, 64, 64],
    "attention_head_dim": 8,
    "cross_attention_dim": 64,
    "norm_num_groups": 8,
    "down_block_types": ["ResnetDownsampleBlock2D"] + ["SimpleCrossAttnDownBlock2D"] * 2,
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": ["SimpleCrossAttnUpBlock2D"] * 2 + ["ResnetUpsampleBlock2D"],
    "resnet_time_scale_shift": "scale_shift",
}
K_DIFFUSION = {
    "block_out_channels": [64, 64, 128, 128],
    "down_block_types": ["KDownBlock2D"] + ["KCrossAttnDownBlock2D"] * 3,
    "mid_block_type": None,
    "up_block_types": ["KCrossAttnUpBlock2D"] * 3 + ["KUpBlock2D"],
    "act_fn": "gelu",
    "norm_num_groups": None,
    "attention_head_dim": 32,
    "time_embedding_type": "fourier",
    "timestep_post_act": "gelu",
    "conv_in_kernel": 1,
    "conv_out_kernel": 1,
    "time_cond_proj_dim": 9,
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
    "scale_shift": SHALLOW | {"resnet_time_scale_shift": "scale_shift"},
    "fourier": SHALLOW | {"time_embedding_type": "fourier"},
    "kolors": SHALLOW | {"encoder_hid_dim": 9},
    "self_attention": SHALLOW
    | {
        "down_block_types": ["AttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "AttnUpBlock2D"],
        "attention_head_dim": [2, 4],
    },
    "gligen": SHALLOW | {"attention_type": "gated"},
    "gligen_images": SHALLOW | {"attention_type": "gated-text-image"},
    "if_1": GUIDED
    | {
        "act_fn": "gelu",
        "addition_embed_type": "text",
        "addition_embed_type_num_heads": 4,
        "encoder_hid_dim": 16,
        "encoder_hid_dim_type": "text_proj",
        "cross_attention_norm": "group_norm",
    },
    "if_2": GUIDED
    | {
        "layers_per_block": [1, 2, 3],
        "addition_embed_type": "text",
        "addition_embed_type_num_heads": 4,
        "class_embed_type": "timestep",
        "time_embedding_dim": 24,
        "time_embedding_act_fn": "gelu",
        "resnet_skip_time_act": True,
        "resnet_out_scale_factor": 1.4,
        "mid_block_scale_factor": 1.4,
    },
    "kandinsky_21": GUIDED
    | {
        "encoder_hid_dim": 20,
        "encoder_hid_dim_type": "text_image_proj",
        "addition_embed_type": "text_image",
    },
    "kandinsky_22": GUIDED
    | {
        "encoder_hid_dim": 20,
        "encoder_hid_dim_type": "image_proj",
        "addition_embed_type": "image",
    },
    "kandinsky_22_depth": GUIDED
    | {
        "in_channels": 8,
        "encoder_hid_dim": 20,
        "encoder_hid_dim_type": "image_proj",
        "addition_embed_type": "image_hint",
    },
    "guided_default": GUIDED
    | {"resnet_time_scale_shift": "default", "attention_head_dim": [4, 8, 16]},
    "text_norm": GUIDED
    | {"cross_attention_norm": "layer_norm", "block_out_channels": [64, 64, 64]},
    "text_alone": GUIDED | {"only_cross_attention": True},
    "text_alone_in_places": GUIDED | {"only_cross_attention": [True, False, True]},
    "text_alone_in_the_middle": GUIDED | {"mid_block_only_cross_attention": True},
    "guided_without_text": GUIDED | {"cross_attention_dim": [32, 64, 64]},
    "x2_upscaler": K_DIFFUSION,
    "k_positional": K_DIFFUSION | {"time_embedding_type": "positional", "time_embedding_dim": 128},
}  # fmt: skip


def inputs_for(config, *, height=8, width=16, batch=2):
    """Random tensors of the shapes that the config calls for."""

    def random(spec):
        if isinstance(spec, dict):
            return {name: random(inner) for name, inner in spec.items()}
        return torch.rand(spec.shape) if spec.dtype == "float32" else torch.arange(*spec.shape)

    inputs = random(condition_inputs(config, batch, (height, width), tokens=3))
    return inputs | {"timestep": torch.tensor([1, 999])[:batch]}


def theirs_of(inputs):
    """The same inputs as diffusers' networks take them."""
    inputs = {"encoder_hidden_states": None, **inputs}
    if "gligen" in inputs:
        inputs["cross_attention_kwargs"] = {"gligen": inputs.pop("gligen")}
    return inputs


def assert_same(both, inputs):
    both.share_weights()
    with torch.no_grad():
        ours, theirs = both.ours(**inputs), both.theirs(**theirs_of(inputs)).sample
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    return ours


@pytest.mark.parametrize("name", TWINS)
def test_narrow_twins(pair, name):
    both = pair(**TWINS[name])
    ours, theirs = both.structure()
    assert ours == theirs
    assert_same(both, inputs_for(both.config, height=16, width=24))


def test_two_contexts_side_by_side():
    """Versatile Diffusion; diffusers' own UNet can build these layers but not call them."""
    torch.manual_seed(0)
    theirs = dual_transformer_2d.DualTransformer2DModel(
        2, 4, in_channels=8, cross_attention_dim=12, norm_num_groups=4
    ).eval()
    ours = DualTransformer2DModel(8, heads=2, context_dim=12, groups=4).eval()
    ours.load_state_dict(theirs.state_dict())
    image, tokens = torch.randn(2, 8, 4, 6), torch.randn(2, 77 + 257, 12)
    with torch.no_grad():
        expected = theirs(image, tokens).sample
        torch.testing.assert_close(ours(image, tokens), expected, rtol=1e-4, atol=1e-5)


def test_residuals_of_a_controlnet(pair):
    both = pair(**SHALLOW)
    inputs = inputs_for(both.config)
    encoder = [(8, 8, 16)] * 3 + [(8, 4, 8), *[(16, 4, 8)] * 2]
    inputs["down_block_additional_residuals"] = tuple(torch.randn(2, *size) for size in encoder)
    inputs["mid_block_additional_residual"] = torch.randn(2, 16, 4, 8)
    changed = assert_same(both, inputs)
    del inputs["mid_block_additional_residual"], inputs["down_block_additional_residuals"]
    assert not torch.allclose(changed, assert_same(both, inputs))


@pytest.mark.parametrize("size", [(7, 9), (8, 8), (9, 24), (1, 1), (13, 8)])
def test_sizes_that_doubling_misses(pair, size):
    both = pair()
    ours = assert_same(both, inputs_for(both.config, height=size[0], width=size[1]))
    assert ours.shape[2:] == size


@pytest.mark.parametrize("timestep", [7, 7.5, torch.tensor(7), torch.tensor([7])])
def test_one_timestep_for_all_samples(pair, timestep):
    both = pair(**SHALLOW)
    assert_same(both, inputs_for(both.config) | {"timestep": timestep})


def test_half_precision(pair):
    both = pair(**SDXL)
    inputs = inputs_for(both.config)
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
        labelled.ours(**inputs_for(labelled.config) | {"class_labels": None})
    xl = pair(**SDXL)
    with pytest.raises(ValueError, match="time_ids"):
        xl.ours(
            **inputs_for(xl.config) | {"added_cond_kwargs": {"text_embeds": torch.randn(2, 10)}}
        )
