"""U-Nets with concatenations: ways of writing one down, and what stands on a skip's way."""

from __future__ import annotations

import einops
import torch
import torch.nn.functional as F
from skip_case import (
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
from torch import nn

TWO = in_root("enc.1", "enc.0")


def u(body, **more):
    """A U-Net of two levels and a bottom, whose parts are enc, mid, ups and dec."""
    parts = {
        "enc": nn.ModuleList([doubled(3, C), doubled()]),
        "mid": doubled(),
        "ups": many(2, up),
        "dec": nn.ModuleList(conv(2 * C, C) for _ in range(2)),
        "leave": conv(C, 3),
    }
    return Net(body, **{**parts, **more})


def u_with(way, join=lambda x, skip: joined(skip, x), **more):
    """A U-Net whose skips go through `way(net, skip, x, level)` before they are joined."""

    def body(net, x):
        held = []
        for enc in net.enc:
            x = enc(x)
            held.append(x)
            x = F.max_pool2d(x, 2)
        x = net.mid(x)
        for level in (1, 0):
            x = net.ups[level](x)
            x = F.relu(net.dec[level](join(x, way(net, held.pop(), x, level))))
        return net.leave(x)

    return u(body, **more)


def plainly(net, skip, x, level):
    return skip


@case(TWO, why="Ronneberger et al. 2015, with padding: each level's feature is joined once")
def u_net():
    return u_with(plainly)


@case(in_root("enc.1", "enc.0"), (1, 3, 44, 44), why="Ronneberger et al. 2015: valid, cropped")
def u_net_with_valid_convolutions():
    def crop(net, skip, x, level):
        top = (skip.shape[2] - x.shape[2]) // 2
        return skip[:, :, top : top + x.shape[2], top : top + x.shape[3]]

    def valid(channels):
        return nn.Sequential(nn.Conv2d(channels, C, 3), nn.ReLU(), nn.Conv2d(C, C, 3), nn.ReLU())

    enc = nn.ModuleList([valid(3), valid(C)])
    return u_with(crop, enc=enc, mid=valid(C))


@case(TWO, (1, 3, 19, 21), why="milesial's: the decoder is padded to the skip's odd size")
def u_net_that_pads_its_decoder():
    def join(x, skip):
        high, wide = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        return joined(skip, F.pad(x, [wide // 2, wide - wide // 2, high // 2, high - high // 2]))

    return u_with(plainly, join)


@case(
    [("enc.1", "dec.0"), ("enc.0", "dec.1")],
    why="the decoder's block is given the skip and joins it",
)
def u_net_of_joining_blocks():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](net.pool(a))
        x = net.mid(net.pool(b))
        return net.leave(net.dec[1](net.dec[0](x, b), a))

    return u(body, pool=nn.MaxPool2d(2), dec=many(2, Joining))


@case(
    in_root("enc.2", "enc.1", "enc.0"),
    (1, 3, 32, 32),
    why="bilinear upsampling without weights, as in many ports of the U-Net",
)
def u_net_upsampled_without_weights():
    def body(net, x):
        held = []
        for enc in net.enc:
            held.append(enc(x))
            x = F.avg_pool2d(held[-1], 2)
        x = net.mid(x)
        for dec in net.dec:
            x = dec(joined(bigger(x, mode="bilinear"), held.pop()))
        return x

    return u(
        body,
        enc=nn.ModuleList([conv(3, C), conv(), conv()]),
        dec=nn.ModuleList(conv(2 * C, C) for _ in range(3)),
    )


@case(
    in_root("enc.1", "enc.0"),
    classes=["residual"],
    why="Zhang et al. 2018 (Res-UNet): residual units on both sides, concatenated",
)
def res_u_net():
    return u_with(
        plainly,
        enc=nn.ModuleList([Residual(3, C), Residual()]),
        mid=Residual(),
        dec=nn.ModuleList(Residual(2 * C, C) for _ in range(2)),
    )


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = conv()

    def forward(self, x):
        h = self.conv(x)
        for _ in range(2):
            h = self.conv(x + h)
        return h


class RecurrentResidual(nn.Module):
    def __init__(self, channels, out):
        super().__init__()
        self.enter, self.recur = (
            nn.Conv2d(channels, out, 1),
            nn.Sequential(Recurrent(), Recurrent()),
        )

    def forward(self, x):
        x = self.enter(x)
        return x + self.recur(x)


@case(TWO, classes=["residual"], why="Alom et al. 2018 (R2U-Net): recurrence stays at one level")
def r2u_net():
    return u_with(
        plainly,
        enc=nn.ModuleList([RecurrentResidual(3, C), RecurrentResidual(C, C)]),
        mid=RecurrentResidual(C, C),
        dec=nn.ModuleList(RecurrentResidual(2 * C, C) for _ in range(2)),
    )


class DenseBlock(nn.Module):
    """Each layer is given all maps before it; what comes out holds them all."""

    def __init__(self, channels, layers=2, growth=2):
        super().__init__()
        self.layers = nn.ModuleList(conv(channels + growth * i, growth) for i in range(layers))
        self.out = channels + growth * layers

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(F.relu(x))], dim=1)
        return x


@case(
    in_root("enc.1", "enc.0"),
    classes=["dense"],
    why="Jegou et al. 2017 (Tiramisu): dense blocks, one skip a level",
)
def dense_u_net():
    return u_with(
        plainly,
        enc=nn.ModuleList(
            [nn.Sequential(conv(3, C), DenseBlock(C), conv(C + 4, C)) for _ in range(1)]
            + [nn.Sequential(DenseBlock(C), conv(C + 4, C))]
        ),
        mid=nn.Sequential(DenseBlock(C), conv(C + 4, C)),
        dec=nn.ModuleList(nn.Sequential(DenseBlock(2 * C), conv(2 * C + 4, C)) for _ in range(2)),
    )


# What stands on the short way


@case(
    TWO,
    through={"enc.1": ["lateral.1"], "enc.0": ["lateral.0"]},
    why="a 1x1 convolution narrows each skip before it is concatenated",
)
def laterals_concatenated():
    return u_with(
        lambda net, skip, x, level: net.lateral[level](skip),
        lateral=nn.ModuleList(nn.Conv2d(C, C, 1) for _ in range(2)),
    )


@case(
    TWO,
    through={"enc.1": ["lateral.1"], "enc.0": ["lateral.0"]},
    why="a 1x1 convolution fits each skip to the decoder, to which it is added",
)
def laterals_summed():
    return u_with(
        lambda net, skip, x, level: net.lateral[level](skip),
        lambda x, skip: x + skip,
        lateral=nn.ModuleList(nn.Conv2d(C, C, 1) for _ in range(2)),
        dec=many(2, conv),
    )


@case(
    TWO,
    through={"enc.0": ["lateral.0"]},
    why="convolution, norm and activation on the way, as one module",
)
def laterals_of_three_layers():
    return u_with(
        lambda net, skip, x, level: net.lateral[level](skip),
        lateral=nn.ModuleList(
            nn.Sequential(nn.Conv2d(C, 2, 1), nn.BatchNorm2d(2), nn.ReLU()) for _ in range(2)
        ),
        dec=nn.ModuleList(conv(C + 2, C) for _ in range(2)),
    )


def on_the_way(make):
    return u_with(lambda net, skip, x, level: net.skip(skip), skip=make)


for _name, _layer in {
    "ReLU": nn.ReLU,
    "GroupNorm": lambda: nn.GroupNorm(2, C),
    "InstanceNorm": lambda: nn.InstanceNorm2d(C),
    "BatchNorm": lambda: nn.BatchNorm2d(C),
    "blurring AvgPool2d": lambda: nn.AvgPool2d(3, 1, 1),
    "blurring MaxPool2d": lambda: nn.MaxPool2d(3, 1, 1),
    "Dropout2d": nn.Dropout2d,
    "Identity": nn.Identity,
    "ReflectionPad2d": lambda: nn.Sequential(nn.ReflectionPad2d(1), nn.AvgPool2d(3, 1)),
    "upsampling and pooling": lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.MaxPool2d(2)),
}.items():

    def _build(layer=_layer):
        return on_the_way(layer())

    _build.__name__ = f"skips through a module: {_name}"
    case(TWO, why=f"`nn.{_name}` stands between the encoder's feature and its join")(_build)

