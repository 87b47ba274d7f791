"""diffusers' other UNets: what is no block of Stable Diffusion is counted all the same."""

import json
from collections import Counter

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel, UNet2DModel

from unetscope.analysis.module_kinds import module_kinds
from unetscope.analysis.network import Network
from unetscope.analysis.partition import merge_block_units
from unetscope.render import render
from unetscope.tracing import trace
from unetscope.views.explain import SECTIONS, card
from unetscope.views.view import View

SMALL = {"block_out_channels": (32, 64), "layers_per_block": 1, "norm_num_groups": 8}


def image_net():
    """Resamples by ResNets, and tells them the time by scale and shift (guided-diffusion)."""
    model = UNet2DModel(
        **SMALL,
        down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"),
        resnet_time_scale_shift="scale_shift",
        downsample_type="resnet",
        upsample_type="resnet",
        num_class_embeds=10,
    )
    label = torch.zeros(1, dtype=torch.int64)
    return model, [torch.zeros(1, 3, 16, 16), torch.zeros(1)], {"class_labels": label}


def score_net():
    """Adds the resampled image to what each block computes (NCSN++)."""
    model = UNet2DModel(
        **SMALL,
        down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D"),
        up_block_types=("AttnSkipUpBlock2D", "SkipUpBlock2D"),
        time_embedding_type="fourier",
    )
    return model, [torch.zeros(1, 3, 16, 16), 3], {}


def pixels_and_text():
    """Attends to pixels and text at once (DeepFloyd IF)."""
    model = UNet2DConditionModel(
        **SMALL,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=8,
    )
    return model, [torch.zeros(1, 4, 16, 16), torch.zeros(1), torch.zeros(1, 7, 16)], {}


def control_net():
    """An encoder without a decoder."""
    model = ControlNetModel(
        **SMALL,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        conditioning_embedding_out_channels=(8, 16),
    )
    image = torch.zeros(1, 3, 32, 32)
    return model, [torch.zeros(1, 4, 16, 16), torch.zeros(1), torch.zeros(1, 7, 16), image], {}


@pytest.fixture(scope="module", params=[image_net, score_net, pixels_and_text, control_net])
def other(request):
    with torch.device("meta"):
        model, args, kwargs = request.param()
        return request.param, model, trace(model, args, kwargs)


@pytest.mark.parametrize("by", ["block", "part", "stage-kind", "mbw", "module", "tensor"])
def test_rows_add_up(other, table, by):
    _, model, found = other
    rows = table(found, by=by)["parameters"]["rows"]
    key = "total" if by == "stage-kind" else "parameters"
    assert sum(row[key] for row in rows) == model.num_parameters()


def test_an_out_block_for_each_joined_resnet(other):
    make, _, found = other
    units = merge_block_units(Network(found))
    joins = {skip.op for skip in found.skips if found.ops[skip.op].name.endswith("cat")}
    if make is not control_net:
        assert len([name for name in units if name.startswith("OUT")]) == len(joins) == 4


def test_their_attention(other):
    make, _, found = other
    counted = Counter(occurrence.kind for occurrence in module_kinds(Network(found)))
    expected = {image_net: (4, 0), score_net: (3, 0), control_net: (2, 2)}
    if make in expected:
        assert (counted["SelfAttention"], counted["CrossAttention"]) == expected[make]
    else:
        assert counted["CrossAttention"] > 0


def test_every_module_has_a_card(other):
    _, model, found = other
    view = View.of(found)
    for path, module in model.named_modules():
        tables = json.loads(render(card(view, path, list(SECTIONS))[0], "json"))
        assert tables["module"]["parameters"] == sum(p.numel() for p in module.parameters())
        if "layers" in tables:
            total = tables["layers"]["total"]["parameters"]
            assert sum(row["parameters"] for row in tables["layers"]["rows"]) == total
