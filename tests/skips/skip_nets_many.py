"""Several skips a level, nested and densely joined ones, pyramids, and networks in a row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from skip_case import (
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
from skip_nets_u import Small
from torch import nn

# Several a level


def several(each, join, *, wide=C):
    """Two levels of `each` blocks: every block pushes, then each downsampling does not."""

    def body(net, x):
        x = net.enter(x)
        held = []
        for level in range(2):
            for block in net.down[level]:
                x = block(x)
                held.append(x)
            x = net.lower[level](x)
        x = net.mid(x)
        for level in (1, 0):
            x = net.higher[level](x)
            for block in net.up[level]:
                x = block(join(x, held.pop()))
        return net.leave(x)

    return Net(
        body,
        enter=conv(3, C),
        down=many(2, lambda: many(each, conv)),
        lower=many(2, down),
        mid=conv(),
        higher=many(2, up),
        up=many(2, lambda: many(each, lambda: conv(wide, C))),
        leave=conv(C, 3),
    )


def blocks(each):
    return in_root(*(f"down.{level}.{i}" for level in (1, 0) for i in reversed(range(each))))


for _name, _each, _join, _wide in (
    ("concatenations", 2, joined, 2 * C),
    ("concatenations", 3, joined, 2 * C),
    ("sums", 2, lambda x, skip: x + skip, C),
    ("sums", 3, lambda x, skip: x + skip, C),
    ("lerps", 2, lambda x, skip: torch.lerp(x, skip, 0.3), C),
    ("lerps", 3, lambda x, skip: torch.lerp(skip, x, 0.3), C),
    ("weighted sums", 2, lambda x, skip: 0.7 * x + 0.3 * skip, C),
    ("sums in place", 2, lambda x, skip: x.add_(skip), C),
    ("differences", 2, lambda x, skip: x - skip, C),
    ("means of stacks", 2, lambda x, skip: torch.stack([x, skip]).mean(0), C),
    ("sums of stacks", 3, lambda x, skip: torch.stack([x, skip], dim=1).sum(1), C),
):

    def _build(each=_each, join=_join, wide=_wide):
        return several(each, join, wide=wide)

    _build.__name__ = f"{_each} {_name} a level"
    case(blocks(_each), why="each block's result is pushed, and popped in reverse")(_build)


@case(
    blocks(2),
    classes=["residual"],
    why="residual blocks on both sides of two additive skips a level",
)
def two_sums_a_level_with_residual_blocks():
    net = several(2, lambda x, skip: x + skip)
    net.down = many(2, lambda: many(2, Residual))
    net.up = many(2, lambda: many(2, Residual))
    return net


@case(
    in_root("lower.0", "down.0.0", "enter"),
    why="as in DDPM (2020): what enters, each block and each downsampler push; all are popped",
)
def entry_blocks_and_downsamplers_push():
    def body(net, x):
        held = [net.enter(x)]
        held.append(net.down[0][0](held[-1]))
        held.append(net.lower[0](held[-1]))
        x = net.mid(held[-1])
        x = net.up[1][0](joined(x, held.pop()))
        x = net.higher[0](x)
        x = net.up[0][0](joined(x, held.pop()))
        return net.up[0][1](joined(x, held.pop()))

    return Net(
        body,
        enter=conv(3, C),
        down=many(1, lambda: many(1, conv)),
        lower=many(1, down),
        mid=conv(),
        higher=many(1, up),
        up=many(2, lambda: many(2, lambda: conv(2 * C, C))),
    )


@case(
    in_root("enc.1", "enc.0"),
    why="Chaurasia & Culurciello 2017 (LinkNet): an encoder's block is added to a decoder's",
    classes=["residual"],
)
def link_net():
    def decoder():
        return nn.Sequential(nn.Conv2d(C, 2, 1), nn.ReLU(), up(2, 2), nn.ReLU(), nn.Conv2d(2, C, 1))

    def body(net, x):
        x = F.max_pool2d(net.stem(x), 2)
        a = net.enc[0](x)
        b = net.enc[1](a)
        c = net.enc[2](b)
        x = net.dec[0](c) + b
        x = net.dec[1](x) + a
        return net.leave(bigger(net.dec[2](x)))

    return Net(
        body,
        stem=conv(3, C),
        enc=nn.ModuleList([Residual(), Residual(C, C, 2), Residual(C, C, 2)]),
        dec=many(2, decoder).append(nn.Sequential(conv(), nn.ReLU())),
        leave=conv(C, 3),
    )


# Nested modules


class SkipConnection(nn.Module):
    """MONAI's: the input is joined to what the submodule makes of it."""

    def __init__(self, inner, mode="cat"):
        super().__init__()
        self.submodule, self.mode = inner, mode

    def forward(self, x):
        y = self.submodule(x)
        return torch.cat([x, y], dim=1) if self.mode == "cat" else x + y


