"""Attention, and the transformer block: every pixel is a token that reads pixels and the text.

Latent Diffusion (2022), section 3.3 and appendix E.2.1: self-attention, cross-attention and a
feed-forward network, each behind a layer norm and beside a residual connection. The feed-forward
network is gated: "GLU Variants Improve Transformer" (2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from unetscope.families.layers import LayerNorm, Linear

if TYPE_CHECKING:
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
        batch, length, width = tokens.shape
        return tokens.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def _merge_heads(self, tokens: Tensor) -> Tensor:
        """`(B, heads, N, D)` to `(B, N, heads * D)`."""
        batch, heads, length, width = tokens.shape
        return tokens.transpose(1, 2).reshape(batch, length, heads * width)


class Attention(MultiHeadAttention):
    """Multi-head attention from `(B, N, query_dim)` to tokens `(B, M, context_dim)`.

    Args:
        query_dim: width of the tokens that ask, and of the result.
        context_dim: width of the tokens that answer.
        heads: number of heads.
        head_dim: width of each head.
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


class GEGLU(nn.Module):
    """A linear layer gated by the GELU of a second one: `(..., dim_in)` to `(..., dim_out)`."""

    def __init__(self, dim_in: int, dim_out: int):
        super().__init__()
        self.proj = Linear(dim_in, 2 * dim_out)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Compute both layers at once, then gate."""
        hidden_states, gate = self.proj(hidden_states).chunk(2, dim=-1)
        return hidden_states * F.gelu(gate)


class FeedForward(nn.Module):
    """Widen each token fourfold and narrow it again: `(B, N, dim)` to `(B, N, dim)`."""

    def __init__(self, dim: int):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(dim, 4 * dim), nn.Dropout(0.0), Linear(4 * dim, dim)])

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Transform each token by itself."""
        for layer in self.net:
            hidden_states = layer(hidden_states)
        return hidden_states


class BasicTransformerBlock(nn.Module):
    """Pixels read each other, then the text, then each thinks for itself.

    Args:
        dim: width of the pixels' tokens.
        context_dim: width of the text's tokens.
        heads: number of heads of both attentions.
        head_dim: width of each head.
        only_cross_attention: the first attention reads the text too.
    """

    def __init__(
        self, dim: int, context_dim: int, *, heads: int, head_dim: int, only_cross_attention: bool
    ):
        super().__init__()
        self.only_cross_attention = only_cross_attention
        first_dim = context_dim if only_cross_attention else dim
        self.norm1 = LayerNorm(dim)
        self.attn1 = Attention(dim, first_dim, heads=heads, head_dim=head_dim)
        self.norm2 = LayerNorm(dim)
        self.attn2 = Attention(dim, context_dim, heads=heads, head_dim=head_dim)
        self.norm3 = LayerNorm(dim)
        self.ff = FeedForward(dim)

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None) -> Tensor:
        """Transform pixels `(B, H*W, dim)` that may read tokens `(B, M, context_dim)`."""
        first_context = encoder_hidden_states if self.only_cross_attention else None
        attn_output = self.attn1(self.norm1(hidden_states), first_context)
        hidden_states = attn_output + hidden_states
        # Held by its name until the end, as in the published block: memory counts it so.
        attn_output = self.attn2(self.norm2(hidden_states), encoder_hidden_states)
        hidden_states = attn_output + hidden_states
        transformed: Tensor = self.ff(self.norm3(hidden_states)) + hidden_states
        return transformed
