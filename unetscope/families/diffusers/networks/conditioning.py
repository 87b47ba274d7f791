"""The conditions of a network: the time, and whatever its config adds to it.

Two things come of it: a vector that every ResNet reads, and the tokens that attentions read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unetscope.families.diffusers.networks.conditions import (
    ImageHintTimeEmbedding,
    ImageProjection,
    ImageTimeEmbedding,
    TextImageProjection,
    TextImageTimeEmbedding,
    TextTimeEmbedding,
)
from unetscope.families.diffusers.networks.embeddings import (
    GaussianFourierProjection,
    TimestepEmbedding,
    Timesteps,
    embed_classes,
)
from unetscope.families.diffusers.supported import needed
from unetscope.families.layers import Embedding, Linear, activation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig


class ConditionalNetwork(nn.Module):
    """A network that is conditioned on the time and more.

    Args:
        config: the published options.
    """

    down_blocks: nn.ModuleList
    mid_block: Any

    def __init__(self, config: UNet2DConditionConfig):
        super().__init__()
        self.config = config

    def _add_embeddings(self) -> None:
        """Add what embeds the conditions."""
        config = self.config
        time_embed_dim = config.time_embed_dim
        self.time_proj = _sinusoids(config)
        sinusoids = config.timestep_input_dim
        self.time_embedding = TimestepEmbedding(
            sinusoids,
            time_embed_dim,
            act_fn=config.act_fn,
            post_act_fn=config.timestep_post_act,
            cond_proj_dim=config.time_cond_proj_dim,
        )
        self.encoder_hid_proj = _token_projection(config)
        self.class_embedding = _class_embedding(config, sinusoids, time_embed_dim)
        if config.addition_embed_type == "text_time":
            self.add_time_proj = Timesteps(
                needed(config.addition_time_embed_dim),
                flip_sin_to_cos=config.flip_sin_to_cos,
                freq_shift=config.freq_shift,
            )
        self.add_embedding = _added_embedding(config, time_embed_dim)
        self.time_embed_act = (
            activation(config.time_embedding_act_fn) if config.time_embedding_act_fn else None
        )

    def _condition_vector(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor | None,
        class_labels: Tensor | None,
        timestep_cond: Tensor | None,
        added: Mapping[str, Tensor],
    ) -> tuple[Tensor, Tensor | None]:
        """The vector `(B, D)` that every ResNet reads, and a hint's channels of the sample, if any.

        D is the dimension of the time embedding, or twice that where the classes stand beside it.
        """
        timesteps = torch.as_tensor(timestep, device=sample.device).expand(sample.shape[0])
        # Sinusoids are float32 whatever the network computes in.
        sinusoids = self.time_proj(timesteps).to(sample.dtype)
        temb: Tensor = self.time_embedding(sinusoids, timestep_cond)
        classes = self._embed_classes(temb, class_labels)
        if classes is not None and self.config.class_embeddings_concat:
            temb = torch.cat([temb, classes], dim=-1)
        elif classes is not None:
            temb = temb + classes
        hint = None
        if self.add_embedding is not None:
            addition = self.add_embedding(*self._additions(temb, encoder_hidden_states, added))
            if isinstance(addition, tuple):
                addition, hint = addition
            temb = temb + addition
        if self.time_embed_act is not None:
            temb = self.time_embed_act(temb)
        return temb, hint

    def _embed_classes(self, temb: Tensor, class_labels: Tensor | None) -> Tensor | None:
        """`(B, D)`; None if this network embeds no classes."""
        if self.class_embedding is None:
            return None
        times = self.time_proj if self.config.class_embed_type == "timestep" else None
        return embed_classes(self.class_embedding, class_labels, times, temb.dtype)

    def _additions(
        self, temb: Tensor, encoder_hidden_states: Tensor | None, added: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """What `add_embedding` takes."""
        match self.config.addition_embed_type:
            case "text":
                return [_given(encoder_hidden_states, "encoder_hidden_states")]
            case "text_image":
                text = added.get("text_embeds", encoder_hidden_states)
                return [_given(text, "text_embeds"), _condition(added, "image_embeds")]
            case "text_time":
                return [self._text_and_time(added).to(temb.dtype)]
            case "image_hint":
                return [_condition(added, "image_embeds"), _condition(added, "hint")]
        return [_condition(added, "image_embeds")]

    def _text_and_time(self, added: Mapping[str, Tensor]) -> Tensor:
        """Stable Diffusion XL: the pooled text `(B, D)`, and sizes and crops `(B, N)`."""
        text_embeds = _condition(added, "text_embeds")
        time_ids = _condition(added, "time_ids")
        sinusoids = self.add_time_proj(time_ids.flatten()).reshape(text_embeds.shape[0], -1)
        return torch.cat([text_embeds, sinusoids], dim=-1)

    def _project_tokens(
        self, encoder_hidden_states: Tensor | None, added: Mapping[str, Tensor]
    ) -> Tensor | None:
        """The tokens that attentions read, `(B, M, cross_attention_dim)`."""
        if self.encoder_hid_proj is None:
            return encoder_hidden_states
        inputs = []
        if self.config.token_projection != "image_proj":
            inputs.append(_given(encoder_hidden_states, "encoder_hidden_states"))
        if self.config.token_projection != "text_proj":
            inputs.append(_condition(added, "image_embeds"))
        tokens: Tensor = self.encoder_hid_proj(*inputs)
        return tokens

    def _encode(
        self, hidden_states: Tensor, temb: Tensor, tokens: Tensor | None, **objects: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Through the down blocks: the last result, and all that a decoder may join."""
        residuals = [hidden_states]
        for block in self.down_blocks:
            if block.reads_text:
                hidden_states, made = block(hidden_states, temb, tokens, **objects)
            else:
                hidden_states, made = block(hidden_states, temb)
            residuals.extend(made)
        return hidden_states, residuals

    def _middle(
        self, hidden_states: Tensor, temb: Tensor, tokens: Tensor | None, **objects: Tensor
    ) -> Tensor:
        """Through the middle block, if there is one."""
        if self.mid_block is None:
            return hidden_states
        if self.mid_block.reads_text:
            hidden_states = self.mid_block(hidden_states, temb, tokens, **objects)
        else:
            hidden_states = self.mid_block(hidden_states, temb)
        return hidden_states


