"""Where the targets of a low-rank addition stand: in the network, or in a text encoder.

Sources: as those of `pieces`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from unetscope.checkpoints.lora.pieces import MOST_NAMES
from unetscope.checkpoints.lora.targets import Target

NETWORK = "network"
_PREFIXES = {
    "unet.base_model.model.": NETWORK,
    "oft_unet_": NETWORK,
    "base_model.model.": "",
    "model.diffusion_model.": NETWORK,
    "lora_unet_": NETWORK,
    "lora_prior_unet_": NETWORK,
    "lora_transformer_": NETWORK,
    "lora_te1_": "te1",
    "lora_te2_": "te2",
    "lora_te3_": "te3",
    "lora_te_": "te",
    "lora_prior_te_": "te",
    "lora_t5_": "t5",
    "lycoris_": NETWORK,
    "unet.": NETWORK,
    "transformer.": NETWORK,
    "diffusion_model.": NETWORK,
    "text_encoder.": "text_encoder",
    "text_encoder_2.": "text_encoder_2",
    "text_encoder_3.": "text_encoder_3",
    "text_encoders.clip_l.transformer.": "clip_l",
    "text_encoders.clip_g.transformer.": "clip_g",
    "text_encoders.t5xxl.transformer.": "t5xxl",
}
"""What stands before the name of a target, and where that target is then; empty where more is to
come."""


def by_place(targets: Iterable[Target]) -> dict[str, dict[str, Target]]:
    """Targets by where they stand, `NETWORK` or a text encoder; by their name in one spelling."""
    found: dict[str, dict[str, Target]] = defaultdict(dict)
    for target in targets:
        place, key = _place(target.name)
        found[place].setdefault(key, target)
    return dict(found)


@lru_cache(maxsize=MOST_NAMES)
def _place(name: str) -> tuple[str, str]:
    """Where a target stands, and its name there in one spelling."""
    place = NETWORK
    for prefix, where in _PREFIXES.items():
        if name.startswith(prefix):
            name, place = name[len(prefix) :], where or place
            if where:
                break
    return place, name.replace(".", "_")
