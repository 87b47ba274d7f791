"""The families that diffusers publishes.

Source: diffusers 0.42.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from math import gcd

from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.inputs import (
    check_tokens,
    condition_inputs,
    controlnet_inputs,
    unet2d_inputs,
    usual_size,
    usual_tokens,
)
from unetscope.families.diffusers.rules import condition_rules, controlnet_rules, unet2d_rules
from unetscope.families.diffusers.sizes import controlnet_maps, controlnet_takes, maps, takes
from unetscope.families.diffusers.supported import (
    COVERED_CONTROLNET,
    COVERED_UNET_2D,
    COVERED_UNET_2D_CONDITION,
)
from unetscope.families.diffusers.surprises import (
    condition_surprises,
    controlnet_surprises,
    unet2d_surprises,
)
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import Family
from unetscope.families.sizes import Sizes

_Config = UNet2DConditionConfig | UNet2DConfig | ControlNetConfig
_NETWORKS = "unetscope.families.diffusers.networks"
_LEVEL_KEYS = ("down_block_types", "up_block_types", "block_out_channels")
_SIZE_KEYS = (
    "sample_size",
    "conv_in_kernel",
    "conv_out_kernel",
    "downsample_padding",
    "downsample_type",
)


def _channels(unet: _Config) -> tuple[int, ...]:
    return unet.block_out_channels


def _narrower(unet: _Config) -> Iterator[tuple[str, ...]]:
    """All levels divided by the same number, one group for what divides them all."""
    common = reduce(gcd, unet.block_out_channels)
    for factor in (n for n in range(common, 1, -1) if common % n == 0):
        channels = [each // factor for each in unet.block_out_channels]
        yield (f"block_out_channels={channels}", f"norm_num_groups={reduce(gcd, channels)}")


# The first pattern that matches a module's path decides.
_LIKELY = (
    (r"\.attn2\.(to_[kv]|norm_cross)$|\.(add_[kv]_proj|norm_cross)$", "cross_attention_dim"),
    (r"^encoder_hid_proj|^add_embedding\.(image|text|pool|norm1)", "encoder_hid_dim"),
    (r"^controlnet_cond_embedding", "conditioning_channels"),
    (r"\.attn\d(\.|$)|\.attentions\.\d+\.(to_|group_norm)", "attention_head_dim"),
    (r"add_embedding|class_embedding", "projection_class_embeddings_input_dim"),
    (r"time_emb_proj$|^time_embedding", "time_embedding_dim"),
    (r"norm", "norm_num_groups"),
    (r"^conv_in$", "in_channels"),
    (r"^up_blocks\.\d+(\.resnets\.\d+)?", "layers_per_block"),
    (r"^(down_blocks|mid_block)", "block_out_channels"),
)


def _likely_key(path: str) -> str | None:
    """The option that a failure in the module at `path` most likely comes from."""
    return next((key for pattern, key in _LIKELY if re.search(pattern, path)), None)


UNET_2D_CONDITION: Family[UNet2DConditionConfig] = Family(
    name="UNet2DConditionModel",
    network=f"{_NETWORKS}.unet2d_condition:UNet2DConditionModel",
    options=UNet2DConditionConfig,
    inputs=condition_inputs,
    channels=_channels,
    narrower=_narrower,
    sizes=Sizes(maps, takes),
    covered=COVERED_UNET_2D_CONDITION,
    rules=condition_rules,
    surprises=condition_surprises,
    channel_keys=("block_out_channels", "cross_attention_dim"),
    text_keys=("encoder_hid_dim", "cross_attention_dim"),
    level_keys=_LEVEL_KEYS,
    size_keys=_SIZE_KEYS,
    check_tokens=check_tokens,
    usual_size=usual_size,
    usual_tokens=usual_tokens,
    likely_key=_likely_key,
    library="diffusers",
    own_keys=("up_layers_per_block", "transformer_layers_per_mid_block"),
)
UNET_2D: Family[UNet2DConfig] = Family(
    name="UNet2DModel",
    network=f"{_NETWORKS}.unet2d:UNet2DModel",
    options=UNet2DConfig,
    inputs=unet2d_inputs,
    channels=_channels,
    narrower=_narrower,
    sizes=Sizes(maps, takes),
    covered=COVERED_UNET_2D,
    rules=unet2d_rules,
    surprises=unet2d_surprises,
    channel_keys=("block_out_channels",),
    level_keys=_LEVEL_KEYS,
    size_keys=_SIZE_KEYS,
    usual_size=usual_size,
    likely_key=_likely_key,
    library="diffusers",
    own_keys=("up_layers_per_block",),
)
CONTROLNET: Family[ControlNetConfig] = Family(
    name="ControlNetModel",
    network=f"{_NETWORKS}.controlnet:ControlNetModel",
    options=ControlNetConfig,
    inputs=controlnet_inputs,
    channels=_channels,
    narrower=_narrower,
    sizes=Sizes(controlnet_maps, controlnet_takes),
    covered=COVERED_CONTROLNET,
    rules=controlnet_rules,
    surprises=controlnet_surprises,
    channel_keys=("block_out_channels", "cross_attention_dim"),
    text_keys=("encoder_hid_dim", "cross_attention_dim"),
    level_keys=_LEVEL_KEYS,
    size_keys=_SIZE_KEYS,
    likely_key=_likely_key,
    library="diffusers",
)
