"""The options of `UNet2DModel`, under diffusers' own key names and defaults.

Source: `diffusers.UNet2DModel`, 0.42.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from unetscope.families.family import (
    Count,
    Depth,
    HeightAndWidth,
    Join,
    Levels,
    Options,
    Positive,
    Probability,
)


class UNet2DConfig(Options, frozen=True, kw_only=True):
    """What a `UNet2DModel` is made of.

    Attributes:
        sample_size: height and width of the sample it was trained on; shapes nothing.
        layers_per_block: ResNets in each down block; the mirrored up block has one more. One
            number a level, which diffusers does not know for this class, if pruning left fewer.
        up_layers_per_block: ResNets in each up block; see `UNet2DConditionModel`.
        downsample_type: what halves in `AttnDownBlock2D`: `conv` or `resnet`.
        upsample_type: what doubles in `AttnUpBlock2D`: `conv` or `resnet`.
        attention_head_dim: channels of each attention head, one for all levels or one a level,
            which diffusers has no option for; null for one head.
        norm_num_groups: groups of the norms; null where each block counts by its channels.
        attn_norm_num_groups: groups of the middle attention's norm; null for as many as the others
            have or, if `resnet_time_scale_shift` is not `default`, for no norm.
        add_attention: whether the middle block has an attention.
        num_train_timesteps: steps that a `learned` time embedding knows.
    """

    sample_size: Count | HeightAndWidth | None = None
    in_channels: Count = 3
    out_channels: Count = 3
    center_input_sample: bool = False
    time_embedding_type: str = "positional"
    time_embedding_dim: Count | None = None
    freq_shift: float = 0
    flip_sin_to_cos: bool = True
    down_block_types: Annotated[tuple[str, ...], Levels] = (
        "DownBlock2D",
        "AttnDownBlock2D",
        "AttnDownBlock2D",
        "AttnDownBlock2D",
    )
    mid_block_type: str | None = "UNetMidBlock2D"
    up_block_types: Annotated[tuple[str, ...], Levels] = (
        "AttnUpBlock2D",
        "AttnUpBlock2D",
        "AttnUpBlock2D",
        "UpBlock2D",
    )
    block_out_channels: Annotated[tuple[Count, ...], Levels] = (224, 448, 672, 896)
    layers_per_block: Depth | tuple[Depth, ...] = 2
    up_layers_per_block: Depth | tuple[Depth | tuple[Join | None, ...], ...] | None = None
    mid_block_scale_factor: Positive = 1
    downsample_padding: Annotated[int, Meta(ge=0, le=1)] = 1
    downsample_type: str | None = "conv"
    upsample_type: str | None = "conv"
    dropout: Probability = 0.0
    act_fn: str = "silu"
    attention_head_dim: Count | tuple[Count, ...] | None = 8
    norm_num_groups: Count | None = 32
    attn_norm_num_groups: Count | None = None
    norm_eps: Positive = 1e-5
    resnet_time_scale_shift: str = "default"
    add_attention: bool = True
    class_embed_type: str | None = None
    num_class_embeds: Count | None = None
    num_train_timesteps: Count | None = None

    @property
    def time_embed_dim(self) -> int:
        """Dimension of the embedded time."""
        return self.time_embedding_dim or 4 * self.block_out_channels[0]

    @property
    def timestep_input_dim(self) -> int:
        """Dimension of what is embedded."""
        factor = 2 if self.time_embedding_type == "fourier" else 1
        return factor * self.block_out_channels[0]

    @property
    def middle_attention_groups(self) -> int | None:
        """Groups of the middle attention's norm; None if it has none."""
        if self.attn_norm_num_groups is not None:
            return self.attn_norm_num_groups
        if self.resnet_time_scale_shift != "default":
            return None
        return self.norm_num_groups or min(self.block_out_channels[-1] // 4, 32)
