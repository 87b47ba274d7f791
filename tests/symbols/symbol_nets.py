"""Small networks whose dims follow those of their inputs in ways that UNets know."""

import torch
from torch import nn
from torch.nn import functional as F

C = 8
SIDE = 12


class Padded(nn.Module):
    """A kernel of 4, an even padding, a stride: `H+1`."""

    def __init__(self):
        super().__init__()
        self.enter, self.down = nn.Conv2d(3, C, 4, padding=2), nn.Conv2d(C, C, 5, 2, padding=1)
        self.again = nn.Conv2d(C, C, 5, 2, padding=1)

    def forward(self, x):
        return self.again(self.down(self.enter(x)))


class Rounding(nn.Module):
    """Pooling that rounds down, then pooling that rounds up."""

    def forward(self, x):
        down, up = F.max_pool2d(x, 2), F.max_pool2d(x, 2, ceil_mode=True)
        return F.max_pool2d(down, 2), F.max_pool2d(up, 2, ceil_mode=True)


class AsManyChannels(nn.Module):
    """Channels that happen to be as many as rows, and twice as many."""

    def __init__(self):
        super().__init__()
        self.conv, self.wide = nn.Conv2d(3, SIDE, 1), nn.Conv2d(SIDE, 2 * SIDE, 1)

    def forward(self, x):
        return self.wide(self.conv(x)).flatten(2)


class ClassToken(nn.Module):
    """Patches and a class token (ViT)."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, C, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, C))

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1)
        return tokens.flatten(0, 1)


class Joint(nn.Module):
    """A text's tokens and a null token behind those of an image."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, C, 2, 2)
        self.config = {"cross_attention_dim": C}
        self.null = nn.Parameter(torch.zeros(1, 1, C))

    def forward(self, x, context):
        image = self.patches(x).flatten(2).transpose(1, 2)
        text = torch.cat([context, self.null.expand(len(x), -1, -1)], 1)
        both = torch.cat([image, text], 1)
        return both @ both.transpose(1, 2), both.flatten(0, 1)


class Windows(nn.Module):
    """Padding to a multiple of the window, and one batch of all windows (Swin)."""

    def forward(self, x):
        b, c, h, w = x.shape
        x = F.pad(x, (0, -w % 7, 0, -h % 7))
        rows, columns = x.shape[-2] // 7, x.shape[-1] // 7
        x = x.view(b, c, rows, 7, columns, 7)
        return x.permute(0, 2, 4, 3, 5, 1).reshape(-1, 49, c)


class PaddedWhereNeeded(Windows):
    """The same, but for sizes that need no padding, which run without that function."""

    def forward(self, x):
        if x.shape[-1] % 7 or x.shape[-2] % 7:
            return super().forward(x)
        b, c, h, w = x.shape
        return x.view(b, c, h // 7, 7, w // 7, 7).permute(0, 2, 4, 3, 5, 1).reshape(-1, 49, c)


class Halved(nn.Module):
    """A skip that only even sizes fit."""

    def forward(self, x):
        return x + F.interpolate(F.max_pool2d(x, 4), scale_factor=4)


class FixedPositions(nn.Module):
    """A learned position for each pixel or each patch."""

    def __init__(self, patch=1):
        super().__init__()
        self.patches = nn.Conv2d(3, C, patch, patch)
        self.positions = nn.Parameter(torch.zeros(1, C, SIDE // patch, SIDE // patch))

    def forward(self, x):
        return self.patches(x) + self.positions


class FewPositions(nn.Module):
    """Learned positions, of which a shorter text takes the first."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, C, 1)
        self.config = {"cross_attention_dim": C}
        self.positions = nn.Parameter(torch.zeros(77, C))

    def forward(self, x, context):
        return self.conv(x), context + self.positions[: context.shape[1]]


class Deciding(nn.Module):
    """Other functions at other heights."""

    def forward(self, x):
        return F.relu(x) if x.shape[-2] == SIDE else x * 2


class Unfolded(nn.Module):
    """Overlapping windows, which no dim counts alone."""

    def __init__(self, kernel=3, stride=2):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        return F.unfold(x, self.kernel, stride=self.stride, padding=1)


class Largest(nn.Module):
    """A dim that is the larger one of two sizes, and one that never exceeds a bound."""

    def forward(self, x):
        side = max(x.shape[-2:])
        return x.new_zeros(side, min(x.shape[-1], 50))


class Square(nn.Module):
    """A transposed image is added, so that both sides must be equal."""

    def forward(self, x):
        return x + x.transpose(-1, -2)


class Video(nn.Module):
    """Frames as a batch, then positions as a batch, as of `(B, C, F, H, W)`."""

    def __init__(self, channels=3):
        super().__init__()
        self.space, self.time = nn.Conv2d(channels, C, 3, 2, padding=1), nn.Conv1d(C, C, 3)

    def forward(self, x, t):
        b, c, f, h, w = x.shape
        x = self.space(x.transpose(1, 2).reshape(b * f, c, h, w))
        h, w = x.shape[-2:]
        x = x.view(b, f, C, h, w).permute(0, 3, 4, 2, 1).reshape(b * h * w, C, f)
        return self.time(x), t


class FramesFirst(Video):
    """`(B, F, C, H, W)`."""

    def forward(self, x, t):
        return super().forward(x.transpose(1, 2), t)


class Signal(nn.Module):
    """A convolution over time without padding."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, C, 9, 4)

    def forward(self, x):
        return self.conv(x)


class Hinted(nn.Module):
    """A hint in pixels beside a latent."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, 8)

    def forward(self, latent, hint):
        return latent + self.conv(hint)


class Apart(nn.Module):
    """Two images that never meet."""

    def forward(self, x, y):
        return F.pad(x, (1, 1, 1, 1)), F.relu(y)


class Numbers(nn.Module):
    """Numbers of tokens and a mask."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 16)

    def forward(self, ids, mask):
        return self.embed(ids) * mask[..., None]
