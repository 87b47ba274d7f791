"""A UNet of modules, as DDPM and its heirs are written: ResNets, attention, a list of skips."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def inputs(draw):
    return {
        "x": draw(2, 3, 8, 12),
        "timesteps": torch.tensor([3, 700]),
        "labels": torch.tensor([1, 4]),
    }


def timestep_embedding(timesteps, dim, max_period=10000.0, shift=1.0):
    half = dim // 2
    exponent = -math.log(max_period) * torch.arange(half, device=timesteps.device)
    frequencies = torch.exp(exponent / (half - shift))
    angles = timesteps[:, None].float() * frequencies[None, :]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


class ResBlock(nn.Module):
    def __init__(self, channels, out_channels, emb_channels, dropout=0.1, eps=1e-5):
        super().__init__()
        self.norm1 = nn.GroupNorm(4, channels, eps=eps)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.emb = nn.Linear(emb_channels, 2 * out_channels)
        self.norm2 = nn.GroupNorm(4, out_channels, eps=eps, affine=True)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=True)
        self.skip = nn.Identity()
        if channels != out_channels:
            self.skip = nn.Conv2d(channels, out_channels, 1)
        self.rescale = 1 / math.sqrt(2)

    def forward(self, x, emb):
        h = self.norm1(x)
        h = F.silu(h)
        h = self.conv1(h)
        scale, shift = self.emb(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
        h = self.norm2(h) * (1 + scale) + shift
        h = F.silu(h)
        h = self.dropout(h)
        h = self.conv2(h)
        return (self.skip(x) + h) * self.rescale


class AttentionBlock(nn.Module):
    def __init__(self, channels, heads=2):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(4, channels)
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def split(self, x):
        b, n, c = x.shape
        return x.view(b, n, self.heads, c // self.heads).transpose(1, 2)

    def forward(self, x):
        b, c, height, width = x.shape
        h = self.norm(x).flatten(2).transpose(1, 2)
        q = self.split(self.q(h))
        k = self.split(self.k(h))
        v = self.split(self.v(h))
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=0.0, is_causal=False)
        out = out.transpose(1, 2).reshape(b, height * width, c)
        out = self.proj(out)
        return x + out.transpose(1, 2).reshape(b, c, height, width)


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=0)

    def forward(self, x):
        x = F.pad(x, (0, 1, 0, 1), mode="constant", value=0.0)
        return self.conv(x)


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, size):
        x = F.interpolate(x, size=size, mode="nearest")
        return self.conv(x)


class Net(nn.Module):
    def __init__(self, channels=8, multipliers=(1, 2), blocks=2, classes=6):
        super().__init__()
        emb = 4 * channels
        self.channels = channels
        self.time = nn.Sequential(nn.Linear(channels, emb), nn.SiLU(), nn.Linear(emb, emb))
        self.label = nn.Embedding(classes, emb)
        self.conv_in = nn.Conv2d(3, channels, 3, padding=1)
        self.downs = nn.ModuleList()
        self.ups = nn.ModuleList()
        saved = [channels]
        current = channels
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                layers = nn.ModuleList([ResBlock(current, multiplier * channels, emb)])
                current = multiplier * channels
                if level == 1:
                    layers.append(AttentionBlock(current))
                self.downs.append(layers)
                saved.append(current)
            if level < len(multipliers) - 1:
                self.downs.append(nn.ModuleList([Downsample(current)]))
                saved.append(current)
        self.middle = nn.ModuleList(
            [
                ResBlock(current, current, emb),
                AttentionBlock(current),
                ResBlock(current, current, emb),
            ]
        )
        for level, multiplier in reversed(list(enumerate(multipliers))):
            for index in range(blocks + 1):
                layers = nn.ModuleList(
                    [ResBlock(current + saved.pop(), multiplier * channels, emb)]
                )
                current = multiplier * channels
                if level > 0 and index == blocks:
                    layers.append(Upsample(current))
                self.ups.append(layers)
        self.norm_out = nn.GroupNorm(4, current, eps=1e-6)
        self.conv_out = nn.Conv2d(current, 6, 3, padding=1)

    def forward(self, x, timesteps, labels):
        emb = self.time(timestep_embedding(timesteps, self.channels))
        emb = emb + self.label(labels)
        h = self.conv_in(x)
        skips = [h]
        for layers in self.downs:
            for layer in layers:
                arguments = (h, emb) if isinstance(layer, ResBlock) else (h,)
                h = layer(*arguments)
            skips.append(h)
        h = self.middle[0](h, emb)
        h = self.middle[1](h)
        h = self.middle[2](h, emb)
        for layers in self.ups:
            h = layers[0](torch.cat([h, skips.pop()], dim=1), emb)
            for layer in layers[1:]:
                h = layer(h, skips[-1].shape[2:])
        h = self.conv_out(F.silu(self.norm_out(h)))
        noise, variance = h.chunk(2, dim=1)
        return noise, torch.sigmoid(variance)
