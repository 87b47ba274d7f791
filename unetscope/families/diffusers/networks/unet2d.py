"""The UNet of DDPM and its kin: no text, self-attention at the lower resolutions.

Denoising Diffusion Probabilistic Models (2020), Improved DDPM and ADM (2021), NCSN++ (2020),
Consistency Models (2023), and Latent Diffusion's unconditional models (2022).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.diffusers.blocks import FIR_ATTENTION_GROUPS, BlockType
from unetscope.families.diffusers.levels import Level, plain_levels
from unetscope.families.diffusers.networks.attention import SelfAttention
from unetscope.families.diffusers.networks.blocks import Block
from unetscope.families.diffusers.networks.building import (
    Builder,
    MakeAttention,
    Parts,
)
from unetscope.families.diffusers.networks.embeddings import (
    GaussianFourierProjection,
    TimestepEmbedding,
    Timesteps,
    embed_classes,
)
from unetscope.families.diffusers.networks.fir_blocks import SCALE, FirDownBlock, FirUpBlock
from unetscope.families.diffusers.supported import needed
from unetscope.families.layers import Conv2d, Embedding, GroupNorm

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.diffusers.unet2d import UNet2DConfig

FOURIER_SCALE = 16
"""Standard deviation of the random frequencies, as in NCSN++."""


class PlainBuilder(Builder[Level]):
    """Builds the blocks of a `UNet2DModel`.

    Args:
        config: its options.
    """

    def __init__(self, config: UNet2DConfig) -> None:
        super().__init__(plain_levels(config))
        self.config = config
        self.plain = Parts.of(config, config.time_embed_dim)

    def parts(self, block_type: BlockType) -> Parts:
        """What makes the ResNets of such a block."""
        down = up = "resnet" if block_type.resnet == "guided" else "conv"
        if block_type == BlockType(attention="self"):
            down, up = self.config.downsample_type or "conv", self.config.upsample_type or "conv"
        return replace(self.plain, downsample_type=down, upsample_type=up)

    def attention(
        self, block_type: BlockType, level: Level, *, decoder: bool
    ) -> MakeAttention | None:
        """What makes the attentions of such a block at that level; None if it has none."""
        if block_type.attention is None:
            return None
        head_dim = level.up_head_dim if decoder else level.down_head_dim
        fir = block_type.resnet == "fir"
        return partial(
            self._self_attention,
            head_dim,
            FIR_ATTENTION_GROUPS if fir else self.config.norm_num_groups,
            SCALE if fir else 1.0,
        )

    def mid(self) -> nn.Module | None:
        """The block at the lowest resolution; None if there is none."""
        config, level = self.config, self.levels[-1]
        if config.mid_block_type is None:
            return None
        scale, groups = config.mid_block_scale_factor, config.middle_attention_groups
        attention = partial(self._self_attention, level.down_head_dim, groups, scale)
        return self.middle(
            config.mid_block_type,
            layers=1,
            parts=replace(self.plain, output_scale_factor=scale),
            attention=attention if config.add_attention else None,
        )

    def _self_attention(
        self, head_dim: int, groups: int | None, scale: float, channels: int, _layer: int
    ) -> nn.Module:
        return SelfAttention(
            channels,
            head_dim=head_dim,
            groups=groups,
            eps=self.plain.eps,
            output_scale_factor=scale,
        )


class UNet2DModel(nn.Module):
    """Predict the noise in an image, given the time and perhaps its class.

    Args:
        config: the published options.
    """

    def __init__(self, config: UNet2DConfig):
        super().__init__()
        self.config = config
        channels = config.block_out_channels[0]
        self.conv_in = Conv2d(config.in_channels, channels, kernel_size=3, padding=1)
        self.time_proj = _time_projection(config)
        self.time_embedding = TimestepEmbedding(config.timestep_input_dim, config.time_embed_dim)
        self.class_embedding = _class_embedding(config)
        blocks = PlainBuilder(config)
        # Registered in the published order: the middle block comes last.
        self.down_blocks = blocks.down(config.down_block_types)
        self.up_blocks = blocks.up(config.up_block_types)
        self.mid_block = blocks.mid()
        self.conv_norm_out = GroupNorm(
            blocks.plain.groups_of(channels), channels, eps=config.norm_eps
        )
        self.conv_act = nn.SiLU()
        self.conv_out = Conv2d(channels, config.out_channels, kernel_size=3, padding=1)

    def forward(
        self, sample: Tensor, timestep: Tensor | float, class_labels: Tensor | None = None
    ) -> Tensor:
        """Predict the noise.

        Args:
            sample: noisy image `(B, in_channels, H, W)`.
            timestep: one number, or one a sample `(B,)`.
            class_labels: `(B,)`, or vectors `(B, D)` where `class_embed_type` is `identity`.

        Returns:
            `(B, out_channels, H, W)`.
        """
        if self.config.center_input_sample:
            sample = 2 * sample - 1
        timesteps = torch.as_tensor(timestep, device=sample.device).expand(sample.shape[0])
        temb = self._condition_vector(sample, timesteps, class_labels)

        image: Tensor | None = sample
        hidden_states = self.conv_in(sample)
        residuals = [hidden_states]
        for block in self.down_blocks:
            if isinstance(block, FirDownBlock):
                hidden_states, made, image = block(hidden_states, temb, image)
            else:
                hidden_states, made = block(hidden_states, temb)
            residuals.extend(made)

        if self.mid_block is not None:
            hidden_states = self.mid_block(hidden_states, temb)

        picture: Tensor | None = None
        for block in self.up_blocks:
            assert isinstance(block, Block)
            skips = tuple(residuals[-block.takes :])
            del residuals[-block.takes :]
            if isinstance(block, FirUpBlock):
                hidden_states, picture = block(hidden_states, skips, temb, picture)
            else:
                hidden_states = block(hidden_states, skips, temb)

        predicted: Tensor = self.conv_out(self.conv_act(self.conv_norm_out(hidden_states)))
        if picture is not None:
            predicted = predicted + picture
        if self.config.time_embedding_type == "fourier":
            predicted = predicted / timesteps[:, None, None, None]
        return predicted

    def _condition_vector(
        self, sample: Tensor, timesteps: Tensor, class_labels: Tensor | None
    ) -> Tensor:
        """The vector of time and class that every ResNet reads, `(B, D)`."""
        # Sinusoids are float32 whatever the network computes in.
        temb: Tensor = self.time_embedding(self.time_proj(timesteps).to(sample.dtype))
        if self.class_embedding is None:
            return temb
        times = self.time_proj if self.config.class_embed_type == "timestep" else None
        return temb + embed_classes(self.class_embedding, class_labels, times, sample.dtype)


def _time_projection(config: UNet2DConfig) -> nn.Module:
    """What makes features of the time."""
    channels = config.block_out_channels[0]
    match config.time_embedding_type:
        case "fourier":
            return GaussianFourierProjection(channels, scale=FOURIER_SCALE, log=True)
        case "learned":
            return Embedding(needed(config.num_train_timesteps), channels)
    return Timesteps(channels, flip_sin_to_cos=config.flip_sin_to_cos, freq_shift=config.freq_shift)


def _class_embedding(config: UNet2DConfig) -> nn.Module | None:
    """What makes a vector `(B, D)` of the class labels; None without classes."""
    match config.class_embed_type:
        case "timestep":
            return TimestepEmbedding(config.timestep_input_dim, config.time_embed_dim)
        case "identity":
            return nn.Identity()
    if config.num_class_embeds is not None:
        return Embedding(config.num_class_embeds, config.time_embed_dim)
    return None