for _name, _way in {
    "relu": lambda skip, x: F.relu(skip),
    "group norm": lambda skip, x: F.group_norm(skip, 2),
    "average pooling": lambda skip, x: F.avg_pool2d(skip, 3, 1, 1),
    "padding and cropping": lambda skip, x: F.pad(skip, [1, 1, 1, 1])[:, :, 1:-1, 1:-1],
    "standardizing by hand": lambda skip, x: (
        (skip - skip.mean((2, 3), keepdim=True)) / (skip.var((2, 3), keepdim=True) + 1e-5).sqrt()
    ),
    "a gate of the decoder's": lambda skip, x: skip * torch.sigmoid(x),
    "its own gate": lambda skip, x: skip * torch.sigmoid(skip.mean(1, keepdim=True)),
    "a copy in another type": lambda skip, x: skip.clone().double().float(),
    "tokens and back": lambda skip, x: skip.flatten(2).transpose(1, 2).mT.reshape(skip.shape),
    "noise added": lambda skip, x: skip + 0.1 * torch.randn_like(skip),
    "filtered down and up": lambda skip, x: bigger(F.avg_pool2d(skip, 2)),
}.items():

    def _build(way=_way):
        return u_with(lambda net, skip, x, level: way(skip, x))

    _build.__name__ = f"skips through a function: {_name}"
    case(TWO, why=f"{_name} changes the encoder's feature on its way, which it remains")(_build)


