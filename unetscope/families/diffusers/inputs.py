"""What the `forward` of diffusers' UNets is called with.

Source: `diffusers` 0.42; dimensions of SDXL's added conditions: its published configs.
"""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.levels import text_dim
from unetscope.families.diffusers.supported import needed
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import USUAL_SIZE, USUAL_TOKENS, Tensors
from unetscope.findings import SIZE, Finding
from unetscope.record import TensorSpec

HINT_SCALE = 8
"""Pixels of a hint for each pixel of the sample: three convolutions halve it (Kandinsky 2.2)."""
HINT_CHANNELS = 4
"""Channels of the sample that a hint becomes."""
DUAL_TOKENS = (77, 257)
"""Tokens of a text and of an image that are read side by side (Versatile Diffusion)."""
MOST_OBJECTS = 30
"""Objects in one image, as GLIGEN's pipeline pads them."""
_POOLED_TEXT = 1280
"""Dimension of OpenCLIP bigG's pooled text, which every published SDXL adds."""
_TIME_IDS = (6, 5)
"""Original size, crop and target size; the refiner has the aesthetic score for the last."""


def unet2d_inputs(unet: UNet2DConfig, batch: int, size: tuple[int, int], _tokens: int) -> Tensors:
    """`sample` `(B, C, H, W)`, `timestep` `(B,)` and perhaps `class_labels`; it reads no text."""
    return _sample(unet, batch, unet.in_channels, size)


def condition_inputs(
    unet: UNet2DConditionConfig, batch: int, size: tuple[int, int], tokens: int
) -> Tensors:
    """`sample` `(B, C, H, W)`, `timestep` `(B,)` and what the options call for.

    Such as `encoder_hidden_states` `(B, T, D)`.
    """
    has_hint = unet.addition_embed_type == "image_hint"
    channels = unet.in_channels - (HINT_CHANNELS if has_hint else 0)
    tensors = _sample(unet, batch, channels, size)
    if (dim := _given_text_dim(unet)) is not None:
        tensors["encoder_hidden_states"] = _floats(batch, tokens, dim)
    if unet.time_cond_proj_dim is not None:
        tensors["timestep_cond"] = _floats(batch, unet.time_cond_proj_dim)
    if added := _added_conditions(unet, batch, size):
        tensors["added_cond_kwargs"] = added
    if unet.attention_type != "default":
        tensors["gligen"] = _objects(unet, batch)
    return tensors


def controlnet_inputs(
    config: ControlNetConfig, batch: int, size: tuple[int, int], tokens: int
) -> Tensors:
    """What its UNet is given, and the picture `(B, 3, 8H, 8W)`."""
    picture = (config.conditioning_channels, *(side * config.shrinking for side in size))
    tensors = condition_inputs(config.unet(), batch, size, tokens)
    return {**tensors, "controlnet_cond": _floats(batch, *picture)}


def usual_size(unet: UNet2DConditionConfig | UNet2DConfig) -> tuple[int, int]:
    """Height and width of the sample that the network was trained on."""
    size = unet.sample_size
    if size is None:
        return USUAL_SIZE
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def usual_tokens(unet: UNet2DConditionConfig) -> int:
    """Tokens of the text where the config says none."""
    return sum(DUAL_TOKENS) if unet.dual_cross_attention else USUAL_TOKENS


def check_tokens(unet: UNet2DConditionConfig, tokens: int) -> Iterator[Finding]:
    """What keeps the network from reading so many tokens."""
    if unet.dual_cross_attention and tokens <= DUAL_TOKENS[0]:
        yield SIZE.at(
            ("tokens",),
            f"expected {DUAL_TOKENS[0]} tokens of a text and after them those of an image, since "
            f"dual_cross_attention is true, found {tokens}",
        ).within("inputs", ("unet", "dual_cross_attention"))


def embeds_classes(unet: UNet2DConditionConfig | UNet2DConfig) -> bool:
    """Whether the network takes class labels."""
    return unet.class_embed_type is not None or unet.num_class_embeds is not None


def image_dims(unet: UNet2DConditionConfig) -> list[int]:
    """Dimensions that an image's vector must have, for each that reads it; the first adds it."""
    read, given = unet.cross_attention_dim, unet.encoder_hid_dim
    by_reader = {"text_image": read, "image": given, "image_hint": given}
    by_projection = {"text_image_proj": read, "image_proj": given}
    dims = [
        by_reader.get(unet.addition_embed_type or ""),
        by_projection.get(unet.token_projection or ""),
    ]
    return [dim for dim in dims if isinstance(dim, int)]


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


def _given_text_dim(config: UNet2DConditionConfig) -> int | None:
    """Dimension of the tokens as they are given; None for a network that is given none."""
    if config.addition_embed_type == "text" and config.encoder_hid_dim is not None:
        return config.encoder_hid_dim
    match config.token_projection:
        case None:
            return text_dim(config)
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
        added["text_embeds"] = _floats(batch, image_dims(config)[0])
    if dims := image_dims(config):
        added["image_embeds"] = _floats(batch, dims[0])
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
    dim = needed(text_dim(config))
    masks, features = _floats(batch, MOST_OBJECTS), _floats(batch, MOST_OBJECTS, dim)
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
