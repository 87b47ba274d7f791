"""Small networks that these tests count: configs, and UNets of other code bases."""

import torch
from torch import nn

NARROW = {
    "block_out_channels": [32, 64],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "attention_head_dim": 4,
    "cross_attention_dim": 16,
}
CONFIGS = {
    "narrow": NARROW,
    "no middle": {**NARROW, "mid_block_type": None},
    "plain": {
        **NARROW,
        "down_block_types": ["DownBlock2D", "DownBlock2D"],
        "mid_block_type": "UNetMidBlock2D",
        "up_block_types": ["UpBlock2D", "UpBlock2D"],
    },
    "three levels": {
        **NARROW,
        "block_out_channels": [16, 32, 32],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": [1, 2, 3],
        "transformer_layers_per_block": [1, 2, 3],
        "use_linear_projection": True,
        "num_class_embeds": 7,
    },
    "text and time": {
        **NARROW,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 60,
        "time_cond_proj_dim": 5,
    },
}


class Norm(nn.GroupNorm):
    """As guided-diffusion's: it computes in float32."""

    def forward(self, x):
        return super().forward(x.float()).type(x.dtype)


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


class Residual(nn.Module):
    def __init__(self, given, made, time):
        super().__init__()
        self.first = nn.Sequential(Norm(4, given), Swish(), nn.Conv2d(given, made, 3, padding=1))
        self.told = nn.Linear(time, made)
        self.second = nn.Sequential(
            Norm(4, made), Swish(), nn.Dropout(0.1), nn.Conv2d(made, made, 3, padding=1)
        )
        self.around = nn.Identity() if given == made else nn.Conv2d(given, made, 1)

    def forward(self, x, time):
        h = self.first(x) + self.told(time)[..., None, None]
        return self.around(x) + self.second(h)


class Reads(nn.Module):
    """Attention written out, as CompVis' code does it."""

    def __init__(self, width, context, heads):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(context, width, bias=False)
        self.v = nn.Linear(context, width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x, context=None):
        context = x if context is None else context
        q, k, v = (
            t.reshape(*t.shape[:2], self.heads, -1).transpose(1, 2).flatten(0, 1)
            for t in (self.q(x), self.k(context), self.v(context))
        )
        scores = torch.einsum("bid,bjd->bij", q, k) * q.shape[-1] ** -0.5
        read = torch.einsum("bij,bjd->bid", scores.softmax(dim=-1), v)
        read = read.unflatten(0, (x.shape[0], self.heads)).transpose(1, 2).flatten(2)
        return self.out(read)


class Thinks(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        return self.layers(x)


class Layer(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.looks, self.hears, self.thinks = (
            Reads(width, width, 2),
            Reads(width, context, 2),
            Thinks(width),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, context):
        x = x + self.looks(self.norms[0](x))
        x = x + self.hears(self.norms[1](x), context)
        return x + self.thinks(self.norms[2](x))


class Listens(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.norm, self.layer = Norm(4, width), Layer(width, context)
        self.enter, self.leave = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)

    def forward(self, x, context):
        tokens = self.layer(self.enter(self.norm(x)).flatten(2).transpose(1, 2), context)
        return x + self.leave(tokens.transpose(1, 2).unflatten(2, x.shape[2:]))


class Smaller(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.pool = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x):
        return self.pool(x)


class Larger(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.smooth = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return self.smooth(nn.functional.interpolate(x, scale_factor=2.0))


class Steps(nn.Sequential):
    """What CompVis' code calls TimestepEmbedSequential."""

    def forward(self, x, time, context):
        for layer in self:
            if isinstance(layer, Residual):
                x = layer(x, time)
            elif isinstance(layer, Listens):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class Foreign(nn.Module):
    """A UNet whose classes and attributes have names of their own; its root joins the skips."""

    def __init__(self):
        super().__init__()
        self.clock = nn.Sequential(nn.Linear(1, 16), Swish(), nn.Linear(16, 16))
        self.descent = nn.ModuleList(
            [
                Steps(nn.Conv2d(3, 8, 3, padding=1)),
                Steps(Residual(8, 8, 16), Listens(8, 6)),
                Steps(Smaller(8)),
                Steps(Residual(8, 16, 16), Listens(16, 6)),
            ]
        )
        self.bottom = Steps(Residual(16, 16, 16), Listens(16, 6), Residual(16, 16, 16))
        self.ascent = nn.ModuleList(
            [
                Steps(Residual(32, 16, 16), Listens(16, 6)),
                Steps(Residual(24, 16, 16), Listens(16, 6), Larger(16)),
                Steps(Residual(24, 8, 16), Listens(8, 6)),
                Steps(Residual(16, 8, 16), Listens(8, 6)),
            ]
        )
        self.last = nn.Sequential(Norm(4, 8), Swish(), nn.Conv2d(8, 3, 3, padding=1))

    def forward(self, x, t, context):
        time = self.clock(t[:, None])
        stack = []
        for block in self.descent:
            x = block(x, time, context)
            stack.append(x)
        x = self.bottom(x, time, context)
        for block in self.ascent:
            x = block(torch.cat([x, stack.pop()], dim=1), time, context)
        return self.last(x)


def foreign_inputs():
    return torch.zeros(2, 3, 8, 8), torch.zeros(2), torch.zeros(2, 5, 6)


class Shared(nn.Module):
    """Ties two weights, holds a parameter itself, and two buffers."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.register_buffer("steps", torch.zeros(5, dtype=torch.int64))
        self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 3)
        self.two.weight = self.one.weight
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.norm(self.two(self.one(x * self.scale)))
