"""What people put before, around and beside the names of a network's tensors.

Sources: CompVis/stable-diffusion (`LatentDiffusion`, `LitEma`), Stability-AI/generative-models,
comfyanonymous/ComfyUI (`comfy/supported_models.py`), PyTorch (`torch.compile`, DDP, FSDP).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from unetscope.record import TensorSpec

_WRAPPERS = re.compile(r"(?:^|(?<=\.))_(?:orig_mod|(?:fsdp|checkpoint)_wrapped_module)\.")
"""Modules that `torch.compile` and others put around one, anywhere in a name."""
_PARALLEL = "module."
"""The module that `DataParallel` puts around a network."""
EMA = "model_ema."
"""Where CompVis' code keeps averages, in names without dots."""
AVERAGES = re.compile(r"(?:^|[._])(?:\w*ema|average[sd]?|teacher|target)(?:[._]|$)", re.IGNORECASE)
TRAINING = re.compile(r"optim|sched|scaler|callback|loops|rng|hook", re.IGNORECASE)

_DEPTHS = {"conditioner": 3, "text_encoders": 2, "model": 2, "module": 2}
"""Containers of several networks, and the levels of a name that tell one of them."""
_CONTAINERS = {
    "first_stage_model": "autoencoder",
    "vae": "autoencoder",
    "cond_stage_model": "text encoder",
    "conditioner": "text encoder",
    "text_encoders": "text encoder",
    "text_encoder": "text encoder",
    "text_encoder_2": "text encoder",
    "text_encoder_3": "text encoder",
    "image_encoder": "image encoder",
    "model_ema": "averaged weights",
    "unet": "unet",
    "model.diffusion_model": "unet",
    "diffusion_model": "unet",
    "control_model": "controlnet",
    "loss": "other",
}
"""What stands in which of them; of a denoiser that nothing else tells, it is the best that is
known."""
APART = frozenset({"first_stage_model", "cond_stage_model", "conditioner", "text_encoders", "loss"})
"""Containers that stand beside a network even where that has no prefix."""
SCHEDULE = frozenset(
    {
        *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod"),
        *("sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "logvar"),
        *("sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "lvlb_weights"),
        *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1"),
        *("posterior_mean_coef2", "scale_factor", "denoiser.sigmas", "edm_mean", "edm_std"),
        *("edm_vpred.sigma_max", "edm_vpred.sigma_min", "v_pred", "ztsnr"),
    }
)
"""Tensors of no network: the noise schedule, and marks of how a network predicts."""


def unwrapped(stored: Mapping[str, TensorSpec]) -> Mapping[str, TensorSpec]:
    """The tensors under names without wrappers; as they are, if two would have one name."""
    if not any("_orig_mod." in name or "_wrapped_module." in name for name in stored):
        return stored
    bare = {_WRAPPERS.sub("", name): spec for name, spec in stored.items()}
    return bare if len(bare) == len(stored) else stored


def bare(tensors: Mapping[str, TensorSpec]) -> Mapping[str, TensorSpec]:
    """All tensors as one network, without what is wrapped around it."""
    found = unwrapped(tensors)
    while found and all(name.startswith(_PARALLEL) and name != _PARALLEL for name in found):
        found = {name[len(_PARALLEL) :]: spec for name, spec in found.items()}
    return found


def container(name: str) -> tuple[str, str]:
    """The container that a name stands in, with its dot, and the kind of what it holds.

    Both are empty where the name begins with no container that is known.
    """
    levels = name.split(".", 3)
    kind = _CONTAINERS.get(levels[0]) or _CONTAINERS.get(".".join(levels[:2]), "")
    depth = _DEPTHS.get(levels[0], 1)
    if not kind or len(levels) <= depth:
        return "", ""
    return ".".join(levels[:depth]) + ".", kind
