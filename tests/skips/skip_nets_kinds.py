"""U's of other kinds: on tokens, graphs, signals, videos; resampled by other means; diffusion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from skip_case import (
    Attention,
    Block,
    C,
    Net,
    Residual,
    bigger,
    case,
    conv,
    down,
    in_root,
    joined,
    many,
    up,
)
from torch import nn

TWO = in_root("down.0", "enter")
CONDITIONED = ((1, 3, 16, 16), (1, 2), (1, 5, 8))


def two_levels(lower, higher, *, enter=None, mid=conv, mix=None, join=joined, leave=None):
    """`enter`, two ways down, a middle, two ways up; each join is convolved by `mix`."""

    def body(net, x):
        x = net.enter(x)
        held = []
        for layer in net.down:
            held.append(x)
            x = layer(x)
        x = net.mid(x)
        for layer, after in zip(net.up, net.mix, strict=True):
            x = after(join(layer(x), held.pop()))
        return net.leave(x)

    return Net(
        body,
        enter=enter or conv(3, C),
        down=many(2, lower),
        mid=mid(),
        up=many(2, higher),
        mix=many(2, mix or (lambda: conv(2 * C, C))),
        leave=leave or conv(C, 3),
    )


# Resampling


@case(TWO, why="pixel unshuffle and shuffle change the resolution, beside convolutions")
def resampled_by_pixel_shuffle():
    return two_levels(
        lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * C, C, 1)),
        lambda: nn.Sequential(nn.Conv2d(C, 4 * C, 1), nn.PixelShuffle(2)),
    )


@case(TWO, why="pixels are moved to channels by `reshape` and `permute`, and back")
def resampled_by_reshaping():
    class ToDepth(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Conv2d(4 * C, C, 1)

        def forward(self, x):
            b, c, h, w = x.shape
            x = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
            return self.proj(x.reshape(b, 4 * c, h // 2, w // 2))

    class ToSpace(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Conv2d(C, 4 * C, 1)

        def forward(self, x):
            x = self.proj(x)
            b, c, h, w = x.shape
            x = x.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
            return x.reshape(b, c // 4, 2 * h, 2 * w)

    return two_levels(ToDepth, ToSpace)


class Haar(nn.Module):
    """The four bands of a Haar transform, or its inverse, and a convolution of them."""

    def __init__(self, inverse=False):
        super().__init__()
        self.inverse = inverse
        self.conv = conv(C if inverse else 4 * C, 4 * C if inverse else C)

    def forward(self, x):
        if self.inverse:
            a, b, c, d = self.conv(x).chunk(4, dim=1)
            rows = torch.stack([a + b, a - b], dim=3), torch.stack([c + d, c - d], dim=3)
            low, high = (row.flatten(2, 3) for row in rows)
            return torch.stack([low + high, low - high], dim=4).flatten(3, 4)
        low, high = x[:, :, ::2] + x[:, :, 1::2], x[:, :, ::2] - x[:, :, 1::2]
        bands = [
            part[..., ::2] + sign * part[..., 1::2] for part in (low, high) for sign in (1, -1)
        ]
        return self.conv(torch.cat(bands, dim=1))


@case(
    TWO,
    classes=["branches"],
    why="Liu et al. 2018 (MWCNN): wavelets resample; their bands are branches",
)
def resampled_by_wavelets():
    return two_levels(Haar, lambda: Haar(inverse=True))


class Spectral(nn.Module):
    """Cuts or pads the spectrum, so that the resolution halves or doubles."""

    def __init__(self, factor):
        super().__init__()
        self.factor, self.conv = factor, conv()

    def forward(self, x):
        size = int(x.shape[-1] * self.factor)
        spectrum = torch.fft.rfft2(x)
        rows, columns = min(size, x.shape[-2]), min(size // 2 + 1, spectrum.shape[-1])
        spectrum = spectrum[..., :rows, :columns]
        return self.conv(torch.fft.irfft2(spectrum, s=(size, size)))


@case(TWO, why="U-shaped neural operators: spectra are cut and padded, then convolved")
def resampled_by_spectra():
    return two_levels(lambda: Spectral(0.5), lambda: Spectral(2))


class Decimated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(C, C, 5, padding=2)

    def forward(self, x):
        return F.leaky_relu(self.conv(x))[:, :, ::2]


class Interpolated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(C, C, 5, padding=2)

    def forward(self, x):
        return F.leaky_relu(self.conv(F.interpolate(x, scale_factor=2, mode="linear")))


@case(
    TWO,
    (1, 2, 32),
    why="Stoller et al. 2018 (Wave-U-Net): every other sample is dropped on the way down",
)
def wave_u_net():
    return two_levels(
        Decimated,
        Interpolated,
        enter=nn.Conv1d(2, C, 5, padding=2),
        mid=lambda: nn.Conv1d(C, C, 5, padding=2),
        mix=lambda: nn.Conv1d(2 * C, C, 5, padding=2),
        leave=nn.Conv1d(C, 2, 1),
    )


class GLU(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return F.glu(self.layer(x), dim=1)


@case(
    in_root("enc.1", "enc.0"),
    (1, 2, 64),
    why="Defossez et al. 2019 (Demucs): each encoder's result, trimmed, is added to a decoder",
)
def demucs():
    def encoder(channels):
        return nn.Sequential(
            nn.Conv1d(channels, C, 8, 4, 2), nn.ReLU(), GLU(nn.Conv1d(C, 2 * C, 1))
        )

    def decoder(out):
        return nn.Sequential(
            GLU(nn.Conv1d(C, 2 * C, 3, padding=1)), nn.ConvTranspose1d(C, out, 8, 4)
        )

    def body(net, x):
        held = []
        for enc in net.enc:
            x = enc(x)
            held.append(x)
        # The deepest result goes through a layer of its own, as Demucs' LSTM does.
        x = net.last(net.lower(x))
        for dec in net.dec:
            skip = held.pop()
            x = x[..., : skip.shape[-1]]
            x = dec(x + skip)
        return x

    return Net(
        body,
        enc=nn.ModuleList([encoder(2), encoder(C)]),
        lower=nn.Conv1d(C, C, 4, 2, 1),
        last=nn.ConvTranspose1d(C, C, 4, 2),
        dec=nn.ModuleList([decoder(C), decoder(2)]),
    )


@case(TWO, (1, 3, 8, 8, 8), why="Cicek et al. 2016: the same in three dims")
def u_net_3d():
    return two_levels(
        lambda: nn.Conv3d(C, C, 2, 2),
        lambda: nn.ConvTranspose3d(C, C, 2, 2),
        enter=nn.Conv3d(3, C, 1),
        mid=lambda: nn.Conv3d(C, C, 1),
        mix=lambda: nn.Conv3d(2 * C, C, 1),
        leave=nn.Conv3d(C, 3, 1),
    )


@case([], classes=[], why="Badrinarayanan et al. 2015 (SegNet): indices of maxima, no features")
def seg_net():
    def body(net, x):
        x, first = F.max_pool2d(net.a(x), 2, return_indices=True)
        x, second = F.max_pool2d(net.b(x), 2, return_indices=True)
        x = net.c(F.max_unpool2d(x, second, 2))
        return net.d(F.max_unpool2d(x, first, 2))

    return Net(body, a=conv(3, C), b=conv(), c=conv(), d=conv(C, 3))


# Tokens, windows, graphs, points


class Merge(nn.Module):
    """Swin's: four neighbours of `(B, H, W, C)` are one token of as many channels again."""

    def __init__(self):
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(4 * C), nn.Linear(4 * C, C, bias=False)

    def forward(self, x):
        parts = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        return self.reduce(self.norm(torch.cat(parts, dim=-1)))


