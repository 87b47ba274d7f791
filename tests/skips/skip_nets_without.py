"""Networks without a skip: residual, dense and branched ones, transformers, autoencoders."""

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
    doubled,
    down,
    in_root,
    joined,
    many,
    up,
)
from skip_nets_kinds import Patches, ResNet, Tokens, two_levels
from skip_nets_u import CBAM, DenseBlock, SqueezeAndExcite, u_with
from torch import nn

BIG = (1, 3, 32, 32)


def classifier(*layers, channels=C):
    """A stem, layers, a global average and a linear layer."""

    def body(net, x):
        return net.leave(net.layers(net.enter(x)).mean((2, 3)))

    return Net(body, enter=conv(3, C), layers=nn.Sequential(*layers), leave=nn.Linear(channels, 10))


# Convolutional


@case([], BIG, classes=["residual"], why="He et al. 2015: sums, also where a projection strides")
def resnet():
    return classifier(Residual(), Residual(C, 8, 2), Residual(8, 8), Residual(8, C, 2))


@case(
    [], BIG, classes=["residual"], why="He et al. 2016: the norm comes first, the way stays clear"
)
def preactivation_resnet():
    class Pre(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.conv = nn.BatchNorm2d(C), conv()

        def forward(self, x):
            return x + self.conv(F.relu(self.norm(x)))

    return classifier(Pre(), down(), Pre(), Pre(), down(), Pre())


@case([], BIG, classes=["residual"], why="resnet-D: the shortcut is pooled, then projected")
def resnet_with_pooled_shortcuts():
    class Pooled(Residual):
        def __init__(self):
            super().__init__(C, C, 2)
            self.beside = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(C, C, 1))

    return classifier(Residual(), Pooled(), Residual(), Pooled())


@case(
    [],
    BIG,
    classes=["residual"],
    why="Hu et al. 2017 (SE-ResNet): weights come from global averages",
)
def se_resnet():
    class Squeezed(Residual):
        def __init__(self, stride=1):
            super().__init__(C, C, stride)
            self.norm2 = nn.Sequential(nn.BatchNorm2d(C), SqueezeAndExcite())

    return classifier(Squeezed(), Squeezed(2), Squeezed())


@case([], BIG, classes=["branches"], why="Woo et al. 2018: CBAM's mean and maximum are branches")
def cnn_with_cbam():
    return classifier(conv(), CBAM(), nn.ReLU(), down(), CBAM(), nn.ReLU(), conv(), CBAM())


@case([], BIG, classes=["dense"], why="Huang et al. 2016 (DenseNet): all maps of one resolution")
def dense_net():
    return classifier(
        DenseBlock(C),
        nn.Sequential(nn.Conv2d(C + 4, C, 1), nn.AvgPool2d(2)),
        DenseBlock(C, 3),
        nn.Sequential(nn.Conv2d(C + 6, C, 1), nn.AvgPool2d(2)),
        DenseBlock(C),
        channels=C + 4,
    )


@case([], BIG, classes=["dense"], why="torchvision's DenseNet: a list of maps is joined each time")
def dense_net_of_lists():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(conv(C + 2 * i, 2) for i in range(4))

        def forward(self, x):
            maps = [x]
            for layer in self.layers:
                maps.append(layer(torch.cat(maps, dim=1)))
            return torch.cat(maps, dim=1)

    return classifier(Listed(), nn.Conv2d(C + 8, C, 1), nn.AvgPool2d(2), Listed(), channels=C + 8)