class SqueezeAndExcite(nn.Module):
    def __init__(self, channels=C):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(channels, 2), nn.Linear(2, channels)

    def forward(self, x):
        weight = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))
        return x * weight[:, :, None, None]


class CBAM(nn.Module):
    """Woo et al. 2018: channels, then pixels, weighed by their means and maxima."""

    def __init__(self, channels=C):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, 2), nn.ReLU(), nn.Linear(2, channels))
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        weight = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * torch.sigmoid(weight)[:, :, None, None]
        pixels = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.conv(pixels))


@case(
    TWO,
    through={"enc.1": ["se.1"], "enc.0": ["se.0"]},
    why="squeeze-and-excitation on the skip weighs the encoder's channels",
)
def skips_through_squeeze_and_excite():
    return u_with(lambda net, skip, x, level: net.se[level](skip), se=many(2, SqueezeAndExcite))


@case(
    TWO,
    through={"enc.1": ["cbam.1"], "enc.0": ["cbam.0"]},
    classes=["branches"],
    why="mean and maximum are branches inside the module on the skip",
)
def skips_through_cbam():
    return u_with(lambda net, skip, x, level: net.cbam[level](skip), cbam=many(2, CBAM))


class AttentionGate(nn.Module):
    """Oktay et al. 2018: the decoder tells which pixels of the skip count."""

    def __init__(self):
        super().__init__()
        self.of_skip, self.of_gate = nn.Conv2d(C, 2, 1), nn.Conv2d(C, 2, 1)
        self.psi = nn.Conv2d(2, 1, 1)

    def forward(self, skip, gate):
        psi = F.relu(self.of_skip(skip) + self.of_gate(gate))
        return skip * torch.sigmoid(self.psi(psi))


@case(
    TWO,
    through={"enc.1": ["gate.1"], "enc.0": ["gate.0"]},
    classes=["gate"],
    why="Oktay et al. 2018: two skips; the sum inside the gate is no third",
)
def attention_u_net():
    return u_with(lambda net, skip, x, level: net.gate[level](skip, x), gate=many(2, AttentionGate))


