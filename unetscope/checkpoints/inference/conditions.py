"""The options of what embeds the conditions, read off names and shapes."""

from __future__ import annotations

from typing import Any

from unetscope.checkpoints.inference.tree import Tree

_USUAL_TIME_ID = 256
"""Sines and cosines of each of SDXL's time ids."""


def time_options(tree: Tree, *, plain: bool) -> dict[str, Any]:
    """How the time is embedded.

    Args:
        tree: the tensors.
        plain: whether they are those of a `UNet2DModel`.
    """
    found: dict[str, Any] = {}
    channels, dim = tree.dim("conv_in.weight", 0), tree.dim("time_embedding.linear_2.weight", 0)
    sinusoids = tree.shape("time_proj.weight")
    factor = 4
    if sinusoids is not None and len(sinusoids) == 2:
        found |= {"time_embedding_type": "learned", "num_train_timesteps": sinusoids[0]}
    elif sinusoids is not None:
        found["time_embedding_type"] = "fourier"
        factor = 4 if plain else 2
    if dim != factor * channels:
        found["time_embedding_dim"] = dim
    if tree.shape("time_embedding.cond_proj.weight") is not None:
        found["time_cond_proj_dim"] = tree.dim("time_embedding.cond_proj.weight", 1)
    return found


def class_options(tree: Tree) -> dict[str, Any]:
    """How classes are embedded."""
    if "class_embedding" not in tree:
        return {}
    if "linear_1" in tree.at("class_embedding"):
        given = tree.dim("class_embedding.linear_1.weight", 1)
        if given == tree.dim("time_embedding.linear_1.weight", 1):
            return {"class_embed_type": "timestep"}
        kind = "projection"
    elif "bias" in tree.at("class_embedding"):
        given, kind = tree.dim("class_embedding.weight", 1), "simple_projection"
    else:
        return {"num_class_embeds": tree.dim("class_embedding.weight", 0)}
    return {"class_embed_type": kind, "projection_class_embeddings_input_dim": given}


def addition_options(tree: Tree) -> dict[str, Any]:
    """What is added to the time besides."""
    added = tree.at("add_embedding")
    if "linear_1" in added:
        given = tree.dim("add_embedding.linear_1.weight", 1)
        return {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": _time_id_dim(given),
            "projection_class_embeddings_input_dim": given,
        }
    if "pool" in added:
        return {"addition_embed_type": "text"}
    if "text_proj" in added:
        return {"addition_embed_type": "text_image"}
    if "image_proj" in added:
        kind = "image_hint" if "input_hint_block" in added else "image"
        given = tree.dim("add_embedding.image_proj.weight", 1)
        return {"addition_embed_type": kind, "encoder_hid_dim": given}
    return {}


def token_options(tree: Tree) -> dict[str, Any]:
    """What makes the tokens that attentions read; `cross_attention_dim` if no attention tells."""
    tokens = tree.at("encoder_hid_proj")
    if "weight" in tokens:
        kind, at = "text_proj", "encoder_hid_proj.weight"
        read = tree.dim(at, 0)
    elif "text_proj" in tokens:
        kind, at = "text_image_proj", "encoder_hid_proj.text_proj.weight"
        read = tree.dim(at, 0)
    elif "image_embeds" in tokens:
        kind, at = "image_proj", "encoder_hid_proj.image_embeds.weight"
        read = tree.dim("encoder_hid_proj.norm.weight", 0)
    elif "pool" in tree.at("add_embedding"):
        return {"cross_attention_dim": tree.dim("add_embedding.pool.q_proj.weight", 0)}
    elif "text_proj" in tree.at("add_embedding"):
        return {"cross_attention_dim": tree.dim("add_embedding.text_proj.weight", 1)}
    elif "position_net" in tree:
        return {"cross_attention_dim": _dim_of_objects(tree)}
    else:
        return {}
    given = tree.dim(at, 1)
    return {
        "encoder_hid_dim_type": kind,
        "encoder_hid_dim": given,
        "cross_attention_dim": read,
    }


def gate_options(tree: Tree) -> dict[str, Any]:
    """GLIGEN's gates."""
    gates = tree.at("position_net")
    if not gates:
        return {}
    return {"attention_type": "gated-text-image" if "linears_image" in gates else "gated"}


def _time_id_dim(given: int) -> int:
    """Of what is added, the share of each time id; the rest is the pooled text."""
    return _USUAL_TIME_ID if given > _USUAL_TIME_ID else max(given // 8, 1)


def _dim_of_objects(tree: Tree) -> int:
    part = "linears_text" if "linears_text" in tree.at("position_net") else "linears"
    return tree.dim(f"position_net.{part}.4.weight", 0)
