"""What the networks' `forward` is called with.

Source: `diffusers` 0.42; widths of SDXL's added conditions: its published configs.
"""

from __future__ import annotations

from unetscope.config.sections import Options
from unetscope.families.diffusers.attending import text_width
from unetscope.families.diffusers.conditions import (
    DUAL_TOKENS,
    HINT_CHANNELS,
    HINT_SCALE,
    MOST_OBJECTS,
    image_widths,
)
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.supported import embeds_classes, needed
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import FamilyOptions
from unetscope.record import TensorSpec

Tensors = dict[str, TensorSpec | dict[str, TensorSpec]]

USUAL_TOKENS = 77
"""CLIP's, and of most texts."""
_POOLED_TEXT = 1280
"""Width of OpenCLIP bigG's pooled text, which every published SDXL adds."""
_TIME_IDS = (6, 5)
"""Original size, crop and target size; the refiner has the aesthetic score for the last."""


def usual_tokens(config: Options) -> int:
    """Tokens of the text where the config says none."""
    is_dual = isinstance(config, UNet2DConditionConfig) and config.dual_cross_attention
    return sum(DUAL_TOKENS) if is_dual else USUAL_TOKENS


def forward_inputs(config: Options, batch: int, size: tuple[int, int], tokens: int) -> Tensors:
    """The tensors by keyword.

    Args:
        config: the network's options.
        batch: B.
        size: H and W of the sample.
        tokens: T, tokens of the text.

    Returns:
        `sample` `(B, C, H, W)`, `timestep` `(B,)` and what the options call for, such as
        `encoder_hidden_states` `(B, T, D)`.
    """
    if isinstance(config, FamilyOptions):
        return config.tensors(batch, size, tokens)
    if isinstance(config, ControlNetConfig):
        picture = (config.conditioning_channels, *(side * config.shrinking for side in size))
        tensors = _conditional(config.unet(), batch, size, tokens)
        return {**tensors, "controlnet_cond": _floats(batch, *picture)}
    if isinstance(config, UNet2DConfig):
        return _sample(config, batch, config.in_channels, size)
    return _conditional(config, batch, size, tokens)


def _conditional(
    config: UNet2DConditionConfig, batch: int, size: tuple[int, int], tokens: int
) -> Tensors:
    has_hint = config.addition_embed_type == "image_hint"
    channels = config.in_channels - (HINT_CHANNELS if has_hint else 0)
    tensors = _sample(config, batch, channels, size)
    if (width := _given_text_width(config)) is not None:
        tensors["encoder_hidden_states"] = _floats(batch, tokens, width)
    if config.time_cond_proj_dim is not None:
        tensors["timestep_cond"] = _floats(batch, config.time_cond_proj_dim)
    if added := _added_conditions(config, batch, size):
        tensors["added_cond_kwargs"] = added
    if config.attention_type != "default":
        tensors["gligen"] = _objects(config, batch)
    return tensors


def _sample(
    config: UNet2DConditionConfig | UNet2DConfig, batch: int, channels: int, size: tuple[int, int]
) -> Tensors:
    tensors: Tensors = {
        "sample": _floats(batch, channels, *size),
        "timestep": TensorSpec((batch,), "int64"),
    }
    if embeds_classes(config):
        tensors["class_labels"] = _class_labels(config, batch)
    return tensors


def _class_labels(config: UNet2DConditionConfig | UNet2DConfig, batch: int) -> TensorSpec:
    match config.class_embed_type:
        case None | "timestep":
            return TensorSpec((batch,), "int64")
        case "identity":
            return _floats(batch, config.time_embed_dim)
    assert isinstance(config, UNet2DConditionConfig)
    return _floats(batch, needed(config.projection_class_embeddings_input_dim))


def _given_text_width(config: UNet2DConditionConfig) -> int | None:
    """Width of the tokens as they are given; None for a network that is given none."""
    if config.addition_embed_type == "text" and config.encoder_hid_dim is not None:
        return config.encoder_hid_dim
    match config.token_projection:
        case None:
            return text_width(config)
        case "image_proj":
            return None
    return config.encoder_hid_dim


def _added_conditions(
    config: UNet2DConditionConfig, batch: int, size: tuple[int, int]
) -> dict[str, TensorSpec]:
    added: dict[str, TensorSpec] = {}
    if config.addition_embed_type == "text_time":
        added.update(_text_and_time(config, batch))
    if config.addition_embed_type == "text_image":
        added["text_embeds"] = _floats(batch, image_widths(config)[0])
    if widths := image_widths(config):
        added["image_embeds"] = _floats(batch, widths[0])
    if config.addition_embed_type == "image_hint":
        added["hint"] = _floats(batch, 3, *(side * HINT_SCALE for side in size))
    return added


def _text_and_time(config: UNet2DConditionConfig, batch: int) -> dict[str, TensorSpec]:
    """SDXL's pooled text and time ids, whose embeddings together fill the projection."""
    together = config.projection_class_embeddings_input_dim or 0
    each = config.addition_time_embed_dim or 1
    published = (ids for ids in _TIME_IDS if together - ids * each == _POOLED_TEXT)
    ids = next(published, min(_TIME_IDS[0], (together - 1) // each))
    return {
        "text_embeds": _floats(batch, together - ids * each),
        "time_ids": _floats(batch, ids),
    }


def _objects(config: UNet2DConditionConfig, batch: int) -> dict[str, TensorSpec]:
    """GLIGEN's objects: their boxes, and what they are."""
    width = needed(text_width(config))
    masks, features = _floats(batch, MOST_OBJECTS), _floats(batch, MOST_OBJECTS, width)
    objects = {"boxes": _floats(batch, MOST_OBJECTS, 4), "masks": masks}
    if config.attention_type == "gated":
        return {**objects, "positive_embeddings": features}
    return {
        **objects,
        "phrases_masks": masks,
        "image_masks": masks,
        "phrases_embeddings": features,
        "image_embeddings": features,
    }


def _floats(*shape: int) -> TensorSpec:
    return TensorSpec(shape, "float32")
