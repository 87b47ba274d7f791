"""Which tensors of a checkpoint are the UNet's; a full one holds other networks as well.

The UNet is found by its first and last convolutions, in CompVis' and in diffusers' names, under
whatever prefix they stand: `model.diffusion_model.`, `unet.`, `module.net.`.

Source: the names in the published checkpoints of Stable Diffusion 1 and 2 and of SDXL.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from unetscope.record import TensorSpec

UNET = "model.diffusion_model."
"""Prefix of the names of the UNet's tensors in a full checkpoint."""

_WRAPPERS = re.compile(r"(?:^|(?<=\.))_(?:orig_mod|(?:fsdp|checkpoint)_wrapped_module)\.")
"""Modules that `torch.compile` and others put around one, anywhere in a name."""
_PARALLEL = "module."
"""The module that `DataParallel` puts around a network."""
_FIRST = re.compile(r"(.*?)(?:input_blocks\.0\.0|conv_in)\.weight")
_ENDS = (("input_blocks.", "output_blocks."), ("down_blocks.", "up_blocks."))
_AVERAGE = re.compile(r"ema|average|teacher|target", re.IGNORECASE)
_PARTS = {
    "first_stage_model": "autoencoder",
    "vae": "autoencoder",
    "cond_stage_model": "text encoder",
    "text_encoder": "text encoder",
    "conditioner": "text encoders",
    "model_ema": "averaged weights",
}


def unet(tensors: Mapping[str, TensorSpec]) -> tuple[dict[str, TensorSpec], dict[str, int]]:
    """The UNet's tensors without the prefix, and how many tensors of each other part there are.

    If no part of it looks like a UNet, that is all tensors.
    """
    bare = {_WRAPPERS.sub("", name): spec for name, spec in tensors.items()}
    if len(bare) < len(tensors):
        bare = dict(tensors)
    prefix = _prefix(bare)
    own = {name[len(prefix) :]: spec for name, spec in bare.items() if name.startswith(prefix)}
    if len(own) == len(bare) or not prefix:
        return own, {}
    others = (_part(name) for name in bare if not name.startswith(prefix))
    return own, dict(Counter(_PARTS.get(part, "other") for part in others))


def _prefix(names: Iterable[str]) -> str:
    """What stands before the names of the UNet's tensors."""
    names = list(names)
    if any(name.startswith(UNET) for name in names):
        return UNET
    found = []
    for prefix in dict.fromkeys(match[1] for match in map(_FIRST.fullmatch, names) if match):
        if all(any(name.startswith(prefix + end) for name in names) for end in _ENDS[0]) or all(
            any(name.startswith(prefix + end) for name in names) for end in _ENDS[1]
        ):
            found.append(prefix)
    if found:
        return min(found, key=lambda prefix: (bool(_AVERAGE.search(prefix)), len(prefix)))
    return _PARALLEL if names and all(name.startswith(_PARALLEL) for name in names) else ""


def _part(name: str) -> str:
    """The part of a checkpoint that a tensor belongs to."""
    return name.removeprefix(_PARALLEL).partition(".")[0]
