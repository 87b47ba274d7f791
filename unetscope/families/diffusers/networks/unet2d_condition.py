"""The UNet of Stable Diffusion.

Latent Diffusion (2022): an encoder that halves the resolution and pushes what it computes on a
stack, a middle block, and a decoder that doubles the resolution and pops the stack; all of it is
conditioned on the time step and reads the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unetscope.families.diffusers.networks.blocks import Block
from unetscope.families.diffusers.networks.conditional_blocks import ConditionalBuilder
from unetscope.families.diffusers.networks.conditioning import ConditionalNetwork
from unetscope.families.diffusers.networks.gligen import GLIGENTextBoundingboxProjection
from unetscope.families.layers import Conv2d, GroupNorm, activation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig


class UNet2DConditionModel(ConditionalNetwork):
    """Predict the noise in a latent image, given the time and the text.

    Args:
        config: the published options.
    """

    def __init__(self, config: UNet2DConditionConfig):
        super().__init__(config)
        blocks = ConditionalBuilder(config)
        channels = config.block_out_channels[0]
        self.conv_in = _same_size_conv(config.in_channels, channels, config.conv_in_kernel)
        self._add_embeddings()
        # Registered in the published order: the middle block comes last.
        self.down_blocks = blocks.down(config.down_block_types)
        self.up_blocks = blocks.up(config.up_block_types)
        self.mid_block = blocks.mid()
        self.conv_norm_out: nn.Module | None = None
        if config.norm_num_groups is not None:
            self.conv_norm_out = GroupNorm(config.norm_num_groups, channels, eps=config.norm_eps)
            self.conv_act = activation(config.act_fn)
        self.conv_out = _same_size_conv(channels, config.out_channels, config.conv_out_kernel)
        if config.attention_type != "default":
            self.position_net = GLIGENTextBoundingboxProjection(
                blocks.levels[0].context_dim,
                with_images=config.attention_type == "gated-text-image",
            )

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor | None = None,
        class_labels: Tensor | None = None,
        timestep_cond: Tensor | None = None,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
        gligen: Mapping[str, Tensor] | None = None,
        down_block_additional_residuals: Sequence[Tensor] | None = None,
        mid_block_additional_residual: Tensor | None = None,
    ) -> Tensor:
        """Predict the noise.

        Args:
            sample: noisy latents `(B, in_channels, H, W)`; with a hint, the channels but its four.
            timestep: one number, or one a sample `(B,)`.
            encoder_hidden_states: tokens `(B, M, cross_attention_dim)`, or `encoder_hid_dim` wide
                if they are projected; without any, the pixels read each other twice.
            class_labels: `(B,)`, or the vectors `(B, D)` that a class projection takes.
            timestep_cond: `(B, time_cond_proj_dim)`.
            added_cond_kwargs: what `addition_embed_type` and `encoder_hid_dim_type` call for:
                `text_embeds` `(B, D)`, `time_ids` `(B, N)`, `image_embeds` `(B, D)`, `hint`
                `(B, 3, 8H, 8W)`.
            gligen: objects and their boxes, see `GLIGENTextBoundingboxProjection`.
            down_block_additional_residuals: a ControlNet's, added to those of the down blocks.
            mid_block_additional_residual: a ControlNet's, added to what the middle block returns.

        Returns:
            `(B, out_channels, H, W)`.
        """
        if self.config.center_input_sample:
            sample = 2 * sample - 1
        added = added_cond_kwargs or {}
        halvings = len(self.down_blocks) - 1
        doubling_misses = any(size % 2**halvings for size in sample.shape[2:])

        temb, hint = self._condition_vector(
            sample, timestep, encoder_hidden_states, class_labels, timestep_cond, added
        )
        if hint is not None:
            sample = torch.cat([sample, hint], dim=1)
        tokens = self._project_tokens(encoder_hidden_states, added)
        objects = {} if gligen is None else {"objs": self.position_net(**gligen)}

        hidden_states, residuals = self._encode(self.conv_in(sample), temb, tokens, **objects)
        if down_block_additional_residuals is not None:
            residuals = list(map(torch.add, residuals, down_block_additional_residuals))
        hidden_states = self._middle(hidden_states, temb, tokens, **objects)
        if mid_block_additional_residual is not None:
            hidden_states = hidden_states + mid_block_additional_residual

        for block in self.up_blocks:
            assert isinstance(block, Block)
            skips = tuple(residuals[-block.takes :])
            del residuals[-block.takes :]
            size = residuals[-1].shape[2:] if doubling_misses and residuals else None
            if block.reads_text:
                hidden_states = block(hidden_states, skips, temb, tokens, size, **objects)
            else:
                hidden_states = block(hidden_states, skips, temb, upsample_size=size)

        if self.conv_norm_out is not None:
            hidden_states = self.conv_act(self.conv_norm_out(hidden_states))
        predicted: Tensor = self.conv_out(hidden_states)
        return predicted


def _same_size_conv(in_channels: int, out_channels: int, kernel: int) -> Conv2d:
    """A convolution that keeps height and width if its kernel is odd."""
    return Conv2d(in_channels, out_channels, kernel_size=kernel, padding=(kernel - 1) // 2)
