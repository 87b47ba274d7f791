"""The UNet of Stable Diffusion.

Latent Diffusion (2022): an encoder that halves the resolution and pushes what it computes on a
stack, a middle block, and a decoder that doubles the resolution and pops the stack; all of it is
told the time and reads the text.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.config.levels import Level, levels_of
from unetscope.config.supported import needed, refuse_unsupported
from unetscope.families.attention import Transformer2DModel
from unetscope.families.blocks import DOWN, MID, UP, UpBlock
from unetscope.families.embeddings import TimestepEmbedding, Timesteps
from unetscope.families.layers import Conv2d, Embedding, GroupNorm, Linear, activation
from unetscope.families.resnet import ResnetBlock2D

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from unetscope.config.unet2d_condition import UNet2DConditionConfig


class UNet2DConditionModel(nn.Module):
    """Predict the noise in a latent image, given the time and the text.

    Args:
        config: the published options.

    Raises:
        ConfigError: an option is set to what this family does not cover.
    """

    def __init__(self, config: UNet2DConditionConfig):
        super().__init__()
        refuse_unsupported(config)
        self.config = config
        levels = levels_of(config)
        width = levels[0].channels
        self.conv_in = _same_size_conv(config.in_channels, width, config.conv_in_kernel)
        temb_channels = self._add_embeddings(width)
        self._add_blocks(levels, temb_channels)
        self.conv_norm_out = GroupNorm(config.norm_num_groups, width, eps=config.norm_eps)
        self.conv_act = activation(config.act_fn)
        self.conv_out = _same_size_conv(width, config.out_channels, config.conv_out_kernel)

    def _add_embeddings(self, width: int) -> int:
        """Add what embeds the time and all that is added to it; return the sum's width."""
        config = self.config
        time_embed_dim = config.time_embedding_dim or 4 * width
        sinusoids = partial(
            Timesteps, flip_sin_to_cos=config.flip_sin_to_cos, freq_shift=config.freq_shift
        )
        self.time_proj = sinusoids(width)
        self.time_embedding = TimestepEmbedding(
            width,
            time_embed_dim,
            act_fn=config.act_fn,
            post_act_fn=config.timestep_post_act,
            cond_proj_dim=config.time_cond_proj_dim,
        )
        self.class_embedding = _class_embedding(config, width, time_embed_dim)
        if config.addition_embed_type == "text_time":
            self.add_time_proj = sinusoids(needed(config.addition_time_embed_dim))
            self.add_embedding = TimestepEmbedding(
                needed(config.projection_class_embeddings_input_dim), time_embed_dim
            )
        self.time_embed_act = (
            activation(config.time_embedding_act_fn) if config.time_embedding_act_fn else None
        )
        return 2 * time_embed_dim if config.class_embeddings_concat else time_embed_dim

    def _add_blocks(self, levels: Sequence[Level], temb_channels: int) -> None:
        """Add encoder, middle and decoder, tracking the channels on the skip stack."""
        config = self.config
        resnet = partial(
            ResnetBlock2D,
            temb_channels=temb_channels,
            groups=config.norm_num_groups,
            eps=config.norm_eps,
            act_fn=config.act_fn,
            dropout=config.dropout,
        )
        # Registered in the published order: the middle block comes last.
        self.down_blocks = nn.ModuleList()
        self.up_blocks = nn.ModuleList()

        channels = levels[0].channels
        skips = [channels]
        for level, name in zip(levels, config.down_block_types, strict=True):
            is_last = level is levels[-1]
            block = DOWN[name](
                channels,
                level.channels,
                level.layers,
                level.down_depths,
                resnet=resnet,
                transformer=self._transformer(level),
                downsample_padding=None if is_last else config.downsample_padding,
            )
            self.down_blocks.append(block)
            channels = level.channels
            skips += [channels] * (level.layers + (not is_last))

        self.mid_block = None
        if config.mid_block_type is not None:
            self.mid_block = MID[config.mid_block_type](
                channels,
                levels[-1].down_depths[0],
                resnet=partial(resnet, output_scale_factor=config.mid_block_scale_factor),
                transformer=partial(self._transformer(levels[-1]), only_cross_attention=False),
            )

        for level, name in zip(reversed(levels), config.up_block_types, strict=True):
            self.up_blocks.append(
                UP[name](
                    channels,
                    level.channels,
                    [skips.pop() for _ in range(level.layers + 1)],
                    level.up_depths,
                    resnet=resnet,
                    transformer=self._transformer(level),
                    upsample=level is not levels[0],
                )
            )
            channels = level.channels

    def _transformer(self, level: Level) -> partial[Transformer2DModel]:
        """What makes the transformers of `level`, given their depth."""
        return partial(
            Transformer2DModel,
            level.channels,
            heads=level.heads,
            context_dim=level.context_dim,
            groups=self.config.norm_num_groups,
            use_linear_projection=self.config.use_linear_projection,
            only_cross_attention=level.only_cross_attention,
        )

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor | None,
        class_labels: Tensor | None = None,
        timestep_cond: Tensor | None = None,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Predict the noise.

        Args:
            sample: noisy latents `(B, in_channels, H, W)`.
            timestep: one number, or one a sample `(B,)`.
            encoder_hidden_states: tokens `(B, M, cross_attention_dim)`; without any, the pixels
                read each other twice.
            class_labels: `(B,)`, or the vectors `(B, D)` that a class projection takes.
            timestep_cond: `(B, time_cond_proj_dim)`.
            added_cond_kwargs: `text_embeds` `(B, D)` and `time_ids` `(B, N)`, which Stable
                Diffusion XL adds to the time.

        Returns:
            `(B, out_channels, H, W)`.
        """
        if self.config.center_input_sample:
            sample = 2 * sample - 1
        temb = self._embed(sample, timestep, class_labels, timestep_cond, added_cond_kwargs or {})
        halvings = len(self.down_blocks) - 1
        doubling_misses = any(size % 2**halvings for size in sample.shape[2:])

        hidden_states = self.conv_in(sample)
        residuals = [hidden_states]
        for block in self.down_blocks:
            tokens = encoder_hidden_states if block.has_cross_attention else None
            hidden_states, skips = block(hidden_states, temb, tokens)
            residuals.extend(skips)

        if self.mid_block is not None:
            tokens = encoder_hidden_states if self.mid_block.has_cross_attention else None
            hidden_states = self.mid_block(hidden_states, temb, tokens)

        for block in self.up_blocks:
            assert isinstance(block, UpBlock)
            tokens = encoder_hidden_states if block.has_cross_attention else None
            count = len(block.resnets)
            skips = tuple(residuals[-count:])
            del residuals[-count:]
            upsample_size = residuals[-1].shape[2:] if doubling_misses and residuals else None
            hidden_states = block(hidden_states, skips, temb, tokens, upsample_size)

        hidden_states = self.conv_act(self.conv_norm_out(hidden_states))
        predicted: Tensor = self.conv_out(hidden_states)
        return predicted

    def _embed(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        class_labels: Tensor | None,
        timestep_cond: Tensor | None,
        added_cond_kwargs: Mapping[str, Tensor],
    ) -> Tensor:
        """What every ResNet is told: the time, and what the config adds to it, `(B, D)`."""
        timesteps = torch.as_tensor(timestep, device=sample.device).expand(sample.shape[0])
        # Sinusoids are float32 whatever the network computes in.
        sinusoids = self.time_proj(timesteps).to(sample.dtype)
        temb: Tensor = self.time_embedding(sinusoids, timestep_cond)
        classes = self._embed_classes(sample, class_labels)
        if classes is not None and self.config.class_embeddings_concat:
            temb = torch.cat([temb, classes], dim=-1)
        elif classes is not None:
            temb = temb + classes
        if self.config.addition_embed_type == "text_time":
            temb = temb + self._embed_text_time(sample, added_cond_kwargs)
        if self.time_embed_act is not None:
            temb = self.time_embed_act(temb)
        return temb

    def _embed_classes(self, sample: Tensor, class_labels: Tensor | None) -> Tensor | None:
        """`(B, D)`; None if this network embeds no classes."""
        if self.class_embedding is None:
            return None
        if class_labels is None:
            raise ValueError("class_labels: this network embeds classes and was given none")
        if self.config.class_embed_type == "timestep":
            class_labels = self.time_proj(class_labels).to(sample.dtype)
        classes: Tensor = self.class_embedding(class_labels).to(sample.dtype)
        return classes

    def _embed_text_time(self, sample: Tensor, added_cond_kwargs: Mapping[str, Tensor]) -> Tensor:
        """Stable Diffusion XL: the pooled text `(B, D)`, and sizes and crops `(B, N)`."""
        for name in ("text_embeds", "time_ids"):
            if name not in added_cond_kwargs:
                raise ValueError(f"added_cond_kwargs: this network needs {name!r} and found none")
        text_embeds = added_cond_kwargs["text_embeds"]
        time_ids = added_cond_kwargs["time_ids"]
        sinusoids = self.add_time_proj(time_ids.flatten()).reshape(text_embeds.shape[0], -1)
        vector = torch.cat([text_embeds, sinusoids], dim=-1).to(sample.dtype)
        embedding: Tensor = self.add_embedding(vector)
        return embedding


def _same_size_conv(in_channels: int, out_channels: int, kernel: int) -> Conv2d:
    """A convolution that keeps height and width if its kernel is odd."""
    return Conv2d(in_channels, out_channels, kernel_size=kernel, padding=(kernel - 1) // 2)


def _class_embedding(
    config: UNet2DConditionConfig, width: int, time_embed_dim: int
) -> nn.Module | None:
    """What makes a vector `(B, time_embed_dim)` of the class labels; None without classes."""
    vector_dim = config.projection_class_embeddings_input_dim
    match config.class_embed_type:
        case "timestep":
            return TimestepEmbedding(width, time_embed_dim, act_fn=config.act_fn)
        case "identity":
            return nn.Identity()
        case "projection":
            return TimestepEmbedding(needed(vector_dim), time_embed_dim)
        case "simple_projection":
            return Linear(needed(vector_dim), time_embed_dim)
    if config.num_class_embeds is not None:
        return Embedding(config.num_class_embeds, time_embed_dim)
    return None