def nested(mode):
    wide = 2 if mode == "cat" else 1
    inner = nn.Sequential(down(), conv(), up())
    middle = nn.Sequential(down(), SkipConnection(inner, mode), up(wide * C, C))
    return nn.Sequential(conv(3, C), SkipConnection(middle, mode), conv(wide * C, 3))


@case([("1.submodule.0", "1.submodule.1"), ("0", "1")], why="MONAI's recursive U-Net: one a level")
def nested_skip_connections():
    return nested("cat")


@case(
    [("1.submodule.0", "1.submodule.1"), ("0", "1")],
    why="MONAI's `SkipConnection(mode='add')`: its input is what was pushed, and no residual",
)
def nested_skip_connections_that_add():
    return nested("add")


class Pix2Pix(nn.Module):
    """Isola et al. 2017, `UnetSkipConnectionBlock`; a LeakyReLU begins it, in place or not."""

    def __init__(self, outer, inner, sub=None, outermost=False, in_place=False):
        super().__init__()
        wide = inner if sub is None else 2 * inner
        lower, higher = nn.Conv2d(3 if outermost else outer, inner, 4, 2, 1), nn.ReLU()
        raised = nn.ConvTranspose2d(wide, outer, 4, 2, 1)
        first = [] if outermost else [nn.LeakyReLU(0.2, in_place)]
        middle = [] if sub is None else [sub]
        last = [nn.Tanh()] if outermost else [nn.BatchNorm2d(outer)]
        self.model = nn.Sequential(*first, lower, *middle, higher, raised, *last)
        self.outermost = outermost

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def pix2pix(in_place):
    block = Pix2Pix(C, C, in_place=in_place)
    block = Pix2Pix(C, C, block, in_place=in_place)
    return Pix2Pix(3, C, block, outermost=True)


@case(
    [("model.1.model.1", "model.1.model.2"), ("model.0", "model.1")],
    why="Isola et al. 2017: each block's input is joined to its output, but for the outermost",
)
def pix2pix_recursive():
    return pix2pix(in_place=False)


@case(
    [("model.1.model.2.model.0", "model.1.model.2"), ("model.1.model.0", "model.1")],
    why="Isola et al. 2017 as published: the LeakyReLU works in place, so its result is joined",
)
def pix2pix_recursive_in_place():
    return pix2pix(in_place=True)


class Hourglass(nn.Module):
    """Newell et al. 2016: a residual beside, and the same at half the resolution within."""

    def __init__(self, depth):
        super().__init__()
        self.beside, self.first, self.last = Residual(), Residual(), Residual()
        self.inner = Hourglass(depth - 1) if depth > 1 else Residual()

    def forward(self, x):
        low = self.last(self.inner(self.first(F.max_pool2d(x, 2))))
        return self.beside(x) + bigger(low)


@case(
    [("hourglass.first", "hourglass.inner"), ("enter", "hourglass")],
    through={"enter": ["hourglass.beside"], "hourglass.first": ["hourglass.inner.beside"]},
    classes=["residual"],
    why="Newell et al. 2016: each level's branch beside is its skip",
)
def hourglass():
    return Net(
        lambda net, x: net.leave(net.hourglass(net.enter(x))),
        enter=conv(3, C),
        hourglass=Hourglass(2),
        leave=conv(C, 3),
    )


