"""What the families here cover of diffusers' options; anything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from unetscope.families.diffusers.blocks import (
    DOWN_BLOCKS,
    MID_BLOCKS,
    UNCOVERED,
    UP_BLOCKS,
    BlockType,
)
from unetscope.families.family import Covered

T = TypeVar("T")

ACTIVATIONS = ("silu", "swish", "gelu", "mish", "relu")
TIME_SCALE_SHIFT = ("default", "scale_shift")


def _names(blocks: Mapping[str, BlockType], *, fir: bool, text: bool) -> tuple[str, ...]:
    """The names of blocks, with those of NCSN++ or without, and with those that read text or not.

    Blocks of k-diffusion are taken for blocks that read text, since no others stand beside them.
    """
    return tuple(
        name
        for name, kind in blocks.items()
        if (fir or kind.resnet != "fir") and (text or not (kind.reads_text or kind.resnet == "k"))
    )


NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("class_embed_type", "projection"): ("projection_class_embeddings_input_dim",),
    ("class_embed_type", "simple_projection"): ("projection_class_embeddings_input_dim",),
    ("encoder_hid_dim_type", "text_proj"): ("encoder_hid_dim",),
    ("encoder_hid_dim_type", "text_image_proj"): ("encoder_hid_dim",),
    ("encoder_hid_dim_type", "image_proj"): ("encoder_hid_dim",),
    ("addition_embed_type", "image"): ("encoder_hid_dim",),
    ("addition_embed_type", "image_hint"): ("encoder_hid_dim",),
    ("addition_embed_type", "text_time"): (
        "addition_time_embed_dim",
        "projection_class_embeddings_input_dim",
    ),
    ("time_embedding_type", "learned"): ("num_train_timesteps",),
}
"""Option and value -> the options that must not be null with it."""

HINTS = {
    "num_attention_heads": "published configs give the number of heads as attention_head_dim",
}


def _hint(key: str, value: Any) -> str | None:
    """A hint about an option's value that is not covered, if it is a published one."""
    if value in UNCOVERED:
        return f"{value} is a block of autoencoders, not of UNets"
    if value in DOWN_BLOCKS or value in UP_BLOCKS or value in MID_BLOCKS:
        return f"{value} is a published block type, but not one of this family's here"
    return HINTS.get(key)


COVERED_UNET_2D_CONDITION = Covered(
    {
        "down_block_types": _names(DOWN_BLOCKS, fir=False, text=True),
        "mid_block_type": (*MID_BLOCKS, None),
        "up_block_types": _names(UP_BLOCKS, fir=False, text=True),
        "act_fn": ACTIVATIONS,
        "encoder_hid_dim_type": ("text_proj", "text_image_proj", "image_proj", None),
        "num_attention_heads": (None,),
        "class_embed_type": ("timestep", "identity", "projection", "simple_projection", None),
        "addition_embed_type": ("text", "text_image", "text_time", "image", "image_hint", None),
        "resnet_time_scale_shift": TIME_SCALE_SHIFT,
        "time_embedding_type": ("positional", "fourier"),
        "time_embedding_act_fn": (*ACTIVATIONS, None),
        "timestep_post_act": (*ACTIVATIONS, None),
        "attention_type": ("default", "gated", "gated-text-image"),
        "cross_attention_norm": ("layer_norm", "group_norm", None),
    },
    needs=NEEDS,
    hint=_hint,
)
COVERED_UNET_2D = Covered(
    {
        "time_embedding_type": ("positional", "fourier", "learned"),
        "down_block_types": _names(DOWN_BLOCKS, fir=True, text=False),
        "mid_block_type": ("UNetMidBlock2D", None),
        "up_block_types": _names(UP_BLOCKS, fir=True, text=False),
        "downsample_type": ("conv", "resnet", None),
        "upsample_type": ("conv", "resnet", None),
        "act_fn": ACTIVATIONS,
        "resnet_time_scale_shift": TIME_SCALE_SHIFT,
        "class_embed_type": ("timestep", "identity", None),
    },
    needs=NEEDS,
    hint=_hint,
)
COVERED_CONTROLNET = Covered(
    {
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "mid_block_type": ("UNetMidBlock2DCrossAttn", "UNetMidBlock2D"),
        "act_fn": ACTIVATIONS,
        # The published forward pass projects no tokens, whatever these options say.
        "encoder_hid_dim": (None,),
        "encoder_hid_dim_type": (None,),
        "class_embed_type": ("identity", "projection", None),
        "addition_embed_type": ("text_time", None),
        "resnet_time_scale_shift": TIME_SCALE_SHIFT,
        "controlnet_conditioning_channel_order": ("rgb", "bgr"),
    },
    needs=NEEDS,
    hint=_hint,
)


def needed(value: T | None) -> T:
    """The value of an option that is null only in configs that were refused."""
    assert value is not None
    return value
