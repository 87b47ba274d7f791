"""The names of DDPM's own code, and diffusers' for them.

Levels are numbered from the full resolution in encoder and decoder; attentions project by
convolutions of one pixel.

Source: ermongroup/ddim, `models/diffusion.py`, which follows hojonathanho/diffusion; diffusers,
`scripts/convert_ddpm_original_checkpoint_to_diffusers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from unetscope.checkpoints.inference.tree import Shape

MARK = "temb.dense.0.weight"
"""A tensor that every such network has, and no other."""
_TOP = {
    "temb.dense.0": "time_embedding.linear_1",
    "temb.dense.1": "time_embedding.linear_2",
    "norm_out": "conv_norm_out",
}
_LEVEL = re.compile(r"(down|up)\.(\d{1,2})\.(block|attn|downsample|upsample)\.(?:(\d{1,4})\.)?(.+)")
_MIDDLE = {
    "mid.block_1": "mid_block.resnets.0",
    "mid.attn_1": "mid_block.attentions.0",
    "mid.block_2": "mid_block.resnets.1",
}
_PARTS = {
    "block": "resnets",
    "attn": "attentions",
    "downsample": "downsamplers",
    "upsample": "upsamplers",
}
_LAYERS = {
    "temb_proj": "time_emb_proj",
    "nin_shortcut": "conv_shortcut",
    "norm": "group_norm",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "proj_out": "to_out.0",
}


def in_diffusers_names(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str, Shape]]:
    """Each name with diffusers' for it, and the shape there; what has none keeps its name."""
    found = [match for name in shapes if (match := _LEVEL.fullmatch(name))]
    lowest = max((int(match[2]) for match in found), default=0)
    for theirs, shape in shapes.items():
        ours = _name(theirs, lowest)
        inside = ".attentions." in ours and ".to_" in ours
        flat = inside and len(shape) == 4 and shape[2:] == (1, 1)
        yield theirs, ours, shape[:2] if flat else shape


def _name(theirs: str, lowest: int) -> str:
    if match := _LEVEL.fullmatch(theirs):
        side, number, part, index, rest = match.groups()
        level = int(number) if side == "down" else lowest - int(number)
        return f"{side}_blocks.{level}.{_PARTS[part]}.{index or 0}.{_layer(rest)}"
    head, _, last = theirs.rpartition(".")
    if head in _TOP:
        return f"{_TOP[head]}.{last}"
    above = ".".join(theirs.split(".", 2)[:2])
    if above in _MIDDLE and len(theirs) > len(above):
        return f"{_MIDDLE[above]}.{_layer(theirs[len(above) + 1 :])}"
    return theirs


def _layer(name: str) -> str:
    first, _, last = name.partition(".")
    return f"{_LAYERS.get(first, first)}.{last}"
