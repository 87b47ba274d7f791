"""Transformer blocks on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from unetscope.families.diffusers.inputs import DUAL_TOKENS
from unetscope.families.diffusers.networks.attention import BasicTransformerBlock
from unetscope.families.diffusers.networks.gligen import GatedTransformerBlock
from unetscope.families.layers import Conv2d, GroupNorm, Linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Transformer2DModel(nn.Module):
    """Transformer blocks on an image `(B, C, H, W)`, whose pixels become a sequence of H*W tokens.

    Args:
        channels: C.
        depth: number of transformer blocks.
        heads: number of heads; each is `channels // heads` wide.
        context_dim: width of the text's tokens.
        groups: groups of the norm.
        use_linear_projection: project tokens by linear layers instead of pixels by 1x1
            convolutions (Stable Diffusion 2 and later).
        only_cross_attention: the pixels read only the text, not each other.
        gated: the pixels may read objects too (GLIGEN).
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
        gated: bool = False,
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
        block = GatedTransformerBlock if gated else BasicTransformerBlock
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

        Gated blocks take `objs` `(B, N, context_dim)` too.
        """
        residual = hidden_states
        size = hidden_states.shape[2:]
        hidden_states = self.norm(hidden_states)
        if self.use_linear_projection:
            hidden_states = self.proj_in(_to_tokens(hidden_states))
        else:
            hidden_states = _to_tokens(self.proj_in(hidden_states))
        for block in self.transformer_blocks:
            hidden_states = block(hidden_states, encoder_hidden_states, **objects)
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
        context_dim: width of both kinds of tokens.
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


def _to_tokens(image: Tensor) -> Tensor:
    """`(B, C, H, W)` to `(B, H*W, C)`."""
    batch, channels, height, width = image.shape
    return image.permute(0, 2, 3, 1).reshape(batch, height * width, channels)


def _to_image(tokens: Tensor, size: Sequence[int]) -> Tensor:
    """`(B, H*W, C)` to `(B, C, H, W)`."""
    batch, _, channels = tokens.shape
    return tokens.reshape(batch, *size, channels).permute(0, 3, 1, 2).contiguous()