@case(
    [("enter", "first"), ("mid", "second")],
    why="Newell et al. 2016: two hourglasses of one level; predictions go back at one resolution",
    classes=["residual"],
)
def stacked_hourglasses():
    def body(net, x):
        x = net.enter(x)
        features = net.mid(net.first(x))
        prediction = net.predict(features)
        features = net.second(features)
        return prediction, net.leave(features)

    return Net(
        body,
        enter=conv(3, C),
        first=Hourglass(1),
        mid=conv(),
        predict=conv(C, 3),
        second=Hourglass(1),
        leave=conv(C, 3),
    )


@case(
    None,
    why="between stacked hourglasses the input is added to what the first made of it: an expert "
    "calls that sum a residual, but it has the form of an additive skip",
)
def stacked_hourglasses_with_residuals_around():
    def body(net, x):
        x = net.enter(x)
        x = x + net.back(net.first(x))
        return net.leave(net.second(x))

    return Net(
        body,
        enter=conv(3, C),
        first=Hourglass(1),
        back=conv(),
        second=Hourglass(1),
        leave=conv(C, 3),
    )


# Densely joined


def plus_plus(depth):
    def body(net, x):
        nodes = {}
        for i in range(depth + 1):
            x = net.get_submodule(f"n{i}0")(F.max_pool2d(x, 2) if i else x)
            nodes[i, 0] = x
        for j in range(1, depth + 1):
            for i in range(depth + 1 - j):
                level = [nodes[i, k] for k in range(j)]
                below = bigger(nodes[i + 1, j - 1], mode="bilinear")
                nodes[i, j] = net.get_submodule(f"n{i}{j}")(joined(*level, below))
        return net.leave(nodes[0, depth])

    parts = {
        f"n{i}{j}": conv(3 if i + j == 0 else C * max(1, j + 1), C)
        for i in range(depth + 1)
        for j in range(depth + 1 - i)
    }
    return Net(body, **parts, leave=conv(C, 3))


def edges(depth):
    return in_root(
        *(f"n{i}{k}" for j in range(1, depth + 1) for i in range(depth + 1 - j) for k in range(j))
    )


for _depth, _count in ((2, 4), (3, 10), (4, 20)):

    def _build(depth=_depth):
        return plus_plus(depth)

    _build.__name__ = f"u net plus plus of depth {_depth}"
    assert len(edges(_depth)) == _count
    case(
        edges(_depth),
        (1, 3, 32, 32),
        lifo=False,
        why=f"Zhou et al. 2018: node (i, j) joins the j before it on its level: {_count} edges",
    )(_build)


class Full(nn.Module):
    """A decoder's node of UNet3+: each scale goes through a convolution of its own."""

    def __init__(self, sources):
        super().__init__()
        self.convs, self.fuse = many(sources, conv), conv(sources * C, C)

    def forward(self, *maps):
        return self.fuse(torch.cat([c(x) for c, x in zip(self.convs, maps, strict=True)], dim=1))


def three_plus(levels):
    def body(net, x):
        encoder = []
        for index, enc in enumerate(net.enc):
            x = enc(F.max_pool2d(x, 2) if index else x)
            encoder.append(x)
        made = {levels - 1: x}
        for i in reversed(range(levels - 1)):
            maps = [F.max_pool2d(encoder[k], 2 ** (i - k)) for k in range(i)] + [encoder[i]]
            maps += [bigger(made[k], 2 ** (k - i), "bilinear") for k in range(i + 1, levels)]
            made[i] = net.dec[levels - 2 - i](*maps)
        return net.leave(made[0])

    return Net(
        body,
        enc=nn.ModuleList([conv(3, C), *many(levels - 1, conv)]),
        dec=nn.ModuleList(Full(levels) for _ in range(levels - 1)),
        leave=conv(C, 3),
    )


