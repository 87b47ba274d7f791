"""Attentions, all with several heads.

Latent Diffusion (2022), section 3.3: tokens of pixels read each other or the text. DDPM (2020) lets
the pixels of an image read each other behind a group norm; unCLIP (2022), and after it Kandinsky
and DeepFloyd IF, let them read the text in the same attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.families.diffusers.blocks import CROSS_NORM_GROUPS
from unetscope.families.layers import GroupNorm, LayerNorm, Linear, published_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class MultiHeadAttention(nn.Module):
    """What every attention here ends with, once queries, keys and values are projected.

    Attributes:
        heads: number of heads.
        to_out: layers from all heads' results to the output.
    """

    heads: int
    to_out: nn.ModuleList

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Queries `(B, N, D)` read keys and values `(B, M, D)`; the heads share D."""
        tokens = F.scaled_dot_product_attention(
            self._split_heads(query), self._split_heads(key), self._split_heads(value)
        )
        tokens = self._merge_heads(tokens)
        for layer in self.to_out:
            tokens = layer(tokens)
        return tokens

    def _split_heads(self, tokens: Tensor) -> Tensor:
        """`(B, N, heads * D)` to `(B, heads, N, D)`."""
        batch, length, dim = tokens.shape
        return tokens.view(batch, length, self.heads, dim // self.heads).transpose(1, 2)

    def _merge_heads(self, tokens: Tensor) -> Tensor:
        """`(B, heads, N, D)` to `(B, N, heads * D)`."""
        batch, heads, length, head_dim = tokens.shape
        return tokens.transpose(1, 2).reshape(batch, length, heads * head_dim)


class Attention(MultiHeadAttention):
    """Multi-head attention from `(B, N, query_dim)` to tokens `(B, M, context_dim)`.

    Args:
        query_dim: dimension of the tokens that ask, and of the result.
        context_dim: dimension of the tokens that answer.
        heads: number of heads.
        head_dim: channels of each head.
        bias: whether the projections of queries, keys and values have one.
    """

    def __init__(
        self, query_dim: int, context_dim: int, *, heads: int, head_dim: int, bias: bool = False
    ):
        super().__init__()
        inner_dim = heads * head_dim
        self.heads = heads
        self.to_q = Linear(query_dim, inner_dim, bias=bias)
        self.to_k = Linear(context_dim, inner_dim, bias=bias)
        self.to_v = Linear(context_dim, inner_dim, bias=bias)
        self.to_out = nn.ModuleList([Linear(inner_dim, query_dim), nn.Dropout(0.0)])

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None) -> Tensor:
        """Let `hidden_states` read `encoder_hidden_states`, or themselves if there are none."""
        if encoder_hidden_states is None:
            encoder_hidden_states = hidden_states
        query = self.to_q(hidden_states)
        key = self.to_k(encoder_hidden_states)
        value = self.to_v(encoder_hidden_states)
        return self.attend(query, key, value)


@published_as("Attention")
class SelfAttention(MultiHeadAttention):
    """Each pixel of `(B, C, H, W)` reads all pixels.

    Args:
        channels: C.
        head_dim: channels of each head.
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
        hidden_states = _flat(hidden_states)
        if self.group_norm is not None:
            hidden_states = self.group_norm(hidden_states)
        tokens = hidden_states.transpose(1, 2)
        attended = self.attend(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens))
        return (to_image(attended, residual.shape) + residual) / self.output_scale_factor


@published_as("Attention")
class AddedKVAttention(MultiHeadAttention):
    """Each pixel of `(B, C, H, W)` reads the text and all pixels, in one softmax.

    Args:
        channels: C.
        context_dim: dimension of the text's tokens.
        head_dim: channels of each head.
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
        hidden_states = _flat(hidden_states)
        text = self._text(hidden_states, encoder_hidden_states)
        tokens = self.group_norm(hidden_states).transpose(1, 2)
        query, key, value = self.to_q(tokens), self.add_k_proj(text), self.add_v_proj(text)
        if not self.only_cross_attention:
            key = torch.cat([key, self.to_k(tokens)], dim=1)
            value = torch.cat([value, self.to_v(tokens)], dim=1)
        return to_image(self.attend(query, key, value), residual.shape) + residual

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


def _flat(image: Tensor) -> Tensor:
    """`(B, C, H, W)` to `(B, C, H*W)`."""
    batch, channels, height, width = image.shape
    return image.reshape(batch, channels, height * width)


def to_tokens(image: Tensor) -> Tensor:
    """`(B, C, H, W)` to `(B, H*W, C)`."""
    batch, channels, height, width = image.shape
    return image.permute(0, 2, 3, 1).reshape(batch, height * width, channels)


def to_image(tokens: Tensor, shape: Sequence[int]) -> Tensor:
    """`(B, H*W, C)` to `(B, C, H, W)`, which `shape` holds."""
    return tokens.transpose(1, 2).reshape(shape).contiguous()