@case([], BIG, classes=["dense"], why="Lee et al. 2019 (VoVNet): one concatenation of all, at last")
def vov_net():
    class OneShot(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.out = many(3, conv), nn.Conv2d(4 * C, C, 1)

        def forward(self, x):
            maps = [x]
            for layer in self.layers:
                maps.append(F.relu(layer(maps[-1])))
            return self.out(torch.cat(maps, dim=1)) + x

    return classifier(OneShot(), nn.MaxPool2d(2), OneShot(), nn.MaxPool2d(2), OneShot())


class Shuffle(nn.Module):
    """ShuffleNetV2's units: half of the channels stays, or both ways stride."""

    def __init__(self, stride):
        super().__init__()
        wide = C // 2 if stride == 1 else C
        self.main = nn.Sequential(
            nn.Conv2d(wide, C // 2, 1),
            nn.ReLU(),
            nn.Conv2d(C // 2, C // 2, 3, stride, 1, groups=C // 2),
            nn.Conv2d(C // 2, C // 2, 1),
        )
        if stride == 2:
            self.beside = nn.Sequential(nn.Conv2d(C, C, 3, 2, 1, groups=C), nn.Conv2d(C, C // 2, 1))
        self.stride = stride

    def forward(self, x):
        if self.stride == 1:
            one, other = x.chunk(2, dim=1)
            x = torch.cat([one, self.main(other)], dim=1)
        else:
            x = torch.cat([self.beside(x), self.main(x)], dim=1)
        b, c, h, w = x.shape
        return x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


@case([], BIG, classes=["branches"], why="Ma et al. 2018: halves meet again, channels are shuffled")
def shuffle_net():
    return classifier(Shuffle(2), Shuffle(1), Shuffle(1), Shuffle(2), Shuffle(1))


class Inception(nn.Module):
    def __init__(self, channels=C):
        super().__init__()
        self.a, self.b = nn.Conv2d(channels, 2, 1), nn.Sequential(conv(channels, 1, 1), conv(1, 1))
        self.c = nn.Sequential(conv(channels, 1, 1), conv(1, 1, 5))
        self.d = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(channels, 2, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], dim=1))


class Reduction(nn.Module):
    def __init__(self, channels=6):
        super().__init__()
        self.a, self.b = down(channels, 2), nn.Sequential(conv(channels, 2), down(2, 2))

    def forward(self, x):
        return torch.cat([self.a(x), self.b(x), F.max_pool2d(x, 3, 2, 1)], dim=1)


@case([], BIG, classes=["branches"], why="Szegedy et al. 2014-2016: four ways beside each other")
def inception():
    return classifier(Inception(), Inception(6), Reduction(), Inception(10), channels=6)


@case([], BIG, classes=["branches"], why="Iandola et al. 2016 (SqueezeNet): two expansions join")
def squeeze_net():
    class Fire(nn.Module):
        def __init__(self):
            super().__init__()
            self.squeeze, self.one, self.three = conv(C, 2, 1), conv(2, 2, 1), conv(2, 2)

        def forward(self, x):
            x = F.relu(self.squeeze(x))
            return torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], dim=1)

    return classifier(Fire(), nn.MaxPool2d(2), Fire(), Fire(), nn.MaxPool2d(2), Fire())


@case([], BIG, classes=["residual"], why="Sandler et al. 2018 (MobileNetV2): inverted residuals")
def mobile_net_v2():
    class Inverted(nn.Module):
        def __init__(self, stride=1):
            super().__init__()
            self.stride = stride
            self.layers = nn.Sequential(
                nn.Conv2d(C, 8, 1),
                nn.ReLU6(),
                nn.Conv2d(8, 8, 3, stride, 1, groups=8),
                nn.ReLU6(),
                nn.Conv2d(8, C, 1),
            )

        def forward(self, x):
            return x + self.layers(x) if self.stride == 1 else self.layers(x)

    return classifier(Inverted(), Inverted(2), Inverted(), Inverted(2), Inverted())


@case([], BIG, classes=["residual"], why="Liu et al. 2022 (ConvNeXt): channels last inside blocks")
def conv_next():
    class Next(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(C, C, 7, padding=3, groups=C)
            self.norm, self.a, self.b = nn.LayerNorm(C), nn.Linear(C, 16), nn.Linear(16, C)
            self.gamma = nn.Parameter(torch.ones(C))

        def forward(self, x):
            h = self.norm(self.conv(x).permute(0, 2, 3, 1))
            h = self.gamma * self.b(F.gelu(self.a(h)))
            return x + h.permute(0, 3, 1, 2)

    return classifier(Next(), nn.Conv2d(C, C, 2, 2), Next(), nn.Conv2d(C, C, 2, 2), Next())


@case([], BIG, classes=["residual"], why="Ding et al. 2021 (RepVGG): three ways are added")
def rep_vgg():
    class Rep(nn.Module):
        def __init__(self, stride=1):
            super().__init__()
            self.three, self.one = conv(C, C, 3, stride), conv(C, C, 1, stride)
            self.norm = nn.BatchNorm2d(C) if stride == 1 else None

        def forward(self, x):
            y = self.three(x) + self.one(x)
            return F.relu(y if self.norm is None else y + self.norm(x))

    return classifier(Rep(), Rep(2), Rep(), Rep(2), Rep())


@case(
    [], BIG, why="Gao et al. 2019 (Res2Net): splits are convolved one after the other, and joined"
)
def res2net():
    class Split(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = many(3, lambda: conv(1, 1))

        def forward(self, x):
            first, *rest = x.chunk(4, dim=1)
            found, y = [first], None
            for part, layer in zip(rest, self.convs, strict=True):
                y = layer(part if y is None else part + y)
                found.append(y)
            return x + torch.cat(found, dim=1)

    return classifier(Split(), nn.MaxPool2d(2), Split(), Split())


@case([], BIG, why="Wang et al. 2019 (CSPNet): a part of the channels goes around a stage")
def csp_net():
    class Stage(nn.Module):
        def __init__(self):
            super().__init__()
            self.lower, self.one, self.other = down(), conv(C, 2, 1), conv(C, 2, 1)
            self.blocks, self.out = nn.Sequential(Residual(2, 2), Residual(2, 2)), conv(C, C, 1)

        def forward(self, x):
            x = self.lower(x)
            return self.out(torch.cat([self.blocks(self.one(x)), self.other(x)], dim=1))

    return classifier(Stage(), Stage(), Stage())


@case([], BIG, why="Yu et al. 2017 (DLA): a tree's nodes are joined at one resolution")
def deep_layer_aggregation():
    class Tree(nn.Module):
        def __init__(self):
            super().__init__()
            self.lower, self.a, self.b = down(), Residual(), Residual()
            self.root = nn.Conv2d(3 * C, C, 1)

        def forward(self, x):
            x = self.lower(x)
            a = self.a(x)
            b = self.b(a)
            return self.root(torch.cat([b, a, x], dim=1))

    return classifier(Tree(), Tree())


@case([], BIG, why="Wang et al. 2017 (non-local), with pooled keys: the queries stay at the top")
def non_local_block():
    def body(net, x):
        x = F.relu(net.enter(x))
        q = net.q(x).flatten(2).transpose(1, 2)
        low = F.max_pool2d(x, 2)
        k, v = net.k(low).flatten(2), net.v(low).flatten(2).transpose(1, 2)
        y = ((q @ k).softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        return net.leave(x + net.out(y))

    parts = {name: nn.Conv2d(C, C, 1) for name in ("q", "k", "v", "out")}
    return Net(body, enter=conv(3, C), leave=conv(C, 3), **parts)


@case([], BIG, why="Cao et al. 2019 (GCNet): a global context is added to every position")
def global_context():
    class Context(nn.Module):
        def __init__(self):
            super().__init__()
            self.mask, self.a, self.b = nn.Conv2d(C, 1, 1), nn.Conv2d(C, 2, 1), nn.Conv2d(2, C, 1)

        def forward(self, x):
            weight = self.mask(x).flatten(2).softmax(-1)
            context = (x.flatten(2) @ weight.transpose(1, 2)).unsqueeze(-1)
            return x + self.b(F.relu(self.a(context)))

    return classifier(Context(), down(), Context(), conv(), Context())


@case([], why="high frequencies by `x - up(pool(x))`: a filter, without a layer at the lower")
def unsharp_mask():
    def body(net, x):
        x = net.enter(x)
        high = x - bigger(F.avg_pool2d(x, 2), mode="bilinear")
        return net.leave(x + net.weigh(high))

    return Net(body, enter=conv(3, C), weigh=conv(), leave=conv(C, 3))


@case([], classes=["context"], why="Liu et al. 2018 (CoordConv): coordinates are joined to maps")
def coordinates():
    def body(net, x):
        side = torch.linspace(-1, 1, x.shape[-1], device=x.device)
        grid = torch.stack(torch.meshgrid(side, side, indexing="ij"))[None]
        x = F.relu(net.enter(torch.cat([x, grid], dim=1)))
        x = F.max_pool2d(x, 2)
        side = torch.linspace(-1, 1, x.shape[-1], device=x.device)
        grid = torch.stack(torch.meshgrid(side, side, indexing="ij"))[None]
        return net.leave(torch.cat([x, grid], dim=1))

    return Net(body, enter=conv(5, C), leave=conv(C + 2, C))


# Restoration at one resolution


@case([], classes=["residual"], why="Lim et al. 2017 (EDSR): a long residual at one resolution")
def edsr():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = conv(), conv()

        def forward(self, x):
            return x + 0.1 * self.b(F.relu(self.a(x)))

    def body(net, x):
        x = net.enter(x)
        return net.leave(net.shuffle(net.grow(x + net.body_(x))))

    return Net(
        body,
        enter=conv(3, C),
        body_=nn.Sequential(Plain(), Plain(), conv()),
        grow=conv(C, 4 * C),
        shuffle=nn.PixelShuffle(2),
        leave=conv(C, 3),
    )


@case([], classes=["residual", "dense"], why="Zhang et al. 2018 (RDN): dense blocks, all fused")
def rdn():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense, self.fuse = DenseBlock(C), nn.Conv2d(C + 4, C, 1)

        def forward(self, x):
            return x + self.fuse(self.dense(x))

    def body(net, x):
        first = net.first(x)
        x = net.second(first)
        found = []
        for block in net.blocks:
            x = block(x)
            found.append(x)
        return net.leave(bigger(net.fuse(torch.cat(found, dim=1)) + first))

    return Net(
        body,
        first=conv(3, C),
        second=conv(),
        blocks=many(3, Dense),
        fuse=nn.Conv2d(3 * C, C, 1),
        leave=conv(C, 3),
    )


class Around(nn.Module):
    """RCAN's: a residual around other modules."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


@case(
    [], classes=["residual"], why="Zhang et al. 2018 (RCAN): residuals in residuals in a residual"
)
def rcan():
    def block():
        return Around(conv(), nn.ReLU(), conv(), SqueezeAndExcite())

    def group():
        return Around(block(), block(), conv())

    layers = [conv(3, C), Around(group(), group(), conv()), conv(C, 4 * C), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, conv(C, 3))


@case([], classes=["residual"], why="Zhang et al. 2016 (DnCNN): the noise is taken from the image")
def dncnn():
    return Net(
        lambda net, x: x - net.layers(x),
        layers=nn.Sequential(conv(3, C), nn.ReLU(), conv(), nn.ReLU(), conv(C, 3)),
    )


@case(
    [], (1, 3, 32), why="van den Oord et al. 2016 (WaveNet): the outputs of all layers are summed"
)
def wave_net():
    class Layer(nn.Module):
        def __init__(self, dilation):
            super().__init__()
            self.conv = nn.Conv1d(C, 2 * C, 2, dilation=dilation)
            self.residual, self.skip, self.pad = nn.Conv1d(C, C, 1), nn.Conv1d(C, C, 1), dilation

        def forward(self, x):
            a, b = self.conv(F.pad(x, (self.pad, 0))).chunk(2, dim=1)
            h = torch.tanh(a) * torch.sigmoid(b)
            return x + self.residual(h), self.skip(h)

    def body(net, x):
        x, total = net.enter(x), 0
        for layer in net.layers:
            x, skip = layer(x)
            total = total + skip
        return net.leave(F.relu(total))

    layers = nn.ModuleList(Layer(2**i) for i in range(4))
    return Net(body, enter=nn.Conv1d(3, C, 1), layers=layers, leave=nn.Conv1d(C, 3, 1))


# Autoencoders and generators


@case([], BIG, why="an encoder and a decoder, and nothing beside")
def autoencoder():
    return nn.Sequential(
        *(conv(3, C), nn.ReLU(), down(), nn.ReLU(), down(), nn.ReLU()),
        *(up(), nn.ReLU(), conv(), nn.ReLU(), up(), nn.ReLU(), conv(C, 3)),
    )


@case(
    [], BIG, classes=["residual"], why="an autoencoder of residual blocks: sums at one level each"
)
def autoencoder_of_residual_blocks():
    return nn.Sequential(
        *(conv(3, C), Residual(), Residual(C, C, 2), Residual(C, C, 2), Residual()),
        *(up(), Residual(), up(), Residual(), conv(C, 3)),
    )


@case([], BIG, classes=["residual"], why="Rombach et al. 2022: the first stage has attention below")
def variational_autoencoder():
    class Middle(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn = Attention()

        def forward(self, x):
            y = self.attn(x.flatten(2).transpose(1, 2)).transpose(1, 2)
            return x + y.reshape(x.shape)

    def body(net, x):
        mean, log = net.moments(net.encoder(x)).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log) * torch.randn_like(mean)
        return net.decoder(net.post(z))

    return Net(
        body,
        encoder=nn.Sequential(conv(3, C), Residual(), down(), Residual(), down(), Middle()),
        moments=conv(C, 4),
        post=conv(2, C),
        decoder=nn.Sequential(Middle(), up(), Residual(), up(), Residual(), conv(C, 3)),
    )


@case([], BIG, why="van den Oord et al. 2017 (VQ-VAE): codes pass straight through, at one level")
def quantized_autoencoder():
    def body(net, x):
        z = net.encoder(x)
        tokens = z.permute(0, 2, 3, 1).reshape(-1, C)
        index = torch.cdist(tokens, net.codes).argmin(1)
        q = net.codes[index].reshape(z.shape[0], *z.shape[2:], C).permute(0, 3, 1, 2)
        return net.decoder(z + (q - z).detach())

    return Net(
        body,
        codes=nn.Parameter(torch.zeros(8, C)),
        encoder=nn.Sequential(down(3, C), nn.ReLU(), down()),
        decoder=nn.Sequential(up(), nn.ReLU(), up(C, 3)),
    )


@case(
    [], (2, 8), why="Karras et al. 2020 (StyleGAN2): each level's colours are added on the way up"
)
def generator_with_colours_of_each_level():
    def body(net, z):
        style = net.map(z)
        x = net.const.expand(z.shape[0], -1, -1, -1)
        image = None
        for layer, colours, affine in zip(net.layers, net.colours, net.affine, strict=True):
            x = F.leaky_relu(layer(bigger(x * affine(style)[:, :, None, None])))
            image = colours(x) if image is None else bigger(image) + colours(x)
        return image

    return Net(
        body,
        map=nn.Sequential(nn.Linear(8, 8), nn.ReLU()),
        const=nn.Parameter(torch.zeros(1, C, 4, 4)),
        layers=many(3, conv),
        affine=many(3, lambda: nn.Linear(8, C)),
        colours=many(3, lambda: nn.Conv2d(C, 3, 1)),
    )


@case([], why="van den Oord et al. 2016 (PixelCNN): two stacks, the vertical feeds the horizontal")
def pixel_cnn():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.vertical, self.horizontal = conv(C, 2 * C), conv(C, 2 * C)
            self.across, self.out = nn.Conv2d(2 * C, 2 * C, 1), nn.Conv2d(C, C, 1)

        def forward(self, v, h):
            def gate(x):
                a, b = x.chunk(2, dim=1)
                return torch.tanh(a) * torch.sigmoid(b)

            down = self.vertical(v)
            return gate(down), h + self.out(gate(self.horizontal(h) + self.across(down)))

    def body(net, x):
        v = h = net.enter(x)
        for layer in net.layers:
            v, h = layer(v, h)
        return net.leave(F.relu(h))

    return Net(body, enter=conv(3, C), layers=many(3, Gated), leave=conv(C, 3))


@case([], BIG, why="Dinh et al. 2017, Kingma & Dhariwal 2018: halves are coupled, and joined again")
def normalizing_flow():
    class Coupling(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.net = nn.Sequential(conv(channels // 2, 8), nn.ReLU(), conv(8, channels))

        def forward(self, x):
            a, b = x.chunk(2, dim=1)
            shift, scale = self.net(a).chunk(2, dim=1)
            return torch.cat([a, (b + shift) * torch.sigmoid(scale)], dim=1)

    def body(net, x):
        found = []
        for flow in net.flows:
            x = flow(F.pixel_unshuffle(x, 2))
            kept, x = x.chunk(2, dim=1)
            found.append(kept)
        return found, x

    return Net(body, flows=nn.ModuleList([Coupling(12), Coupling(24)]))


# Recurrent


@case(
    [],
    (1, 3, 16, 16),
    (1, C, 16, 16),
    classes=["context"],
    why="Teed & Deng 2020 (RAFT): a ConvGRU mixes the state with its update, at one resolution",
)
def gru_update():
    def body(net, x, h):
        x = net.enter(x)
        for _ in range(3):
            both = torch.cat([h, x], dim=1)
            z, r = torch.sigmoid(net.z(both)), torch.sigmoid(net.r(both))
            q = torch.tanh(net.q(torch.cat([r * h, x], dim=1)))
            h = (1 - z) * h + z * q
        return net.leave(h)

    wide = {name: conv(2 * C, C) for name in ("z", "r", "q")}
    return Net(body, enter=conv(3, C), leave=conv(C, 3), **wide)


@case([], (2, 5, 3, 8, 8), why="Shi et al. 2015 (ConvLSTM): cells go on from frame to frame")
def conv_lstm():
    def body(net, x):
        h = c = x.new_zeros(x.shape[0], C, *x.shape[3:])
        for frame in x.unbind(1):
            i, f, o, g = net.gates(torch.cat([net.enter(frame), h], dim=1)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return net.leave(h)

    return Net(body, enter=conv(3, C), gates=conv(2 * C, 4 * C), leave=conv(C, 3))


# Transformers


@case([], classes=["residual", "context"], why="Dosovitskiy et al. 2020 (ViT): a class token")
def vit():
    def body(net, x):
        x = net.enter(x)
        x = torch.cat([net.token.expand(x.shape[0], -1, -1), x], dim=1) + net.pos
        return net.leave(net.norm(net.blocks(x))[:, 0])

    return Net(
        body,
        enter=Tokens(16),
        token=nn.Parameter(torch.zeros(1, 1, C)),
        pos=nn.Parameter(torch.zeros(1, 17, C)),
        blocks=nn.Sequential(Block(), Block(), Block()),
        norm=nn.LayerNorm(C),
        leave=nn.Linear(C, 10),
    )


@case([], classes=["residual", "context"], why="Darcet et al. 2023: registers come and go")
def vit_with_registers_in_one_block():
    def body(net, x):
        x = net.blocks[0](net.enter(x))
        both = torch.cat([x, net.registers.expand(x.shape[0], -1, -1)], dim=1)
        x = net.blocks[1](both)[:, : x.shape[1]]
        return net.leave(net.blocks[2](x).mean(1))

    return Net(
        body,
        enter=Tokens(16),
        registers=nn.Parameter(torch.zeros(1, 4, C)),
        blocks=many(3, Block),
        leave=nn.Linear(C, 10),
    )


@case(
    [], classes=["residual"], why="Tolstikhin et al. 2021 (MLP-Mixer): a linear layer over tokens"
)
def mlp_mixer():
    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.tokens = nn.Sequential(nn.Linear(16, 4), nn.GELU(), nn.Linear(4, 16))
            self.channels = nn.Sequential(nn.Linear(C, 16), nn.GELU(), nn.Linear(16, C))

        def forward(self, x):
            x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.norm2(x))

    return nn.Sequential(Tokens(16), Mixer(), Mixer(), Mixer(), nn.Linear(C, 10))


@case([], classes=["residual"], why="Wang et al. 2021 (PVT): keys and values of a coarser map")
def attention_with_reduced_keys():
    class Reduced(nn.Module):
        def __init__(self, side):
            super().__init__()
            self.side, self.lower, self.attn = side, nn.Conv2d(C, C, 2, 2), Attention()
            self.norm, self.mlp = nn.LayerNorm(C), nn.Linear(C, C)

        def forward(self, x):
            h = self.norm(x)
            low = self.lower(h.transpose(1, 2).unflatten(2, (self.side, self.side)))
            x = x + self.attn(h, low.flatten(2).transpose(1, 2))
            return x + self.mlp(x)

    def body(net, x):
        x = net.first(net.enter(x)).transpose(1, 2).unflatten(2, (4, 4))
        return net.second(net.lower(x).flatten(2).transpose(1, 2))

    return Net(body, enter=Tokens(16), first=Reduced(4), lower=down(), second=Reduced(2))


@case([], classes=["residual"], why="Lee-Thorp et al. 2021 (FNet): tokens are mixed by Fourier")
def fourier_mixing():
    class Fourier(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.mlp = nn.LayerNorm(C), nn.Linear(C, C)

        def forward(self, x):
            x = x + torch.fft.fft2(self.norm(x)).real
            return x + self.mlp(x)

    return nn.Sequential(Tokens(16), Fourier(), Fourier(), nn.Linear(C, 10))


@case([], classes=["residual"], why="Jaegle et al. 2021 (Perceiver IO): few latents, then queries")
def perceiver():
    def body(net, x):
        x = net.enter(x)
        latents = net.latents.expand(x.shape[0], -1, -1)
        latents = latents + net.read(latents, x)
        latents = net.blocks(latents)
        return net.leave(net.write(net.queries.expand(x.shape[0], -1, -1), latents))

    return Net(
        body,
        enter=Tokens(16),
        latents=nn.Parameter(torch.zeros(1, 4, C)),
        queries=nn.Parameter(torch.zeros(1, 16, C)),
        read=Attention(),
        write=Attention(),
        blocks=nn.Sequential(Block(), Block()),
        leave=nn.Linear(C, 3),
    )


@case([], classes=["residual"], why="Liang et al. 2021 (SwinIR): a long residual at one resolution")
def swin_ir():
    def body(net, x):
        x = net.enter(x)
        h = net.blocks(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)
        return net.leave(net.after(h) + x)

    blocks = nn.Sequential(Block(), Block())
    return Net(body, enter=conv(3, C), blocks=blocks, after=conv(), leave=conv(C, 3))


@case(
    [],
    (1, 3, 16, 16),
    (1, 2),
    classes=["residual", "embedding"],
    why="diffusion at one resolution: ResNets with the time added",
)
def diffusion_without_levels():
    def body(net, x, time):
        x, time = net.enter(x), net.time(time)
        for block in net.blocks:
            x = block(x, time)
        return net.leave(x)

    return Net(
        body,
        enter=conv(3, C),
        time=nn.Linear(2, C),
        blocks=many(3, ResNet),
        leave=conv(C, 3),
    )


@case([], why="two towers: vectors of two encoders are put side by side")
def two_encoders():
    def body(net, x):
        a = net.a(x).mean((2, 3))
        b = net.b(x).mean((2, 3))
        return torch.cat([a, b, a * b, (a - b).abs()], dim=1)

    encoder = [nn.Sequential(down(3, C), nn.ReLU(), down()) for _ in range(2)]
    return Net(body, a=encoder[0], b=encoder[1])


# U's whose short ways are not joined


def u_of(join):
    return u_with(lambda net, skip, x, level: skip, join, dec=many(2, conv))


@case([], classes=["other"], why="the larger of both is taken: neither a concatenation nor a sum")
def maxima_of_skip_and_decoder():
    return u_of(torch.maximum)


@case([], classes=["other"], why="the product of both is taken: neither a concatenation nor a sum")
def products_of_skip_and_decoder():
    return u_of(lambda x, skip: x * skip)


@case([], classes=["other"], why="a mask chooses between both: neither a concatenation nor a sum")
def choices_of_skip_and_decoder():
    return u_of(lambda x, skip: torch.where(x > 0, x, skip))


@case(
    in_root("fuse.0", "enter"),
    classes=["branches"],
    why="an input pyramid: the image, pooled, joins each level of the encoder on its own way down",
)
def u_net_with_an_input_pyramid():
    net = two_levels(down, up, enter=conv(3, C))

    def body(net, x):
        image, x = x, net.enter(x)
        held = []
        for index, layer in enumerate(net.down):
            held.append(x)
            image = F.avg_pool2d(image, 2)
            x = net.fuse[index](joined(layer(x), net.see[index](image)))
        x = net.mid(x)
        for layer, after in zip(net.up, net.mix, strict=True):
            x = after(joined(layer(x), held.pop()))
        return net.leave(x)

    net.body, net.see = body, many(2, lambda: conv(3, C))
    net.fuse = many(2, lambda: conv(2 * C, C))
    return net


@case(
    None,
    why="one concatenation of a tensor with what was made of it, at one resolution: dense, or a "
    "long skip",
)
def one_concatenation_at_one_resolution():
    def body(net, x):
        x = net.enter(x)
        return net.leave(joined(net.block(x), x))

    return Net(body, enter=conv(3, C), block=doubled(), leave=conv(2 * C, 3))


@case(
    None,
    why="`held = [a, b, a]`: a tensor pushed twice, popped twice, with another between; the flow "
    "shows no pushes, only when tensors were made",
)
def pushes_that_the_flow_cannot_show():
    def body(net, x):
        a = net.enter(x)
        b = net.down(a)
        held = [a, b, a]
        x = net.up(net.mid(net.down2(b)))
        for layer in net.dec:
            x = layer(joined(x, F.interpolate(held.pop(), size=x.shape[2:])))
        return x

    return Net(
        body,
        enter=conv(3, C),
        down=down(),
        down2=down(),
        mid=conv(),
        up=up(),
        dec=nn.ModuleList(conv(2 * C, C) for _ in range(3)),
    )


@case([], BIG, classes=["residual"], why="Song et al. 2021 (NCSN++'s resamplers): both ways stride")
def residual_blocks_that_resample():
    class Resampling(nn.Module):
        def __init__(self, change):
            super().__init__()
            self.change, self.a, self.b = change, conv(), conv()

        def forward(self, x):
            h = self.b(F.silu(self.change(self.a(F.silu(x)))))
            return (self.change(x) + h) / 2**0.5

    def lower(x):
        return F.avg_pool2d(x, 2)

    return nn.Sequential(
        conv(3, C), Resampling(lower), Resampling(lower), Resampling(bigger), Resampling(bigger)
    )


@case([], (1, 3, 32, 32), why="patches of one image are cut, convolved and put back side by side")
def tiles():
    def body(net, x):
        x = net.enter(x)
        rows = [torch.cat([net.tile(t) for t in row.chunk(2, 3)], dim=3) for row in x.chunk(2, 2)]
        return net.leave(torch.cat(rows, dim=2))

    return Net(body, enter=conv(3, C), tile=conv(), leave=conv(C, 3))


@case([], (1, 3, 32, 32), why="heads at several resolutions, which are returned and never joined")
def heads_of_several_levels():
    def body(net, x):
        a = net.a(x)
        b = net.b(a)
        c = net.c(b)
        return [head(y).flatten(2) for head, y in zip(net.heads, (a, b, c), strict=True)]

    return Net(body, a=down(3, C), b=Residual(C, C, 2), c=Residual(C, C, 2), heads=many(3, conv))


@case(
    [],
    (1, 3, 32, 32),
    why="Liu et al. 2016 (SSD): predictions of several resolutions are listed one after the other",
)
def predictions_listed():
    def body(net, x):
        a = net.a(x)
        b = net.b(a)
        c = net.c(b)
        return torch.cat(
            [
                head(y).flatten(2).transpose(1, 2)
                for head, y in zip(net.heads, (a, b, c), strict=True)
            ],
            dim=1,
        )

    return Net(body, a=down(3, C), b=down(), c=down(), heads=many(3, conv))


@case([], (1, 3, 32, 32), why="channels last all along, without a U")
def linear_stages():
    return nn.Sequential(Patches(4), nn.Linear(C, 8), nn.GELU(), nn.Linear(8, C), nn.LayerNorm(C))