def three_plus_edges(levels):
    found = []
    for node, i in enumerate(reversed(range(levels - 1))):
        above = [f"enc.{k}" for k in range(i + 1)]
        # From the next decoder below comes the way up; from deeper ones come skips.
        deeper = [f"dec.{levels - 2 - k}" for k in range(i + 2, levels - 1)]
        deeper += [f"enc.{levels - 1}"] if i + 1 < levels - 1 else []
        found += [(name, f"dec.{node}") for name in (*above, *deeper)]
    return found


for _levels, _encoder, _decoder in ((3, 3, 1), (4, 6, 3), (5, 10, 6)):

    def _build(levels=_levels):
        return three_plus(levels)

    _build.__name__ = f"u net 3 plus of {_levels} levels"
    assert len(three_plus_edges(_levels)) == _encoder + _decoder
    case(
        three_plus_edges(_levels),
        (1, 3, 64, 64),
        lifo=False,
        why=f"Huang et al. 2020: {_encoder} edges from the encoder, {_decoder} from deeper nodes",
    )(_build)


# Pyramids


def pyramid(body, **more):
    """A backbone of four levels whose parts are `c2` … `c5`, and what reads it."""
    levels = {"c2": Residual(3, C, 2), **{f"c{i}": Residual(C, C, 2) for i in (3, 4, 5)}}

    def whole(net, x):
        maps = []
        for name in ("c2", "c3", "c4", "c5"):
            x = net.get_submodule(name)(x)
            maps.append(x)
        return body(net, *maps)

    return Net(whole, **levels, **more)


THREE = in_root("c4", "c3", "c2")
BIG = (1, 3, 64, 64)


def lateral():
    return nn.ModuleList(nn.Conv2d(C, C, 1) for _ in range(4))


@case(
    THREE,
    BIG,
    through={"c4": ["lateral.2"], "c3": ["lateral.1"], "c2": ["lateral.0"]},
    classes=["residual"],
    why="Lin et al. 2017 (FPN): laterals added to the nearest-upsampled level above",
)
def fpn():
    def body(net, *maps):
        p = net.lateral[3](maps[3])
        found = [net.out[3](p)]
        for i in (2, 1, 0):
            p = net.lateral[i](maps[i]) + bigger(p)
            found.append(net.out[i](p))
        return found

    return pyramid(body, lateral=lateral(), out=many(4, conv))


@case(
    THREE,
    BIG,
    why="conv-mixed pyramid: laterals are concatenated, then convolved (YOLOv3's neck)",
    through={"c3": ["lateral.1"]},
)
def pyramid_mixed_by_convolutions():
    def body(net, *maps):
        p = net.lateral[3](maps[3])
        found = [p]
        for i in (2, 1, 0):
            p = net.mix[i](joined(net.lateral[i](maps[i]), bigger(p)))
            found.append(p)
        return found

    return pyramid(body, lateral=lateral(), mix=nn.ModuleList(conv(2 * C, C) for _ in range(3)))


@case(
    THREE,
    BIG,
    why="Kirillov et al. 2019 (panoptic FPN): the levels, brought to one size, are then added: "
    "branches of one pyramid, none comes back from below another's way",
)
def fpn_for_segmentation():
    def body(net, *maps):
        p = net.lateral[3](maps[3])
        levels = [net.seg[3](p)]
        for i in (2, 1, 0):
            p = net.lateral[i](maps[i]) + bigger(p)
            levels.append(net.seg[i](p))
        size = levels[-1].shape[2:]
        return net.leave(sum(F.interpolate(level, size=size) for level in levels))

    return pyramid(body, lateral=lateral(), seg=many(4, conv), leave=conv())


@case(
    THREE,
    BIG,
    lifo=True,
    why="Liu et al. 2018 (PANet): three skips top-down; on the way back, at each level's own "
    "resolution, nothing comes up from below, so those sums are residual",
    classes=["residual"],
)
def panet():
    def body(net, *maps):
        p = [net.lateral[3](maps[3])]
        for i in (2, 1, 0):
            p.insert(0, net.lateral[i](maps[i]) + bigger(p[0]))
        n = [p[0]]
        for i in (1, 2, 3):
            n.append(net.out[i - 1](net.lower[i - 1](n[-1]) + p[i]))
        return n

    return pyramid(body, lateral=lateral(), lower=many(3, down), out=many(3, conv))


