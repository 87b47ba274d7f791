"""With equal weights, ControlNets return what diffusers' return."""

from __future__ import annotations

import pytest
import torch

CANNY = {
    "block_out_channels": [8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "conditioning_embedding_out_channels": [4, 8, 8, 12],
}
TWINS = {
    "sd15": CANNY,
    "sdxl": CANNY
    | {
        "use_linear_projection": True,
        "transformer_layers_per_block": [2, 1],
        "num_attention_heads": [4, 8],
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 6,
        "projection_class_embeddings_input_dim": 46,
    },
    "pooled": CANNY | {"global_pool_conditions": True},
    "bgr": CANNY | {"controlnet_conditioning_channel_order": "bgr"},
    "other_picture": CANNY
    | {"conditioning_channels": 1, "conditioning_embedding_out_channels": [4, 8]},
    "one_resnet_in_the_middle": CANNY
    | {"mid_block_type": "UNetMidBlock2D", "resnet_time_scale_shift": "scale_shift"},
    "classes": CANNY | {"num_class_embeds": 5},
}


@pytest.mark.parametrize("name", TWINS)
def test_narrow_twins(pair_of, name):
    options = TWINS[name]
    both = pair_of("ControlNetModel", options)
    ours, theirs = both.structure()
    assert ours == theirs
    both.share_weights()
    enlarged = 2 ** (len(options["conditioning_embedding_out_channels"]) - 1)
    inputs = {
        "sample": torch.randn(2, 4, 8, 12),
        "timestep": torch.tensor([1, 999]),
        "encoder_hidden_states": torch.randn(2, 3, 12),
        "controlnet_cond": torch.rand(
            2, options.get("conditioning_channels", 3), 8 * enlarged, 12 * enlarged
        ),
    }
    if "addition_embed_type" in options:
        inputs["added_cond_kwargs"] = {
            "text_embeds": torch.randn(2, 10),
            "time_ids": torch.rand(2, 6),
        }
    if "num_class_embeds" in options:
        inputs["class_labels"] = torch.tensor([0, 4])
    with torch.no_grad():
        down, middle = both.ours(**inputs)
        theirs = both.theirs(**inputs)
    assert len(down) == len(theirs.down_block_res_samples) == 6
    for residual, expected in zip(down, theirs.down_block_res_samples, strict=True):
        torch.testing.assert_close(residual, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(middle, theirs.mid_block_res_sample, rtol=1e-4, atol=1e-5)


def test_it_begins_as_nothing(pair_of):
    both = pair_of("ControlNetModel", CANNY)
    with torch.no_grad():
        down, middle = both.ours(
            torch.randn(1, 4, 8, 8), 1, torch.randn(1, 3, 12), torch.rand(1, 3, 64, 64)
        )
    assert not any(residual.any() for residual in (*down, middle))
