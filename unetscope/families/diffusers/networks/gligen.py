"""GLIGEN (2023): objects with places as further tokens, read through a gate that opens in training.

Each object is a phrase or an image with its box; `GLIGENTextBoundingboxProjection` makes it a
token, and one more attention in every transformer block lets the pixels read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unetscope.families.diffusers.networks.attention import Attention
from unetscope.families.diffusers.networks.transformer import BasicTransformerBlock, FeedForward
from unetscope.families.layers import LayerNorm, Linear, published_as

if TYPE_CHECKING:
    from torch import Tensor

FREQUENCIES = 8
"""Sines and cosines of each of a box's four numbers."""
BOX_FEATURES = FREQUENCIES * 2 * 4
HIDDEN = 512


class GatedSelfAttentionDense(nn.Module):
    """Pixels and objects read each other; how much of it the pixels keep is learned, from nothing.

    Args:
        dim: dimension of the pixels' tokens.
        context_dim: dimension of the objects' tokens.
        heads: number of heads.
        head_dim: channels of each head.
    """

    def __init__(self, dim: int, context_dim: int, *, heads: int, head_dim: int):
        super().__init__()
        self.linear = Linear(context_dim, dim)
        self.attn = Attention(dim, dim, heads=heads, head_dim=head_dim)
        self.ff = FeedForward(dim)
        self.norm1 = LayerNorm(dim)
        self.norm2 = LayerNorm(dim)
        self.alpha_attn = nn.Parameter(torch.tensor(0.0))
        self.alpha_dense = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor, objs: Tensor) -> Tensor:
        """Transform pixels `(B, H*W, dim)` that read objects `(B, N, context_dim)`."""
        together = self.norm1(torch.cat([x, self.linear(objs)], dim=1))
        x = x + self.alpha_attn.tanh() * self.attn(together)[:, : x.shape[1]]
        transformed: Tensor = x + self.alpha_dense.tanh() * self.ff(self.norm2(x))
        return transformed


@published_as("BasicTransformerBlock")
class GatedTransformerBlock(BasicTransformerBlock):
    """A `BasicTransformerBlock` whose pixels may read objects before they read the text."""

    def __init__(
        self, dim: int, context_dim: int, *, heads: int, head_dim: int, only_cross_attention: bool
    ):
        super().__init__(
            dim,
            context_dim,
            heads=heads,
            head_dim=head_dim,
            only_cross_attention=only_cross_attention,
        )
        self.fuser = GatedSelfAttentionDense(dim, context_dim, heads=heads, head_dim=head_dim)

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None,
        objs: Tensor | None = None,
    ) -> Tensor:
        """Transform pixels `(B, H*W, dim)`; `objs` are `(B, N, context_dim)`."""
        first_context = encoder_hidden_states if self.only_cross_attention else None
        attn_output = self.attn1(self.norm1(hidden_states), first_context)
        hidden_states = attn_output + hidden_states
        if objs is not None:
            hidden_states = self.fuser(hidden_states, objs)
        # Held by its name until the end, as in the published block: memory counts it so.
        attn_output = self.attn2(self.norm2(hidden_states), encoder_hidden_states)
        hidden_states = attn_output + hidden_states
        transformed: Tensor = self.ff(self.norm3(hidden_states)) + hidden_states
        return transformed


class GLIGENTextBoundingboxProjection(nn.Module):
    """A token for each object: its phrase, its image or both, and its box.

    Args:
        dim: dimension of phrases, of images and of the tokens.
        with_images: objects are images too, not phrases alone.
    """

    def __init__(self, dim: int, *, with_images: bool):
        super().__init__()
        self.with_images = with_images
        if with_images:
            self.linears_text = _mlp(dim + BOX_FEATURES, dim)
            self.linears_image = _mlp(dim + BOX_FEATURES, dim)
            self.null_text_feature = nn.Parameter(torch.zeros(dim))
            self.null_image_feature = nn.Parameter(torch.zeros(dim))
        else:
            self.linears = _mlp(dim + BOX_FEATURES, dim)
            self.null_positive_feature = nn.Parameter(torch.zeros(dim))
        self.null_position_feature = nn.Parameter(torch.zeros(BOX_FEATURES))

    def forward(self, boxes: Tensor, masks: Tensor, **features: Tensor) -> Tensor:
        """Make tokens `(B, N, dim)`, twice as many with images.

        Args:
            boxes: left, top, right and bottom `(B, N, 4)`.
            masks: 1 where there is an object, 0 where there is none `(B, N)`.
            features: `positive_embeddings` `(B, N, dim)`; with images `phrases_embeddings` and
                `image_embeddings`, and `phrases_masks` and `image_masks` that say which exist.
        """
        places = _where(masks, _waves(boxes), self.null_position_feature)
        if not self.with_images:
            phrases = features["positive_embeddings"]
            phrases = _where(masks, phrases, self.null_positive_feature)
            tokens: Tensor = self.linears(torch.cat([phrases, places], dim=-1))
            return tokens
        phrases = _where(
            features["phrases_masks"], features["phrases_embeddings"], self.null_text_feature
        )
        images = _where(
            features["image_masks"], features["image_embeddings"], self.null_image_feature
        )
        of_phrases = self.linears_text(torch.cat([phrases, places], dim=-1))
        of_images = self.linears_image(torch.cat([images, places], dim=-1))
        return torch.cat([of_phrases, of_images], dim=1)


def _mlp(in_dim: int, out_dim: int) -> nn.Sequential:
    layers: list[Any] = [Linear(in_dim, HIDDEN), nn.SiLU(), Linear(HIDDEN, HIDDEN), nn.SiLU()]
    return nn.Sequential(*layers, Linear(HIDDEN, out_dim))


def _where(mask: Tensor, values: Tensor, otherwise: Tensor) -> Tensor:
    """`values` `(B, N, D)` where `mask` `(B, N)` is 1, else the learned `otherwise` `(D,)`."""
    mask = mask[:, :, None]
    return values * mask + (1 - mask) * otherwise


def _waves(boxes: Tensor) -> Tensor:
    """Sines and cosines of boxes `(B, N, 4)`: `(B, N, BOX_FEATURES)`."""
    steps = torch.arange(FREQUENCIES, dtype=boxes.dtype, device=boxes.device)
    angles = boxes[:, :, :, None] * 100.0 ** (steps / FREQUENCIES)
    waves = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return waves.permute(0, 1, 3, 4, 2).reshape(*boxes.shape[:2], BOX_FEATURES)
