"""The article's rewriting of Stable Diffusion 1.5, against its comments and against diffusers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from unetscope.config import load
from unetscope.errors import ConfigError
from unetscope.families import build
from unetscope.record import Trace
from unetscope.sources import Request, resolve
from unetscope.tracing import devices

# Channels and the divisor of the image's height and width, as the article's comments state them:
# what goes into an entry, and what each of its layers makes.
ENCODERS = [
    "4/8 320/8",
    "320/8 320/8 320/8",
    "320/8 320/8 320/8",
    "320/8 320/16",
    "320/16 640/16 640/16",
    "640/16 640/16 640/16",
    "640/16 640/32",
    "640/32 1280/32 1280/32",
    "1280/32 1280/32 1280/32",
    "1280/32 1280/64",
    "1280/64 1280/64",
    "1280/64 1280/64",
]
BOTTLENECK = "1280/64 1280/64 1280/64 1280/64"
DECODERS = [
    "2560/64 1280/64",
    "2560/64 1280/64",
    "2560/64 1280/64 1280/32",
    "2560/32 1280/32 1280/32",
    "2560/32 1280/32 1280/32",
    "1920/32 1280/32 1280/32 1280/16",
    "1920/16 640/16 640/16",
    "1280/16 640/16 640/16",
    "960/16 640/16 640/16 640/8",
    "960/8 320/8 320/8",
    "640/8 320/8 320/8",
    "640/8 320/8 320/8",
]
COMMENTS = {
    **{f"unet.encoders.{index}": line for index, line in enumerate(ENCODERS)},
    "unet.bottleneck": BOTTLENECK,
    **{f"unet.decoders.{index}": line for index, line in enumerate(DECODERS)},
}


def shape(text):
    channels, divisor = text.split("/")
    return ["B", int(channels), f"H/{divisor}", f"W/{divisor}"]


@pytest.fixture(scope="module")
def traced() -> Trace:
    return resolve(Request("article_002")).trace()


@pytest.mark.parametrize(("bias", "total"), [("false", 859_520_964), ("true", 859_595_844)])
def test_parameters(bias, total):
    spec = load("article_002", overrides=[f"attention_in_proj_bias={bias}"])
    network = devices.build(lambda: build(spec.family, spec.unet), "meta", "float32")
    assert sum(parameter.numel() for parameter in network.parameters()) == total


def test_it_is_stable_diffusion_but_for_names(traced, sd15):
    def tensors(trace):
        return Counter(t.spec.shape for module in trace.modules for t in module.parameters)

    assert tensors(traced) == tensors(sd15)


def test_each_layers_shapes_are_those_of_the_comments(data):
    rows = data("trace", "article_002", "--depth", "3", "--symbolic")["calls"]["rows"]
    shapes = {row["path"]: (row["input_shapes"][0], row["output_shapes"][0]) for row in rows}
    for entry, line in COMMENTS.items():
        stated = [shape(text) for text in line.split()]
        layers = [path for path in shapes if re.fullmatch(rf"{re.escape(entry)}\.\d+", path)]
        assert shapes[entry] == (stated[0], stated[-1])
        assert [shapes[path] for path in layers] == list(pairwise(stated))
    assert {entry for entry in shapes if entry.count(".") == 2} | {"unet.bottleneck"} == {
        *COMMENTS,
        *(f"unet.bottleneck.{index}" for index in range(3)),
    }
    assert shapes["unet"] == (shape("4/8"), shape("320/8"))
    assert shapes["final"] == (shape("320/8"), shape("4/8"))
    assert shapes["time_embedding"] == ([1, 320], [1, 1280])


def test_twelve_pushes_and_twelve_pops(data):
    ledger = data("trace", "article_002", "--symbolic", "--sections", "ledger")["ledger"]
    assert (ledger["pushed"], ledger["popped"], ledger["last_in_first_out"]) == (12, 12, True)
    for pop, row in enumerate(ledger["rows"]):
        push = 11 - pop
        assert (row["producer"], row["consumer"]) == (
            f"unet.encoders.{push}",
            f"unet.decoders.{pop}",
        )


def test_parts(data):
    found = data("trace", "article_002", "--symbolic")
    parts = {row["part"]: row for row in found["parts"]["rows"]}
    assert [row["modules"][-1] for row in parts.values()] == [
        "unet.encoders.0",
        "unet.encoders.11",
        "unet.bottleneck",
        "unet.decoders.11",
        "final",
        "time_embedding",
    ]
    assert parts["decoder"]["input_shape"] == shape("1280/64")
    rows = found["decoder"]["rows"]
    assert [row["channels_before"] for row in rows] == [1280] * 7 + [640] * 3 + [320] * 2
    assert all(row["skips_joined"] for row in rows)
    assert found["residuals"]["total"] == 12
    (steps,) = found["steps"]
    assert [row["operation"] for row in steps["rows"]] == [
        name for index in range(12) for name in ("torch.cat", f"unet.decoders.{index}")
    ]


def test_parameters_beside_the_blocks_have_a_part_too(data):
    rows = data("params", "article_002", "--by", "part")["parameters"]["rows"]
    found = {row["part"]: row["parameters"] for row in rows}
    assert (found["time_embedding"], found["exit"]) == (2_050_560, 12_164)
    assert "other" not in found


def test_merge_blocks_are_those_of_stable_diffusion(data):
    def sizes(config):
        rows = data("params", config, "--by", "mbw")["parameters"]["rows"]
        return [(row["merge_block"], row["parameters"]) for row in rows]

    assert sizes("article_002") == sizes("sd15")


NARROW = ("channels=32", "n_head=4", "d_context=12")


def diffusers_in_the_articles_order(unet):
    """The ResNets, transformers and resamplers of diffusers' network, as the article lists them."""
    down = [unet.conv_in]
    for block in unet.down_blocks:
        for index, resnet in enumerate(block.resnets):
            down += [resnet, *getattr(block, "attentions", [])[index : index + 1]]
        down += [sampler.conv for sampler in block.downsamplers or []]
    middle = [unet.mid_block.resnets[0], unet.mid_block.attentions[0], unet.mid_block.resnets[1]]
    up = []
    for block in unet.up_blocks:
        for index, resnet in enumerate(block.resnets):
            up += [resnet, *getattr(block, "attentions", [])[index : index + 1]]
        up += [sampler.conv for sampler in block.upsamplers or []]
    return [unet.time_embedding, *down, *middle, *up, unet.conv_norm_out, unet.conv_out]


