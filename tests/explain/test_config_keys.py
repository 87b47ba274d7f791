"""The table of options and modules says what really happens when an option changes."""

import msgspec
import pytest
import torch
from torch import nn

from unetscope.analysis.config_keys import config_keys
from unetscope.families import build
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.tracing.modules import attributes

BASE = {
    "block_out_channels": [16, 32],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "cross_attention_dim": 12,
    "class_embed_type": "projection",
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 60,
    "time_cond_proj_dim": 5,
    "timestep_post_act": "silu",
    "time_embedding_act_fn": "silu",
}
CHANGES = {
    "in_channels": 9,
    "out_channels": 3,
    "conv_in_kernel": 1,
    "conv_out_kernel": 1,
    "block_out_channels": [24, 48],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "mid_block_type": "UNetMidBlock2D",
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "layers_per_block": 2,
    "up_layers_per_block": [[0, 1], [0]],
    "transformer_layers_per_block": 2,
    "norm_num_groups": 8,
    "norm_eps": 1e-3,
    "act_fn": "gelu",
    "dropout": 0.5,
    "attention_head_dim": 2,
    "cross_attention_dim": 20,
    "only_cross_attention": True,
    "use_linear_projection": True,
    "downsample_padding": 0,
    "mid_block_scale_factor": 2.0,
    "time_embedding_dim": 40,
    "time_cond_proj_dim": 7,
    "timestep_post_act": "mish",
    "time_embedding_act_fn": "mish",
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "addition_time_embed_dim": 10,
    "projection_class_embeddings_input_dim": 44,
    "class_embeddings_concat": True,
    "time_embedding_type": "fourier",
    "resnet_time_scale_shift": "scale_shift",
    "reverse_transformer_layers_per_block": [2, 3],
    "transformer_layers_per_mid_block": 3,
    "dual_cross_attention": True,
    "attention_type": "gated",
}

EXISTENCE = {
    # Some of these modules are there because of the option; at another level it changes nothing.
    "down_block_types", "up_block_types", "mid_block_type", "layers_per_block",
    "up_layers_per_block", "class_embeddings_concat", "time_embedding_dim", "time_embedding_type",
    "only_cross_attention", "cross_attention_dim", "use_linear_projection", "downsample_padding",
}  # fmt: skip


def described(options):
    """What each module is, and what is in it."""
    with torch.device("meta"):
        network = build("UNet2DConditionModel", msgspec.convert(options, UNet2DConditionConfig))
    own = {
        path: (
            type(module).__name__,
            attributes(module),
            [(name, tuple(p.shape)) for name, p in module.named_parameters(recurse=False)],
            [name for name, _ in module.named_children()],
        )
        for path, module in network.named_modules()
    }
    holding = {p for p, m in network.named_modules() if isinstance(m, nn.ModuleList)}
    return {
        path: [facts for other, facts in own.items() if f"{other}.".startswith(f"{path}.")]
        for path in own
        if path and path not in holding
    }


BEFORE = described(BASE)


@pytest.mark.parametrize("key", CHANGES)
def test_an_option_shapes_the_modules_that_name_it(key):
    after = described({**BASE, key: CHANGES[key]})
    named = {path for path in BEFORE if key in config_keys(path, BEFORE)}
    changed = {path for path, facts in BEFORE.items() if path in after and facts != after[path]}
    assert changed, "the change changes nothing"
    assert changed - named == set()
    if key not in EXISTENCE:
        assert {p for p in named if p in after} - changed == set()


def test_a_container_is_shaped_by_all_that_shapes_what_is_in_it():
    paths = list(BEFORE)
    for path in paths:
        inside = [other for other in paths if other.startswith(f"{path}.")]
        for other in inside:
            assert set(config_keys(other, paths)) <= set(config_keys(path, paths))
