"""Parameter names, shapes and order, and the classes of modules, are diffusers' for any options."""

from __future__ import annotations

import json
from pathlib import Path

import diffusers
import msgspec
import torch
from any_options import conditional_options, controlnet_options, plain_options
from hypothesis import HealthCheck, given, settings

from unetscope.families import build, find
from unetscope.families.diffusers.tensors import tensors_of
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

REFERENCE = Path(__file__).parents[1] / "reference"
NARROW = {"block_out_channels": [8, 8, 8, 8], "attention_head_dim": 2, "norm_num_groups": 4}


def structures(family, options):
    """Parameters, buffers and classes, ours and diffusers'; ours are also listed without torch."""
    known = msgspec.convert(options, find(family).options)
    with torch.device("meta"):
        ours = build(family, known)
        theirs = getattr(diffusers, family)(**options)
    listed = {name: tuple(tensor.shape) for name, tensor in ours.state_dict().items()}
    assert tensors_of(known) == listed
    return tuple(
        (
            [(name, p.shape) for name, p in network.named_parameters()],
            [(name, b.shape) for name, b in network.named_buffers()],
            [(name, type(module).__name__) for name, module in network.named_modules()],
        )
        for network in (ours, theirs)
    )


def test_sd15_has_the_published_tensors():
    listed = json.loads((REFERENCE / "state_dicts" / "sd15.json").read_text())
    options = json.loads((REFERENCE / "published_unets.json").read_text())["sd15"]["config"]
    ours, _ = structures("UNet2DConditionModel", options)
    assert sorted(ours[0]) == [(name, torch.Size(shape)) for name, shape in listed]
    assert len(listed) == 686
    assert sum(shape.numel() for _, shape in ours[0]) == 859_520_964


def test_a_network_with_memory_is_initialised_as_torch_does():
    torch.manual_seed(0)
    network = build("UNet2DConditionModel", msgspec.convert(NARROW, UNet2DConditionConfig))
    torch.manual_seed(0)
    expected = torch.nn.Conv2d(4, 8, kernel_size=3, padding=1)
    assert network.conv_in.weight.equal(expected.weight)
    assert network.conv_in.bias.equal(expected.bias)
    assert network.conv_norm_out.weight.eq(1).all()
    assert network.conv_norm_out.bias.eq(0).all()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conditional_options())
def test_any_small_conditional_network(options):
    ours, theirs = structures("UNet2DConditionModel", options)
    assert ours == theirs


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain_options())
def test_any_small_plain_network(options):
    ours, theirs = structures("UNet2DModel", options)
    assert ours == theirs


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(controlnet_options())
def test_any_small_controlnet(options):
    ours, theirs = structures("ControlNetModel", options)
    assert ours == theirs
