"""Whom attention reads, and that the kernel it is written with changes nothing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.tracing import trace

B, N, M, C, HEADS = 2, 6, 5, 8, 2
CORE = B * N * 2 * C  # times the tokens that are read


def fused(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def with_bmm(q, k, v):
    flat = [x.flatten(0, 1) for x in (q, k, v)]
    scores = torch.baddbmm(
        torch.empty(1, 1, 1, device=q.device), flat[0], flat[1].transpose(1, 2), beta=0, alpha=0.5
    )
    weights = scores.float().softmax(dim=-1).to(q.dtype)
    return torch.bmm(weights, flat[2]).unflatten(0, q.shape[:2])


def with_einsum(q, k, v):
    scores = torch.einsum("bhnd,bhmd->bhnm", q * 0.5, k)
    scores = scores - scores.amax(dim=-1, keepdim=True)
    weights = F.dropout(F.softmax(scores, dim=-1), 0.1, training=False)
    return torch.einsum("bhnm,bhmd->bhnd", weights, v)


def with_matmul(q, k, v):
    return torch.softmax(q @ k.mT + torch.zeros(1, device=q.device), dim=-1) @ v


KERNELS = [fused, with_bmm, with_einsum, with_matmul]


class Attention(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel
        self.q, self.k, self.v = (nn.Linear(C, C) for _ in range(3))

    def forward(self, x, context):
        q, k, v = (
            layer(y).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for layer, y in ((self.q, x), (self.k, context), (self.v, context))
        )
        return self.kernel(q, k, v).transpose(1, 2).flatten(2)


class Block(nn.Module):
    """Two rounds of self-attention, cross-attention and a joint one, with a time embedding."""

    def __init__(self, kernel):
        super().__init__()
        self.time = nn.Linear(C, C)
        self.norms = nn.ModuleList(nn.LayerNorm(C) for _ in range(6))
        self.attentions = nn.ModuleList(Attention(kernel) for _ in range(6))

    def forward(self, x, time, text):
        x = x + self.time(time)[:, None]
        for index in (0, 3):
            y = self.norms[index](x)
            x = x + self.attentions[index](y, y)
            x = x + self.attentions[index + 1](self.norms[index + 1](x), text)
            y = self.norms[index + 2](x)
            x = x + self.attentions[index + 2](y, torch.cat([y, text], dim=1))
        return x


def cost(model, *inputs):
    return Cost(Network(trace(model, inputs)))


def inputs():
    return torch.randn(B, N, C), torch.randn(B, C), torch.randn(B, M, C)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_is_understood(kernel):
    found = cost(Block(kernel).eval(), *inputs())
    assert found.unknown == {}
    linear = B * C * C * (1 + 2 * (4 * N + 2 * M + 2 * (N + M) + N))
    assert found.by_kind() == {
        "linear": linear,
        "self_attention": 2 * CORE * N,
        "cross_attention": 2 * CORE * M,
        "joint_attention": 2 * CORE * (N + M),
    }


def test_torchs_own_layer_has_its_core_told_from_its_projections():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(C, HEADS, batch_first=True)

        def forward(self, x, text):
            x = x + self.attend(x, x, x)[0]
            return self.attend(x, text, text)[0]

    x, _, text = inputs()
    found = cost(Own().eval(), x, text)
    projections = B * C * C * (4 * N + 2 * N + 2 * M)
    kinds = found.by_kind()
    assert kinds == {
        "linear": projections,
        "self_attention": CORE * N,
        "cross_attention": CORE * M,
    }
    assert sum(kinds.values()) == found.total


def test_linear_attention_and_gates_are_no_attention_products():
    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Conv1d(C, 3 * C, 1)

        def forward(self, x):
            q, k, v = self.qkv(x).chunk(3, dim=1)
            context = torch.einsum("bdn,ben->bde", k.softmax(dim=-1), v)
            return torch.einsum("bde,bdn->ben", context, q)

    found = cost(Linear(), torch.randn(B, C, N))
    assert found.by_kind() == {"convolution": B * N * 3 * C * C, "product": 2 * B * C * C * N}


def test_a_product_with_weights_is_a_linear_layer_however_written():
    class Weights(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(C, 3))

        def forward(self, x):
            by_hand = x @ (self.weight * 2) + torch.einsum("bnc,cd->bnd", x, self.weight)
            return by_hand + F.linear(x, self.weight.t())

    assert cost(Weights(), torch.randn(B, N, C)).by_kind() == {"linear": 3 * B * N * C * 3}


def test_elements_of_views_are_not_made():
    class Views(nn.Module):
        def forward(self, x):
            return F.silu(x.view(-1)[:4].reshape(2, 2).t())

    assert cost(Views(), torch.randn(2, 4)).uncounted == {"F.silu": (1, 4)}