def test_equal_weights_give_diffusers_numbers():
    torch.manual_seed(0)
    spec = load("article_002", overrides=NARROW)
    ours = build(spec.family, spec.unet).eval()
    theirs = UNet2DConditionModel(
        block_out_channels=(32, 64, 128, 128), attention_head_dim=4, cross_attention_dim=12
    ).eval()
    for module in theirs.modules():
        if isinstance(module, nn.GroupNorm):
            module.eps = 1e-5  # diffusers has 1e-6 before transformers; the article has one eps
    given = [p for part in diffusers_in_the_articles_order(theirs) for p in part.parameters()]
    with torch.no_grad():
        for parameter, value in zip(ours.parameters(), given, strict=True):
            parameter.copy_(value)
        latent, context = torch.randn(2, 4, 16, 24), torch.randn(2, 5, 12)
        time = theirs.time_proj(torch.tensor([500]))
        expected = theirs(latent, 500, context).sample
        torch.testing.assert_close(ours(latent, context, time), expected, rtol=1e-4, atol=1e-5)


def test_meta_is_cpu():
    request = Request("article_002", NARROW, height=16, width=24, tokens=5)
    on_meta, on_cpu = (
        resolve(replace(request, device=device)).trace() for device in ("meta", "cpu")
    )
    assert replace(on_meta, provenance=None) == replace(on_cpu, provenance=None)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("n_head=7", "unet.n_head: expected a divisor of the first level's 320 channels, found 7"),
        ("channels=48", "unet.channels: expected a multiple of the norms' 32 groups, found 48"),
    ],
)
def test_refused(override, said):
    with pytest.raises(ConfigError) as refusal:
        load("article_002", overrides=[override])
    assert refusal.value.message == said


def test_a_latent_must_be_halved_three_times():
    with pytest.raises(ConfigError, match="cannot take a sample of 60x64") as refusal:
        load("article_002", height=60)
    assert refusal.value.hint == "the nearest that work are 56x64 and 64x64"
