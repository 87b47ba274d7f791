"""With equal weights, networks without text return what diffusers' return."""

from __future__ import annotations

import pytest
import torch

DDPM = {
    "block_out_channels": [8, 16, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
}
ADM = DDPM | {
    "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"],
    "downsample_type": "resnet",
    "upsample_type": "resnet",
    "resnet_time_scale_shift": "scale_shift",
    "attn_norm_num_groups": 2,
    "num_class_embeds": 10,
}
NCSNPP = {
    "block_out_channels": [32, 32, 64],
    "norm_num_groups": None,
    "attention_head_dim": None,
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"],
    "up_block_types": ["SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"],
    "time_embedding_type": "fourier",
    "mid_block_scale_factor": 1.41421356,
}
LEARNED = DDPM | {"time_embedding_type": "learned", "num_train_timesteps": 1000}

TWINS = {
    "ddpm": DDPM
    | {
        "downsample_padding": 0,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "attention_head_dim": None,
        "norm_eps": 1e-6,
    },
    "ldm_celebahq": DDPM
    | {
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    },
    "adm": ADM,
    "adm_without_middle_norm": ADM | {"attn_norm_num_groups": None},
    "adm_by_convolutions": ADM | {"downsample_type": None, "upsample_type": None},
    "adm_by_both": ADM | {"upsample_type": "conv"},
    "iddpm": DDPM | {"resnet_time_scale_shift": "scale_shift", "num_class_embeds": 10},
    "ncsnpp": NCSNPP,
    "ncsnpp_decoder": NCSNPP | {"down_block_types": ["DownBlock2D"] * 3, "norm_num_groups": 4},
    "ncsnpp_encoder": NCSNPP | {"up_block_types": ["UpBlock2D"] * 3, "norm_num_groups": 4},
    "no_attention": DDPM | {"add_attention": False},
    "no_middle": DDPM | {"mid_block_type": None},
    "learned": LEARNED,
    "learned_twice": LEARNED | {"class_embed_type": "timestep"},
    "classes_as_times": DDPM | {"class_embed_type": "timestep"},
    "classes_as_vectors": DDPM | {"class_embed_type": "identity"},
    "options": DDPM
    | {
        "time_embedding_dim": 20,
        "center_input_sample": True,
        "mid_block_scale_factor": 2.0,
        "act_fn": "gelu",
        "dropout": 0.2,
    },
}


def class_labels(options):
    if options.get("class_embed_type") == "identity":
        return torch.randn(2, 4 * options["block_out_channels"][0])
    return torch.tensor([3, 7])


@pytest.mark.parametrize("name", TWINS)
def test_narrow_twins(pair_of, name):
    options = TWINS[name]
    both = pair_of("UNet2DModel", options)
    ours, theirs = both.structure()
    assert ours == theirs
    inputs = {"sample": torch.randn(2, 3, 16, 24), "timestep": torch.tensor([1, 999])}
    if "num_class_embeds" in options or "class_embed_type" in options:
        inputs["class_labels"] = class_labels(options)
    ours, theirs = both.outputs(**inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_classes_are_asked_for(pair_of):
    both = pair_of("UNet2DModel", ADM)
    with pytest.raises(ValueError, match="class_labels"):
        both.ours(torch.randn(1, 3, 8, 8), 1)
