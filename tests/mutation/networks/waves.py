"""A UNet of waveforms: gated dilated convolutions, a recurrence, dicts and keywords."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

DILATIONS = (1, 2, 4)


def inputs(draw):
    return {"wave": draw(2, 2, 24), "step": torch.tensor([5, 40]), "speaker": draw(2, 6)}


class Output(NamedTuple):
    wave: torch.Tensor
    energy: torch.Tensor


class WeightStandardizedConv(nn.Conv1d):
    def forward(self, x):
        weight = self.weight
        mean = weight.mean(dim=(1, 2), keepdim=True)
        variance = torch.var(weight, dim=(1, 2), unbiased=False, keepdim=True)
        weight = (weight - mean) * (variance + 1e-5).rsqrt()
        return F.conv1d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Gated(nn.Module):
    def __init__(self, channels, dilation, speaker):
        super().__init__()
        self.conv = WeightStandardizedConv(
            channels, 2 * channels, 3, padding=dilation, dilation=dilation
        )
        self.speaker = nn.Linear(speaker, 2 * channels)
        self.step = nn.Linear(16, channels)
        self.residual = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, channels, 1)
        self.norm = nn.InstanceNorm1d(channels, affine=True)

    def forward(self, x, *, step, speaker):
        h = self.norm(x) + self.step(step).unsqueeze(2)
        h = self.conv(h) + self.speaker(speaker)[:, :, None]
        filtered, gate = h.tensor_split(2, dim=1)
        h = torch.tanh(filtered) * torch.sigmoid(gate)
        return (x + self.residual(h)) / 2**0.5, self.skip(h)


class LinearAttention(nn.Module):
    def __init__(self, channels, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Conv1d(channels, 3 * channels, 1, bias=False)
        self.out = nn.Sequential(nn.Conv1d(channels, channels, 1), nn.GroupNorm(1, channels))

    def forward(self, x):
        b, c, n = x.size()
        qkv = self.qkv(x).view(b, 3, self.heads, c // self.heads, n)
        q, k, v = qkv[:, 0], qkv[:, 1], qkv[:, 2]
        q = q.softmax(dim=2) * self.heads**-0.5
        k = k.softmax(dim=3)
        context = torch.einsum("bhdn,bhen->bhde", k, v)
        out = torch.einsum("bhde,bhdn->bhen", context, q)
        return self.out(out.reshape(b, -1, n)) + x


class Stage(nn.Module):
    def __init__(self, channels, speaker, attend):
        super().__init__()
        self.layers = nn.ModuleList(Gated(channels, d, speaker) for d in DILATIONS)
        self.attention = LinearAttention(channels) if attend else nn.Identity()
        self.weights = nn.Parameter(torch.ones(len(DILATIONS)))

    def forward(self, x, **conditions):
        skips = []
        for layer in self.layers:
            x, skip = layer(x, **conditions)
            skips += [skip]
        stacked = torch.stack(skips, dim=0)
        weights = self.weights.softmax(0).view(-1, 1, 1, 1)
        return self.attention(x) + (stacked * weights).sum(0)


class Net(nn.Module):
    def __init__(self, channels=8, speaker=6, steps=50):
        super().__init__()
        self.enter = nn.Conv1d(2, channels, 5, padding="same", padding_mode="circular")
        self.table = nn.Embedding(steps, 16)
        self.embed = nn.ModuleDict({"first": nn.Linear(16, 16), "second": nn.Linear(16, 16)})
        self.stages = nn.ModuleList(
            [Stage(channels, speaker, False), Stage(2 * channels, speaker, True)]
        )
        self.down = nn.Conv1d(channels, 2 * channels, 4, stride=2, padding=1)
        self.middle = nn.GRU(2 * channels, channels, batch_first=True, bidirectional=True)
        self.up = nn.ConvTranspose1d(2 * channels, channels, 4, stride=2, padding=1)
        self.last = Stage(channels, speaker, attend=False)
        self.prelu = nn.PReLU(num_parameters=channels)
        self.leave = nn.Conv1d(channels, 2, 1)
        self.register_buffer("window", torch.hann_window(24, periodic=False)[None, None])

    def embedded(self, step):
        h = self.table(step)
        h = F.hardswish(self.embed["first"](h))
        return h + self.embed["second"](h)

    def forward(self, wave, step, speaker):
        conditions = {"step": self.embedded(step), "speaker": F.normalize(speaker, dim=1)}
        peak = wave.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-3)
        h = self.enter(wave / peak)
        saved = {}
        h = saved["fine"] = self.stages[0](h, **conditions)
        h = F.elu(self.down(h), alpha=0.7)
        h = self.stages[1](h, **conditions)
        recurrent, _ = self.middle(h[:, :, ::3].transpose(1, 2))
        h = h + F.interpolate(recurrent.transpose(2, 1), scale_factor=3.0, mode="linear")
        h = self.up(F.glu(torch.cat([h, h.flip(-1)], dim=1), dim=1))
        h = h + saved["fine"] if h.shape == saved["fine"].shape else h
        h = self.last(h, **conditions)
        first, second = h[:, : h.shape[1] // 2], h[:, h.shape[1] // 2 :]
        h = torch.cat((torch.cumsum(first, dim=2) / 24, second.narrow(2, 0, 24)), dim=1)
        h = self.prelu(h)
        out = self.leave(h) * (1.0 - 0.5 * self.window) * peak
        return Output(out, out.square().sum(dim=-1).sqrt())