def _given(tensor: Tensor | None, name: str) -> Tensor:
    if tensor is None:
        raise ValueError(f"{name}: this network needs it and was given none")
    return tensor


def _condition(added: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in added:
        raise ValueError(f"added_cond_kwargs: this network needs {name!r} and found none")
    return added[name]


def _sinusoids(config: UNet2DConditionConfig) -> nn.Module:
    """What makes features of the time."""
    flip = config.flip_sin_to_cos
    if config.time_embedding_type == "fourier":
        return GaussianFourierProjection(config.time_embed_dim // 2, flip_sin_to_cos=flip)
    channels = config.block_out_channels[0]
    return Timesteps(channels, flip_sin_to_cos=flip, freq_shift=config.freq_shift)


def _token_projection(config: UNet2DConditionConfig) -> nn.Module | None:
    """What turns given tokens and images into the tokens that attentions read."""
    kind = config.token_projection
    if kind is None:
        return None
    given, read = needed(config.encoder_hid_dim), config.cross_attention_dim
    assert isinstance(read, int)
    if kind == "text_proj":
        return Linear(given, read)
    return (TextImageProjection if kind == "text_image_proj" else ImageProjection)(given, read)


def _class_embedding(
    config: UNet2DConditionConfig, timestep_dim: int, time_embed_dim: int
) -> nn.Module | None:
    """What makes a vector `(B, time_embed_dim)` of the class labels; None without classes."""
    vector_dim = config.projection_class_embeddings_input_dim
    match config.class_embed_type:
        case "timestep":
            return TimestepEmbedding(timestep_dim, time_embed_dim, act_fn=config.act_fn)
        case "identity":
            return nn.Identity()
        case "projection":
            return TimestepEmbedding(needed(vector_dim), time_embed_dim)
        case "simple_projection":
            return Linear(needed(vector_dim), time_embed_dim)
    if config.num_class_embeds is not None:
        return Embedding(config.num_class_embeds, time_embed_dim)
    return None


def _added_embedding(config: UNet2DConditionConfig, time_embed_dim: int) -> nn.Module | None:
    """What makes a vector `(B, time_embed_dim)` of what `addition_embed_type` says."""
    read = config.cross_attention_dim
    match config.addition_embed_type:
        case "text":
            given = config.encoder_hid_dim or read
            assert isinstance(given, int)
            heads = config.addition_embed_type_num_heads
            return TextTimeEmbedding(given, time_embed_dim, num_heads=heads)
        case "text_image":
            assert isinstance(read, int)
            return TextImageTimeEmbedding(read, time_embed_dim)
        case "text_time":
            vector_dim = needed(config.projection_class_embeddings_input_dim)
            return TimestepEmbedding(vector_dim, time_embed_dim)
        case "image":
            return ImageTimeEmbedding(needed(config.encoder_hid_dim), time_embed_dim)
        case "image_hint":
            return ImageHintTimeEmbedding(needed(config.encoder_hid_dim), time_embed_dim)
    return None
