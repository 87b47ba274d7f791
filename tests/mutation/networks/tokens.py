"""A UNet of tokens, as U-ViT: patches, registers, gates, masks and long skips."""

import torch
import torch.nn.functional as F
from torch import nn


def inputs(draw):
    return {
        "video": draw(2, 3, 2, 4, 6),
        "time": draw(2),
        "text": draw(2, 5, 12),
        "mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], dtype=torch.bool),
    }


def modulate(x, shift, scale):
    return x * (1 + scale[:, None]) + shift[:, None]


class GEGLU(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.up = nn.Linear(dim, 2 * hidden)
        self.down = nn.Linear(hidden, dim)

    def forward(self, x):
        value, gate = self.up(x).chunk(2, dim=-1)
        return self.down(value * F.gelu(gate))


class SelfAttention(nn.Module):
    def __init__(self, dim, heads=2):
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_norm = nn.LayerNorm(dim // heads, eps=1e-6)
        self.k_norm = nn.LayerNorm(dim // heads, eps=1e-6)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        qkv = self.to_qkv(x).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        x = torch.softmax(scores, dim=-1) @ v
        return self.out(x.transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    def __init__(self, dim, text_dim, heads=3):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(text_dim, dim)
        self.to_v = nn.Linear(text_dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x, text, mask=None):
        q, k, v = self.to_q(x), self.to_k(text), self.to_v(text)
        q, k, v = (t.reshape(*t.shape[:2], self.heads, -1).movedim(2, 1) for t in (q, k, v))
        scores = torch.matmul(q, k.mT) * q.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
        weights = scores.softmax(dim=-1)
        x = torch.matmul(weights, v)
        return self.out(x.permute(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1))


class Block(nn.Module):
    def __init__(self, dim, text_dim, skip=False):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False, eps=1e-6)
        self.attn = SelfAttention(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.cross = CrossAttention(dim, text_dim)
        self.norm3 = nn.LayerNorm(dim, elementwise_affine=False, eps=1e-6)
        self.mlp = GEGLU(dim, 2 * dim)
        self.ada = nn.Linear(dim, 6 * dim)
        self.skip = nn.Linear(2 * dim, dim) if skip else None

    def forward(self, x, cond, text, mask, skip=None):
        if self.skip is not None:
            x = self.skip(torch.cat([x, skip], dim=-1))
        parts = self.ada(F.silu(cond)).chunk(6, dim=1)
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = parts
        x = x + gate_a[:, None] * self.attn(modulate(self.norm1(x), shift_a, scale_a))
        x = x + self.cross(self.norm2(x), text, mask=mask)
        return x + gate_m.unsqueeze(1) * self.mlp(modulate(self.norm3(x), shift_m, scale_m))


class Net(nn.Module):
    def __init__(self, dim=12, depth=2, patch=2, registers=3, text_dim=12):
        super().__init__()
        self.patch = patch
        self.patchify = nn.Linear(3 * patch * patch, dim)
        self.registers = nn.Parameter(torch.zeros(1, registers, dim))
        self.position = nn.Parameter(torch.zeros(1, 1, 6, dim))
        self.frame = nn.Parameter(torch.zeros(1, 2, 1, dim))
        self.freq = nn.Parameter(torch.randn(dim // 2), requires_grad=False)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.text_norm = nn.LayerNorm(text_dim)
        self.pool = nn.Linear(text_dim, dim)
        self.ins = nn.ModuleList([Block(dim, text_dim) for _ in range(depth)])
        self.mid = Block(dim, text_dim)
        self.outs = nn.ModuleList([Block(dim, text_dim, skip=True) for _ in range(depth)])
        self.final_norm = nn.LayerNorm(dim)
        self.final = nn.Linear(dim, 3 * patch * patch)
        self.mix = nn.Conv3d(3, 3, (3, 1, 1), padding=(1, 0, 0))

    def to_patches(self, video):
        b, c, f, h, w = video.shape
        p = self.patch
        x = video.reshape(b, c, f, h // p, p, w // p, p)
        x = x.permute(0, 2, 3, 5, 4, 6, 1)
        return x.reshape(b, f, (h // p) * (w // p), p * p * c)

    def to_video(self, x, shape):
        b, c, f, h, w = shape
        p = self.patch
        x = x.view(b, f, h // p, w // p, p, p, c)
        x = x.permute(0, 6, 1, 2, 4, 3, 5).contiguous()
        return x.view(b, c, f, h, w)

    def condition(self, time, text, mask):
        angles = time[:, None] * self.freq[None] * 2 * torch.pi
        cond = self.time(torch.cat([angles.cos(), angles.sin()], dim=-1))
        lengths = mask.sum(dim=1, keepdim=True)
        pooled = (text * mask[..., None]).sum(dim=1) / lengths
        return cond + self.pool(pooled)

    def forward(self, video, time, text, mask):
        text = self.text_norm(text)
        cond = self.condition(time, text, mask)
        x = self.patchify(self.to_patches(video))
        x = x + self.position + self.frame
        frames = x.shape[1]
        x = x.flatten(1, 2)
        x = torch.cat([self.registers.expand(x.shape[0], -1, -1), x], dim=1)
        skips = []
        for block in self.ins:
            x = block(x, cond, text, mask)
            skips.append(x)
        x = self.mid(x, cond, text, mask)
        for block in self.outs:
            x = block(x, cond, text, mask, skip=skips.pop())
        registers, x = x.split([self.registers.shape[1], x.shape[1] - self.registers.shape[1]], 1)
        x = self.final_norm(x) + registers.mean(dim=1, keepdim=True)
        x = x.unflatten(1, (frames, -1))
        x = x + 0.1 * torch.roll(x, shifts=1, dims=1)
        x = self.to_video(self.final(x), video.shape)
        x = self.mix(x) + video.flip(2) * 0.25
        centre = x.mean(dim=(3, 4), keepdim=True)
        spread = x.var(dim=(3, 4), unbiased=False, keepdim=True)
        return (x - centre) / torch.sqrt(spread + 1e-4)
