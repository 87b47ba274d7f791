from __future__ import annotations

from typing import Any

import diffusers
import msgspec
import pytest
import torch

from unetscope.families import build, find

NARROW: dict[str, Any] = {
    "block_out_channels": [8, 16, 16, 32],
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "norm_num_groups": 4,
}
"""A Stable Diffusion 1.5 that computes in milliseconds."""


class Pair:
    """Our network and diffusers', built from the same options."""

    def __init__(self, options: dict[str, Any], family: str = "UNet2DConditionModel"):
        self.options = options
        self.ours = build(family, msgspec.convert(options, find(family).options)).eval()
        self.theirs = getattr(diffusers, family)(**options).eval()
        self.config = self.ours.config

    def structure(self) -> tuple[Any, Any]:
        """Names, shapes and order of parameters, and the class of each module."""
        return tuple(
            (
                [(name, parameter.shape) for name, parameter in network.named_parameters()],
                [(name, type(module).__name__) for name, module in network.named_modules()],
            )
            for network in (self.ours, self.theirs)
        )

    def share_weights(self) -> None:
        """Equal weights, none of which is zero, since zeros would hide what reads them."""
        for parameter in self.theirs.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter)
        self.ours.load_state_dict(self.theirs.state_dict())

    def outputs(self, **inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        self.share_weights()
        with torch.no_grad():
            return self.ours(**inputs), self.theirs(**inputs).sample


@pytest.fixture
def pair():
    """Makes a `Pair` from options; what they leave out is narrow or the published default."""
    torch.manual_seed(0)
    return lambda **options: Pair({**NARROW, **options})


@pytest.fixture
def pair_of():
    """Makes a `Pair` of a family from all its options."""
    torch.manual_seed(0)
    return lambda family, options: Pair(options, family)
