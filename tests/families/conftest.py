from __future__ import annotations

from typing import Any

import msgspec
import pytest
import torch
from diffusers import UNet2DConditionModel

from unetscope.config.unet2d_condition import UNet2DConditionConfig
from unetscope.families import build

NARROW: dict[str, Any] = {
    "block_out_channels": [8, 16, 16, 32],
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "norm_num_groups": 4,
}
"""A Stable Diffusion 1.5 that computes in milliseconds."""


class Pair:
    """Our network and diffusers', built from the same options."""

    def __init__(self, options: dict[str, Any]):
        self.options = options
        self.ours = build(
            "UNet2DConditionModel", msgspec.convert(options, UNet2DConditionConfig)
        ).eval()
        self.theirs = UNet2DConditionModel(**options).eval()

    def names_and_shapes(self) -> tuple[list[tuple[str, torch.Size]], ...]:
        return tuple(
            [(name, parameter.shape) for name, parameter in network.named_parameters()]
            for network in (self.ours, self.theirs)
        )

    def outputs(self, **inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        self.ours.load_state_dict(self.theirs.state_dict())
        with torch.no_grad():
            return self.ours(**inputs), self.theirs(**inputs).sample


@pytest.fixture
def pair():
    """Makes a `Pair` from options; what they leave out is narrow or the published default."""
    torch.manual_seed(0)
    return lambda **options: Pair({**NARROW, **options})
