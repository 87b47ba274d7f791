"""Totals against published figures and other counters; every total is the sum of its parts."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from unetscope import load as loaded
from unetscope.analysis.audit import against_fvcore, against_torch
from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.analysis.partition import partition
from unetscope.config import load, shipped
from unetscope.families import build
from unetscope.families.diffusers.inputs import condition_inputs
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.ops import OpKind, operation
from unetscope.sources import Request, resolve
from unetscope.sources.sweeping import combinations, sweep
from unetscope.tracing import devices, trace
from unetscope.tracing.counting import count
from unetscope.tracing.engines import by_fvcore, by_torch

REFERENCE = Path(__file__).parents[1] / "reference"
# FLOPs by kernel, as torch's FlopCounterMode counts diffusers' networks on meta.
PUBLISHED = json.loads((REFERENCE / "published_flops.json").read_text())
CONFIGS = json.loads((REFERENCE / "published_unets.json").read_text())
NARROW = {
    "block_out_channels": [8, 16, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "norm_num_groups": 4,
    "layers_per_block": 1,
}


def network(options, device="meta", dtype="float32", *, batch=1, size=(8, 8), tokens=5):
    """A model and its inputs."""
    config = msgspec.convert(options, UNet2DConditionConfig)
    model = devices.build(lambda: build("UNet2DConditionModel", config), device, dtype)
    return model, devices.zeros(condition_inputs(config, batch, size, tokens), device, dtype)


def kinds(functions):
    """Multiply-adds by kernel, from the functions alone."""
    sums = {"convolution": 0, "linear": 0, "products": 0}
    for function in functions:
        kind = operation(function.name).kind
        name = {OpKind.CONVOLUTION: "convolution", OpKind.LINEAR: "linear"}.get(kind, "products")
        sums[name] += function.macs
    return sums


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks(name):
    expected = PUBLISHED[name]
    size = expected["height"], expected["width"]
    model, inputs = network(
        CONFIGS[name]["config"], batch=expected["batch"], size=size, tokens=expected["tokens"]
    )
    found = kinds(count(model, (), inputs)[0])
    assert {kind: 2 * macs for kind, macs in found.items()} == {
        kind: expected[kind] for kind in found
    }
    assert 2 * sum(found.values()) == expected["total"]


@pytest.mark.parametrize("name", sorted(shipped().keys() - CONFIGS))
def test_shipped_configs_without_published_figures(name):
    """Small, as torch counts them; tests/families/test_zoo.py has the others."""
    spec = load(name, batch=1, height=64, width=64)
    recorded = loaded(spec).trace()
    assert all(operation(op.name).known for op in recorded.ops)
    model = devices.build(lambda: build(spec.family, spec.unet), "meta", "float32")
    counted = by_torch(model, (), devices.zeros(spec.tensors(), "meta", "float32"))
    lines = against_torch(Cost(Network(recorded)), counted)
    assert [line.difference for line in lines] == [0] * len(lines)


# DeepCache, arXiv 2312.00858, table 3, in GMACs without attention's products. They count norms
# too, which is 0.1 % of it.
@pytest.mark.parametrize(
    ("name", "gmacs"),
    [("sd15", 338.83), ("bk_sdm_base", 223.81), ("bk_sdm_small", 217.78), ("bk_sdm_tiny", 205.09)],
)
def test_as_papers_count(name, gmacs):
    model, inputs = network(CONFIGS[name]["config"], size=(64, 64), tokens=77)
    found = kinds(count(model, (), inputs)[0])
    without = found["convolution"] + found["linear"]
    assert without == pytest.approx(gmacs * 1e9, rel=1e-3)


def test_stable_diffusion_by_kind(sd15):
    assert Cost(Network(sd15)).by_kind() == {
        "convolution": 221_973_053_440,
        "linear": 116_637_532_160,
        "self_attention": 61_247_324_160,
        "cross_attention": 1_778_810_880,
    }


@pytest.mark.parametrize(
    ("by", "depth"),
    [("block", None), ("part", None), ("module", None), ("module", 1), ("module", 3)],
)
def test_every_grouping_adds_up(sd15, by, depth):
    cost = Cost(Network(sd15))
    groups = partition(cost.network, by, depth)
    assert set(groups) == set(cost.network.modules)
    sums = cost.by_group(groups)
    assert sum(sums.values()) == cost.total == sum(cost.by_kind().values())
    if by == "block":  # by hand: 3x3 kernels, 4 channels to 320 and back, 64x64 pixels
        assert sums["conv_in"] == sums["conv_out"] == 64 * 64 * 9 * 4 * 320


def test_levels_of_paths(sd15):
    groups = partition(Network(sd15), "module", 2)
    assert groups["down_blocks.0.attentions.1.proj_in"] == "down_blocks.0.attentions.1"
    assert groups["mid_block.resnets.0"] == "mid_block.resnets.0"
    assert groups["conv_in"] == "conv_in"
    parts = partition(Network(sd15), "part")
    assert parts["time_embedding.linear_1"] == "time_embedding"
    assert parts["conv_norm_out"] == "exit"


OPTIONS = st.fixed_dictionaries(
    {
        "layers_per_block": st.integers(1, 2),
        "attention_head_dim": st.sampled_from([1, 2, 4]),
        "use_linear_projection": st.booleans(),
        "transformer_layers_per_block": st.integers(1, 2),
    }
)


@settings(max_examples=6)
@given(options=OPTIONS, batch=st.integers(1, 3), tokens=st.integers(1, 9))
def test_linear_in_the_batch_and_the_same_for_a_count(options, batch, tokens):
    options = {**NARROW, **options}
    one, many = (
        trace(model, kwargs=inputs)
        for model, inputs in (network(options, batch=b, tokens=tokens) for b in (1, batch))
    )
    first, second = Cost(Network(one)), Cost(Network(many))
    assert {kind: batch * macs for kind, macs in first.by_kind().items()} == second.by_kind()
    model, inputs = network(options, batch=batch, tokens=tokens)
    counted, _ = count(model, (), inputs)
    assert [tuple(done) for done in counted] == [
        (op.name, op.macs, op.attention_macs) for op in many.ops if op.macs != 0
    ]


@settings(max_examples=6)
@given(options=OPTIONS, size=st.sampled_from([(8, 8), (8, 12), (16, 8)]))
def test_as_torch_counts_it_on_meta(options, size):
    model, inputs = network({**NARROW, **options}, size=size)
    cost = Cost(Network(trace(model, kwargs=inputs)))
    lines = against_torch(cost, by_torch(model, (), inputs))
    assert [line.difference for line in lines] == [0, 0, 0, 0]


def test_as_fvcore_counts_it_for_real():
    model, inputs = network(NARROW, "cpu")
    cost = Cost(Network(trace(model, kwargs=inputs)))
    lines = {line.kind: line for line in against_fvcore(cost, by_fvcore(model, (), inputs))}
    assert lines["convolution"].difference == lines["linear"].difference == 0
    assert lines["convolution"].ours > 0
    assert lines["products"].theirs == 0  # it has no formula for fused attention
    assert all(line.explained for line in lines.values())


@pytest.mark.parametrize(("device", "dtype"), [("cpu", "float32"), ("meta", "bfloat16")])
def test_device_and_element_type_change_nothing(device, dtype):
    expected, found = (
        trace(model, kwargs=inputs)
        for model, inputs in (network(NARROW), network(NARROW, device, dtype))
    )
    assert [op.macs for op in found.ops] == [op.macs for op in expected.ops]
    assert sum(op.macs for op in found.ops) > 0


def test_a_difference_that_nothing_explains_is_seen():
    model, inputs = network(NARROW)
    cost = Cost(Network(trace(model, kwargs=inputs)))
    counted = by_torch(model, (), inputs)
    counted["convolution"] += 1
    lines = against_torch(cost, counted)
    assert [line.explained for line in lines] == [False, True, True, False]


def test_convolutions_are_linear_and_self_attention_quadratic_in_the_area():
    sizes = {"height": "32,64,96", "width": "32,64"}
    points = sweep(resolve(Request("sd15")), combinations(sizes))
    first = points[0]
    for point in points:
        ratio = point.sizes["height"] * point.sizes["width"] // (32 * 32)
        kinds = {kind: macs // first.kinds[kind] for kind, macs in point.kinds.items()}
        assert point.kinds["convolution"] == ratio * first.kinds["convolution"]
        assert point.kinds["self_attention"] == ratio**2 * first.kinds["self_attention"]
        assert point.kinds["cross_attention"] == ratio * first.kinds["cross_attention"]
        assert kinds["linear"] <= ratio


def test_points_are_what_whole_traces_say():
    sizes = {"height": "8..24:8", "tokens": "3,7", "batch": "1..2"}
    points = sweep(resolve(Request("sd15")), combinations(sizes))
    assert len(points) == 12
    for point in points[::5]:
        cost = Cost(Network(resolve(Request("sd15", **point.sizes)).trace()))
        assert point.kinds == cost.by_kind()
        assert point.macs == cost.total
        assert point.parameters == 859_520_964
    assert torch.is_grad_enabled()


class Giant(nn.Module):
    """A trillion parameters: counts that no float holds exactly."""

    def __init__(self):
        super().__init__()
        self.wide, self.narrow = nn.Linear(WIDE, WIDE), nn.Linear(WIDE, 7)

    def forward(self, x):
        return self.narrow(self.wide(x))


WIDE = 1_000_003


def test_a_trillion_parameters_are_exact():
    with torch.device("meta"):
        found = trace(Giant(), (torch.zeros(3, WIDE),))
    parameters = WIDE * WIDE + WIDE + 7 * WIDE + 7
    assert (
        found.total_params == parameters == sum(row["parameters"] for row in loaded(found).params())
    )
    macs = 3 * (WIDE * WIDE + 7 * WIDE)
    assert found.total_macs == macs == sum(row["macs"] for row in loaded(found).flops())