class Expand(nn.Module):
    def __init__(self):
        super().__init__()
        self.grow, self.norm = nn.Linear(C, 4 * C, bias=False), nn.LayerNorm(C)

    def forward(self, x):
        b, h, w, _ = x.shape
        x = self.grow(x).reshape(b, h, w, 2, 2, C).permute(0, 1, 3, 2, 4, 5)
        return self.norm(x.reshape(b, 2 * h, 2 * w, C))


class Window(nn.Module):
    """Attention inside of windows of `size` by `size`, on `(B, H, W, C)`."""

    def __init__(self, size=2):
        super().__init__()
        self.size, self.norm, self.attn = size, nn.LayerNorm(C), Attention()

    def forward(self, x):
        b, h, w, c = x.shape
        s = self.size
        y = self.norm(torch.roll(x, (-1, -1), (1, 2)))
        y = y.reshape(b, h // s, s, w // s, s, c).transpose(2, 3).reshape(-1, s * s, c)
        y = self.attn(y).reshape(b, h // s, w // s, s, s, c).transpose(2, 3)
        return x + torch.roll(y.reshape(b, h, w, c), (1, 1), (1, 2))


class Patches(nn.Module):
    """A strided convolution whose result has its channels last."""

    def __init__(self, size=2):
        super().__init__()
        self.proj = nn.Conv2d(3, C, size, size)

    def forward(self, x):
        return self.proj(x).permute(0, 2, 3, 1)


@case(
    in_root("down.1.0", "down.0.0"),
    (1, 3, 32, 32),
    classes=["residual", "branches"],
    why="Cao et al. 2021 (Swin-Unet): channels last, joined at the last dim, then linear",
)
def swin_u_net():
    def body(net, x):
        x = net.enter(x)
        held = []
        for blocks, merge in net.down:
            x = blocks(x)
            held.append(x)
            x = merge(x)
        x = net.mid(x)
        for expand, narrow, blocks in net.up:
            x = blocks(narrow(torch.cat([expand(x), held.pop()], dim=-1)))
        return net.leave(x)

    return Net(
        body,
        enter=Patches(),
        down=nn.ModuleList(nn.ModuleList([Window(), Merge()]) for _ in range(2)),
        mid=Window(),
        up=nn.ModuleList(
            nn.ModuleList([Expand(), nn.Linear(2 * C, C), Window()]) for _ in range(2)
        ),
        leave=nn.Linear(C, 3),
    )


@case(
    [],
    (1, 3, 32, 32),
    classes=["residual", "branches"],
    why="Liu et al. 2021 (Swin): attention in windows, and merging of patches, go down alone",
)
def swin():
    return nn.Sequential(Patches(), Window(), Window(), Merge(), Window(), nn.Linear(C, 3))


class Tokens(nn.Module):
    """Patches of an image as a sequence, with learned positions."""

    def __init__(self, count, size=4):
        super().__init__()
        self.proj = nn.Conv2d(3, C, size, size)
        self.pos = nn.Parameter(torch.zeros(1, count, C))

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2) + self.pos


@case(
    in_root("ins.1", "ins.0"),
    classes=["residual"],
    why="Bao et al. 2022 (U-ViT): long skips at one resolution, joined and made narrow by a linear",
)
def u_vit():
    def body(net, x):
        x = net.enter(x)
        held = []
        for block in net.ins:
            x = block(x)
            held.append(x)
        x = net.mid(x)
        for narrow, block in zip(net.narrow, net.outs, strict=True):
            x = block(narrow(torch.cat([x, held.pop()], dim=-1)))
        return net.leave(x)

    return Net(
        body,
        enter=Tokens(16),
        ins=many(2, Block),
        mid=Block(),
        narrow=many(2, lambda: nn.Linear(2 * C, C)),
        outs=many(2, Block),
        leave=nn.Linear(C, 3),
    )


@case(
    in_root("ins.2", "ins.1", "ins.0"),
    classes=["residual"],
    why="Bao et al. 2022, the ablation that adds: strictly nested sums around whole blocks",
)
def u_vit_summed():
    def body(net, x):
        x = net.enter(x)
        held = []
        for block in net.ins:
            x = block(x)
            held.append(x)
        x = net.mid(x)
        for block in net.outs:
            x = block(x + held.pop())
        return x

    return Net(body, enter=Tokens(16), ins=many(3, Block), mid=Block(), outs=many(3, Block))


@case(
    [("ins.1", "outs.0"), ("ins.0", "outs.1")],
    *CONDITIONED,
    classes=["context"],
    why="Bao et al. 2022 as published: time and text are tokens, each later block joins its skip",
)
def u_vit_with_tokens_of_time_and_text():
    class Out(nn.Module):
        def __init__(self):
            super().__init__()
            self.narrow, self.block = nn.Linear(2 * C, C), Block()

        def forward(self, x, skip):
            return self.block(self.narrow(torch.cat([x, skip], dim=-1)))

    def body(net, x, time, text):
        x = net.enter(x)
        x = torch.cat([net.time(time).unsqueeze(1), net.text(text), x], dim=1) + net.pos
        held = []
        for block in net.ins:
            x = block(x)
            held.append(x)
        x = net.mid(x)
        for block in net.outs:
            x = block(x, held.pop())
        return net.leave(x)[:, 6:]

    return Net(
        body,
        enter=Tokens(16),
        time=nn.Linear(2, C),
        text=nn.Linear(8, C),
        pos=nn.Parameter(torch.zeros(1, 22, C)),
        ins=many(2, Block),
        mid=Block(),
        outs=many(2, Out),
        leave=nn.Linear(C, 3),
    )


@case(
    in_root("down.1", "down.0"),
    (1, 3, 32, 32),
    classes=["residual"],
    why="Hoogeboom et al. 2023 (UViT, simple diffusion): convolutional skips around a transformer",
)
def uvit_of_simple_diffusion():
    def body(net, x):
        x = net.enter(x)
        held = []
        for block, lower in zip(net.down, net.lower, strict=True):
            x = block(x)
            held.append(x)
            x = lower(x)
        b, c, h, w = x.shape
        x = net.blocks(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(b, c, h, w)
        for higher, block in zip(net.higher, net.up, strict=True):
            x = block(joined(higher(x), held.pop()))
        return net.leave(x)

    return Net(
        body,
        enter=conv(3, C),
        down=many(2, Residual),
        lower=many(2, down),
        blocks=nn.Sequential(Block(), Block()),
        higher=many(2, up),
        up=nn.ModuleList(Residual(2 * C, C) for _ in range(2)),
        leave=conv(C, 3),
    )


@case(
    in_root("down.0", "enter"),
    classes=["residual"],
    why="Crowson et al. 2024 (HDiT): tokens are merged, and split again onto the skip by `lerp`",
)
def hourglass_diffusion_transformer():
    class Merging(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj, self.block = nn.Linear(4 * C, C), Window()

        def forward(self, x):
            b, h, w, c = x.shape
            x = x.reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5)
            return self.block(self.proj(x.reshape(b, h // 2, w // 2, 4 * c)))

    class Splitting(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Linear(C, 4 * C)

        def forward(self, x):
            b, h, w, c = x.shape
            x = self.proj(x).reshape(b, h, w, 2, 2, c).permute(0, 1, 3, 2, 4, 5)
            return x.reshape(b, 2 * h, 2 * w, c)

    net = two_levels(
        Merging,
        Splitting,
        enter=Patches(1),
        mid=Window,
        mix=Window,
        leave=nn.Linear(C, 3),
        join=None,
    )

    def body(net, x):
        x = net.enter(x)
        held = []
        for layer in net.down:
            held.append(x)
            x = layer(x)
        x = net.mid(x)
        for layer, after, share in zip(net.up, net.mix, net.share, strict=True):
            x = after(torch.lerp(held.pop(), layer(x), share))
        return net.leave(x)

    net.body = body
    net.share = nn.ParameterList(nn.Parameter(torch.full((1,), 0.5)) for _ in range(2))
    return net


@case(
    in_root("down.0", "enter"),
    classes=["residual"],
    why="Tian et al. 2024 (U-DiT): a U of token blocks on maps, skips concatenated and narrowed",
)
def u_dit():
    class On(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def forward(self, x):
            tokens = self.block(x.flatten(2).transpose(1, 2))
            return tokens.transpose(1, 2).reshape(x.shape)

    return two_levels(
        lambda: nn.Sequential(On(), nn.Conv2d(C, 1, 1), nn.PixelUnshuffle(2)),
        lambda: nn.Sequential(nn.Conv2d(C, 4 * C, 1), nn.PixelShuffle(2)),
        mid=On,
        mix=lambda: nn.Sequential(nn.Conv2d(2 * C, C, 1), On()),
    )


class TransUp(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = conv(2 * C, C)

    def forward(self, x, skip):
        return F.relu(self.conv(torch.cat([bigger(x, mode="bilinear"), skip], dim=1)))


@case(
    [("cnn.1", "dec.0"), ("cnn.0", "dec.1")],
    (1, 3, 32, 32),
    classes=["residual"],
    why="Chen et al. 2021 (TransUNet): a CNN's levels join around a transformer's tokens",
)
def trans_u_net():
    def body(net, x):
        a = net.cnn[0](x)
        b = net.cnn[1](a)
        x = net.tokens(b)
        h, w = x.shape[2:]
        x = net.blocks(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (h, w))
        return net.leave(net.dec[1](net.dec[0](x, b), a))

    return Net(
        body,
        cnn=nn.ModuleList([Residual(3, C), Residual(C, C, 2)]),
        tokens=down(),
        blocks=nn.Sequential(Block(), Block()),
        dec=many(2, TransUp),
        leave=conv(C, 3),
    )


class JoinUp(nn.Module):
    """MONAI's `UnetrUpBlock`: up, join, residual convolutions."""

    def __init__(self):
        super().__init__()
        self.up, self.conv = up(), Residual(2 * C, C)

    def forward(self, x, skip):
        return self.conv(torch.cat([self.up(x), skip], dim=1))


@case(
    [("blocks.2", "dec.0"), ("blocks.1", "dec.1"), ("blocks.0", "dec.2"), ("x", "dec.3")],
    (1, 3, 32, 32),
    classes=["residual"],
    through={"x": ["enc.0"], "blocks.0": ["enc.1"], "blocks.2": ["enc.3"]},
    why="Hatamizadeh et al. 2021 (UNETR): three hidden states, brought up, and the image: four",
)
def unetr():
    def body(net, x):
        tokens = net.tokens(x)
        hidden = []
        for block in net.blocks:
            tokens = block(tokens)
            hidden.append(tokens.transpose(1, 2).unflatten(2, (2, 2)))
        y = net.dec[0](hidden[3], net.enc[3](hidden[2]))
        y = net.dec[1](y, net.enc[2](hidden[1]))
        y = net.dec[2](y, net.enc[1](hidden[0]))
        return net.leave(net.dec[3](y, net.enc[0](x)))

    raised = [nn.Sequential(*(up() for _ in range(n))) for n in (3, 2, 1)]
    return Net(
        body,
        tokens=Tokens(4, 16),
        blocks=many(4, Block),
        enc=nn.ModuleList([Residual(3, C), *raised]),
        dec=many(4, JoinUp),
        leave=conv(C, 3),
    )


@case(
    [
        ("swin.3", "dec.0"),
        ("swin.2", "dec.1"),
        ("swin.1", "dec.2"),
        ("swin.0", "dec.3"),
        ("x", "dec.4"),
    ],
    (1, 3, 64, 64),
    classes=["residual"],
    through={"x": ["enc.0"], "swin.0": ["enc.1"], "swin.1": ["enc.2"], "swin.2": ["enc.3"]},
    why="Hatamizadeh et al. 2022 (SwinUNETR): four levels and the image, one of them as it is",
)
def swin_unetr():
    class Stage(nn.Module):
        def __init__(self, first):
            super().__init__()
            self.window, self.lower = Window(), Patches() if first else Merge()

        def forward(self, x):
            x = self.lower(x)
            return self.window(x)

    def body(net, x):
        hidden = []
        y = x
        for stage in net.swin:
            y = stage(y)
            hidden.append(y.permute(0, 3, 1, 2))
        y = net.dec[0](net.mid(hidden[4]), hidden[3])
        for index, level in enumerate((3, 2, 1), 1):
            y = net.dec[index](y, net.enc[level](hidden[level - 1]))
        return net.leave(net.dec[4](y, net.enc[0](x)))

    return Net(
        body,
        swin=nn.ModuleList(Stage(first) for first in (True, *[False] * 4)),
        enc=nn.ModuleList([Residual(3, C), *many(3, Residual)]),
        mid=Residual(),
        dec=many(5, JoinUp),
        leave=conv(C, 3),
    )


@case(
    in_root("blocks.2", "blocks.1", "blocks.0"),
    (1, 3, 64, 64),
    classes=["residual"],
    why="Ranftl et al. 2021 (DPT): hidden states at four resolutions, fused from coarse to fine",
)
def dpt():
    def body(net, x):
        tokens = net.tokens(x)
        maps = []
        for block, reassemble in zip(net.blocks, net.reassemble, strict=True):
            tokens = block(tokens)
            maps.append(reassemble(tokens.transpose(1, 2).unflatten(2, (4, 4))))
        y = bigger(net.fuse[3](maps[3]), mode="bilinear")
        for i in (2, 1, 0):
            y = bigger(net.fuse[i](y + net.unit[i](maps[i])), mode="bilinear")
        return net.leave(y)

    return Net(
        body,
        tokens=Tokens(16, 16),
        blocks=many(4, Block),
        reassemble=nn.ModuleList(
            [nn.ConvTranspose2d(C, C, 4, 4), up(), nn.Conv2d(C, C, 1), down()]
        ),
        unit=many(3, Residual),
        fuse=many(4, Residual),
        leave=conv(C, 3),
    )


def graph(join, wide):
    """Gao & Ji 2019 (Graph U-Net): the best nodes are kept, later put back where they were."""

    def body(net, x, adjacency):
        def convolve(layer, x, chosen):
            a = adjacency
            for index in chosen:
                a = a[index][:, index]
            return F.relu(layer(a @ x))

        x = convolve(net.enter, x, [])
        held, chosen = [], []
        for lower, score in zip(net.down, net.score, strict=True):
            held.append(x)
            weights = torch.sigmoid(score(x).squeeze(-1))
            values, index = torch.topk(weights, x.shape[0] // 2)
            chosen.append(index)
            x = convolve(lower, x[index] * values[:, None], chosen)
        for layer in net.up:
            skip, index = held.pop(), chosen.pop()
            raised = x.new_zeros(skip.shape)
            raised[index] = x
            x = convolve(layer, join(raised, skip), chosen)
        return net.leave(x)

    return Net(
        body,
        enter=nn.Linear(3, C),
        down=many(2, lambda: nn.Linear(C, C)),
        score=many(2, lambda: nn.Linear(C, 1)),
        up=many(2, lambda: nn.Linear(wide, C)),
        leave=nn.Linear(C, 3),
    )


GRAPH = ((16, 3), (16, 16))


@case(
    in_root("F.relu", "F.relu"),
    *GRAPH,
    why="Gao & Ji 2019 (Graph U-Net): sums on (N, C), where N is the resolution",
)
def graph_u_net_summed():
    return graph(lambda x, skip: x + skip, C)


@case(in_root("F.relu", "F.relu"), *GRAPH, why="the same, concatenated")
def graph_u_net_concatenated():
    return graph(lambda x, skip: torch.cat([x, skip], dim=1), 2 * C)


@case(
    in_root("Tensor.amax", "x"),
    (1, 32, 3),
    why="Qi et al. 2017 (PointNet++): features of fewer points, interpolated, join the finer "
    "level's; the finest is the input itself",
)
def point_net_plus_plus():
    def body(net, x):
        held, near = [], []
        y = x
        for layer in net.enc:
            held.append(y)
            count = y.shape[1] // 4
            groups = y.reshape(1, count, 4, -1)
            near.append(torch.arange(count, device=y.device).repeat_interleave(4))
            y = layer(groups).amax(dim=2)
        y = net.mid(y)
        for layer in net.dec:
            y = layer(torch.cat([y[:, near.pop()], held.pop()], dim=-1))
        return y

    return Net(
        body,
        enc=nn.ModuleList(nn.Sequential(nn.Linear(c, C), nn.ReLU()) for c in (3, C)),
        mid=nn.Linear(C, C),
        dec=nn.ModuleList(nn.Sequential(nn.Linear(C + c, C), nn.ReLU()) for c in (C, 3)),
    )


@case(
    in_root("F.silu", "F.silu"),
    (2, 16),
    why="a U of widths on vectors, as in denoising MLPs: long skips, strictly nested",
)
def mlp_in_the_form_of_a_u():
    def body(net, x):
        held = []
        for layer in net.down:
            x = F.silu(layer(x))
            held.append(x)
        x = F.silu(net.mid(x))
        for layer in net.up:
            x = F.silu(layer(torch.cat([x, held.pop()], dim=-1)))
        return net.leave(x)

    return Net(
        body,
        down=nn.ModuleList([nn.Linear(16, 8), nn.Linear(8, 4)]),
        mid=nn.Linear(4, 4),
        up=nn.ModuleList([nn.Linear(8, 8), nn.Linear(16, 8)]),
        leave=nn.Linear(8, 16),
    )


# Videos


class Temporal(nn.Module):
    """Attention, or a convolution, across frames that are folded into the batch."""

    def __init__(self, frames=4):
        super().__init__()
        self.frames, self.conv = frames, nn.Conv1d(C, C, 3, padding=1)

    def forward(self, x):
        n, c, h, w = x.shape
        y = x.reshape(n // self.frames, self.frames, c, h * w).permute(0, 3, 2, 1)
        y = self.conv(y.reshape(-1, c, self.frames))
        y = y.reshape(n // self.frames, h * w, c, self.frames).permute(0, 3, 2, 1)
        return x + y.reshape(n, c, h, w)


@case(
    in_root("down.1.0", "down.0.0"),
    (1, 4, 3, 16, 16),
    classes=["residual"],
    why="video UNets: frames are images to the 2-D layers, and a sequence to the temporal ones",
)
def video_u_net():
    def body(net, x):
        frames = x.shape[1]
        x = net.enter(x.flatten(0, 1))
        held = []
        for block, lower in net.down:
            x = block(x)
            held.append(x)
            x = lower(x)
        x = net.mid(x)
        for higher, block in net.up:
            x = block(joined(higher(x), held.pop()))
        return net.leave(x).unflatten(0, (-1, frames))

    def blocks():
        return nn.Sequential(Residual(), Temporal())

    return Net(
        body,
        enter=conv(3, C),
        down=nn.ModuleList(nn.ModuleList([blocks(), down()]) for _ in range(2)),
        mid=blocks(),
        up=nn.ModuleList(
            nn.ModuleList([up(), nn.Sequential(conv(2 * C, C), Temporal())]) for _ in range(2)
        ),
        leave=conv(C, 3),
    )


@case(TWO, (2, 3, 4, 16, 16), why="Ho et al. 2022: space-only 3-D convolutions keep the frames")
def video_u_net_of_flat_kernels():
    return two_levels(
        lambda: nn.Conv3d(C, C, (1, 2, 2), (1, 2, 2)),
        lambda: nn.ConvTranspose3d(C, C, (1, 2, 2), (1, 2, 2)),
        enter=nn.Conv3d(3, C, (1, 3, 3), padding=(0, 1, 1)),
        mid=lambda: nn.Conv3d(C, C, (3, 1, 1), padding=(1, 0, 0)),
        mix=lambda: nn.Conv3d(2 * C, C, (1, 3, 3), padding=(0, 1, 1)),
        leave=nn.Conv3d(C, 3, 1),
    )


# Diffusion


class ResNet(nn.Module):
    """A diffusion UNet's: the time is added between its convolutions."""

    def __init__(self, channels=C, time=C):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(1, channels), nn.GroupNorm(1, C)
        self.conv1, self.conv2 = conv(channels, C), conv()
        self.time = nn.Linear(time, C)
        self.beside = nn.Conv2d(channels, C, 1) if channels != C else nn.Identity()

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(time))[:, :, None, None]
        return self.beside(x) + self.conv2(F.silu(self.norm2(h)))


class Spatial(nn.Module):
    """A transformer on a map's pixels, with a residual around it."""

    def __init__(self, context=8, block=None):
        super().__init__()
        self.norm, self.enter, self.leave = nn.GroupNorm(1, C), nn.Linear(C, C), nn.Linear(C, C)
        self.block = block or Block(C, context)

    def forward(self, x, context):
        h = self.enter(self.norm(x).flatten(2).transpose(1, 2))
        h = self.leave(self.block(h, context))
        return x + h.transpose(1, 2).reshape(x.shape)


class Diffusion(nn.Module):
    """Stable Diffusion's form: two levels of two layers; 1 + 2 + 1 + 2 tensors are popped."""

    def __init__(self, block=lambda: None, channels=3):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2, C), nn.SiLU(), nn.Linear(C, C))
        self.enter, self.lower, self.higher = conv(channels, C), down(), conv()
        self.down = many(2, lambda: many(2, ResNet))
        self.attn = many(2, lambda: Spatial(block=block()))
        self.mid, self.mid_attn = ResNet(), Spatial(block=block())
        self.up = many(2, lambda: many(3, lambda: ResNet(2 * C)))
        self.up_attn = many(3, lambda: Spatial(block=block()))
        self.leave = conv(C, 3)

    def forward(self, x, time, text, *more):
        time = self.time(time)
        x = self.enter(self.first(x, *more))
        held = [x]
        for resnet, attn in zip(self.down[0], self.attn, strict=True):
            x = attn(resnet(x, time), text)
            held.append(x)
        x = self.lower(x)
        held.append(x)
        for resnet in self.down[1]:
            x = resnet(x, time)
            held.append(x)
        x = self.mid_attn(self.mid(x, time), text)
        held = self.on_the_way(held)
        for resnet in self.up[0]:
            x = resnet(torch.cat([x, held.pop()], dim=1), time)
        x = self.higher(bigger(x))
        for resnet, attn in zip(self.up[1], self.up_attn, strict=True):
            x = attn(resnet(torch.cat([x, held.pop()], dim=1), time), text)
        return self.leave(x)

    def first(self, x, *more):
        return x

    def on_the_way(self, held):
        return held


SIX = in_root("down.1.1", "down.1.0", "lower", "attn.1", "attn.0", "enter")


@case(
    SIX,
    *CONDITIONED,
    classes=["residual", "embedding"],
    why="Rombach et al. 2022: what enters, each layer and the downsampler push; all are popped",
)
def diffusion_u_net():
    return Diffusion()


@case(
    SIX,
    *CONDITIONED,
    (1, 3, 16, 16),
    classes=["context"],
    why="Brooks et al. 2022 (InstructPix2Pix): the image's latents are concatenated to the input",
)
def diffusion_with_a_concatenated_hint():
    class Hinted(Diffusion):
        def first(self, x, hint):
            return torch.cat([x, hint], dim=1)

    return Hinted(channels=6)


class Joint(Block):
    """GLIGEN's: self-attention over pixels and grounding tokens, weighed by a gate."""

    def __init__(self):
        super().__init__(C, 8)
        self.fuse, self.norm4, self.ground = Attention(), nn.LayerNorm(C), nn.Linear(8, C)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x, context=None):
        x = x + self.attn(self.norm1(x))
        both = torch.cat([x, self.ground(context)], dim=1)
        x = x + self.alpha.tanh() * self.fuse(self.norm4(both))[:, : x.shape[1]]
        x = x + self.cross(self.norm3(x), context)
        return x + self.mlp(self.norm2(x))


@case(
    SIX,
    *CONDITIONED,
    classes=["context", "residual"],
    why="Li et al. 2023 (GLIGEN): tokens join the pixels inside of attentions; six skips remain",
)
def diffusion_with_joint_attention():
    return Diffusion(Joint)


@case(
    SIX,
    *CONDITIONED,
    why="Zhang et al. 2023 (ControlNet): a copy's features, through zero convolutions, are added "
    "to the skips, which remain the UNet's",
)
def diffusion_with_control():
    class Controlled(Diffusion):
        def __init__(self):
            super().__init__()
            self.copy, self.zero = many(4, conv), many(6, lambda: nn.Conv2d(C, C, 1))
            self.hint = conv(3, C)

        def first(self, x, *more):
            h = self.hint(x)
            self.control = [self.zero[0](h)]
            for index in (1, 2):
                h = self.copy[index - 1](h)
                self.control.append(self.zero[index](h))
            h = F.avg_pool2d(h, 2)
            self.control.append(self.zero[3](h))
            for index in (4, 5):
                h = self.copy[index - 2](h)
                self.control.append(self.zero[index](h))
            return x

        def on_the_way(self, held):
            return [skip + extra for skip, extra in zip(held, self.control, strict=True)]

    return Controlled()


@case(
    SIX,
    *CONDITIONED,
    why="Si et al. 2023 (FreeU) on a diffusion UNet: its skips go through the Fourier domain",
)
def diffusion_with_filtered_skips():
    class Freed(Diffusion):
        def on_the_way(self, held):
            found = []
            for x in held:
                spectrum = torch.fft.fftshift(torch.fft.fftn(x, dim=(-2, -1)), dim=(-2, -1))
                spectrum = torch.fft.ifftshift(spectrum * 0.9, dim=(-2, -1))
                found.append(torch.fft.ifftn(spectrum, dim=(-2, -1)).real)
            return found

    return Freed()


@case(
    [],
    (1, 3, 16, 16),
    (1, 2),
    classes=["residual"],
    why="Peebles & Xie 2022 (DiT): a transformer modulated by the time; nothing goes down",
)
def dit():
    class Modulated(Block):
        def __init__(self):
            super().__init__()
            self.ada = nn.Linear(C, 6 * C)

        def forward(self, x, time):
            a, b, c, d, e, f = self.ada(F.silu(time))[:, None].chunk(6, dim=-1)
            x = x + c * self.attn(self.norm1(x) * (1 + a) + b)
            return x + f * self.mlp(self.norm2(x) * (1 + d) + e)

    def body(net, x, time):
        x, time = net.enter(x), net.time(time)
        for block in net.blocks:
            x = block(x, time)
        return net.leave(x)

    return Net(
        body,
        enter=Tokens(16),
        time=nn.Linear(2, C),
        blocks=many(2, Modulated),
        leave=nn.Linear(C, 48),
    )


@case(
    [],
    (1, 3, 16, 16),
    (1, 5, 8),
    classes=["residual", "context"],
    why="Esser et al. 2024 (MMDiT): text and image attend jointly, and are split again",
)
def mmdit():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = (
                many(2, lambda: nn.Linear(C, 3 * C)),
                many(2, lambda: nn.Linear(C, C)),
            )
            self.norm, self.mlp = many(2, lambda: nn.LayerNorm(C)), many(2, lambda: nn.Linear(C, C))

        def forward(self, x, text):
            parts = [
                qkv(norm(t)).chunk(3, dim=-1)
                for qkv, norm, t in zip(self.qkv, self.norm, (x, text), strict=True)
            ]
            q, k, v = (torch.cat(pair, dim=1) for pair in zip(*parts, strict=True))
            h = F.scaled_dot_product_attention(q, k, v)
            x = x + self.out[0](h[:, : x.shape[1]])
            text = text + self.out[1](h[:, x.shape[1] :])
            return x + self.mlp[0](x), text + self.mlp[1](text)

    def body(net, x, text):
        x, text = net.enter(x), net.text(text)
        for block in net.blocks:
            x, text = block(x, text)
        return net.leave(x)

    return Net(
        body,
        enter=Tokens(16),
        text=nn.Linear(8, C),
        blocks=many(2, Pair),
        leave=nn.Linear(C, 48),
    )


# Restoration


class Simple(nn.Module):
    """NAFNet's: gates by products, channel attention, two residuals."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv(C, 2 * C, 1), nn.Conv2d(C, C, 1), nn.Conv2d(C, C, 1)
        self.d, self.e = nn.Conv2d(C, 2 * C, 1), nn.Conv2d(C, C, 1)

    def forward(self, x):
        h, gate = self.a(x).chunk(2, dim=1)
        h = h * gate
        y = x + self.c(h * self.b(F.adaptive_avg_pool2d(h, 1)))
        h, gate = self.d(y).chunk(2, dim=1)
        return y + self.e(h * gate)


@case(
    in_root("down.1.0", "down.0.0"),
    (1, 3, 16, 16),
    classes=["residual"],
    why="Chen et al. 2022 (NAFNet): skips are added; the image is added to the whole result",
)
def naf_net():
    def body(net, image):
        x = net.enter(image)
        held = []
        for blocks, lower in net.down:
            x = blocks(x)
            held.append(x)
            x = lower(x)
        x = net.mid(x)
        for higher, blocks in net.up:
            x = blocks(higher(x) + held.pop())
        return net.leave(x) + image

    def higher():
        return nn.Sequential(nn.Conv2d(C, 4 * C, 1, bias=False), nn.PixelShuffle(2))

    return Net(
        body,
        enter=conv(3, C),
        down=nn.ModuleList(nn.ModuleList([Simple(), down()]) for _ in range(2)),
        mid=Simple(),
        up=nn.ModuleList(nn.ModuleList([higher(), Simple()]) for _ in range(2)),
        leave=conv(C, 3),
    )


class ChannelAttention(nn.Module):
    """Restormer's: attention between channels."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = conv(C, 3 * C), nn.Conv2d(C, C, 1)

    def forward(self, x):
        q, k, v = (t.flatten(2) for t in self.qkv(x).chunk(3, dim=1))
        weight = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(1, 2)).softmax(-1)
        return x + self.out((weight @ v).reshape(x.shape))


@case(
    in_root("down.0", "enter"),
    classes=["residual"],
    why="Zamir et al. 2021 (Restormer): skips concatenated and narrowed, the image added at last",
)
def restormer():
    net = two_levels(
        lambda: nn.Sequential(
            ChannelAttention(), nn.Conv2d(C, 1, 3, padding=1), nn.PixelUnshuffle(2)
        ),
        lambda: nn.Sequential(nn.Conv2d(C, 4 * C, 1), nn.PixelShuffle(2)),
        mid=ChannelAttention,
        mix=lambda: nn.Sequential(nn.Conv2d(2 * C, C, 1), ChannelAttention()),
    )
    inner = net.body
    net.body = lambda net, x: x + inner(net, x)
    return net
