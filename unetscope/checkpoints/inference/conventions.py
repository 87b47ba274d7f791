"""What no shape tells, and by which convention it is set."""

from __future__ import annotations

from functools import reduce
from math import gcd
from typing import Any

from unetscope.checkpoints.inference.options import Network
from unetscope.families.family import largest_divisor

_HEAD = 64
"""Channels of a head in Stable Diffusion 2 and XL, in ADM and what follows it."""
_HEADS = 8
"""Heads of a transformer in Stable Diffusion 1."""
_HEAD_OF_LDM = 32
_GROUPS = 32
_ROOT = 1.4142271248762552
"""The root of 2 as DeepFloyd IF's published files have it."""


def conventions(network: Network, family: str, dialect: str) -> tuple[dict[str, Any], list[str]]:
    """Options that no shape tells, and a sentence for each convention that was used."""
    found, told = _heads(network, family, dialect)
    groups = _groups(network, family)
    if (number := groups["norm_num_groups"]) is not None:
        told.append(f"norm_num_groups: {number}, since no shape tells how norms group channels")
    found |= groups
    told += _of_vectors(network, dialect)
    of_paper, paper = _of_paper(network, family, dialect)
    found |= of_paper
    if paper:
        names = ", ".join(of_paper)
        told.append(f"{names}: as in {paper}, since no shape tells them")
    return found, told


def _heads(network: Network, family: str, dialect: str) -> tuple[dict[str, Any], list[str]]:
    attending = [b for b in network.blocks if b.attention is not None]
    if not attending:
        return {}, []
    key = "attention_head_dim"
    common = reduce(gcd, (block.channels for block in attending))
    channels = [block.channels for block in network.down]
    if all(block.attention == "transformer" for block in attending):
        why = "since no shape tells the number of heads"
        if any(block.linear for block in attending) and common % _HEAD == 0:
            each = [max(width // _HEAD, 1) for width in channels]
            value: Any = each[0] if len(set(each)) == 1 else each
            return {key: value}, [
                f"{key}: heads of {_HEAD} channels, as in Stable Diffusion 2 and XL, {why}"
            ]
        heads = largest_divisor(common, _HEADS)
        like = ", as in Stable Diffusion 1" if heads == _HEADS else ""
        return {key: heads}, [f"{key}: {heads} heads{like}, {why}"]
    why = "since no shape tells how many channels a head has"
    by_resnet = any(block.resampler == "resnet" for block in network.blocks)
    if family == "UNet2DModel" and not by_resnet:
        if _is_latent(network, dialect) and common % _HEAD_OF_LDM == 0:
            like = "as in Latent Diffusion"
            return {key: _HEAD_OF_LDM}, [f"{key}: heads of {_HEAD_OF_LDM} channels, {like}, {why}"]
        return {key: None}, [f"{key}: one head, as in DDPM, {why}"]
    mixed = any(block.attention == "transformer" for block in attending)
    width = largest_divisor(common, _HEADS if mixed else _HEAD)
    like = ", as in ADM" if width == _HEAD else ""
    return {key: width}, [f"{key}: heads of {width} channels{like}, {why}"]


def _of_vectors(network: Network, dialect: str) -> list[str]:
    """What embeds a vector: diffusers' names tell what it is, and the original ones do not."""
    tree = network.tree
    if dialect != "diffusers" and "linear_1" in tree.at("add_embedding"):
        return [
            "addition_embed_type: text_time, since the text is as wide as in Stable Diffusion XL; "
            "no name tells a pooled text from another vector"
        ]
    if "linear_1" not in tree.at("class_embedding"):
        return []
    given = tree.dim("class_embedding.linear_1.weight", 1)
    if given == tree.dim("time_embedding.linear_1.weight", 1):
        return ["class_embed_type: timestep, since as many numbers are embedded as of the time"]
    if dialect != "diffusers":
        return [
            "class_embed_type: projection, since the text is not as wide as in Stable Diffusion "
            "XL; no name tells a pooled text from another vector"
        ]
    return []


def _groups(network: Network, family: str) -> dict[str, Any]:
    """How norms group channels."""
    lowest = network.down[-1].channels
    plain = family == "UNet2DModel"
    number = largest_divisor(reduce(gcd, (block.channels for block in network.down)), _GROUPS)
    found: dict[str, Any] = {"norm_num_groups": number}
    if not plain and not network.is_controlnet and "conv_norm_out" not in network.tree:
        found = {"norm_num_groups": None}
    elif {block.resnet for block in (*network.down, *network.up)} == {"fir"}:
        counts = network.mid is None or (lowest >= 4 and lowest % min(lowest // 4, _GROUPS) == 0)
        found = {"norm_num_groups": None if counts else number}
    if plain and network.shifts and "group_norm" in network.tree.at("mid_block.attentions.0"):
        found["attn_norm_num_groups"] = largest_divisor(lowest, _GROUPS)
    return found


def _of_paper(network: Network, family: str, dialect: str) -> tuple[dict[str, Any], str]:
    """What a paper or a code base sets, and which it is."""
    kinds = {block.resnet for block in network.down}
    if "k" in kinds:
        return {"act_fn": "gelu", "timestep_post_act": "gelu"}, "Stable Diffusion x2 upscaler"
    if "fir" in kinds:
        return {"flip_sin_to_cos": False, "norm_eps": 1e-6}, "NCSN++"
    if family == "UNet2DModel":
        by_resnet = any(block.resampler == "resnet" for block in network.blocks)
        if not by_resnet and not network.shifts and not _is_latent(network, dialect):
            return {
                "freq_shift": 1,
                "flip_sin_to_cos": False,
                "downsample_padding": 0,
                "norm_eps": 1e-6,
            }, "DDPM"
        return {}, ""
    added = network.tree.at("add_embedding")
    if "pool" in added:
        width = network.tree.dim("add_embedding.pool.q_proj.weight", 0)
        heads = largest_divisor(width, _HEAD)
        found: dict[str, Any] = {"addition_embed_type_num_heads": heads, "act_fn": "gelu"}
        if network.tree.at("class_embedding.linear_1"):
            found |= {
                "mid_block_scale_factor": _ROOT,
                "resnet_out_scale_factor": _ROOT,
                "resnet_skip_time_act": True,
                "time_embedding_act_fn": "gelu",
            }
        return found, "DeepFloyd IF"
    return {}, ""


def _is_latent(network: Network, dialect: str) -> bool:
    """Whether a network without text is rather Latent Diffusion's than DDPM's."""
    attending = sum(block.attention is not None for block in network.down)
    if dialect == "DDPM":
        return False
    return not network.shifts and (dialect != "diffusers" or attending > 1)