@case(
    in_root("c4", "c3"),
    BIG,
    why="YOLOv5's neck: two concatenations top-down; those bottom-up join nothing from below",
    classes=["dense"],
)
def yolo_neck():
    def body(net, _, c3, c4, c5):
        a = net.reduce5(c5)
        b = net.reduce4(net.mix4(joined(bigger(a), c4)))
        p3 = net.mix3(joined(bigger(b), c3))
        p4 = net.back4(joined(net.lower3(p3), b))
        return p3, p4, net.back5(joined(net.lower4(p4), a))

    wide = ("mix4", "mix3", "back4", "back5")
    return pyramid(
        body,
        reduce5=conv(C, C, 1),
        reduce4=conv(C, C, 1),
        lower3=down(),
        lower4=down(),
        **{name: conv(2 * C, C) for name in wide},
    )


@case(
    None,
    BIG,
    why="Tan et al. 2020 (BiFPN): the edge from a level's input to its last node has the form of "
    "UNet++'s, but an expert would call it a residual of the level: undecidable",
)
def bifpn():
    def body(net, *maps):
        p = [lat(x) for lat, x in zip(net.lateral, maps, strict=True)]
        td = {3: p[3]}
        for i in (2, 1, 0):
            td[i] = net.td[i](0.5 * p[i] + 0.5 * bigger(td[i + 1]))
        out = [td[0]]
        for i in (1, 2):
            out.append(net.out[i](p[i] + td[i] + F.max_pool2d(out[-1], 2)))
        return [*out, net.out[3](p[3] + F.max_pool2d(out[-1], 2))]

    return pyramid(body, lateral=lateral(), td=many(3, conv), out=many(4, conv))


class ASPP(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv2d(C, C, 1), *(nn.Conv2d(C, C, 3, padding=r, dilation=r) for r in (2, 4))]
        )
        self.pooled, self.out = nn.Conv2d(C, C, 1), nn.Conv2d(4 * C, C, 1)

    def forward(self, x):
        pooled = F.interpolate(self.pooled(F.adaptive_avg_pool2d(x, 1)), size=x.shape[2:])
        return self.out(torch.cat([*(conv(x) for conv in self.convs), pooled], dim=1))


@case(
    in_root("c2"),
    BIG,
    through={"c2": ["reduce"]},
    classes=["residual", "branches"],
    why="Chen et al. 2018 (DeepLabV3+): low-level features, reduced, join the upsampled ASPP",
)
def deeplab_v3_plus():
    def body(net, c2, _c3, _c4, c5):
        high = bigger(net.aspp(c5), 8, "bilinear")
        return net.leave(joined(net.reduce(c2), high))

    return pyramid(body, aspp=ASPP(), reduce=conv(C, 2, 1), leave=conv(C + 2, 3))


@case([], BIG, classes=["branches"], why="Chen et al. 2017 (DeepLabV3): ASPP's rates are branches")
def deeplab_v3():
    return pyramid(
        lambda net, _2, _3, _4, c5: bigger(net.leave(net.aspp(c5)), 16, "bilinear"),
        aspp=ASPP(),
        leave=conv(C, 3),
    )


@case(
    [],
    BIG,
    classes=["branches"],
    why="Zhao et al. 2017 (PSPNet): pooled ways beside one map are branches of it",
)
def pspnet():
    def body(net, _2, c3, _4, _5):
        size = c3.shape[2:]
        pooled = [
            F.interpolate(net.convs[i](F.adaptive_avg_pool2d(c3, bins)), size=size)
            for i, bins in enumerate((1, 2, 4))
        ]
        return net.leave(joined(c3, *pooled))

    return pyramid(
        body,
        convs=nn.ModuleList(nn.Conv2d(C, 2, 1) for _ in range(3)),
        leave=conv(C + 6, 3),
    )


