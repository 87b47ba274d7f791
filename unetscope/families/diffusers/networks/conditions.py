"""What texts, images and hints become: vectors that are added to the time, or tokens to read.

Sources: DeepFloyd IF (2023) for the pooled text; unCLIP (2022) and Kandinsky 2 (2023) for images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unetscope.families.diffusers.inputs import HINT_CHANNELS
from unetscope.families.layers import Conv2d, LayerNorm, Linear

if TYPE_CHECKING:
    from torch import Tensor

HINT_LAYERS = (
    (3, 16, 1),
    (16, 16, 1),
    (16, 32, 2),
    (32, 32, 1),
    (32, 96, 2),
    (96, 96, 1),
    (96, 256, 2),
)
"""Channels in, channels out and stride of the convolutions that shrink a hint; one more follows."""


class AttentionPooling(nn.Module):
    """One token for all: their mean reads them.

    Args:
        num_heads: number of heads.
        embed_dim: dimension of the tokens.
    """

    def __init__(self, num_heads: int, embed_dim: int):
        super().__init__()
        self.num_heads = num_heads
        position = torch.empty(1, embed_dim)
        if not position.is_meta:
            position.normal_(std=embed_dim**-0.5)
        self.positional_embedding = nn.Parameter(position)
        self.k_proj = Linear(embed_dim, embed_dim)
        self.q_proj = Linear(embed_dim, embed_dim)
        self.v_proj = Linear(embed_dim, embed_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """`(B, M, embed_dim)` to `(B, embed_dim)`."""
        mean = tokens.mean(dim=1, keepdim=True) + self.positional_embedding.to(tokens.dtype)
        tokens = torch.cat([mean, tokens], dim=1)
        query = self._split_heads(self.q_proj(mean))
        key = self._split_heads(self.k_proj(tokens))
        value = self._split_heads(self.v_proj(tokens))
        # Scaling both keeps half precision from overflowing.
        scale = query.shape[-1] ** -0.25
        scores = torch.matmul(query * scale, (key * scale).transpose(1, 2))
        weights = torch.softmax(scores.float(), dim=-1).to(scores.dtype)
        return torch.matmul(weights, value).reshape(mean.shape[0], -1)

    def _split_heads(self, tokens: Tensor) -> Tensor:
        """`(B, M, heads * D)` to `(B * heads, M, D)`."""
        batch, length, dim = tokens.shape
        tokens = tokens.view(batch, length, self.num_heads, dim // self.num_heads)
        return tokens.transpose(1, 2).reshape(batch * self.num_heads, length, -1)


class TextTimeEmbedding(nn.Module):
    """The text as one vector.

    Args:
        encoder_dim: dimension of the text's tokens.
        time_embed_dim: dimension of the vector.
        num_heads: heads of the pooling attention.
    """

    def __init__(self, encoder_dim: int, time_embed_dim: int, *, num_heads: int):
        super().__init__()
        self.norm1 = LayerNorm(encoder_dim)
        self.pool = AttentionPooling(num_heads, encoder_dim)
        self.proj = Linear(encoder_dim, time_embed_dim)
        self.norm2 = LayerNorm(time_embed_dim)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """`(B, M, encoder_dim)` to `(B, time_embed_dim)`."""
        pooled: Tensor = self.norm2(self.proj(self.pool(self.norm1(hidden_states))))
        return pooled


class TextImageTimeEmbedding(nn.Module):
    """A text's and an image's vectors as one, `(B, time_embed_dim)`.

    Args:
        embed_dim: dimension of both.
        time_embed_dim: dimension of the result.
    """

    def __init__(self, embed_dim: int, time_embed_dim: int):
        super().__init__()
        self.text_proj = Linear(embed_dim, time_embed_dim)
        self.text_norm = LayerNorm(time_embed_dim)
        self.image_proj = Linear(embed_dim, time_embed_dim)

    def forward(self, text_embeds: Tensor, image_embeds: Tensor) -> Tensor:
        """Embed `text_embeds` and `image_embeds`, both `(B, embed_dim)`."""
        text: Tensor = self.text_norm(self.text_proj(text_embeds))
        embedded: Tensor = self.image_proj(image_embeds) + text
        return embedded


class ImageTimeEmbedding(nn.Module):
    """An image's vector `(B, image_embed_dim)` as one of `(B, time_embed_dim)`."""

    def __init__(self, image_embed_dim: int, time_embed_dim: int):
        super().__init__()
        self.image_proj = Linear(image_embed_dim, time_embed_dim)
        self.image_norm = LayerNorm(time_embed_dim)

    def forward(self, image_embeds: Tensor) -> Tensor:
        """Project and norm."""
        embedded: Tensor = self.image_norm(self.image_proj(image_embeds))
        return embedded


class ImageHintTimeEmbedding(nn.Module):
    """An image's vector, and a hint such as a depth map as further channels of the sample.

    Args:
        image_embed_dim: dimension of the image's vector.
        time_embed_dim: dimension of the vector that it becomes.
    """

    def __init__(self, image_embed_dim: int, time_embed_dim: int):
        super().__init__()
        self.image_proj = Linear(image_embed_dim, time_embed_dim)
        self.image_norm = LayerNorm(time_embed_dim)
        layers: list[nn.Module] = []
        for in_channels, out_channels, stride in HINT_LAYERS:
            conv = Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
            layers += [conv, nn.SiLU()]
        last = Conv2d(HINT_LAYERS[-1][1], HINT_CHANNELS, kernel_size=3, padding=1)
        self.input_hint_block = nn.Sequential(*layers, last)

    def forward(self, image_embeds: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, image_embed_dim)` and `(B, 3, 8H, 8W)` to `(B, time_embed_dim)`, `(B, 4, H, W)`."""
        embedded = self.image_norm(self.image_proj(image_embeds))
        return embedded, self.input_hint_block(hint)


class ImageProjection(nn.Module):
    """An image's vector `(B, image_embed_dim)` as tokens `(B, 32, cross_attention_dim)`."""

    num_image_text_embeds = 32

    def __init__(self, image_embed_dim: int, cross_attention_dim: int):
        super().__init__()
        dim = self.num_image_text_embeds * cross_attention_dim
        self.image_embeds = Linear(image_embed_dim, dim)
        self.norm = LayerNorm(cross_attention_dim)

    def forward(self, image_embeds: Tensor) -> Tensor:
        """Project, cut into tokens and norm each."""
        tokens = self.image_embeds(image_embeds)
        tokens = tokens.reshape(image_embeds.shape[0], self.num_image_text_embeds, -1)
        normed: Tensor = self.norm(tokens)
        return normed


class TextImageProjection(nn.Module):
    """An image's vector as ten tokens before those of the text, as the blocks read them.

    Args:
        text_embed_dim: dimension of the text's tokens.
        cross_attention_dim: dimension of the image's vector, and of the result.
    """

    num_image_text_embeds = 10

    def __init__(self, text_embed_dim: int, cross_attention_dim: int):
        super().__init__()
        dim = self.num_image_text_embeds * cross_attention_dim
        self.image_embeds = Linear(cross_attention_dim, dim)
        self.text_proj = Linear(text_embed_dim, cross_attention_dim)

    def forward(self, text_embeds: Tensor, image_embeds: Tensor) -> Tensor:
        """`(B, M, text_embed_dim)` and `(B, D)` to `(B, 10 + M, cross_attention_dim)`."""
        tokens = self.image_embeds(image_embeds)
        tokens = tokens.reshape(image_embeds.shape[0], self.num_image_text_embeds, -1)
        return torch.cat([tokens, self.text_proj(text_embeds)], dim=1)
