"""The time embedding: how noisy the input is.

Sinusoids: "Attention Is All You Need" (2017), section 3.5, and DDPM (2020), appendix B. A small MLP
follows, whose output every ResNet block reads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from unetscope.families.layers import Linear, activation

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_PERIOD = 10_000


class Timesteps(nn.Module):
    """Sinusoids of a number at geometrically falling frequencies: `(B,)` to `(B, num_channels)`.

    Args:
        num_channels: features; half are sines, half cosines, an odd last one is zero.
        flip_sin_to_cos: put the cosines first, as Stable Diffusion does.
        freq_shift: 0 ends one frequency before 1 / 10,000, 1 ends on it (DDPM).
    """

    def __init__(self, num_channels: int, *, flip_sin_to_cos: bool, freq_shift: float):
        super().__init__()
        self.num_channels = num_channels
        self.flip_sin_to_cos = flip_sin_to_cos
        self.freq_shift = freq_shift

    def forward(self, timesteps: Tensor) -> Tensor:
        """Embed one number a sample; the result is float32."""
        half = self.num_channels // 2
        steps = torch.arange(half, dtype=torch.float32, device=timesteps.device)
        frequencies = torch.exp(-math.log(LONGEST_PERIOD) * steps / (half - self.freq_shift))
        angles = timesteps[:, None].float() * frequencies[None, :]
        waves = [torch.sin(angles), torch.cos(angles)]
        embedding = torch.cat(waves[::-1] if self.flip_sin_to_cos else waves, dim=-1)
        if self.num_channels % 2:
            embedding = F.pad(embedding, (0, 1))
        return embedding


class TimestepEmbedding(nn.Module):
    """The MLP on top of the sinusoids: `(B, in_channels)` to `(B, time_embed_dim)`.

    Args:
        in_channels: features of what is embedded; sinusoids, or any vector (class, pooled text).
        time_embed_dim: dimension of the result.
        act_fn: activation between the two layers.
        post_act_fn: activation after them.
        cond_proj_dim: dimension of a condition that is added to the input, such as the guidance
            scale of a Latent Consistency Model.
    """

    def __init__(
        self,
        in_channels: int,
        time_embed_dim: int,
        *,
        act_fn: str = "silu",
        post_act_fn: str | None = None,
        cond_proj_dim: int | None = None,
    ):
        super().__init__()
        self.linear_1 = Linear(in_channels, time_embed_dim)
        self.cond_proj = Linear(cond_proj_dim, in_channels, bias=False) if cond_proj_dim else None
        self.act = activation(act_fn)
        self.linear_2 = Linear(time_embed_dim, time_embed_dim)
        self.post_act = activation(post_act_fn) if post_act_fn else None

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
        """Embed `sample` `(B, in_channels)`, moved by `condition` `(B, cond_proj_dim)`."""
        if self.cond_proj is not None and condition is not None:
            sample = sample + self.cond_proj(condition)
        hidden_states: Tensor = self.linear_2(self.act(self.linear_1(sample)))
        if self.post_act is not None:
            hidden_states = self.post_act(hidden_states)
        return hidden_states


class GaussianFourierProjection(nn.Module):
    """Sinusoids of a number at random fixed frequencies: `(B,)` to `(B, 2 * num_frequencies)`.

    "Fourier Features Let Networks Learn High Frequency Functions" (2020); NCSN++ (2020).

    Args:
        num_frequencies: as many sines and as many cosines.
        scale: standard deviation of the frequencies.
        log: take the number's logarithm first.
        flip_sin_to_cos: put the cosines first.
    """

    def __init__(
        self,
        num_frequencies: int,
        *,
        scale: float = 1.0,
        log: bool = False,
        flip_sin_to_cos: bool = False,
    ):
        super().__init__()
        self.log = log
        self.flip_sin_to_cos = flip_sin_to_cos
        frequencies = torch.empty(num_frequencies)
        if not frequencies.is_meta:
            frequencies.normal_(std=scale)
        self.weight = nn.Parameter(frequencies, requires_grad=False)

    def forward(self, timesteps: Tensor) -> Tensor:
        """Embed one number a sample."""
        if self.log:
            timesteps = torch.log(timesteps.float())
        angles = timesteps[:, None] * self.weight[None, :] * (2 * math.pi)
        waves = [torch.sin(angles), torch.cos(angles)]
        return torch.cat(waves[::-1] if self.flip_sin_to_cos else waves, dim=-1)


def embed_classes(
    embedding: nn.Module, class_labels: Tensor | None, times: nn.Module | None, dtype: torch.dtype
) -> Tensor:
    """Embed the classes of samples, `(B,)` or `(B, C)`, to `(B, D)`.

    Args:
        embedding: makes vectors of the labels.
        class_labels: one a sample.
        times: what makes features of labels that are times; None if they are not.
        dtype: of the result.

    Raises:
        ValueError: there are no labels.
    """
    if class_labels is None:
        raise ValueError("class_labels: this network embeds classes and was given none")
    if times is not None:
        class_labels = times(class_labels).to(dtype)
    classes: Tensor = embedding(class_labels).to(dtype)
    return classes
