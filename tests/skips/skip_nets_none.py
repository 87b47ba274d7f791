"""Networks that have no skip, whatever they join."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from skip_case import (
    GEGLU,
    Attention,
    Block,
    C,
    Net,
    Residual,
    bigger,
    case,
    conv,
    down,
    joined,
    many,
    up,
)
from skip_nets_u import CBAM, DenseBlock, SqueezeAndExcite
from torch import nn

TOKENS = (1, 16, C)
"""Sixteen tokens of an image."""
TEXT = (1, 5, 6)


def chain(*layers):
    """Layers in a row, with a stem before and a classifier after."""
    last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C, 10))
    return nn.Sequential(conv(3, C), *layers, last)


@case([], classes=["residual"], why="He et al. 2015: sums of a tensor and what was made of it")
def resnet():
    return chain(Residual(), Residual(C, C, 2), Residual(), Residual(C, C, 2))


@case([], classes=["residual"], why="He et al. 2016 (pre-activation): projections after the norm")
def resnet_of_pre_activations():
    class PreActivation(nn.Module):
        def __init__(self, stride):
            super().__init__()
            self.norm, self.conv1, self.conv2 = nn.BatchNorm2d(C), conv(C, C, 3, stride), conv()
            self.beside = nn.Conv2d(C, C, 1, stride) if stride > 1 else None

        def forward(self, x):
            h = F.relu(self.norm(x))
            beside = x if self.beside is None else self.beside(h)
            return self.conv2(F.relu(self.conv1(h))) + beside

    return chain(PreActivation(1), PreActivation(2), PreActivation(1))


@case([], classes=["residual"], why="He et al. 2018 (ResNet-D): the projection follows a pooling")
def resnet_whose_shortcut_is_pooled():
    class Lower(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.Sequential(conv(C, C, 1), down(), conv(C, C, 1))
            self.beside = nn.Sequential(nn.AvgPool2d(2), conv(C, C, 1))

        def forward(self, x):
            return F.relu(self.convs(x) + self.beside(x))

    return chain(Lower(), Residual(), Lower())


@case([], classes=["residual"], why="Hu et al. 2018 (SE-ResNet): weighed before the residual sum")
def se_resnet():
    class Weighed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.se = conv(), SqueezeAndExcite()

        def forward(self, x):
            return x + self.se(self.conv(x))

    return chain(Weighed(), down(), Weighed())


@case(
    [],
    classes=["branches"],
    why="Woo et al. 2018: means and maxima of one map are branches, and weights no features",
)
def cnn_with_cbam():
    return chain(conv(), CBAM(), down(), CBAM())


@case([], classes=["residual", "branches"], why="Woo et al. 2018, in a ResNet's blocks")
def resnet_with_cbam():
    class Weighed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.cbam = conv(), CBAM()

        def forward(self, x):
            return F.relu(x + self.cbam(self.conv(x)))

    return chain(Weighed(), down(), Weighed())


@case([], classes=["dense"], why="Huang et al. 2017: each layer is given all maps before it")
def densenet():
    lower = nn.Sequential(nn.Conv2d(C + 4, C, 1), nn.AvgPool2d(2))
    return chain(DenseBlock(C), lower, DenseBlock(C), nn.Conv2d(C + 4, C, 1))


@case([], classes=["dense"], why="Huang et al. 2017, as torchvision writes it: of a growing list")
def densenet_of_lists():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(conv(C * (i + 1), C) for i in range(3))
            self.out = nn.Conv2d(4 * C, C, 1)

        def forward(self, x):
            maps = [x]
            for layer in self.layers:
                maps.append(F.relu(layer(torch.cat(maps, dim=1))))
            return self.out(torch.cat(maps, dim=1))

    return chain(Dense(), nn.AvgPool2d(2), Dense())


class Shuffle(nn.Module):
    """Ma et al. 2018: half of the channels goes through, then all are shuffled."""

    def __init__(self, stride=1):
        super().__init__()
        half = C // 2
        self.stride = stride
        wide = half if stride == 1 else C
        self.main = nn.Sequential(nn.Conv2d(wide, half, 1), conv(half, half, 3, stride))
        self.beside = conv(C, half, 3, 2) if stride == 2 else None

    def forward(self, x):
        if self.beside is None:
            one, other = x.chunk(2, dim=1)
            out = torch.cat([one, self.main(other)], dim=1)
        else:
            out = torch.cat([self.beside(x), self.main(x)], dim=1)
        return out.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


@case([], classes=["branches"], why="Ma et al. 2018 (ShuffleNet v2): halves of the channels")
def shufflenet():
    return chain(Shuffle(2), Shuffle(), Shuffle(2), Shuffle())


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.three = conv(C, 1, 1), nn.Sequential(conv(C, 2, 1), conv(2, 1))
        self.five = nn.Sequential(conv(C, 2, 1), conv(2, 2), conv(2, 1))
        self.pooled = conv(C, 1, 1)

    def forward(self, x):
        pooled = self.pooled(F.max_pool2d(x, 3, 1, 1))
        return torch.cat([self.one(x), self.three(x), self.five(x), pooled], dim=1)


class Reduction(nn.Module):
    """Inception's and its kin's: strided and pooled ways, concatenated."""

    def __init__(self):
        super().__init__()
        self.strided, self.deep = down(C, 2), nn.Sequential(conv(C, 2, 1), down(2, 2))
        self.out = nn.Conv2d(C + 4, C, 1)

    def forward(self, x):
        maps = [self.strided(x), self.deep(x), F.max_pool2d(x, 3, 2, 1)]
        return self.out(torch.cat(maps, dim=1))


@case([], classes=["branches"], why="Szegedy et al. 2015: ways of equal standing")
def inception():
    return chain(Inception(), Inception(), nn.MaxPool2d(2), Inception())


@case([], classes=["branches"], why="Szegedy et al. 2016: reductions stride and pool side by side")
def inception_with_reductions():
    return chain(Inception(), Reduction(), Inception(), Reduction())


@case([], classes=["branches"], why="Wang et al. 2020 (CSPNet): half of the channels goes beside")
def cspnet():
    class Partial(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = conv(C, 2, 1), conv(C, 2, 1)
            self.blocks, self.out = nn.Sequential(conv(2, 2), conv(2, 2)), conv(C, C, 1)

        def forward(self, x):
            return self.out(torch.cat([self.blocks(self.one(x)), self.other(x)], dim=1))

    return chain(Partial(), down(), Partial())


@case([], classes=["branches", "residual"], why="Gao et al. 2019 (Res2Net): a ladder of splits")
def res2net():
    class Ladder(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = many(3, lambda: conv(1, 1))

        def forward(self, x):
            parts = x.chunk(4, dim=1)
            made = [parts[0], self.convs[0](parts[1])]
            for part, layer in zip(parts[2:], self.convs[1:], strict=True):
                made.append(layer(part + made[-1]))
            return F.relu(torch.cat(made, dim=1) + x)

    return chain(Ladder(), down(), Ladder())


@case([], classes=["dense"], why="Han et al. 2020 (GhostNet): maps beside cheap ones made of them")
def ghostnet():
    class Ghost(nn.Module):
        def __init__(self):
            super().__init__()
            self.primary, self.cheap = conv(C, 2, 1), nn.Conv2d(2, 2, 3, 1, 1, groups=2)

        def forward(self, x):
            x = F.relu(self.primary(x))
            return torch.cat([x, F.relu(self.cheap(x))], dim=1)

    return chain(Ghost(), down(), Ghost())


class Inverted(nn.Module):
    """Sandler et al. 2018: wide, depthwise, narrow."""

    def __init__(self, stride=1):
        super().__init__()
        self.stride = stride
        self.layers = nn.Sequential(
            nn.Conv2d(C, 4 * C, 1),
            nn.ReLU6(),
            nn.Conv2d(4 * C, 4 * C, 3, stride, 1, groups=4 * C),
            nn.ReLU6(),
            nn.Conv2d(4 * C, C, 1),
        )

    def forward(self, x):
        return x + self.layers(x) if self.stride == 1 else self.layers(x)


@case([], classes=["residual"], why="Sandler et al. 2018 (MobileNetV2)")
def mobilenet_v2():
    return chain(Inverted(), Inverted(2), Inverted(), Inverted(2))


@case([], classes=["residual"], why="Liu et al. 2022: depthwise 7x7, norm and linear layers last")
def convnext():
    class Next(nn.Module):
        def __init__(self):
            super().__init__()
            self.deep, self.norm = nn.Conv2d(C, C, 7, padding=3, groups=C), nn.LayerNorm(C)
            self.wide, self.narrow = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)
            self.scale = nn.Parameter(torch.ones(C))

        def forward(self, x):
            h = self.norm(self.deep(x).permute(0, 2, 3, 1))
            h = self.scale * self.narrow(F.gelu(self.wide(h)))
            return x + h.permute(0, 3, 1, 2)

    return chain(Next(), nn.Conv2d(C, C, 2, 2), Next())


@case([], why="Krizhevsky et al. 2012 onwards: a chain joins nothing")
def chain_of_convolutions():
    return chain(conv(), down(), conv(), down())


@case([], why="Hinton & Salakhutdinov 2006, with convolutions: all goes through the bottleneck")
def autoencoder():
    return nn.Sequential(down(3, C), nn.ReLU(), down(), nn.ReLU(), up(), nn.ReLU(), up(C, 3))


@case(
    [],
    classes=["residual"],
    why="residual blocks on both sides of the bottleneck of an autoencoder; nothing goes past it",
)
def autoencoder_of_residual_blocks():
    return nn.Sequential(
        *(conv(3, C), Residual(), Residual(C, C, 2), Residual(C, C, 2), Residual()),
        *(up(), Residual(), up(), Residual(), conv(C, 3)),
    )


@case(
    [],
    classes=["branches"],
    why="Kingma & Welling 2013: mean and variance are branches of one tensor",
)
def vae():
    def body(net, x):
        mean, log = net.encoder(x).chunk(2, dim=1)
        return net.decoder(mean + torch.exp(0.5 * log) * torch.randn_like(mean))

    return Net(
        body,
        encoder=nn.Sequential(down(3, C), nn.ReLU(), down(C, 2 * C)),
        decoder=nn.Sequential(up(), nn.ReLU(), up(C, 3)),
    )


@case([], why="Rombach et al. 2022: an autoencoder with attention in the middle, both residual")
def vae_with_attention():
    class Attending(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.attn = nn.GroupNorm(2, C), Attention()

        def forward(self, x):
            h = self.attn(self.norm(x).flatten(2).mT)
            return x + h.mT.reshape(x.shape)

    return nn.Sequential(
        *(down(3, C), Residual(), down(), Residual(), Attending(), Residual()),
        *(nn.Upsample(scale_factor=2), conv(), Residual(), nn.Upsample(scale_factor=2)),
        conv(C, 3),
    )


@case([], why="van den Oord et al. 2017: the straight-through estimator adds a difference")
def vq_vae():
    def body(net, x):
        z = net.encoder(x)
        flat = z.permute(0, 2, 3, 1).reshape(-1, C)
        nearest = torch.cdist(flat, net.book.weight).argmin(1)
        q = net.book(nearest).view(z.shape[0], *z.shape[2:], C).permute(0, 3, 1, 2)
        return net.decoder(z + (q - z).detach())

    return Net(
        body,
        encoder=nn.Sequential(down(3, C), nn.ReLU(), down()),
        book=nn.Embedding(8, C),
        decoder=nn.Sequential(up(), nn.ReLU(), up(C, 3)),
    )


@case([], why="Badrinarayanan et al. 2015: indices of the pooling go across, no features do")
def segnet():
    def body(net, x):
        held = []
        for layer in net.enc:
            x, where = F.max_pool2d(F.relu(layer(x)), 2, return_indices=True)
            held.append(where)
        for layer in net.dec:
            x = layer(F.max_unpool2d(x, held.pop(), 2))
        return x

    return Net(body, enc=nn.ModuleList([conv(3, C), conv()]), dec=nn.ModuleList(many(2, conv)))


# Restoration: all at one resolution


@case([], classes=["residual"], why="Zhang et al. 2017 (DnCNN): the noise is subtracted")
def dncnn():
    return Net(
        lambda net, x: x - net.layers(x),
        layers=nn.Sequential(conv(3, C), nn.ReLU(), conv(), nn.ReLU(), conv(C, 3)),
    )


class Plain(nn.Module):
    """A residual block without norms."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv(), conv()

    def forward(self, x):
        return x + 0.1 * self.conv2(F.relu(self.conv1(x)))


