"""The options of `ControlNetModel`, under diffusers' own key names and defaults.

Source: `diffusers.ControlNetModel`, 0.42.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import Count, Depth, Levels, Options, Positive

_MIRRORS = {"DownBlock2D": "UpBlock2D", "CrossAttnDownBlock2D": "CrossAttnUpBlock2D"}

SHARED = ("block_out_channels", "layers_per_block", "down_block_types", "in_channels")
"""Options that must be equal in a UNet and its ControlNet, so that the residuals fit."""

_OWN = (
    "conditioning_channels",
    "controlnet_conditioning_channel_order",
    "conditioning_embedding_out_channels",
    "global_pool_conditions",
    "num_attention_heads",
)


class ControlNetConfig(Options, frozen=True, kw_only=True):
    """What a `ControlNetModel` is made of: the encoder of a `UNet2DConditionModel`, and a picture.

    Attributes:
        conditioning_channels: channels of the picture that it is given.
        attention_head_dim: the number of heads, unless `num_attention_heads` says it.
        cross_attention_dim: dimension of the text tokens.
        layers_per_block: ResNets in each down block.
        transformer_layers_per_block: transformer blocks in each `Transformer2DModel`, for all
            levels or one a level.
        upcast_attention: changes nothing here; see `UNet2DConditionModel`.
        controlnet_conditioning_channel_order: `rgb`, or `bgr` for a picture to be flipped.
        conditioning_embedding_out_channels: channels of the convolutions that shrink the picture;
            each but the first halves it.
        global_pool_conditions: return the mean of each residual over its pixels.
        addition_embed_type_num_heads: heads of an `addition_embed_type` that pools text.
    """

    in_channels: Count = 4
    conditioning_channels: Count = 3
    flip_sin_to_cos: bool = True
    freq_shift: float = 0
    down_block_types: Annotated[tuple[str, ...], Levels] = (
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "DownBlock2D",
    )
    mid_block_type: str | None = "UNetMidBlock2DCrossAttn"
    only_cross_attention: bool | tuple[bool, ...] = False
    block_out_channels: Annotated[tuple[Count, ...], Levels] = (320, 640, 1280, 1280)
    layers_per_block: Depth = 2
    downsample_padding: Annotated[int, Meta(ge=0, le=1)] = 1
    mid_block_scale_factor: Positive = 1
    act_fn: str = "silu"
    norm_num_groups: Count = 32
    norm_eps: Positive = 1e-5
    cross_attention_dim: Count = 1280
    transformer_layers_per_block: Depth | tuple[Depth, ...] = 1
    encoder_hid_dim: Count | None = None
    encoder_hid_dim_type: str | None = None
    attention_head_dim: Count | tuple[Count, ...] = 8
    num_attention_heads: Count | tuple[Count, ...] | None = None
    use_linear_projection: bool = False
    class_embed_type: str | None = None
    addition_embed_type: str | None = None
    addition_time_embed_dim: Count | None = None
    num_class_embeds: Count | None = None
    upcast_attention: bool | None = False
    resnet_time_scale_shift: str = "default"
    projection_class_embeddings_input_dim: Count | None = None
    controlnet_conditioning_channel_order: str = "rgb"
    conditioning_embedding_out_channels: Annotated[tuple[Count, ...], Levels] = (16, 32, 96, 256)
    global_pool_conditions: bool = False
    addition_embed_type_num_heads: Count = 64

    @property
    def shrinking(self) -> int:
        """Pixels of the picture for each pixel of the sample, along one side."""
        factor: int = 2 ** (len(self.conditioning_embedding_out_channels) - 1)
        return factor

    def unet(self) -> UNet2DConditionConfig:
        """The options of the UNet whose encoder this is."""
        options = msgspec.structs.asdict(self)
        shared = {key: value for key, value in options.items() if key not in _OWN}
        heads = self.num_attention_heads or self.attention_head_dim
        mirrored = tuple(_MIRRORS.get(name, name) for name in reversed(self.down_block_types))
        return UNet2DConditionConfig(
            **{**shared, "attention_head_dim": heads, "up_block_types": mirrored}
        )
