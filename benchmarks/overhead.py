"""Tracing against the plain forward pass in one process, on the meta device.

    python benchmarks/overhead.py [--repeat 7] [--largest 50000]

The first table is the time of `unetscope.trace(model, x)` over that of `model(x)`, medians of
rounds in which both run in turn: for a network whose functions all have shape rules, which never
reach torch's kernels, and for one of functions without any. The second is how the time of a trace
grows with the number of modules.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

import unetscope


class Covered(nn.Module):
    """Convolutions, norms and activations beside a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.GroupNorm(4, 16), nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """One residual block."""
        return x + self.conv(torch.nn.functional.silu(self.norm(x)))


class Uncovered(nn.Module):
    """Functions without a shape rule beside a layer without one."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(16), nn.ConvTranspose2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The same number of calls."""
        return x * torch.hardshrink(self.conv(torch.cumsum(self.norm(x), dim=1)))


class Net(nn.Module):
    """Blocks on both sides of one skip."""

    def __init__(self, block: Callable[[], nn.Module], modules: int) -> None:
        super().__init__()
        each = len(list(block().modules()))
        half = max(1, modules // (2 * each))
        self.down = nn.ModuleList(block() for _ in range(half))
        self.up = nn.ModuleList(block() for _ in range(half))
        self.enter, self.leave = nn.Conv2d(3, 16, 1), nn.Conv2d(32, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Join the two ends."""
        x = skip = self.enter(x)
        for block in (*self.down, *self.up):
            x = block(x)
        return self.leave(torch.cat([x, skip], dim=1))


def build(block: Callable[[], nn.Module], modules: int) -> tuple[nn.Module, Tensor]:
    """A network in eval mode and its input."""
    with torch.device("meta"):
        return Net(block, modules).eval(), torch.empty(1, 3, 32, 32)


def seconds(action: Callable[..., object], *args: object) -> float:
    """Wall time of one call."""
    gc.collect()
    began = time.perf_counter()
    action(*args)
    return time.perf_counter() - began


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--largest", type=int, default=50_000)
    options = parser.parse_args()
    print(f"{'':12}{'forward ms':>12}{'trace ms':>12}{'ratio':>8}{'bound':>8}")
    for block, bound in ((Covered, 1.0), (Uncovered, 1.5)):
        model, x = build(block, 600)
        pairs = [
            (seconds(model, x), seconds(unetscope.trace, model, x))
            for _ in range(options.repeat + 1)
        ][1:]  # the first imports and warms
        plain, traced = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        name = block.__name__.lower()
        print(f"{name:12}{1e3 * plain:12.1f}{1e3 * traced:12.1f}{ratio:8.2f}{bound:8.1f}")
    print(f"\n{'modules':>12}{'trace s':>12}{'us each':>12}{'10x cost':>12}{'bound':>8}")
    known: dict[int, float] = {}
    for modules in (50, 500, 5_000, 50_000):
        if modules > options.largest:
            break
        model, x = build(Covered, modules)
        repeats = max(1, min(options.repeat, 20_000 // modules))
        known[modules] = statistics.median(
            seconds(unetscope.trace, model, x) for _ in range(repeats)
        )
        before = known.get(modules // 10)
        growth = f"{known[modules] / before:12.1f}{12:8}" if before else ""
        each = 1e6 * known[modules] / modules
        print(f"{modules:12,}{known[modules]:12.3f}{each:12.1f}{growth}")


if __name__ == "__main__":
    main()
