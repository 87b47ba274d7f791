"""Transformers on an image: every pixel is a token that reads pixels and the text.

Latent Diffusion (2022), section 3.3 and appendix E.2.1: self-attention, cross-attention and a
feed-forward network, each behind a layer norm and beside a residual connection. The feed-forward
network is gated: "GLU Variants Improve Transformer" (2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from unetscope.families.diffusers.inputs import DUAL_TOKENS
from unetscope.families.diffusers.networks.attention import Attention, to_tokens
from unetscope.families.layers import Conv2d, GroupNorm, LayerNorm, Linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


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
    """Pixels read each other, then the text, then each passes through an MLP.

    Args:
        dim: dimension of the pixels' tokens.
        context_dim: dimension of the text's tokens.
        heads: number of heads of both attentions.
        head_dim: channels of each head.
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


class Transformer2DModel(nn.Module):
    """Transformer blocks on an image `(B, C, H, W)`, whose pixels become a sequence of H*W tokens.

    Args:
        channels: C.
        depth: number of transformer blocks.
        heads: number of heads; each has `channels // heads` channels.
        context_dim: dimension of the text's tokens.
        groups: groups of the norm.
        use_linear_projection: project tokens by linear layers instead of pixels by 1x1
            convolutions (Stable Diffusion 2 and later).
        only_cross_attention: the pixels read only the text, not each other.
        block: the class of its blocks; those of GLIGEN let the pixels read objects too.
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        *,
        heads: int,
        context_dim: int,
        groups: int,
        use_linear_projection: bool = False,
        only_cross_attention: bool = False,
        block: type[BasicTransformerBlock] = BasicTransformerBlock,
    ):
        super().__init__()
        head_dim = channels // heads
        inner_dim = heads * head_dim
        self.use_linear_projection = use_linear_projection
        self.norm = GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = (
            Linear(channels, inner_dim)
            if use_linear_projection
            else Conv2d(channels, inner_dim, kernel_size=1)
        )
        self.transformer_blocks = nn.ModuleList(
            block(
                inner_dim,
                context_dim,
                heads=heads,
                head_dim=head_dim,
                only_cross_attention=only_cross_attention,
            )
            for _ in range(depth)
        )
        self.proj_out = (
            Linear(inner_dim, channels)
            if use_linear_projection
            else Conv2d(inner_dim, channels, kernel_size=1)
        )

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        **objects: Tensor,
    ) -> Tensor:
        """Transform `(B, C, H, W)`, reading tokens `(B, M, context_dim)`.

        GLIGEN's blocks take `objs` `(B, N, context_dim)` too.
        """
        residual = hidden_states
        size = hidden_states.shape[2:]
        hidden_states = self.norm(hidden_states)
        if self.use_linear_projection:
            hidden_states = self.proj_in(to_tokens(hidden_states))
        else:
            hidden_states = to_tokens(self.proj_in(hidden_states))
        for transformer_block in self.transformer_blocks:
            hidden_states = transformer_block(hidden_states, encoder_hidden_states, **objects)
        if self.use_linear_projection:
            hidden_states = _to_image(self.proj_out(hidden_states), size)
        else:
            hidden_states = self.proj_out(_to_image(hidden_states, size))
        return hidden_states + residual


class DualTransformer2DModel(nn.Module):
    """Two transformers, one that reads the text's tokens and one that reads an image's.

    "Versatile Diffusion" (2022).

    Args:
        channels: of the image `(B, C, H, W)`.
        heads: number of heads of both.
        context_dim: dimension of both kinds of tokens.
        groups: groups of the norms.
    """

    mix_ratio = 0.5
    """Share of what the text adds."""

    def __init__(self, channels: int, *, heads: int, context_dim: int, groups: int):
        super().__init__()
        self.transformers = nn.ModuleList(
            Transformer2DModel(channels, 1, heads=heads, context_dim=context_dim, groups=groups)
            for _ in range(2)
        )

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Transform `(B, C, H, W)`, reading `(B, 77 + 257, context_dim)`."""
        text = encoder_hidden_states[:, : DUAL_TOKENS[0]]
        image = encoder_hidden_states[:, DUAL_TOKENS[0] : sum(DUAL_TOKENS)]
        reads_image, reads_text = self.transformers
        from_text = reads_text(hidden_states, text) - hidden_states
        from_image = reads_image(hidden_states, image) - hidden_states
        mixed: Tensor = from_text * self.mix_ratio + from_image * (1 - self.mix_ratio)
        return mixed + hidden_states


def _to_image(tokens: Tensor, size: Sequence[int]) -> Tensor:
    """`(B, H*W, C)` to `(B, C, H, W)`."""
    batch, _, channels = tokens.shape
    return tokens.reshape(batch, *size, channels).permute(0, 3, 1, 2).contiguous()