class GridGate(nn.Module):
    """The published gate: the signal is coarser than the skip, which is strided to meet it."""

    def __init__(self):
        super().__init__()
        self.theta, self.phi = nn.Conv2d(C, 2, 2, 2), nn.Conv2d(C, 2, 1)
        self.psi, self.out = nn.Conv2d(2, 1, 1), nn.Conv2d(C, C, 1)

    def forward(self, skip, gate):
        f = F.relu(self.theta(skip) + self.phi(gate))
        weight = F.interpolate(torch.sigmoid(self.psi(f)), size=skip.shape[2:])
        return self.out(weight * skip)


@case(
    TWO,
    through={"enc.1": ["gate.1"], "enc.0": ["gate.0"]},
    classes=["gate"],
    why="Oktay et al. 2018, `GridAttentionBlock`: gating signals from the level below",
)
def attention_u_net_with_grid_gates():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        x = net.mid(F.max_pool2d(b, 2))
        x = net.dec[1](joined(net.gate[1](b, x), net.ups[1](x)))
        return net.dec[0](joined(net.gate[0](a, x), net.ups[0](x)))

    return u(body, gate=many(2, GridGate))


class ResPath(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs, self.beside = many(2, conv), many(2, lambda: nn.Conv2d(C, C, 1))

    def forward(self, x):
        for one, other in zip(self.convs, self.beside, strict=True):
            x = F.relu(one(x) + other(x))
        return x


class MultiRes(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a, self.b, self.c = conv(channels, 1), conv(1, 1), conv(1, 2)
        self.beside = nn.Conv2d(channels, C, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        return F.relu(torch.cat([a, b, self.c(b)], dim=1) + self.beside(x))


@case(
    TWO,
    through={"enc.1": ["path.1"], "enc.0": ["path.0"]},
    classes=["residual", "dense"],
    why="Ibtehaz & Rahman 2019 (MultiResUNet): residual convolutions on each skip",
)
def multi_res_u_net():
    return u_with(
        lambda net, skip, x, level: net.path[level](skip),
        path=many(2, ResPath),
        enc=nn.ModuleList([MultiRes(3), MultiRes(C)]),
        mid=MultiRes(C),
        dec=nn.ModuleList(MultiRes(2 * C) for _ in range(2)),
    )


@case(
    in_root("enc.2", "enc.1"),
    (1, 3, 32, 32),
    through={"enc.2": ["bring.1"], "enc.1": ["bring.0"]},
    why="a learned upsampler raises each skip to the level above its own, where it is joined",
)
def learned_upsamplers_on_skips():
    def body(net, x):
        held = []
        for enc in net.enc:
            x = enc(x)
            held.append(x)
            x = F.max_pool2d(x, 2)
        x = net.up(net.mid(x))
        for level in (1, 0):
            x = net.dec[level](joined(net.ups[level](x), net.bring[level](held.pop())))
        return x

    enc = nn.ModuleList([doubled(3, C), doubled(), doubled()])
    return u(body, enc=enc, up=up(), bring=many(2, up))


@case(
    TWO,
    through={"enc.1": ["finer.1", "coarser.1"]},
    why="the skip is refined at twice its resolution by learned layers, then brought back",
)
def learned_up_and_downsampler_on_the_skip():
    return u_with(
        lambda net, skip, x, level: net.coarser[level](net.finer[level](skip)),
        finer=many(2, up),
        coarser=many(2, down),
    )


@case(
    in_root("enc.0", "enc.0"),
    (1, 3, 32, 32),
    lifo=None,
    why="full-size features are pooled to the lower join by `nn.AvgPool2d`, and joined above too",
)
def a_skip_pooled_to_a_lower_join():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        x = net.mid(F.max_pool2d(b, 2))
        x = net.dec[1](joined(net.ups[1](x), net.pool(a)))
        return net.dec[0](joined(net.ups[0](x), a))

    return u(body, pool=nn.AvgPool2d(2))


def _fourier(skip):
    frequencies = torch.fft.fftshift(torch.fft.fftn(skip, dim=(-2, -1)), dim=(-2, -1))
    mask = torch.ones(frequencies.shape, device=skip.device)
    mask[..., 3:5, 3:5] = 0.9
    frequencies = torch.fft.ifftshift(frequencies * mask, dim=(-2, -1))
    return torch.fft.ifftn(frequencies, dim=(-2, -1)).real


@case(TWO, why="Si et al. 2023 (FreeU): skips are filtered, half of the decoder's channels scaled")
def free_u():
    def join(x, skip):
        x = torch.cat([x[:, : C // 2] * 1.2, x[:, C // 2 :]], dim=1)
        return joined(x, skip)

    return u_with(lambda net, skip, x, level: _fourier(skip), join)


@case(TWO, why="Si et al. 2023, as diffusers writes it: the decoder is scaled in place")
def free_u_in_place():
    def join(x, skip):
        mean = x.mean(1, keepdim=True)
        x[:, : C // 2] = x[:, : C // 2] * (0.2 * mean / mean.amax((2, 3), keepdim=True) + 1)
        return joined(x, skip)

    return u_with(lambda net, skip, x, level: _fourier(skip), join)


# How the join is written


def written(join):
    return u_with(plainly, join)


def into_slices(x, skip):
    out = x.new_empty(x.shape[0], x.shape[1] + skip.shape[1], *x.shape[2:])
    out[:, : x.shape[1]] = x
    out[:, x.shape[1] :] = skip
    return out


def copied_into_views(x, skip):
    out = torch.zeros(1, 2 * C, *x.shape[2:], device=x.device)
    out.narrow(1, 0, C).copy_(skip)
    out.narrow(1, C, C).copy_(x)
    return out


for _name, _join in {
    "writes into slices": into_slices,
    "copies into views": copied_into_views,
    "stack and flatten": lambda x, skip: torch.stack([x, skip], dim=1).flatten(1, 2),
    "einops pack": lambda x, skip: einops.pack([x, skip], "b * h w")[0],
    "einops rearrange of a list": lambda x, skip: einops.rearrange(
        [x, skip], "two b c h w -> b (two c) h w"
    ),
    "aten": lambda x, skip: torch.ops.aten.cat([x, skip], 1),
    "hstack": lambda x, skip: torch.hstack([skip, x]),
    "concatenation of a concatenation": lambda x, skip: joined(joined(x[:, :1], skip), x[:, 1:]),
    "two pieces": lambda x, skip: joined(skip[:, : C // 2], x, skip[:, C // 2 :]),
    "chunks interleaved": lambda x, skip: joined(
        *(t for pair in zip(x.chunk(2, 1), skip.chunk(2, 1), strict=True) for t in pair)
    ),
    "cat of last channels": lambda x, skip: torch.cat(
        [x.permute(0, 2, 3, 1), skip.permute(0, 2, 3, 1)], dim=-1
    ).permute(0, 3, 1, 2),
}.items():

    def _build(join=_join):
        return written(join)

    _build.__name__ = f"joined by {_name}"
    case(TWO, why=f"the U-Net of two levels, joined by {_name}: one pop each")(_build)


@case(
    in_root("enc.0", "enc.1"),
    lifo=False,
    why="the full-size feature is pooled to the deep join, the coarse one raised to the last",
)
def a_queue_is_no_stack():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        x = net.ups[1](net.mid(F.max_pool2d(b, 2)))
        x = net.ups[0](net.dec[1](joined(x, F.max_pool2d(a, 2))))
        return net.dec[0](joined(x, bigger(b)))

    return u(body)


@case(
    in_root("enter", "enter"),
    lifo=True,
    why="`held = [x, x]`, and two calls of `pop`: a stack with repeated pushes explains it",
)
def one_tensor_pushed_twice_and_popped_twice():
    def body(net, x):
        x = net.enter(x)
        held = [x, x]
        x = net.up(net.mid(net.down(x)))
        x = net.first(joined(x, held.pop()))
        return net.second(joined(x, held.pop()))

    return Net(
        body,
        enter=conv(3, C),
        down=down(),
        mid=conv(),
        up=up(),
        first=conv(2 * C, C),
        second=conv(2 * C, C),
    )


@case(
    in_root("down", "enter", "enter"),
    lifo=True,
    why="`held = [a, a, b]`: b is popped first, then a twice",
)
def one_of_two_tensors_pushed_twice():
    def body(net, x):
        a = net.enter(x)
        b = net.down(a)
        held = [a, a, b]
        x = net.up2(net.mid(net.down2(b)))
        x = net.up(net.first(joined(x, held.pop())))
        x = net.second(joined(x, held.pop()))
        return net.third(joined(x, held.pop()))

    return Net(
        body,
        enter=conv(3, C),
        down=down(),
        down2=down(),
        mid=conv(),
        up=up(),
        up2=up(),
        first=conv(2 * C, C),
        second=conv(2 * C, C),
        third=conv(2 * C, C),
    )


@case(
    in_root("enc.1", "enc.0", "enc.1", "enc.0"),
    lifo=False,
    why="one encoder, then two decoders, one after the other: the second pops all anew",
)
def two_decoders_on_one_encoder():
    def body(net, x):
        a = net.enc[0](x)
        b = net.enc[1](F.max_pool2d(a, 2))
        low = net.mid(F.max_pool2d(b, 2))
        found = []
        for ups, dec in ((net.ups, net.dec), (net.ups2, net.dec2)):
            x = dec[1](joined(ups[1](low), b))
            found.append(dec[0](joined(ups[0](x), a)))
        return found

    return u(body, ups2=many(2, up), dec2=nn.ModuleList(conv(2 * C, C) for _ in range(2)))


@case(
    in_root("down", "enter"),
    why="half of the channels go down, half wait: the tensor where the ways part is what enters",
)
def half_of_the_channels_is_pushed():
    def body(net, x):
        a, rest = net.enter(x).chunk(2, dim=1)
        c, rest2 = net.down(rest).chunk(2, dim=1)
        x = net.up2(net.down2(rest2))
        x = net.up(net.mid(joined(x, c)))
        return net.leave(joined(x, a))

    return Net(
        body,
        enter=conv(3, C),
        down=down(2, C),
        down2=down(2, C),
        up2=up(),
        mid=conv(C + 2, C),
        up=up(),
        leave=conv(C + 2, C),
    )


# More than one U


class Small(nn.Module):
    """A U-Net of two levels that joins in its own body."""

    def __init__(self, channels=3, out=3):
        super().__init__()
        self.enter, self.down, self.low = conv(channels, C), down(), down()
        self.up1, self.up2 = up(), up()
        self.mix, self.leave = conv(2 * C, C), conv(2 * C, out)

    def forward(self, x):
        a = self.enter(x)
        b = self.down(a)
        x = self.mix(torch.cat([self.up1(self.low(b)), b], dim=1))
        return self.leave(torch.cat([self.up2(x), a], dim=1))


@case(
    [
        ("first.down", "first"),
        ("first.enter", "first"),
        ("second.down", "second"),
        ("second.enter", "second"),
    ],
    why="Xia & Kulis 2017 (W-Net): two U-Nets in a row, two skips each",
)
def w_net():
    return Net(lambda net, x: net.second(net.first(x)), first=Small(), second=Small())


@case(
    [("unet.down", "unet"), ("unet.enter", "unet")] * 2,
    why="one U-Net with the same weights run twice: each pass has its own two skips",
)
def one_u_net_run_twice():
    return Net(lambda net, x: net.unet(net.unet(x)), unet=Small())
