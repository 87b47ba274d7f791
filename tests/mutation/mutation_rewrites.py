"""The rewrites of `rewrites.yaml` in their place: sources of a small network, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

TEMPLATE = """
import math
import torch
import torch.nn.functional as F
from torch import nn

{top}

def inputs(draw):
    t = torch.tensor([3, 40])
    return {{"x": draw(2, 8, 6, 10), "e": draw(2, 8), "tokens": draw(2, 5, 8), "t": t}}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.GroupNorm(2, 8)
        self.layer_norm = nn.LayerNorm(8)
        self.linear = nn.Linear(8, 8)
        self.wide = nn.Linear(8, 24)
        self.leave = nn.Conv2d(16, 8, 1)
        self.gain = nn.Parameter(torch.ones(8))
{init}

{methods}

    def forward(self, x, e, tokens, t):
        h = x * 0.5
{body}
        return self.leave(torch.cat([h, x], dim=1))
"""
"""A body makes another `h` of the shape of `x`."""
_DEEP = {"top": 0, "init": 8, "methods": 4, "body": 8}

Sides = tuple[str, str]


def rewrites() -> dict[str, dict[str, Sides]]:
    """By group and name the source before and after each rewrite."""
    data = yaml.safe_load(Path(__file__).with_name("rewrites.yaml").read_text(encoding="utf-8"))
    return {
        group: {name: (_source(pair["old"]), _source(pair["new"])) for name, pair in pairs.items()}
        for group, pairs in data.items()
    }


def spellings() -> Iterator[tuple[str, Sides]]:
    """Those that say the same in other words."""
    for group, pairs in rewrites().items():
        if group != "algebra":
            yield from ((f"{group}: {name}", sides) for name, sides in pairs.items())


def algebra() -> Iterator[tuple[str, Sides]]:
    """Those that compute the same by other functions."""
    yield from rewrites()["algebra"].items()


def _source(side: Any) -> str:
    given = {"body": side} if isinstance(side, str) else side
    parts = {key: indent(given.get(key, ""), " " * deep) for key, deep in _DEEP.items()}
    return TEMPLATE.format(**parts)
