"""More networks: blocks that join skips inside, doubled bottoms, heads, flows and conditions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from skip_case import (
    GEGLU,
    Attention,
    Block,
    C,
    Joining,
    Net,
    Residual,
    bigger,
    case,
    conv,
    doubled,
    down,
    in_root,
    joined,
    many,
    up,
)
from skip_nets_kinds import two_levels
from skip_nets_many import pix2pix
from skip_nets_u import TWO, u, u_with
from skip_nets_without import Inception, Shuffle
from torch import nn

PUSHED = in_root("down.0", "enter")
"""What a U of `two_levels` pops."""


# What stands on the short way


@case(TWO, why="`contiguous`, dropout and `Identity` hand their input through")
def skips_handed_through():
    return u_with(
        lambda net, skip, x, level: net.nothing(net.drop(skip.contiguous())),
        nothing=nn.Identity(),
        drop=nn.Dropout(0.1),
    )


@case(TWO, why="attention over the encoder's feature, on its way, with a residual around it")
def skips_through_self_attention():
    def way(net, skip, x, level):
        tokens = skip.flatten(2).mT
        return (tokens + net.attn[level](tokens)).mT.reshape(skip.shape)

    return u_with(way, attn=many(2, Attention))


@case(
    TWO,
    why="Wang et al. 2022 (UCTransNet, in brief): tokens of both skips attend to each other; each "
    "comes back to its own level, where it is added to itself before it is joined",
)
def skips_that_attend_to_each_other():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        x = net.mid(F.max_pool2d(b, 2))
        one, other = a.flatten(2).mT, b.flatten(2).mT
        a = a + net.first(one, other).mT.reshape(a.shape)
        b = b + net.second(other, one).mT.reshape(b.shape)
        x = net.dec[1](joined(net.ups[1](x), b))
        return net.dec[0](joined(net.ups[0](x), a))

    return u(body, first=Attention(), second=Attention())


@case(
    TWO,
    through={"enc.1": ["wide.1"], "enc.0": ["wide.0"]},
    classes=["branches"],
    why="ways of an Inception block on the skip",
)
def skips_through_inception():
    return u_with(
        lambda net, skip, x, level: net.wide[level](skip),
        wide=many(2, Inception),
        dec=nn.ModuleList(conv(C + 6, C) for _ in range(2)),
    )


@case(TWO, (2, 3, 16, 16), why="stochastic depth by hand: whole images of a skip are dropped")
def skips_dropped_at_random():
    def way(net, skip, x, level):
        keep = torch.rand(skip.shape[0], 1, 1, 1, device=skip.device) > 0.1
        return skip * keep / 0.9

    return u_with(way)


@case(TWO, why="a learned scalar, and a learned scale of each channel, weigh the skip")
def skips_weighed_by_parameters():
    net = u_with(lambda net, skip, x, level: skip * net.scale * net.channels)
    net.scale = nn.Parameter(torch.ones(()))
    net.channels = nn.Parameter(torch.ones(1, C, 1, 1))
    return net


@case(
    TWO,
    (1, 3, 16, 16),
    (1, 8),
    why="the time scales and shifts each skip, which remains the encoder's feature",
)
def skips_modulated_by_time():
    def body(net, x, time):
        held = []
        for enc in net.enc:
            x = enc(x)
            held.append(x)
            x = F.max_pool2d(x, 2)
        x = net.mid(x)
        for level in (1, 0):
            scale, shift = net.of_time[level](time)[:, :, None, None].chunk(2, dim=1)
            skip = held.pop() * (1 + scale) + shift
            x = net.dec[level](joined(net.ups[level](x), skip))
        return net.leave(x)

    return u(body, of_time=nn.ModuleList(nn.Linear(8, 2 * C) for _ in range(2)))


# Where it is joined


class GatedResNet(nn.Module):
    """Salimans et al. 2017: a skip is added between the convolutions, through a 1x1."""

    def __init__(self, skip=False):
        super().__init__()
        self.first, self.last = conv(2 * C, C), conv(2 * C, 2 * C)
        self.nin = nn.Conv2d(2 * C, C, 1) if skip else None

    def forward(self, x, skip=None):
        h = self.first(F.elu(torch.cat([x, -x], dim=1)))
        if skip is not None:
            h = h + self.nin(F.elu(torch.cat([skip, -skip], dim=1)))
        a, b = self.last(F.elu(torch.cat([h, -h], dim=1))).chunk(2, dim=1)
        return x + a * torch.sigmoid(b)


@case(
    [("down.1", "up.0"), ("lower.0", "up.1"), ("down.0", "up.2"), ("enter", "up.3")],
    (1, 3, 32, 32),
    classes=["residual"],
    why="Salimans et al. 2017 (PixelCNN++), without its masks: each skip is added in a block, as "
    "`elu([skip, -skip])` through a 1x1 convolution",
)
def skips_added_inside_of_blocks():
    def body(net, x):
        x = net.enter(x)
        held = [x]
        for block, lower in zip(net.down, net.lower, strict=True):
            x = block(x)
            held.append(x)
            x = lower(x)
            held.append(x)
        held.pop()  # the lowest goes on itself
        x = net.raised(net.mid(net.lowest(x)))
        for higher, blocks in zip(net.higher, (net.up[:2], net.up[2:]), strict=True):
            x = higher(x)
            for block in blocks:
                x = block(x, held.pop())
        return net.leave(x)

    return Net(
        body,
        enter=conv(3, C),
        down=many(2, GatedResNet),
        lower=many(2, down),
        lowest=down(),
        mid=GatedResNet(),
        raised=up(),
        higher=many(2, up),
        up=many(4, lambda: GatedResNet(skip=True)),
        leave=conv(C, 3),
    )


@case(
    in_root("lower", "down", "enter"),
    lifo=True,
    why="no block stands between encoder and decoder: the lowest tensor is popped onto itself",
)
def bottom_without_a_block():
    def body(net, x):
        held = [net.enter(x)]
        held.append(net.down(held[-1]))
        held.append(net.lower(held[-1]))
        x = held[-1]
        for layer, higher in zip(net.up, (*net.higher, None), strict=True):
            x = layer(joined(x, held.pop()))
            x = x if higher is None else higher(x)
        return x

    return Net(
        body,
        enter=conv(3, C),
        down=down(),
        lower=down(),
        up=nn.ModuleList(conv(2 * C, C) for _ in range(3)),
        higher=many(2, up),
    )


@case(
    PUSHED,
    classes=["residual"],
    why="Milletari et al. 2016 (V-Net): what was joined is added to the result of its level",
)
def v_net():
    class Level(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv = conv(channels, channels)
            self.narrow = nn.Conv2d(channels, C, 1)

        def forward(self, x):
            return self.narrow(F.relu(self.conv(x) + x))

    return two_levels(down, up, mid=Residual, mix=lambda: Level(2 * C))


@case(PUSHED, classes=["residual"], why="Myronenko 2018 (SegResNet): skips are added to what is up")
def seg_res_net():
    return two_levels(
        lambda: nn.Sequential(down(), Residual()),
        lambda: nn.Sequential(nn.Conv2d(C, C, 1), nn.Upsample(scale_factor=2)),
        mid=Residual,
        mix=Residual,
        join=lambda x, skip: x + skip,
    )


@case(
    [("down.1", "up.0"), ("down.0", "up.1")],
    why="checkpointed blocks of nested tuples: the decoder is handed all skips, and takes the last",
)
def skips_handed_on_in_tuples():
    class Taking(Joining):
        def forward(self, x, held):
            *rest, skip = held
            return super().forward(x, skip), tuple(rest)

    def body(net, x):
        held = ()
        for layer, lower in zip(net.down, net.lower, strict=True):
            x = layer(x)
            held = (*held, x)
            x = lower(x)
        x = net.mid(x)
        for layer in net.up:
            x, held = layer(x, held)
        return x

    return Net(
        body,
        down=nn.ModuleList([conv(3, C), conv()]),
        lower=many(2, down),
        mid=conv(),
        up=many(2, Taking),
    )


@case(
    in_root("enc.1", "enc.0"),
    (1, 3, 32, 32),
    why="Fischer et al. 2015 (FlowNetS): the encoder's feature joins what was raised and the "
    "raised flow, which come from one tensor: one skip a join",
)
def flow_net():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](a)
        x = net.low(b)
        for level in (1, 0):
            flow = net.flow_up[level](net.flow[level](x))
            x = joined((a, b)[level], F.relu(net.ups[level](x)), flow)
            x = net.mix[level](x)
        return net.leave(x)

    return Net(
        body,
        enc=nn.ModuleList([down(3, C), down()]),
        low=down(),
        flow=nn.ModuleList(conv(C, 2) for _ in range(2)),
        flow_up=nn.ModuleList(up(2, 2) for _ in range(2)),
        ups=many(2, up),
        mix=nn.ModuleList(conv(2 * C + 2, C) for _ in range(2)),
        leave=conv(C, 2),
    )


class Filter(nn.Module):
    """Rao et al. 2021: a learned filter of the spectrum, with a residual around; no layer."""

    def __init__(self, side):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, C, side, side // 2 + 1))

    def forward(self, x):
        return x + torch.fft.irfft2(torch.fft.rfft2(x) * self.weight, s=x.shape[-2:])


@case(
    TWO,
    classes=["residual"],
    why="blocks without a layer: filters of spectra, whose residual sums make each level",
)
def u_net_of_spectral_filters():
    def body(net, x):
        a = net.enc[0](net.enter(x))
        b = net.enc[1](F.avg_pool2d(a, 2))
        x = net.mid(F.avg_pool2d(b, 2))
        x = net.dec[1](bigger(x) + b)
        return net.leave(net.dec[0](bigger(x) + a))

    return Net(
        body,
        enter=conv(3, C),
        enc=nn.ModuleList([Filter(16), Filter(8)]),
        mid=Filter(4),
        dec=nn.ModuleList([Filter(16), Filter(8)]),
        leave=conv(C, 3),
    )


@case(
    [("model.1.model.1", "model.1.model.2"), ("model.0", "model.1")],
    (1, 3, 8, 8),
    why="Isola et al. 2017 as it is trained, down to one pixel: its bottom is no global average",
)
def pix2pix_down_to_one_pixel():
    return pix2pix(in_place=False)


# What else is joined


@case(
    TWO,
    classes=["branches"],
    why="Inception blocks in place of convolutions: their branches are no skips",
)
def u_net_of_inceptions():
    def block(channels):
        return nn.Sequential(Inception(channels), nn.Conv2d(6, C, 1))

    return u_with(
        lambda net, skip, x, level: skip,
        enc=nn.ModuleList([block(3), block(C)]),
        mid=block(C),
        dec=nn.ModuleList(block(2 * C) for _ in range(2)),
    )


@case(TWO, classes=["branches"], why="ShuffleNet's units in place of convolutions")
def u_net_of_shuffled_channels():
    return u_with(
        lambda net, skip, x, level: skip,
        enc=nn.ModuleList([nn.Sequential(conv(3, C), Shuffle(1)), Shuffle(1)]),
        mid=Shuffle(1),
        dec=nn.ModuleList(nn.Sequential(conv(2 * C, C), Shuffle(1)) for _ in range(2)),
    )


@case(
    TWO,
    classes=["residual"],
    why="Roy et al. 2018 (scSE): both weighed copies of the decoder's map are added",
)
def u_net_squeezed_in_space_and_channels():
    class Weighed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv(2 * C, C)
            self.channels, self.space = nn.Conv2d(C, C, 1), nn.Conv2d(C, 1, 1)

        def forward(self, x):
            x = self.conv(x)
            by_channels = x * torch.sigmoid(self.channels(F.adaptive_avg_pool2d(x, 1)))
            return by_channels + x * torch.sigmoid(self.space(x))

    return u_with(lambda net, skip, x, level: skip, dec=many(2, Weighed))


@case(
    TWO,
    (1, 3, 16, 16),
    (1, 1, 16, 16),
    classes=["context"],
    why="a hint of the image's size is concatenated to the input; two skips as before",
)
def u_net_with_a_hint():
    inner = u_with(lambda net, skip, x, level: skip)
    inner.enc[0] = doubled(4, C)
    body = inner.body
    inner.body = lambda net, x, hint: body(net, joined(x, hint))
    return inner


@case(
    TWO,
    (1, 3, 16, 16),
    (1, 6),
    why="Kohl et al. 2018 (probabilistic U-Net): a latent, tiled over the map, joins the last",
)
def u_net_with_a_tiled_latent():
    net = u_with(lambda net, skip, x, level: skip, leave=conv(C, C), mix=conv(C + 6, 3))
    body = net.body

    def whole(net, x, latent):
        x = body(net, x)
        tiled = latent[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return net.mix(joined(x, tiled))

    net.body = whole
    return net


@case(
    TWO,
    classes=["branches"],
    why="an ASPP at the bottom: its rates are branches, its global pooling is no level",
)
def u_net_with_pooled_ways_at_the_bottom():
    class Pyramid(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(C, C, 3, padding=r, dilation=r) for r in (1, 2))
            self.pooled, self.out = nn.Conv2d(C, C, 1), nn.Conv2d(3 * C, C, 1)

        def forward(self, x):
            pooled = self.pooled(F.adaptive_avg_pool2d(x, 1)).expand_as(x)
            return self.out(torch.cat([*(layer(x) for layer in self.convs), pooled], dim=1))

    return u_with(lambda net, skip, x, level: skip, mid=Pyramid())


@case(
    TWO,
    why="deep supervision: a head at each of the decoder's levels; none is joined",
)
def u_net_of_deep_supervision():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        low = net.mid(F.max_pool2d(b, 2))
        y = net.dec[1](joined(net.ups[1](low), b))
        z = net.dec[0](joined(net.ups[0](y), a))
        return [head(x) for head, x in zip(net.heads, (z, y, low), strict=True)]

    return u(body, heads=many(3, conv))


@case(
    TWO,
    classes=["residual"],
    why="Pix2pix-turbo's and others' transformer at the bottom of a convolutional U",
)
def u_net_with_a_transformer_at_the_bottom():
    class Middle(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def forward(self, x):
            return self.block(x.flatten(2).mT).mT.reshape(x.shape)

    return u_with(lambda net, skip, x, level: skip, mid=Middle())


@case(
    TWO,
    (2, 3, 16, 16),
    why="classifier-free guidance inside: the pass is doubled along the batch, and halved at last",
)
def u_net_on_a_doubled_batch():
    net = u_with(lambda net, skip, x, level: skip)
    body = net.body

    def whole(net, x):
        one, other = body(net, torch.cat([x, x])).chunk(2)
        return other + 7.5 * (one - other)

    net.body = whole
    return net


# None


@case(
    [],
    (1, 16, C),
    (1, 5, 6),
    classes=["residual", "context", "branches"],
    why="Black Forest Labs 2024 (FLUX): one stream; attention and MLP are branches of one layer",
)
def single_stream():
    class Single(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.wide = nn.LayerNorm(C), nn.Linear(C, 5 * C)
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


@case(
    [],
    (1, 16, C),
    (1, 5, 6),
    classes=["residual", "context"],
    why="Li et al. 2023 (GLIGEN) without a U: grounding tokens join the tokens of each block anew",
)
def transformer_of_gated_blocks():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm, self.attn = nn.Linear(6, C), nn.LayerNorm(C), Attention()
            self.gate = nn.Parameter(torch.zeros(1))

        def forward(self, x, objects):
            h = self.norm(torch.cat([x, self.linear(objects)], dim=1))
            return x + torch.tanh(self.gate) * self.attn(h)[:, : x.shape[1]]

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


@case([], (1, 16, C), classes=["residual"], why="Wang & Komatsuzaki 2021: attention beside the MLP")
def parallel_transformer():
    class Parallel(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.attn, self.mlp = nn.LayerNorm(C), Attention(), GEGLU()

        def forward(self, x):
            h = self.norm(x)
            return x + self.attn(h) + self.mlp(h)

    return nn.Sequential(nn.Linear(C, C), Parallel(), Parallel())


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
    (1, 8),
    classes=["embedding"],
    why="Perez et al. 2018 (FiLM): a vector scales and shifts",
)
def film():
    def body(net, x, vector):
        x = net.enter(x)
        for layer, affine in zip(net.layers, net.affine, strict=True):
            scale, shift = affine(vector)[:, :, None, None].chunk(2, dim=1)
            x = F.relu(layer(x) * (1 + scale) + shift)
        return x

    return Net(
        body,
        enter=conv(3, C),
        layers=many(2, down),
        affine=nn.ModuleList(nn.Linear(8, 2 * C) for _ in range(2)),
    )


@case(
    [],
    (1, 3, 16, 16),
    (1, 3, 16, 16),
    classes=["context"],
    why="an autoencoder whose input is an image beside a hint of the same size",
)
def autoencoder_with_a_hint():
    return Net(
        lambda net, x, hint: net.layers(joined(x, hint)),
        layers=nn.Sequential(down(6, C), nn.ReLU(), conv(), up(C, 3)),
    )


# Undecidable


@case(
    None,
    why="Park et al. 2019 (SPADE): the label map modulates each level on the way up from its own "
    "coarsest copy; an expert calls that a condition, the flow a way that did not go down",
)
def normalized_by_a_label_map():
    def body(net, x):
        labels = x
        x = net.enter(F.interpolate(labels, size=(4, 4)))
        for layer, gamma, beta in zip(net.layers, net.gamma, net.beta, strict=True):
            x = layer(bigger(x))
            seen = F.interpolate(labels, size=x.shape[2:])
            x = F.relu(F.instance_norm(x) * (1 + gamma(seen)) + beta(seen))
        return net.leave(x)

    return Net(
        body,
        enter=conv(3, C),
        layers=many(2, conv),
        gamma=nn.ModuleList(conv(3, C) for _ in range(2)),
        beta=nn.ModuleList(conv(3, C) for _ in range(2)),
        leave=conv(C, 3),
    )


@case(
    None,
    (1, 3, 32, 32),
    why="Xie & Tu 2015 (HED): side outputs of all levels are fused at full size: branches to its "
    "authors, to the flow a U whose only join is the last",
)
def fused_side_outputs():
    def body(net, x):
        sides = []
        for i, layer in enumerate(net.layers):
            x = layer(F.max_pool2d(x, 2) if i else x)
            sides.append(bigger(net.sides[i](x), 2**i, "bilinear"))
        return net.fuse(joined(*sides))

    return Net(
        body,
        layers=nn.ModuleList([conv(3, C), conv(), conv()]),
        sides=nn.ModuleList(nn.Conv2d(C, 1, 1) for _ in range(3)),
        fuse=nn.Conv2d(3, 1, 1),
    )


@case(None, why="`x + net(x)` around a whole autoencoder: a residual, or a U of one additive skip")
def residual_around_an_autoencoder():
    layers = nn.Sequential(down(3, C), nn.ReLU(), down(), nn.ReLU(), up(), nn.ReLU(), up(C, 3))
    return Net(lambda net, x: x + net.layers(x), layers=layers)
