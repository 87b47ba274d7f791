"""Attentions on an image that are no transformers: one attention behind a group norm.

DDPM (2020) lets the pixels read each other; unCLIP (2022), and after it Kandinsky and DeepFloyd IF,
let them read the text in the same attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.diffusers.networks.attention import MultiHeadAttention
from unetscope.families.layers import GroupNorm, LayerNorm, Linear, published_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

CROSS_NORM_GROUPS = 32


@published_as("Attention")
class SelfAttention(MultiHeadAttention):
    """Each pixel of `(B, C, H, W)` reads all pixels.

    Args:
        channels: C.
        head_dim: width of each head.
        groups: groups of the norm; None for no norm.
        eps: of the norm.
        output_scale_factor: what the sum with the input is divided by.
    """

    def __init__(
        self,
        channels: int,
        *,
        head_dim: int,
        groups: int | None,
        eps: float,
        output_scale_factor: float = 1.0,
    ):
        super().__init__()
        self.heads = channels // head_dim
        inner_dim = self.heads * head_dim
        self.output_scale_factor = output_scale_factor
        self.group_norm = None if groups is None else GroupNorm(groups, channels, eps=eps)
        self.to_q = Linear(channels, inner_dim)
        self.to_k = Linear(channels, inner_dim)
        self.to_v = Linear(channels, inner_dim)
        self.to_out = nn.ModuleList([Linear(inner_dim, channels), nn.Dropout(0.0)])

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Transform `(B, C, H, W)`."""
        residual = hidden_states
        hidden_states = _pixels(hidden_states)
        if self.group_norm is not None:
            hidden_states = self.group_norm(hidden_states)
        tokens = hidden_states.transpose(1, 2)
        attended = self.attend(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens))
        return (_image(attended, residual.shape) + residual) / self.output_scale_factor


@published_as("Attention")
class AddedKVAttention(MultiHeadAttention):
    """Each pixel of `(B, C, H, W)` reads the text and all pixels, in one softmax.

    Args:
        channels: C.
        context_dim: width of the text's tokens.
        head_dim: width of each head.
        groups: groups of the norm.
        only_cross_attention: it reads the text alone.
        cross_norm: norm of the text: None, `layer_norm` or `group_norm`.
    """

    def __init__(
        self,
        channels: int,
        context_dim: int,
        *,
        head_dim: int,
        groups: int,
        only_cross_attention: bool,
        cross_norm: str | None,
    ):
        super().__init__()
        self.heads = channels // head_dim
        inner_dim = self.heads * head_dim
        self.only_cross_attention = only_cross_attention
        self.group_norm = GroupNorm(groups, channels, eps=1e-5)
        self.norm_cross: nn.Module | None = None
        if cross_norm == "layer_norm":
            self.norm_cross = LayerNorm(channels)
        elif cross_norm == "group_norm":
            self.norm_cross = GroupNorm(CROSS_NORM_GROUPS, context_dim, eps=1e-5)
        self.to_q = Linear(channels, inner_dim)
        if not only_cross_attention:
            self.to_k = Linear(channels, inner_dim)
            self.to_v = Linear(channels, inner_dim)
        self.add_k_proj = Linear(context_dim, inner_dim)
        self.add_v_proj = Linear(context_dim, inner_dim)
        self.to_out = nn.ModuleList([Linear(inner_dim, channels), nn.Dropout(0.0)])

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None) -> Tensor:
        """Transform `(B, C, H, W)`; without text `(B, M, context_dim)` pixels are read for it."""
        residual = hidden_states
        hidden_states = _pixels(hidden_states)
        text = self._text(hidden_states, encoder_hidden_states)
        tokens = self.group_norm(hidden_states).transpose(1, 2)
        query, key, value = self.to_q(tokens), self.add_k_proj(text), self.add_v_proj(text)
        if not self.only_cross_attention:
            key = torch.cat([key, self.to_k(tokens)], dim=1)
            value = torch.cat([value, self.to_v(tokens)], dim=1)
        return _image(self.attend(query, key, value), residual.shape) + residual

    def _text(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None) -> Tensor:
        """What is read for the text, normed if it is one."""
        if encoder_hidden_states is None:
            return hidden_states.transpose(1, 2)
        normed: Tensor
        if isinstance(self.norm_cross, GroupNorm):
            channels_first = encoder_hidden_states.transpose(1, 2).contiguous()
            normed = self.norm_cross(channels_first).transpose(1, 2)
            return normed
        if self.norm_cross is not None:
            normed = self.norm_cross(encoder_hidden_states)
            return normed
        return encoder_hidden_states


def _pixels(image: Tensor) -> Tensor:
    """`(B, C, H, W)` to `(B, C, H*W)`."""
    batch, channels, height, width = image.shape
    return image.reshape(batch, channels, height * width)


def _image(tokens: Tensor, shape: Sequence[int]) -> Tensor:
    """`(B, H*W, C)` to `(B, C, H, W)`."""
    return tokens.transpose(1, 2).reshape(shape).contiguous()
