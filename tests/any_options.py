"""Options of small networks of diffusers' families; some are refused by the rules."""

from __future__ import annotations

from hypothesis import strategies as st

CONDITIONAL_DOWN = [
    "DownBlock2D",
    "CrossAttnDownBlock2D",
    "AttnDownBlock2D",
    "ResnetDownsampleBlock2D",
    "SimpleCrossAttnDownBlock2D",
]
CONDITIONAL_UP = [
    "UpBlock2D",
    "CrossAttnUpBlock2D",
    "AttnUpBlock2D",
    "ResnetUpsampleBlock2D",
    "SimpleCrossAttnUpBlock2D",
]
CONDITIONAL_MID = [
    "UNetMidBlock2DCrossAttn",
    "UNetMidBlock2DSimpleCrossAttn",
    "UNetMidBlock2D",
    None,
]
PLAIN_DOWN = [
    "DownBlock2D",
    "AttnDownBlock2D",
    "ResnetDownsampleBlock2D",
    "SkipDownBlock2D",
    "AttnSkipDownBlock2D",
]
PLAIN_UP = [
    "UpBlock2D",
    "AttnUpBlock2D",
    "ResnetUpsampleBlock2D",
    "SkipUpBlock2D",
    "AttnSkipUpBlock2D",
]


def each(entry, levels):
    """One value for all levels, or one a level."""
    return entry | st.lists(entry, min_size=levels, max_size=levels)


def one_a_level(names, levels):
    return st.lists(st.sampled_from(names), min_size=levels, max_size=levels)


@st.composite
def conditional_options(draw):
    levels = draw(st.integers(1, 3))
    options = {
        "block_out_channels": draw(one_a_level([8, 16, 24], levels)),
        "down_block_types": draw(one_a_level(CONDITIONAL_DOWN, levels)),
        "mid_block_type": draw(st.sampled_from(CONDITIONAL_MID)),
        "up_block_types": draw(one_a_level(CONDITIONAL_UP, levels)),
        "layers_per_block": draw(each(st.integers(1, 3), levels)),
        "transformer_layers_per_block": draw(each(st.integers(1, 2), levels)),
        "attention_head_dim": draw(each(st.sampled_from([1, 2, 3, 4]), levels)),
        "cross_attention_dim": draw(st.sampled_from([32, 64])),
        "only_cross_attention": draw(each(st.booleans(), levels)),
        "mid_block_only_cross_attention": draw(st.sampled_from([None, False, True])),
        "cross_attention_norm": draw(st.sampled_from([None, "layer_norm", "group_norm"])),
        "dual_cross_attention": draw(st.booleans()),
        "attention_type": draw(st.sampled_from(["default", "gated", "gated-text-image"])),
        "norm_num_groups": draw(st.sampled_from([2, 4])),
        "use_linear_projection": draw(st.booleans()),
        "class_embed_type": draw(
            st.sampled_from([None, "timestep", "identity", "projection", "simple_projection"])
        ),
        "num_class_embeds": draw(st.none() | st.integers(1, 4)),
        "addition_embed_type": draw(
            st.sampled_from([None, "text", "text_image", "text_time", "image", "image_hint"])
        ),
        "addition_embed_type_num_heads": 2,
        "addition_time_embed_dim": 6,
        "encoder_hid_dim": 10,
        "encoder_hid_dim_type": draw(
            st.sampled_from([None, "text_proj", "text_image_proj", "image_proj"])
        ),
        "projection_class_embeddings_input_dim": 20,
        "resnet_time_scale_shift": draw(st.sampled_from(["default", "scale_shift"])),
        "time_embedding_type": draw(st.sampled_from(["positional", "fourier"])),
        "time_cond_proj_dim": draw(st.none() | st.integers(1, 9)),
        "time_embedding_dim": draw(st.none() | st.sampled_from([2, 6, 14])),
        "time_embedding_act_fn": draw(st.sampled_from([None, "silu"])),
        "timestep_post_act": draw(st.sampled_from([None, "gelu"])),
        "conv_in_kernel": draw(st.sampled_from([1, 3])),
        "conv_out_kernel": draw(st.sampled_from([1, 3])),
        "resnet_out_scale_factor": draw(st.sampled_from([1.0, 1.5])),
        "downsample_padding": draw(st.sampled_from([0, 1])),
    }
    embeds_classes = options["class_embed_type"] or options["num_class_embeds"]
    options["class_embeddings_concat"] = draw(st.booleans()) if embeds_classes else False
    return options


@st.composite
def plain_options(draw):
    levels = draw(st.integers(1, 3))
    return {
        "block_out_channels": draw(one_a_level([32, 64], levels)),
        "down_block_types": draw(one_a_level(PLAIN_DOWN, levels)),
        "mid_block_type": draw(st.sampled_from(["UNetMidBlock2D", None])),
        "up_block_types": draw(one_a_level(PLAIN_UP, levels)),
        "layers_per_block": draw(st.integers(1, 2)),
        "downsample_type": draw(st.sampled_from(["conv", "resnet", None])),
        "upsample_type": draw(st.sampled_from(["conv", "resnet", None])),
        "attention_head_dim": draw(st.sampled_from([4, 8, None])),
        "norm_num_groups": 4,
        "attn_norm_num_groups": draw(st.sampled_from([2, None])),
        "resnet_time_scale_shift": draw(st.sampled_from(["default", "scale_shift"])),
        "add_attention": draw(st.booleans()),
        "class_embed_type": draw(st.sampled_from([None, "timestep", "identity"])),
        "num_class_embeds": draw(st.none() | st.integers(1, 4)),
        "time_embedding_type": draw(st.sampled_from(["positional", "fourier", "learned"])),
        "time_embedding_dim": draw(st.none() | st.integers(2, 9)),
        "num_train_timesteps": 7,
    }


@st.composite
def controlnet_options(draw):
    levels = draw(st.integers(1, 3))
    return {
        "block_out_channels": draw(one_a_level([8, 16, 24], levels)),
        "down_block_types": draw(one_a_level(["DownBlock2D", "CrossAttnDownBlock2D"], levels)),
        "mid_block_type": draw(st.sampled_from(["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"])),
        "layers_per_block": draw(st.integers(1, 3)),
        "transformer_layers_per_block": draw(each(st.integers(1, 2), levels)),
        "attention_head_dim": draw(each(st.sampled_from([1, 2, 4]), levels)),
        "num_attention_heads": draw(st.none() | each(st.sampled_from([1, 2, 4]), levels)),
        "only_cross_attention": draw(each(st.booleans(), levels)),
        "cross_attention_dim": 5,
        "norm_num_groups": 4,
        "use_linear_projection": draw(st.booleans()),
        "class_embed_type": draw(st.sampled_from([None, "identity", "projection"])),
        "num_class_embeds": draw(st.none() | st.integers(1, 4)),
        "addition_embed_type": draw(st.sampled_from([None, "text_time"])),
        "addition_time_embed_dim": 6,
        "projection_class_embeddings_input_dim": 20,
        "resnet_time_scale_shift": draw(st.sampled_from(["default", "scale_shift"])),
        "conditioning_channels": draw(st.integers(1, 3)),
        "conditioning_embedding_out_channels": draw(
            st.lists(st.integers(1, 8), min_size=1, max_size=4)
        ),
    }
