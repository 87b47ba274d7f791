"""A UNet of functions over parameters and buffers that one module holds."""

import torch
import torch.nn.functional as F
from torch import nn


def inputs(draw):
    return {
        "x": draw(2, 4, 6, 10),
        "noise_level": draw(2),
        "hint": draw(2, 4, 6, 10),
        "keep": torch.tensor([True, False]),
    }


def norm(x, weight, bias, groups=2, eps=1e-5):
    return F.group_norm(x, groups, weight, bias, eps)


def conv(x, weight, bias=None, stride=1):
    return F.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2)


def rms(x, gain, dim=1):
    scale = torch.rsqrt(x.pow(2).mean(dim=dim, keepdim=True) + 1e-6)
    return x * scale * gain


def attention(x, w_q, w_k, w_v, w_out, heads=2):
    b, c, height, width = x.shape
    flat = x.reshape(b, c, height * width)
    q = torch.einsum("oc,bcn->bon", w_q, flat).reshape(b, heads, c // heads, -1)
    k = torch.einsum("oc,bcn->bon", w_k, flat).reshape(b, heads, c // heads, -1)
    v = (w_v @ flat).reshape(b, heads, c // heads, -1)
    scores = torch.einsum("bhcn,bhcm->bhnm", q, k) * (c // heads) ** -0.5
    scores = scores - scores.amax(dim=-1, keepdim=True)
    weights = scores.exp()
    weights = weights / weights.sum(dim=-1, keepdim=True)
    mixed = torch.einsum("bhnm,bhcm->bhcn", weights, v).reshape(b, c, height, width)
    return F.conv2d(mixed, w_out[:, :, None, None])


class Net(nn.Module):
    def __init__(self, width=8, levels=4.0):
        super().__init__()

        def weight(*shape):
            return nn.Parameter(torch.randn(*shape) * 0.1)

        self.enter_w = weight(width, 4, 3, 3)
        self.enter_b = nn.Parameter(torch.zeros(width))
        self.hint_w = weight(width, 4, 3, 3)
        self.level_w1 = weight(16, 6)
        self.level_b1 = nn.Parameter(torch.zeros(16))
        self.level_w2 = weight(2 * width, 16)
        self.down_w = weight(2 * width, width, 3, 3)
        self.down_b = nn.Parameter(torch.zeros(2 * width))
        self.down_gain = nn.Parameter(torch.ones(2 * width))
        self.down_shift = nn.Parameter(torch.zeros(2 * width))
        self.q = weight(2 * width, 2 * width)
        self.k = weight(2 * width, 2 * width)
        self.v = weight(2 * width, 2 * width)
        self.out = weight(2 * width, 2 * width)
        self.depth_w = weight(2 * width, 1, 3, 3)
        self.rms_gain = nn.Parameter(torch.ones(2 * width, 1, 1))
        self.up_w = weight(2 * width, width, 2, 2)
        self.join_w = weight(width, 2 * width, 3, 3)
        self.join_gain = nn.Parameter(torch.ones(width))
        self.join_shift = nn.Parameter(torch.zeros(width))
        self.blend = nn.Parameter(torch.tensor(0.3))
        self.leave_w = weight(4, width, 1, 1)
        self.leave_b = nn.Parameter(torch.zeros(4))
        self.register_buffer("frequencies", torch.tensor([1.0, 2.0, levels]))
        self.register_buffer("mean", torch.full((1, 4, 1, 1), 0.1), persistent=False)
        self.register_buffer("blur", torch.tensor([[1.0, 2.0, 1.0]]) / 4)

    def embed(self, level):
        angles = torch.outer(level, self.frequencies) * torch.pi
        table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
        table = F.linear(table, self.level_w1, self.level_b1)
        table = F.gelu(table, approximate="tanh")
        return F.linear(table, self.level_w2)

    def smooth(self, x):
        kernel = self.blur.T @ self.blur
        kernel = kernel.expand(x.shape[1], 1, 3, 3)
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, kernel, groups=x.shape[1])

    def forward(self, x, noise_level, hint, keep):
        level = torch.clamp(noise_level, min=-2.0, max=2.0)
        embedding = self.embed(level)
        gain, shift = torch.split(embedding, embedding.shape[1] // 2, dim=1)
        hint = hint * torch.tensor([0.5, 1.0, 1.0, 2.0], device=x.device)[:, None, None]
        hint = torch.where(keep[:, None, None, None], hint, torch.zeros_like(hint))
        h = conv(x - self.mean, self.enter_w, self.enter_b)
        h += conv(hint, self.hint_w)
        h = F.leaky_relu(h, negative_slope=0.2)
        h = torch.addcmul(h, h, gain[..., None, None], value=0.5)
        h.add_(shift.unsqueeze(-1).unsqueeze(-1))
        skip = h
        low = self.smooth(skip)
        h = F.avg_pool2d(h, 2, stride=2, ceil_mode=False)
        h = conv(h, self.down_w, self.down_b)
        h = F.mish(norm(h, self.down_gain, self.down_shift))
        h = h + attention(h, self.q, self.k, self.v, self.out) * 0.7
        depth = F.conv2d(h, self.depth_w, padding=1, groups=h.shape[1])
        h = rms(depth, self.rms_gain) + h
        even, odd = h[:, 0::2], h[:, 1::2]
        h = torch.cat((torch.maximum(even, odd), odd * torch.tanh(even)), 1)
        h[:, :2] *= 0.5
        h = F.conv_transpose2d(h, self.up_w, stride=2)
        h = torch.lerp(h, low, self.blend)
        h = torch.cat([h, skip - low], dim=1)
        h = conv(h, self.join_w)
        h = F.softplus(norm(h, self.join_gain, self.join_shift, groups=4, eps=1e-3), beta=2.0)
        std, centre = torch.std_mean(h, dim=(2, 3), keepdim=True, correction=0)
        h = (h - centre) / (std + 0.1)
        out = conv(h, self.leave_w, self.leave_b)
        out = out + F.interpolate(
            F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False),
            size=x.shape[-2:],
            mode="bilinear",
            align_corners=False,
        )
        return {"sample": out, "level": embedding.norm(dim=1)}
