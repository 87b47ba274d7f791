"""Which tensors of a checkpoint are the UNet's; a full one holds other networks as well.

Source: the names in the published checkpoints of Stable Diffusion 1 and 2 and of SDXL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from unetscope.record import TensorSpec

UNET = "model.diffusion_model."
"""Prefix of the names of the UNet's tensors in a full checkpoint."""

_PARTS = {
    "first_stage_model": "autoencoder",
    "cond_stage_model": "text encoder",
    "conditioner": "text encoders",
    "model_ema": "averaged weights",
}


def unet(tensors: Mapping[str, TensorSpec]) -> tuple[dict[str, TensorSpec], dict[str, int]]:
    """The UNet's tensors without the prefix, and how many tensors of each other part there are."""
    if not any(name.startswith(UNET) for name in tensors):
        return dict(tensors), {}
    own = {name[len(UNET) :]: t for name, t in tensors.items() if name.startswith(UNET)}
    others = (name.partition(".")[0] for name in tensors if not name.startswith(UNET))
    return own, dict(Counter(_PARTS.get(part, "other") for part in others))
