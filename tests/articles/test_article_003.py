"""The small UNet that an article teaches: mended, its numbers; as written, its two faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unetscope.config import load
from unetscope.config.document import parse
from unetscope.config.loading import findings
from unetscope.errors import ConfigError
from unetscope.families import build
from unetscope.families.article_003 import SimpleUNetConfig
from unetscope.sources import Request, resolve

AS_WRITTEN = Path(__file__).parents[1] / "configs" / "article_003_as_written.yaml"


def test_the_share_of_each_part(data):
    table = data("params", "article_003", "--by", "part")["parameters"]
    found = {row["part"]: (row["parameters"], round(row["share"], 3)) for row in table["rows"]}
    assert found == {
        "time_embedding": (82_432, 0.058),
        "encoder": (503_752, 0.354),
        "middle": (328_576, 0.231),
        "decoder": (509_440, 0.358),
        "exit": (260, 0.0),
    }
    assert sum(parameters for parameters, _ in found.values()) == 1_424_460


def test_the_tables(data):
    found = data("trace", "article_003")
    assert found["model"]["parameters"] == 1_424_460
    assert {row["part"]: row["modules"] for row in found["parts"]["rows"]} == {
        "encoder": ["down1", "down2"],
        "middle": ["bottleneck"],
        "decoder": ["up1", "up2"],
        "exit": ["out"],
        "time_embedding": ["time_embed"],
    }
    # The drawing has three downsamplings, down to 8 x 8.
    rows = found["encoder"]["rows"]
    assert [(row["size_before"], row["size_after"]) for row in rows] == [
        ([64, 64], [32, 32]),
        ([32, 32], [16, 16]),
    ]
    skips = [(row["push"], row["producer"], row["consumer"]) for row in found["ledger"]["rows"]]
    assert skips == [(1, "down2.res", "up1.res"), (0, "down1.res", "up2.res")]
    assert found["residuals"]["total"] == 2  # the sample itself is none
    joins = [row for table in found["steps"] for row in table["rows"]]
    assert [row["output_shape"][1] for row in joins if row["operation"] == "torch.cat"] == [
        192,
        128,
    ]


class Reference:
    """The article's mended network as functions of its tensors, by name."""

    def __init__(self, tensors):
        self.tensors = tensors

    def layer(self, function, name, x, **settings):
        return function(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], **settings)

    def norm(self, name, x, groups):
        normed = F.group_norm(x, groups)
        scale, shift = (self.tensors[f"{name}.{end}"] for end in ("weight", "bias"))
        return normed * scale[:, None, None] + shift[:, None, None]

    def res(self, name, x, time, groups=8):
        h = self.norm(f"{name}.norm1", x, groups).relu()
        h = self.layer(F.conv2d, f"{name}.conv1", h, padding=1)
        h = h + self.layer(F.linear, f"{name}.time_mlp", time)[..., None, None]
        h = self.norm(f"{name}.norm2", h, 8).relu()
        h = self.layer(F.conv2d, f"{name}.conv2", h, padding=1)
        if f"{name}.skip.weight" in self.tensors:
            x = self.layer(F.conv2d, f"{name}.skip", x)
        return h + x

    def attend(self, name, x):
        q, k, v = self.layer(F.conv2d, f"{name}.qkv", self.norm(f"{name}.norm", x, 8)).chunk(3, 1)
        weights = torch.einsum("bchw,bcij->bhwij", q, k) / q.shape[1] ** 0.5
        weights = weights.flatten(3).softmax(-1).view_as(weights)
        read = torch.einsum("bhwij,bcij->bchw", weights, v)
        return x + self.layer(F.conv2d, f"{name}.out", read)

    def __call__(self, x, t):
        half = self.tensors["time_embed.mlp.0.weight"].shape[1] // 2
        angles = t[:, None] * 10_000.0 ** (-torch.arange(half) / (half - 1))
        time = self.layer(F.linear, "time_embed.mlp.0", torch.cat([angles.sin(), angles.cos()], 1))
        time = self.layer(F.linear, "time_embed.mlp.2", F.silu(time))
        first = self.res("down1.res", x, time, groups=4)
        h = self.layer(F.conv2d, "down1.down", first, stride=2, padding=1)
        second = self.res("down2.res", h, time)
        h = self.layer(F.conv2d, "down2.down", second, stride=2, padding=1)
        if "bottleneck.attn.qkv.weight" in self.tensors:
            h = self.attend("bottleneck.attn", self.res("bottleneck.res", h, time))
        else:
            h = self.res("bottleneck", h, time)
        for name, skip in (("up1", second), ("up2", first)):
            h = self.layer(F.conv_transpose2d, f"{name}.up", h, stride=2, padding=1)
            h = self.res(f"{name}.res", torch.cat([h, skip], 1), time)
        return self.layer(F.conv2d, "out", h)


