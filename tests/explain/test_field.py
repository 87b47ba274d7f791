"""Receptive fields against gradients: which places of the sample a place of a map depends on."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import unetscope
from unetscope.analysis.field import receptive_field
from unetscope.analysis.network import Network

NETWORKS = {
    "plain": [nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 1, 5, padding=2)],
    "strided": [nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.Conv2d(2, 1, 3, padding=1)],
    "dilated": [nn.Conv2d(1, 1, 3, padding=4, dilation=4), nn.Conv2d(1, 1, 3, padding=1)],
    "uneven": [nn.Conv2d(1, 2, (1, 3), padding=(0, 1)), nn.Conv2d(2, 1, (5, 1), padding=(2, 0))],
    "padded": [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 3, stride=2)],
    "pooled": [nn.AvgPool2d(2), nn.Conv2d(1, 1, 3, padding=1), nn.AvgPool2d(2)],
    "unshuffled": [nn.PixelUnshuffle(2), nn.Conv2d(4, 1, 3, padding=1)],
}


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_as_gradients_reach(layers):
    model = nn.Sequential(*layers).eval()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.5)
    sample = torch.zeros(1, 1, 64, 64, requires_grad=True)
    made = model(sample)
    made[0, 0, made.shape[2] // 2, made.shape[3] // 2].backward()
    rows, columns = sample.grad[0, 0].nonzero(as_tuple=True)
    reached = (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1)
    network = Network(unetscope.trace(model, torch.zeros(1, 1, 64, 64)))
    assert receptive_field(network, network.trace.outputs[0]) == reached


def test_what_raises_the_resolution_is_not_answered():
    model = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3))
    network = Network(unetscope.trace(model, torch.zeros(1, 1, 8, 8)))
    assert receptive_field(network, network.trace.outputs[0]) is None