@case(
    THREE[:2],
    BIG,
    through={"c4": ["score.1"], "c3": ["score.0"]},
    why="Long et al. 2015 (FCN-8s): scores of two shallower levels are added on the way up",
)
def fcn_8s():
    def body(net, _, c3, c4, c5):
        x = net.up[0](net.score[2](c5)) + net.score[1](c4)
        x = net.up[1](x) + net.score[0](c3)
        return bigger(x, 4, "bilinear")

    return pyramid(
        body,
        score=nn.ModuleList(nn.Conv2d(C, 3, 1) for _ in range(3)),
        up=nn.ModuleList(up(3, 3) for _ in range(2)),
    )


@case(
    in_root("c2", "c3", "c4"),
    BIG,
    lifo=None,
    why="Xie et al. 2021 (SegFormer's head): all levels meet at the first's size; each but the "
    "deepest met a longer way that had been lower. By the definition three, in one join",
)
def all_levels_in_one_join():
    def body(net, *maps):
        size = maps[0].shape[2:]
        found = [lat(x) for lat, x in zip(net.lateral, maps, strict=True)]
        return net.leave(joined(*(F.interpolate(x, size=size) for x in found)))

    return pyramid(body, lateral=lateral(), leave=conv(4 * C, 3))


@case(
    THREE,
    BIG,
    classes=["residual"],
    why="Lin et al. 2017 (RefineNet): each level is adapted, then added to the coarser one",
)
def refine_net():
    def body(net, *maps):
        x = net.adapt[3](maps[3])
        for i in (2, 1, 0):
            x = net.a[i](net.adapt[i](maps[i])) + bigger(net.b[i](x), mode="bilinear")
        return net.leave(x)

    return pyramid(
        body, adapt=many(4, Residual), a=many(3, conv), b=many(3, conv), leave=conv(C, 3)
    )


@case(
    in_root("learn"),
    why="Poudel et al. 2019 (Fast-SCNN): `a skip connection` from what the down-sampler learned",
    through={"learn": ["high"]},
)
def fast_scnn():
    def body(net, x):
        x = net.learn(x)
        low = net.deep(x)
        return net.leave(F.relu(net.high(x) + net.low(bigger(low, 4, "bilinear"))))

    return Net(
        body,
        learn=nn.Sequential(down(3, C), nn.ReLU()),
        deep=nn.Sequential(down(), nn.ReLU(), down(), nn.ReLU()),
        high=nn.Conv2d(C, C, 1),
        low=conv(),
        leave=conv(C, 3),
    )


@case(
    None,
    why="Yu et al. 2018 (BiSeNet): a spatial and a context path from the image, of equal standing "
    "to its authors; by the flow one of them comes back up, the other did not go down",
)
def two_paths():
    def body(net, x):
        spatial, context = net.spatial(x), net.context(x)
        return net.leave(joined(spatial, bigger(context, 2, "bilinear")))

    return Net(
        body,
        spatial=nn.Sequential(down(3, C), nn.ReLU()),
        context=nn.Sequential(down(3, C), nn.ReLU(), down()),
        leave=conv(2 * C, 3),
    )


class Exchange(nn.Module):
    """HRNet's: each of two resolutions takes in the other."""

    def __init__(self):
        super().__init__()
        self.high, self.low = Residual(), Residual()
        self.lower, self.raise_ = down(), nn.Conv2d(C, C, 1)

    def forward(self, high, low):
        high, low = self.high(high), self.low(low)
        return F.relu(high + bigger(self.raise_(low))), F.relu(low + self.lower(high))


@case(
    [],
    (1, 3, 32, 32),
    classes=["branches"],
    why="Wang et al. 2019 (HRNet): resolutions are kept in parallel and exchanged",
)
def hrnet():
    def body(net, x):
        x = net.enter(x)
        high, low = net.first(x), net.lower(x)
        for stage in net.stages:
            high, low = stage(high, low)
        return net.leave(joined(high, bigger(low)))

    return Net(
        body,
        enter=conv(3, C),
        first=conv(),
        lower=down(),
        stages=many(2, Exchange),
        leave=conv(2 * C, 3),
    )


