"""What inputs are said to be, and the legends below tables."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import unetscope
from unetscope.render import Style, render
from unetscope.sources import Request, resolve
from unetscope.views.overview import inputs_and_output
from unetscope.views.skips import ledger
from unetscope.views.view import View


def meanings(trace):
    (table,) = inputs_and_output(View.of(trace))
    return {row["name"]: row.get("meaning") for row in map(table.record, table.rows)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sd15", ["noisy-latent", "time-step", "text-tokens", "prediction"]),
        ("article_002", ["noisy-latent", "text-tokens", "embedded-time-step", "prediction"]),
        ("article_003", ["noisy-latent", "time-step", "prediction"]),
        ("ddpm_cifar10_32", ["noisy-image", "time-step", "prediction"]),
        ("iddpm_imagenet64_cond", ["noisy-image", "time-step", "class-label", "prediction"]),
        ("if_II_L", ["noisy-sample", "time-step", "second-time-step", "text-tokens", "prediction"]),
        ("sd15_inpaint", ["noisy-latent-and-more", "time-step", "text-tokens", "prediction"]),
    ],
)  # fmt: skip
def test_known_networks(name, expected):
    assert list(meanings(resolve(Request(name)).trace()).values()) == expected


class Timed(nn.Module):
    """Takes a `t` that is no step of denoising: it only scales."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x, t):
        return self.conv(x) * t[:, None, None, None]


def test_of_code_that_nobody_knows_nothing_is_said():
    traced = unetscope.trace(Timed(), torch.zeros(1, 4, 8, 8), torch.zeros(1))
    assert set(meanings(traced).values()) == {None}


def test_widths_and_languages(unetscope):
    english = unetscope("trace", "sdxl_base", "--sections", "io")
    assert "the text's tokens: 77, each 2048 wide" in english.out
    chinese = unetscope("trace", "sdxl_base", "--sections", "io", "--lang", "zh").out
    assert "77 个 token，每个 2048 维" in chinese
    assert "text's" not in chinese


@pytest.mark.parametrize(
    ("command", "has", "lacks"),
    [
        (["params", "sd15", "--by", "type"], ["X: ", "GSC: "], []),
        (["params", "article_003", "--by", "type"], ["X: "], ["GSC: "]),
        (["params", "sd15", "--by", "block"], [], ["X: ", "GSC: ", "Merge block: "]),
        (["params", "sd15", "--by", "mbw"], ["Merge block: "], []),
        (["flops", "article_003", "--by", "op"], [], ["Core: "]),
        (["flops", "sd15", "--by", "op"], ["Core: "], []),
        (["skips", "article_003"], ["Held: ", "Calls between: "], ["On the way: "]),
        (["skips", "article_003", "--all-joins"], ["skip: from", "embedding: "], ["context: "]),
        (["memory", "article_003", "--sections", "peak"], ["Held: "], []),
    ],
)
def test_legends_of_what_occurs(unetscope, command, has, lacks):
    out = unetscope(*command, "-f", "markdown").out.replace("**", "").replace("`", "")
    assert [text for text in has if text not in out] == []
    assert [text for text in lacks if text in out] == []


def test_a_column_that_is_left_out_has_no_legend():
    tables = ledger(View.of(resolve(Request("article_003")).trace()))
    assert "Calls between: " in render(tables, "terminal", Style(width=200))
    narrow = render(tables, "terminal", Style(width=50))
    assert "left out" in narrow
    assert "Calls between: " not in narrow