@case(
    [],
    classes=["residual"],
    why="Lim et al. 2017 (EDSR): one long sum around the body, at one resolution: residual",
)
def edsr():
    def body(net, x):
        x = net.head(x)
        return net.tail(F.pixel_shuffle(net.wide(x + net.body_(x)), 2))

    return Net(
        body,
        head=conv(3, C),
        body_=nn.Sequential(*many(3, Plain), conv()),
        wide=conv(C, 4 * C),
        tail=conv(C, 3),
    )


@case(
    [],
    classes=["residual", "dense"],
    why="Zhang et al. 2018 (RDN): dense in each block, all blocks fused, one global residual",
)
def rdn():
    class Fused(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense, self.fuse = DenseBlock(C), nn.Conv2d(C + 4, C, 1)

        def forward(self, x):
            return x + self.fuse(self.dense(x))

    def body(net, x):
        first = net.first(x)
        x = net.second(first)
        made = []
        for block in net.blocks:
            x = block(x)
            made.append(x)
        x = first + net.fuse(joined(*made))
        return net.tail(F.pixel_shuffle(net.wide(x), 2))

    return Net(
        body,
        first=conv(3, C),
        second=conv(),
        blocks=many(3, Fused),
        fuse=nn.Conv2d(3 * C, C, 1),
        wide=conv(C, 4 * C),
        tail=conv(C, 3),
    )


@case(
    [],
    classes=["residual"],
    why="Zhang et al. 2018 (RCAN): residuals in residuals, each group's and the body's own",
)
def rcan():
    class Group(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs, self.weigh = many(2, conv), many(2, SqueezeAndExcite)
            self.last = conv()

        def forward(self, x):
            y = x
            for layer, weigh in zip(self.convs, self.weigh, strict=True):
                y = y + weigh(F.relu(layer(y)))
            return x + self.last(y)

    def body(net, x):
        x = net.head(x)
        y = x
        for group in net.groups:
            y = group(y)
        return net.tail(x + net.last(y))

    return Net(body, head=conv(3, C), groups=many(2, Group), last=conv(), tail=conv(C, 3))


@case(
    [],
    (1, 3, 8, 8),
    classes=["residual"],
    why="Lai et al. 2017 (LapSRN): the upsampled image plus predicted details, twice as large",
)
def laplacian_super_resolution():
    def body(net, x):
        image, h = x, net.enter(x)
        for raised, details in zip(net.ups, net.details, strict=True):
            h = raised(h)
            image = bigger(image, mode="bilinear") + details(h)
        return image

    return Net(
        body,
        enter=conv(3, C),
        ups=many(2, up),
        details=nn.ModuleList(conv(C, 3) for _ in range(2)),
    )


@case(
    [],
    (1, C, 4, 4),
    why="Karras et al. 2020 (StyleGAN2's output skips): images of every resolution are added up; "
    "no way went to a lower one and came back",
)
def generator_with_output_skips():
    def body(net, x):
        x = net.convs[0](x)
        image = net.images[0](x)
        for i in (1, 2):
            x = net.convs[i](bigger(x))
            image = bigger(image) + net.images[i](x)
        return image

    return Net(
        body, convs=many(3, conv), images=nn.ModuleList(nn.Conv2d(C, 3, 1) for _ in range(3))
    )


@case([], (1, 8), why="Radford et al. 2015 (DCGAN): a chain upwards from a vector")
def generator():
    def body(net, x):
        x = F.relu(net.enter(x).unflatten(1, (C, 4, 4)))
        return net.last(F.relu(net.first(x)))

    return Net(body, enter=nn.Linear(8, 16 * C), first=up(), last=up(C, 3))


@case([], (1, 1, 64), why="van den Oord et al. 2016 (WaveNet): its skip sums leave one resolution")
def wavenet():
    def body(net, x):
        x = net.enter(x)
        total = 0
        for wide, out, skip in zip(net.wide, net.res, net.skips, strict=True):
            a, b = wide(x).chunk(2, dim=1)
            h = torch.tanh(a) * torch.sigmoid(b)
            total = total + skip(h)
            x = x + out(h)
        return net.leave(F.relu(total))

    def one():
        return nn.Conv1d(C, C, 1)

    return Net(
        body,
        enter=nn.Conv1d(1, C, 1),
        wide=nn.ModuleList(nn.Conv1d(C, 2 * C, 3, 1, d, d) for d in (1, 2, 4)),
        res=many(3, one),
        skips=many(3, one),
        leave=nn.Conv1d(C, 1, 1),
    )


# Recurrent


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.z, self.r, self.q = (conv(2 * C, C) for _ in range(3))

    def forward(self, h, x):
        hx = torch.cat([h, x], dim=1)
        z, r = torch.sigmoid(self.z(hx)), torch.sigmoid(self.r(hx))
        q = torch.tanh(self.q(torch.cat([r * h, x], dim=1)))
        return (1 - z) * h + z * q


@case([], why="Ballas et al. 2016 (convolutional GRU): the state is updated in place of itself")
def gru():
    def body(net, x):
        x = net.enter(x)
        h = torch.tanh(net.state(x))
        for _ in range(3):
            h = net.gru(h, x)
        return net.leave(h)

    return Net(body, enter=conv(3, C), state=conv(), gru=Gru(), leave=conv(C, 3))


@case([], (1, 4, C, 8, 8), why="Shi et al. 2015 (ConvLSTM): frames one after the other")
def conv_lstm():
    def body(net, x):
        h = c = x.new_zeros(x.shape[0], C, *x.shape[3:])
        for t in range(x.shape[1]):
            i, f, o, g = net.gates(joined(x[:, t], h)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return net.leave(h)

    return Net(body, gates=conv(2 * C, 4 * C), leave=conv(C, 3))


@case([], classes=["residual"], why="Chen et al. 2018: a Runge-Kutta step sums four slopes")
def runge_kutta():
    def body(net, x):
        x = net.enter(x)
        k1 = net.slope(x)
        k2 = net.slope(x + 0.5 * k1)
        k3 = net.slope(x + 0.5 * k2)
        k4 = net.slope(x + k3)
        return net.leave(x + (k1 + 2 * k2 + 2 * k3 + k4) / 6)

    return Net(body, enter=conv(3, C), slope=conv(), leave=conv(C, 3))


# Two inputs


@case(
    [],
    (1, 3, 16, 16),
    (1, 3, 16, 16),
    why="Bromley et al. 1993 (Siamese): two images meet as vectors at the end",
)
def siamese():
    def body(net, one, other):
        one, other = (net.layers(x).mean((2, 3)) for x in (one, other))
        return net.head(torch.cat([one, other, (one - other).abs()], dim=1))

    layers = nn.Sequential(down(3, C), nn.ReLU(), down())
    return Net(body, layers=layers, head=nn.Linear(3 * C, 1))


@case(
    [],
    (1, 3, 16, 16),
    (1, 3, 16, 16),
    classes=["context"],
    why="an autoencoder whose input is an image beside a hint of the same size",
)
def hint_concatenated_to_the_input():
    return Net(
        lambda net, x, hint: net.layers(joined(x, hint)),
        layers=nn.Sequential(down(6, C), nn.ReLU(), conv(), up(C, 3)),
    )


@case(
    [],
    (1, 3, 16, 16),
    (1, 8),
    classes=["embedding"],
    why="Perez et al. 2018 (FiLM): a vector scales and shifts",
)
def film():
    def body(net, x, vector):
        x = net.enter(x)
        for layer, to in zip(net.layers, net.to, strict=True):
            scale, shift = to(vector)[:, :, None, None].chunk(2, dim=1)
            x = F.relu(layer(x) * (1 + scale) + shift)
        return x

    return Net(
        body,
        enter=conv(3, C),
        layers=many(2, down),
        to=nn.ModuleList(nn.Linear(8, 2 * C) for _ in range(2)),
    )


# Transformers


class Patches(nn.Module):
    """Tokens of an image, with a class token and positions."""

    def __init__(self, extra=1):
        super().__init__()
        self.proj = nn.Conv2d(3, C, 4, 4)
        self.first = nn.Parameter(torch.zeros(1, extra, C))
        self.positions = nn.Parameter(torch.zeros(1, 16 + extra, C))

    def forward(self, x):
        x = self.proj(x).flatten(2).mT
        first = self.first.expand(x.shape[0], -1, -1)
        return torch.cat([first, x], dim=1) + self.positions


@case(
    [],
    classes=["residual", "context", "embedding"],
    why="Dosovitskiy et al. 2020: a class token beside the tokens, then all is residual",
)
def vit():
    return nn.Sequential(Patches(), Block(), Block(), nn.LayerNorm(C), nn.Linear(C, 10))


@case([], classes=["residual", "context"], why="Darcet et al. 2023: registers beside the tokens")
def vit_with_registers():
    return nn.Sequential(Patches(5), Block(), Block(), nn.LayerNorm(C))


@case([], classes=["residual"], why="Wang et al. 2022: attention and MLP beside one another")
def parallel_transformer():
    class Parallel(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.attn, self.mlp = nn.LayerNorm(C), Attention(), GEGLU()

        def forward(self, x):
            h = self.norm(x)
            return x + self.attn(h) + self.mlp(h)

    return nn.Sequential(Patches(), Parallel(), Parallel())


@case([], TOKENS, classes=["residual"], why="Tolstikhin et al. 2021: tokens, then channels, mixed")
def mlp_mixer():
    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.tokens = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 16))
            self.channels = nn.Sequential(nn.Linear(C, 8), nn.GELU(), nn.Linear(8, C))

        def forward(self, x):
            x = x + self.tokens(self.norm1(x).mT).mT
            return x + self.channels(self.norm2(x))

    return nn.Sequential(nn.Linear(C, C), Mixer(), Mixer())


class Merge(nn.Module):
    """Swin's: four neighbours become one."""

    def __init__(self):
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(4 * C), nn.Linear(4 * C, C)

    def forward(self, x):
        four = [x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.reduce(self.norm(torch.cat(four, dim=-1)))


class Windows(nn.Module):
    """Attention in windows of 4x4 on maps `(B, H, W, C)`."""

    def __init__(self, shift=0):
        super().__init__()
        self.shift = shift
        self.norm1, self.norm2, self.attn, self.mlp = (
            nn.LayerNorm(C),
            nn.LayerNorm(C),
            Attention(),
            GEGLU(),
        )

    def forward(self, x):
        b, h, w, c = x.shape
        y = torch.roll(self.norm1(x), (-self.shift, -self.shift), dims=(1, 2))
        y = y.view(b, h // 4, 4, w // 4, 4, c).transpose(2, 3).reshape(-1, 16, c)
        y = self.attn(y).view(b, h // 4, w // 4, 4, 4, c).transpose(2, 3).reshape(b, h, w, c)
        x = x + torch.roll(y, (self.shift, self.shift), dims=(1, 2))
        return x + self.mlp(self.norm2(x))


@case(
    [],
    (1, 3, 32, 32),
    classes=["residual", "branches"],
    why="Liu et al. 2021 (Swin): neighbours are merged, windows attend: no way comes back up",
)
def swin():
    def body(net, x):
        x = net.proj(x).permute(0, 2, 3, 1)
        for layer in net.layers:
            x = layer(x)
        return net.head(x.mean((1, 2)))

    layers = [Windows(), Windows(2), Merge(), Windows(), Windows(2), Merge(), Windows()]
    return Net(
        body, proj=nn.Conv2d(3, C, 2, 2), layers=nn.ModuleList(layers), head=nn.Linear(C, 10)
    )


@case([], classes=["residual"], why="Wang et al. 2021 (PVT): keys and values of a coarser map")
def pyramid_vision_transformer():
    class Reduced(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.attn, self.reduce = nn.LayerNorm(C), Attention(), nn.Conv2d(C, C, 2, 2)
            self.mlp = GEGLU()

        def forward(self, x):
            h = self.norm(x.flatten(2).mT)
            low = self.reduce(h.mT.reshape(x.shape)).flatten(2).mT
            y = x.flatten(2).mT + self.attn(h, low)
            return (y + self.mlp(y)).mT.reshape(x.shape)

    return chain(Reduced(), down(), Reduced())


@case([], classes=["residual"], why="Wang et al. 2018 (non-local): keys and values are pooled")
def non_local():
    class NonLocal(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.out = many(4, lambda: nn.Conv2d(C, C, 1))

        def forward(self, x):
            low = F.max_pool2d(x, 2)
            q, k, v = self.q(x).flatten(2), self.k(low).flatten(2), self.v(low).flatten(2)
            weights = torch.softmax(torch.bmm(q.mT, k), dim=-1)
            return x + self.out(torch.bmm(v, weights.mT).view(x.shape))

    return chain(NonLocal(), conv(), NonLocal())


@case(
    [],
    TOKENS,
    (1, 8),
    classes=["residual", "embedding"],
    why="Peebles & Xie 2022 (DiT): time scales, shifts and gates each block",
)
def dit():
    class Modulated(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.attn, self.mlp = nn.LayerNorm(C), Attention(), GEGLU()
            self.to = nn.Linear(8, 6 * C)

        def forward(self, x, time):
            a, b, c, d, e, f = self.to(F.silu(time))[:, None].chunk(6, dim=-1)
            x = x + c * self.attn(self.norm(x) * (1 + b) + a)
            return x + f * self.mlp(self.norm(x) * (1 + e) + d)

    def body(net, x, time):
        x = net.enter(x)
        for block in net.blocks:
            x = block(x, time)
        return net.leave(x)

    return Net(body, enter=nn.Linear(C, C), blocks=many(3, Modulated), leave=nn.Linear(C, C))


class Joint(nn.Module):
    """Esser et al. 2024: each stream has its own weights, all tokens attend to all."""

    def __init__(self):
        super().__init__()
        self.qkv, self.qkv_text = nn.Linear(C, 3 * C), nn.Linear(C, 3 * C)
        self.out, self.out_text = nn.Linear(C, C), nn.Linear(C, C)
        self.mlp, self.mlp_text = GEGLU(), GEGLU()

    def forward(self, x, text):
        both = torch.cat([self.qkv_text(text), self.qkv(x)], dim=1)
        q, k, v = both.unflatten(-1, (2, -1)).transpose(1, 2).chunk(3, dim=-1)
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        text_h, h = h.split([text.shape[1], x.shape[1]], dim=1)
        x, text = x + self.out(h), text + self.out_text(text_h)
        return x + self.mlp(x), text + self.mlp_text(text)


@case(
    [],
    TOKENS,
    TEXT,
    classes=["residual", "context"],
    why="Esser et al. 2024 (MMDiT): image and text attend jointly: context, and residual sums",
)
def mmdit():
    def body(net, x, text):
        x, text = net.enter(x), net.enter_text(text)
        for block in net.blocks:
            x, text = block(x, text)
        return net.leave(x)

    return Net(
        body,
        enter=nn.Linear(C, C),
        enter_text=nn.Linear(6, C),
        blocks=many(3, Joint),
        leave=nn.Linear(C, C),
    )


@case(
    [],
    TOKENS,
    TEXT,
    classes=["residual", "context", "branches"],
    why="Black Forest Labs 2024 (FLUX): one stream; attention and MLP are branches of one layer",
)
def single_stream():
    class Single(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.wide = nn.LayerNorm(C), nn.Linear(C, 3 * C + 2 * C)
            self.out = nn.Linear(3 * C, C)

        def forward(self, x):
            qkv, mlp = self.wide(self.norm(x)).split([3 * C, 2 * C], dim=-1)
            q, k, v = qkv.chunk(3, dim=-1)
            h = F.scaled_dot_product_attention(q, k, v)
            return x + self.out(torch.cat([h, F.gelu(mlp)], dim=2))

    def body(net, x, text):
        x = torch.cat([net.enter_text(text), net.enter(x)], dim=1)
        for block in net.blocks:
            x = block(x)
        return net.leave(x[:, text.shape[1] :])

    return Net(
        body,
        enter=nn.Linear(C, C),
        enter_text=nn.Linear(6, C),
        blocks=many(2, Single),
        leave=nn.Linear(C, C),
    )


class Gated(nn.Module):
    """GLIGEN's: image and grounding tokens attend jointly; the image's part is added, gated."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm, self.attn = nn.Linear(6, C), nn.LayerNorm(C), Attention()
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x, objects):
        h = self.norm(torch.cat([x, self.linear(objects)], dim=1))
        return x + torch.tanh(self.gate) * self.attn(h)[:, : x.shape[1]]


@case(
    [],
    TOKENS,
    TEXT,
    classes=["residual", "context"],
    why="Li et al. 2023 (GLIGEN): grounding tokens are context, given to each block anew",
)
def gligen():
    def body(net, x, objects):
        x = net.enter(x)
        for block, gated in zip(net.blocks, net.gated, strict=True):
            x = gated(block(x), objects)
        return net.leave(x)

    return Net(
        body,
        enter=nn.Linear(C, C),
        blocks=many(3, Block),
        gated=many(3, Gated),
        leave=nn.Linear(C, C),
    )


@case(
    [],
    TOKENS,
    TEXT,
    classes=["residual"],
    why="Vaswani et al. 2017: text is attended to, never joined",
)
def transformer_with_cross_attention():
    def body(net, x, text):
        for block in net.blocks:
            x = block(x, text)
        return net.leave(x)

    blocks = nn.ModuleList(Block(C, 6) for _ in range(3))
    return Net(body, blocks=blocks, leave=nn.Linear(C, C))


@case([], TOKENS, why="Jaegle et al. 2021 (Perceiver): learned latents attend to the tokens, twice")
def perceiver():
    def body(net, x):
        h = net.latents.expand(x.shape[0], -1, -1)
        for _ in range(2):
            h = net.mix(h + net.cross(h, x))
        return net.head(h.mean(1))

    return Net(
        body,
        latents=nn.Parameter(torch.zeros(1, 4, C)),
        cross=Attention(),
        mix=Block(),
        head=nn.Linear(C, 10),
    )