class Octave(nn.Module):
    def __init__(self):
        super().__init__()
        self.hh, self.hl, self.lh, self.ll = many(4, conv)

    def forward(self, high, low):
        out = self.hh(high) + bigger(self.lh(low))
        return F.relu(out), F.relu(self.ll(low) + self.hl(F.avg_pool2d(high, 2)))


@case(
    [],
    classes=["branches"],
    why="Chen et al. 2019 (octave convolution): two frequencies exchange all along",
)
def octave_convolutions():
    def body(net, x):
        x = net.enter(x)
        high, low = x, net.lower(F.avg_pool2d(x, 2))
        for layer in net.layers:
            high, low = layer(high, low)
        return net.leave(F.adaptive_avg_pool2d(high, 1) + F.adaptive_avg_pool2d(low, 1))

    return Net(body, enter=conv(3, C), lower=conv(), layers=many(2, Octave), leave=conv(C, 3, 1))


# In a row, and side by side


@case(
    in_root("enc.1", "enc.0", "enc.1", "enc2.1", "enc.0", "enc2.0"),
    lifo=False,
    why="Jha et al. 2020 (DoubleU-Net): the second decoder joins both encoders' features",
)
def double_u_net():
    def body(net, x):
        def coded(encoder, x):
            a = encoder[0](x)
            return a, encoder[1](F.max_pool2d(a, 2))

        a, b = coded(net.enc, x)
        y = net.dec[1](joined(net.ups[1](net.mid(F.max_pool2d(b, 2))), b))
        mask = torch.sigmoid(net.out(net.dec[0](joined(net.ups[0](y), a))))
        a2, b2 = coded(net.enc2, net.image(x) * mask)
        y = net.dec2[1](joined(net.ups2[1](net.mid2(F.max_pool2d(b2, 2))), b, b2))
        return net.dec2[0](joined(net.ups2[0](y), a, a2))

    return Net(
        body,
        enc=nn.ModuleList([doubled(3, C), doubled()]),
        enc2=nn.ModuleList([doubled(3, C), doubled()]),
        image=nn.Conv2d(3, 3, 1),
        mid=conv(),
        mid2=conv(),
        out=conv(C, 3),
        ups=many(2, up),
        ups2=many(2, up),
        dec=nn.ModuleList(conv(2 * C, C) for _ in range(2)),
        dec2=nn.ModuleList(conv(3 * C, C) for _ in range(2)),
    )


@case(
    in_root("enc.1", "enc.1", "enc.0", "enc.0"),
    (1, 3, 16, 16),
    (1, 3, 16, 16),
    lifo=None,
    why="Daudt et al. 2018 (FC-Siam-conc), with both bottoms joined: one encoder is run on two "
    "images, and both its features of each level are joined",
)
def siamese_concatenated():
    def body(net, one, other):
        held = []
        low = []
        for x in (one, other):
            a = net.enc[0](x)
            b = net.enc[1](F.max_pool2d(a, 2))
            held.append((a, b))
            low.append(F.max_pool2d(b, 2))
        x = net.mid(joined(*low))
        x = net.dec[1](joined(net.ups[1](x), held[0][1], held[1][1]))
        return net.dec[0](joined(net.ups[0](x), held[0][0], held[1][0]))

    return Net(
        body,
        enc=nn.ModuleList([doubled(3, C), doubled()]),
        mid=conv(2 * C, C),
        ups=many(2, up),
        dec=nn.ModuleList(conv(3 * C, C) for _ in range(2)),
    )


@case(
    None,
    (1, 3, 16, 16),
    (1, 3, 16, 16),
    why="Daudt et al. 2018 (FC-Siam-diff): |a - b| is joined; whether a, b or the difference was "
    "pushed, and how often, is a matter of words",
)
def siamese_differences():
    def body(net, one, other):
        a, b = net.enc(one), net.enc(other)
        low = net.mid(F.max_pool2d(a, 2) - F.max_pool2d(b, 2))
        return net.dec(joined(net.up(low), (a - b).abs()))

    return Net(body, enc=doubled(3, C), mid=conv(), up=up(), dec=conv(2 * C, C))


