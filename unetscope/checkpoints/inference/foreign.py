"""Networks that are no UNets of these families, known by names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from unetscope.checkpoints.inference.tree import NotInferredError

_FIRST = ("conv_in.weight", "input_blocks.0.0.weight")
_KINDS = (
    (r"(encoder|decoder)\.(conv_in|down_blocks|up_blocks|down|up|mid)\.", "an autoencoder"),
    (r"(single_)?(transformer|joint|double|single)_blocks\.|blocks\.\d", "a transformer (DiT)"),
    (r"text_model\.|encoder\.(layer|block)s?\.|transformer\.resblocks\.", "a text encoder"),
    (r".*(lora_(down|up|A|B|a|b)|hada_w1|lokr_w)", "a LoRA, which changes a network"),
    (r".*\.(time_stack|time_mixer|temp_convs|temp_attentions|temporal_)", "a UNet of videos"),
    (r".*\.motion_modules\.", "a UNet with motion modules"),
    (r"control_add_embedding\.|task_embedding|transformer_layes\.", "a ControlNet of many tasks"),
    (r"adapter\.|body\.\d", "an adapter"),
)
_WITH_A_FIRST = ("a UNet", "a ControlNet")
"""What is no UNet of these families, though it has the first convolution of one."""


def refuse(names: Iterable[str]) -> None:
    """Says what a network is that cannot be inferred, as far as its names tell.

    Raises:
        NotInferredError: it is known, or has no first convolution as a UNet has.
    """
    names = tuple(names)
    seen = [(kind, name) for pattern, kind in _KINDS if (name := _first(pattern, names))]
    has_first = any(first in names for first in _FIRST)
    for kind, name in seen:
        if not has_first or kind.startswith(_WITH_A_FIRST):
            raise NotInferredError(f"it looks like {kind}: `{name}`")
    if not has_first:
        told = ", ".join(f"`{name}`" for name in names[:3]) or "none"
        raise NotInferredError(
            "no first convolution of a UNet, `conv_in.weight` or `input_blocks.0.0.weight`; "
            f"its first tensors are {told}"
        )


def is_foreign(names: Iterable[str]) -> bool:
    """Whether a network is of none of these families, so that the nearest of them tells nothing."""
    try:
        refuse(names)
    except NotInferredError:
        return True
    return False


def _first(pattern: str, names: tuple[str, ...]) -> str | None:
    wanted = re.compile(pattern)
    return next((name for name in names if wanted.match(name)), None)