@pytest.mark.parametrize("attention", [None, "bottleneck"])
def test_equal_weights_give_the_articles_numbers(attention):
    torch.manual_seed(0)
    network = build("SimpleUNet", SimpleUNetConfig(base_channels=16, attention=attention)).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    x, t = torch.randn(2, 4, 16, 24), torch.tensor([3, 977])
    with torch.no_grad():
        expected = Reference(dict(network.named_parameters()))(x, t)
        torch.testing.assert_close(network(x, t), expected, rtol=1e-3, atol=1e-3)


def test_attention_adds_a_norm_and_two_convolutions(data):
    found = data("trace", "article_003", "--set", "attention=bottleneck")
    norm, qkv, out = 2 * 128, 128 * 384 + 384, 128 * 128 + 128
    assert found["model"]["parameters"] == 1_424_460 + norm + qkv + out
    assert found["middle"]["layers"] == ["ResNet", "Attention"]


@pytest.mark.parametrize("attention", ["null", "bottleneck"])
def test_meta_is_cpu(attention):
    request = Request("article_003", (f"attention={attention}",), height=16, width=24)
    on_meta, on_cpu = (
        resolve(replace(request, device=device)).trace() for device in ("meta", "cpu")
    )
    assert replace(on_meta, provenance=None) == replace(on_cpu, provenance=None)


def test_half_precision():
    trace = resolve(
        Request("article_003", height=16, width=16, device="cpu", dtype="bfloat16")
    ).trace()
    assert trace.values[trace.outputs[0]].spec.dtype == "bfloat16"


def test_as_written_has_two_faults():
    document = parse(AS_WRITTEN.read_text(encoding="utf-8"), str(AS_WRITTEN))
    found = list(findings(document))
    assert [(finding.id, finding.path, finding.message, finding.hint) for finding in found] == [
        (
            "groups",
            ("unet", "input_norm_groups"),
            "down1.res.norm1: expected a divisor of in_channels, 4, found 8",
            "4 would do",
        ),
        (
            "skip-channels",
            ("unet", "up_res_channels"),
            "up1.res: expected 192 channels, which concatenating 64 upsampled and 128 of the skip "
            "gives, found 128, twice the 64 that go out, in norm1, conv1 and skip",
            "concatenated builds up1.res for 192",
        ),
    ]
    assert all(finding.error(document.places).place.line for finding in found)


def test_as_written_is_refused():
    with pytest.raises(ConfigError, match="expected a divisor of in_channels, 4, found 8"):
        load(str(AS_WRITTEN))


def test_each_fault_alone_is_real():
    """What the rules refuse, torch refuses too."""
    with pytest.raises(ValueError, match="divisible by num_groups"):
        build("SimpleUNet", SimpleUNetConfig(input_norm_groups=8))
    network = build("SimpleUNet", SimpleUNetConfig(up_res_channels="doubled"))
    with pytest.raises(RuntimeError, match="128"):
        network(torch.zeros(1, 4, 8, 8), torch.zeros(1, dtype=torch.int64))


def test_the_hints_mend_it():
    mends = ["input_norm_groups=4", "up_res_channels=concatenated"]
    mended = load(str(AS_WRITTEN), overrides=mends)
    assert mended.unet == load("article_003").unet


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "in_channels=3",
            "unet.input_norm_groups: down1.res.norm1: expected a divisor of in_channels, 3, found",
        ),
        ("base_channels=60", "unet.norm_groups: expected a divisor of base_channels, 60, found 8"),
        ("attention=all", "unet.attention: expected bottleneck or null"),
    ],
)
def test_refused(override, said):
    with pytest.raises(ConfigError) as refusal:
        load("article_003", overrides=[override])
    assert refusal.value.message.startswith(said)


def test_the_sinusoids_need_an_even_width():
    with pytest.raises(ConfigError, match="even number of at least 4"):
        load("article_003", overrides=["base_channels=3", "norm_groups=3"])
