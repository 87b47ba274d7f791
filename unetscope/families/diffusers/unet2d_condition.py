"""The options of `UNet2DConditionModel`, under diffusers' own key names and defaults.

Source: `diffusers.UNet2DConditionModel`, 0.42.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from unetscope.families.family import (
    Blocks,
    Count,
    Depth,
    HeightAndWidth,
    Join,
    Kernel,
    Levels,
    Options,
    Positive,
    Probability,
)

BlocksEach = Blocks | tuple[Blocks | None, ...] | None
"""Transformer blocks behind each ResNet of a level: one number, or one a ResNet; null for none."""


class UNet2DConditionConfig(Options, frozen=True, kw_only=True):
    """What a `UNet2DConditionModel` is made of.

    Attributes:
        sample_size: height and width of the sample it was trained on; shapes nothing.
        attention_head_dim: the number of heads wherever a block holds a `Transformer2DModel`
            (diffusers kept the misnomer so that published files stay valid).
        cross_attention_dim: dimension of the text tokens, one for all levels or one a level.
        layers_per_block: ResNets in each down block; the mirrored up block has one more.
        up_layers_per_block: ResNets in each up block, from the lowest resolution up, if pruning
            left fewer; not an option of diffusers. A list for a block has one entry a ResNet: which
            residual of its resolution it joins, 0 for the newest, or null for none. Null mirrors
            the down blocks.
        transformer_layers_per_block: transformer blocks in each `Transformer2DModel`; for all
            levels, one a level, or a list a level with one entry a ResNet. 0 leaves, as in
            diffusers, its norm and projections; null, which diffusers does not know, no
            transformer at all. The middle block has the last level's (the first entry of a list).
        reverse_transformer_layers_per_block: the same for the up blocks, from the lowest
            resolution up; null mirrors the down blocks.
        transformer_layers_per_mid_block: the same for the middle block; not an option of
            diffusers for this class. Null for the last level's.
        resnet_out_scale_factor: divides the output of ResNets in block types that read it, which
            `DownBlock2D`, `UpBlock2D` and their kin with cross-attention do not.
        upcast_attention: scores in float32; diffusers reads it only where it does without
            `scaled_dot_product_attention`, so it changes nothing here either.
        addition_embed_type_num_heads: heads of an `addition_embed_type` that pools text.
    """

    sample_size: Count | HeightAndWidth | None = None
    in_channels: Count = 4
    out_channels: Count = 4
    center_input_sample: bool = False
    flip_sin_to_cos: bool = True
    freq_shift: float = 0
    down_block_types: Annotated[tuple[str, ...], Levels] = (
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "DownBlock2D",
    )
    mid_block_type: str | None = "UNetMidBlock2DCrossAttn"
    up_block_types: Annotated[tuple[str, ...], Levels] = (
        "UpBlock2D",
        "CrossAttnUpBlock2D",
        "CrossAttnUpBlock2D",
        "CrossAttnUpBlock2D",
    )
    only_cross_attention: bool | tuple[bool, ...] = False
    block_out_channels: Annotated[tuple[Count, ...], Levels] = (320, 640, 1280, 1280)
    layers_per_block: Depth | tuple[Depth, ...] = 2
    up_layers_per_block: Depth | tuple[Depth | tuple[Join | None, ...], ...] | None = None
    downsample_padding: Annotated[int, Meta(ge=0, le=1)] = 1
    mid_block_scale_factor: Positive = 1
    dropout: Probability = 0.0
    act_fn: str = "silu"
    norm_num_groups: Count | None = 32
    norm_eps: Positive = 1e-5
    cross_attention_dim: Count | tuple[Count, ...] = 1280
    transformer_layers_per_block: Blocks | tuple[BlocksEach, ...] = 1
    reverse_transformer_layers_per_block: tuple[BlocksEach, ...] | None = None
    transformer_layers_per_mid_block: Blocks | None = None
    encoder_hid_dim: Count | None = None
    encoder_hid_dim_type: str | None = None
    attention_head_dim: Count | tuple[Count, ...] = 8
    num_attention_heads: Count | tuple[Count, ...] | None = None
    dual_cross_attention: bool = False
    use_linear_projection: bool = False
    class_embed_type: str | None = None
    addition_embed_type: str | None = None
    addition_time_embed_dim: Count | None = None
    num_class_embeds: Count | None = None
    upcast_attention: bool | None = False
    resnet_time_scale_shift: str = "default"
    resnet_skip_time_act: bool = False
    resnet_out_scale_factor: Positive = 1.0
    time_embedding_type: str = "positional"
    time_embedding_dim: Count | None = None
    time_embedding_act_fn: str | None = None
    timestep_post_act: str | None = None
    time_cond_proj_dim: Count | None = None
    conv_in_kernel: Kernel = 3
    conv_out_kernel: Kernel = 3
    projection_class_embeddings_input_dim: Count | None = None
    attention_type: str = "default"
    class_embeddings_concat: bool = False
    mid_block_only_cross_attention: bool | None = None
    cross_attention_norm: str | None = None
    addition_embed_type_num_heads: Count = 64

    @property
    def time_embed_dim(self) -> int:
        """Dimension of the embedded time."""
        factor = 2 if self.time_embedding_type == "fourier" else 4
        return self.time_embedding_dim or factor * self.block_out_channels[0]

    @property
    def timestep_input_dim(self) -> int:
        """Dimension of the sinusoids that are embedded."""
        if self.time_embedding_type == "fourier":
            return self.time_embed_dim
        return self.block_out_channels[0]

    @property
    def temb_channels(self) -> int:
        """Dimension of the vector that every ResNet reads."""
        return 2 * self.time_embed_dim if self.class_embeddings_concat else self.time_embed_dim

    @property
    def token_projection(self) -> str | None:
        """What makes the tokens that attentions read; null if they are given as they are read."""
        if self.encoder_hid_dim_type is None and self.encoder_hid_dim is not None:
            return "text_proj"
        return self.encoder_hid_dim_type

    @property
    def only_cross_attention_in_middle(self) -> bool:
        """Whether attention to text and pixels at once, in the middle, leaves out the pixels."""
        if self.mid_block_only_cross_attention is not None:
            return self.mid_block_only_cross_attention
        return self.only_cross_attention is True
