"""Networks as people write them: no blocks of diffusers', and what makes counting hard."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def double(given: int, made: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, padding=padding),
        nn.ReLU(),
        nn.Conv2d(made, made, 3, padding=padding),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """The first U-Net, whose convolutions have no padding unless told, over three levels."""

    def __init__(self, padding: int = 0, given: int = 1):
        super().__init__()
        self.downs = nn.ModuleList([double(given, 8, padding), double(8, 16, padding)])
        self.bottom = double(16, 32, padding)
        self.grow = nn.ModuleList(
            [nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)]
        )
        self.ups = nn.ModuleList([double(32, 16, padding), double(16, 8, padding)])
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        stack = []
        for down in self.downs:
            x = down(x)
            stack.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for grow, up in zip(self.grow, self.ups, strict=True):
            x, skip = grow(x), stack.pop()
            edge = (skip.shape[-1] - x.shape[-1]) // 2
            if edge:
                skip = skip[..., edge:-edge, edge:-edge]
            x = up(torch.cat([skip, x], 1))
        return self.head(x)


class Small(nn.Module):
    """A UNet of two levels, as U2-Net has for a block."""

    def __init__(self, given: int, made: int):
        super().__init__()
        self.a = nn.Conv2d(given, made, 3, padding=1)
        self.b = nn.Conv2d(made, made, 3, padding=1)
        self.c = nn.Conv2d(made, made, 3, padding=1)
        self.d = nn.Conv2d(2 * made, made, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.b(self.a(x))
        low = self.c(F.max_pool2d(x, 2))
        return self.d(torch.cat([x, F.interpolate(low, scale_factor=2)], 1))


class Nested(nn.Module):
    """A UNet whose blocks are UNets."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = Small(3, 8), Small(8, 16), Small(16, 16)
        self.fourth, self.fifth = Small(32, 8), Small(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        high = self.first(x)
        middle = self.second(F.max_pool2d(high, 2))
        x = F.interpolate(self.third(F.max_pool2d(middle, 2)), scale_factor=2)
        x = F.interpolate(self.fourth(torch.cat([x, middle], 1)), scale_factor=2)
        return self.fifth(torch.cat([x, high], 1))


class Row(nn.Module):
    """Two UNets one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = UNet(1), UNet(1, given=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x))


class Awkward(nn.Module):
    """Functions in the root's own body, a module called twice and one never, a standardised weight.

    Its linear layer's weight is read a second time as it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(8, 3, 3, 3))
        self.place = nn.Parameter(torch.zeros(1, 8, 1, 1))
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.idle = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU())
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        x = self.shared(F.conv2d(x, weight, padding=1) + self.place)
        x = self.shared(F.avg_pool2d(x, 2))
        tokens = x.flatten(2).transpose(1, 2)
        tokens = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return self.head(tokens.mean(1)) @ self.head.weight


class Timed(nn.Module):
    """Shortcuts around layers, in the root's own body, are pushed; each level takes the time."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(1, 8), nn.SiLU(), nn.Linear(8, 8))
        self.enter = nn.Conv2d(3, 8, 3, padding=1)
        self.layers = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1) for _ in range(2)])
        self.down = nn.ModuleList([nn.Conv2d(8, 8, 2, 2) for _ in range(2)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 8, 2, 2) for _ in range(2)])
        self.mix = nn.ModuleList([nn.Conv2d(16, 8, 1) for _ in range(2)])
        self.bottom = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        time = self.time(time)[:, :, None, None]
        x, stack = self.enter(x), []
        for layer, down in zip(self.layers, self.down, strict=True):
            x = layer(x + time) + x
            stack.append(x)
            x = down(x)
        x = self.bottom(x)
        for up, mix in zip(self.up, self.mix, strict=True):
            x = mix(torch.cat([up(x), stack.pop()], 1))
        return x


class Auto(nn.Module):
    """Down and up again without a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1))
        self.up = nn.Sequential(nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 3, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))


class Plain(nn.Module):
    """Down and never up again: a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1)
        )
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


class Wrapped(nn.Module):
    """Another network inside, beside a layer."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner, self.scale = inner, nn.Parameter(torch.ones(1))

    def forward(self, *inputs: Tensor) -> Tensor:
        found = self.inner(*inputs)
        return (found if isinstance(found, Tensor) else found.sample) * self.scale


IMAGE = (1, 3, 32, 32)
NETS = {
    "valid": (UNet, [(1, 1, 76, 76)]),
    "padded": (lambda: UNet(1), [(1, 1, 32, 32)]),
    "nested": (Nested, [IMAGE]),
    "row": (Row, [(1, 1, 32, 32)]),
    "awkward": (Awkward, [IMAGE]),
    "timed": (Timed, [IMAGE, (1, 1)]),
    "auto": (Auto, [IMAGE]),
    "plain": (Plain, [IMAGE]),
    "wrapped": (lambda: Wrapped(Timed()), [IMAGE, (1, 1)]),
}
"""Each network, and the shapes of its inputs."""