@case(
    [("unet.down", "unet"), ("unet.enter", "unet")],
    classes=["residual"],
    why="the network predicts what to add to its input: that sum is a residual, no third skip",
)
def a_residual_around_a_whole_u_net():
    return Net(lambda net, x: x + net.unet(x), unet=Small())


@case(
    [("unet.down", "unet"), ("unet.enter", "unet")],
    why="Karras et al. 2022 (EDM): `c_skip * x + c_out * F(c_in * x)` preconditions a network; "
    "what is pushed and popped stands in F",
)
def preconditioned_u_net():
    return Net(lambda net, x: 0.3 * x + 0.7 * net.unet(0.5 * x), unet=Small())


@case(
    in_root("F.max_pool2d", "x"),
    why="Lehtinen et al. 2018 (Noise2Noise): the image itself is concatenated at the last join; "
    "before that what was pooled from the first features",
)
def the_image_itself_is_joined():
    def body(net, x):
        a = F.max_pool2d(net.enter(x), 2)
        y = net.second(a)
        low = net.up(net.mid(F.max_pool2d(y, 2)))
        y = net.first(joined(low, a))
        return net.last(joined(net.up2(y), x))

    return Net(
        body,
        enter=conv(3, C),
        second=conv(),
        mid=conv(),
        up=up(),
        up2=up(),
        first=conv(2 * C, C),
        last=conv(C + 3, 3),
    )


@case(
    None,
    why="Qin et al. 2020 (U²-Net): its blocks add their input to a U of it. An expert calls that "
    "a residual; the flow is that of an additive skip outside of two others",
)
def residual_u_block():
    def body(net, x):
        x = net.enter(x)
        a = net.a(x)
        b = net.b(F.max_pool2d(a, 2))
        return x + net.out(joined(a, bigger(b)))

    return Net(body, enter=conv(3, C), a=conv(), b=conv(), out=conv(2 * C, C))


@case(None, why="`h + up(conv(pool(h)))` is a U of one level, or a residual with a coarse branch")
def one_additive_level():
    def body(net, x):
        x = net.enter(x)
        return x + bigger(net.conv(F.max_pool2d(x, 2)))

    return Net(body, enter=conv(3, C), conv=conv())


@case(
    None,
    (1, 3, 32, 32),
    why="Razavi et al. 2019 (VQ-VAE-2): the top code conditions the bottom one by a U's skip, and "
    "both codes then meet, which an expert would call branches and the flow a second skip",
)
def hierarchical_codes():
    def body(net, x):
        bottom = net.enter(x)
        top = net.quantize_top(net.lower(bottom))
        bottom = net.quantize_bottom(joined(net.raise_(top), bottom))
        return net.leave(joined(net.raise2(top), bottom))

    return Net(
        body,
        enter=down(3, C),
        lower=down(),
        quantize_top=conv(),
        raise_=up(),
        quantize_bottom=conv(2 * C, C),
        raise2=up(),
        leave=up(2 * C, 3),
    )


@case(
    None,
    (1, 3, 32, 32),
    why="Wang et al. 2018 (pix2pixHD): a coarse network's features are added inside a finer one, "
    "both from the image: two networks, or one skip of the image",
)
def coarse_to_fine():
    def body(net, x):
        coarse = net.coarse(F.avg_pool2d(x, 2))
        return net.leave(net.enter(x) + coarse)

    return Net(
        body,
        coarse=nn.Sequential(down(3, C), nn.ReLU(), up()),
        enter=down(3, C),
        leave=up(C, 3),
    )


@case(
    None,
    why="Valanarasu et al. 2020 (KiU-Net's Ki-Net): its long way goes to higher resolutions and "
    "comes back down, which the definition has no word for",
)
def overcomplete_branch():
    def body(net, x):
        a = F.relu(bigger(net.a(x)))
        b = F.relu(bigger(net.b(a)))
        y = F.max_pool2d(net.c(b), 2) + a
        return F.max_pool2d(net.d(y), 2)

    return Net(body, a=conv(3, C), b=conv(), c=conv(), d=conv())
