"""Pruned networks are diffusers' networks out of which single layers were taken.

The reference is diffusers' own network: where a ResNet is missing, its residual is still joined,
and cut off again before anything reads it. Afterwards the layers are deleted from its lists.
"""

from __future__ import annotations

import diffusers
import msgspec
import pytest
import torch
from diffusers.models.resnet import ResnetBlock2D
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from unetscope.families import build, find

GROUPS = 4
CHANNELS = [8, 16, 24]
BASE = {
    "block_out_channels": CHANNELS,
    "norm_num_groups": GROUPS,
    "attention_head_dim": 2,
}
WITH_TEXT = {
    **BASE,
    "cross_attention_dim": 12,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3,
    "up_block_types": ["CrossAttnUpBlock2D"] * 3,
}


class Cut(nn.Module):
    """In the place of a ResNet: the features alone, without the residual that was joined."""

    def __init__(self, joined: int):
        super().__init__()
        self.joined = joined

    def forward(self, hidden_states, _temb):
        return hidden_states[:, : hidden_states.shape[1] - self.joined]


class Passed(nn.Module):
    """In the place of an attention: what it was given."""

    def __init__(self, *, wraps: bool):
        super().__init__()
        self.wraps = wraps

    def forward(self, hidden_states, **_):
        return (hidden_states,) if self.wraps else hidden_states


def prune(network, joins):
    """Take the ResNets out of the up blocks that join none of the residuals in `joins`."""
    before = CHANNELS[-1]
    for block, kept in zip(network.up_blocks, joins, strict=True):
        out = block.resnets[0].out_channels
        pushed = [r.in_channels - (out if j else before) for j, r in enumerate(block.resnets)]
        for j, joined in enumerate(pushed):
            if j not in kept:
                block.resnets[j] = Cut(joined)
                if len(getattr(block, "attentions", ())) == len(pushed):
                    block.attentions[j] = Passed(wraps=hasattr(block.attentions[j], "norm"))
        if kept[0] and before != out:
            first = ResnetBlock2D(
                in_channels=before + pushed[kept[0]],
                out_channels=out,
                temb_channels=4 * CHANNELS[0],
                groups=GROUPS,
                eps=1e-5,
            )
            block.resnets[kept[0]] = first.eval()
        before = out
    return network


def delete(network, joins):
    """Delete what was taken out, so that the layers behind it move up."""
    for block, kept in zip(network.up_blocks, joins, strict=True):
        for j in reversed(range(len(block.resnets))):
            if j not in kept:
                del block.resnets[j]
                if len(getattr(block, "attentions", ())) > len(block.resnets):
                    del block.attentions[j]
    return network


def assert_same(family, options, theirs, joins, inputs):
    """Equal names, shapes and, with equal weights, outputs."""
    ours = build(family, msgspec.convert(options, find(family).options)).eval()
    with torch.no_grad():
        expected = theirs(**inputs).sample
        weights = delete(theirs, joins).state_dict()
        shapes = [(name, tuple(tensor.shape)) for name, tensor in ours.state_dict().items()]
        assert shapes == [(name, tuple(tensor.shape)) for name, tensor in weights.items()]
        ours.load_state_dict(weights)
        torch.testing.assert_close(ours(**inputs), expected, rtol=1e-4, atol=1e-5)


def subsets(count):
    whole = st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True)
    return whole.map(sorted)


@st.composite
def depths(draw, count):
    return [draw(st.sampled_from([None, 0, 1, 2])) for _ in range(count)]


@st.composite
def pruned(draw):
    layers = [draw(st.integers(1, 2)) for _ in CHANNELS]
    joins = [draw(subsets(count + 1)) for count in reversed(layers)]
    down = [draw(depths(count)) for count in layers]
    up = [draw(depths(len(kept))) for kept in joins]
    return layers, joins, down, up


@settings(max_examples=8)
@given(pruned())
def test_layers_of_each_side(case):
    layers, joins, down, up = case
    torch.manual_seed(0)
    whole_up = [
        [1 if j not in kept else (of[kept.index(j)] or 0) for j in range(count + 1)]
        for count, kept, of in zip(reversed(layers), joins, up, strict=True)
    ]
    theirs = diffusers.UNet2DConditionModel(
        **WITH_TEXT,
        layers_per_block=layers,
        transformer_layers_per_block=[[depth or 0 for depth in of] for of in down],
        reverse_transformer_layers_per_block=whole_up,
    ).eval()
    for block, of in zip(theirs.down_blocks, down, strict=True):
        for j, depth in enumerate(of):
            if depth is None:
                block.attentions[j] = Passed(wraps=True)
    for block, kept, of in zip(theirs.up_blocks, joins, up, strict=True):
        for j, depth in zip(kept, of, strict=True):
            if depth is None:
                block.attentions[j] = Passed(wraps=True)
    options = {
        **WITH_TEXT,
        "layers_per_block": layers,
        "up_layers_per_block": joins,
        "transformer_layers_per_block": down,
        "reverse_transformer_layers_per_block": up,
        "transformer_layers_per_mid_block": 0 if down[-1][0] is None else None,
    }
    inputs = {
        "sample": torch.randn(2, 4, 7, 12),
        "timestep": torch.tensor([1, 999]),
        "encoder_hidden_states": torch.randn(2, 3, 12),
    }
    assert_same("UNet2DConditionModel", options, prune(theirs, joins), joins, inputs)


@pytest.mark.parametrize(
    ("down", "up", "joins"),
    [
        ("AttnDownBlock2D", "AttnUpBlock2D", [[1], [0, 2], [0, 1]]),
        ("DownBlock2D", "UpBlock2D", [[2], [1, 2], [2]]),
        ("SkipDownBlock2D", "SkipUpBlock2D", [[0], [0, 2], [0, 1]]),
    ],
)
def test_without_text(down, up, joins):
    torch.manual_seed(0)
    options = {**BASE, "down_block_types": [down] * 3, "up_block_types": [up] * 3}
    theirs = prune(diffusers.UNet2DModel(**options).eval(), joins)
    inputs = {"sample": torch.randn(2, 3, 8, 16), "timestep": torch.tensor([1, 999])}
    options |= {"up_layers_per_block": joins}
    assert_same("UNet2DModel", options, theirs, joins, inputs)


def test_a_resnet_that_joins_none_takes_no_more_channels():
    options = {**WITH_TEXT, "up_layers_per_block": [[None, 0], [0, 1, None, 2], [None]]}
    with torch.device("meta"):
        network = build(
            "UNet2DConditionModel",
            msgspec.convert(options, find("UNet2DConditionModel").options),
        )
        outputs = network(torch.zeros(1, 4, 8, 8), 1, torch.zeros(1, 3, 12))
    taken = [[resnet.conv1.in_channels for resnet in block.resnets] for block in network.up_blocks]
    assert taken == [[24, 48], [40, 32, 16, 24], [16]]
    assert outputs.shape == (1, 4, 8, 8)
