"""What `UNet2DConditionModel.forward` is called with.

Source: `diffusers.UNet2DConditionModel`, 0.42; widths of SDXL's added conditions: its published
configs.
"""

from __future__ import annotations

from unetscope.config.attending import text_width
from unetscope.config.unet2d_condition import UNet2DConditionConfig
from unetscope.record import TensorSpec

Tensors = dict[str, TensorSpec | dict[str, TensorSpec]]

_POOLED_TEXT = 1280
"""Width of OpenCLIP bigG's pooled text, which every published SDXL adds."""
_TIME_IDS = (6, 5)
"""Original size, crop and target size; the refiner has the aesthetic score for the last."""


def forward_inputs(
    config: UNet2DConditionConfig, batch: int, size: tuple[int, int], tokens: int
) -> Tensors:
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
    tensors: Tensors = {
        "sample": TensorSpec((batch, config.in_channels, *size), "float32"),
        "timestep": TensorSpec((batch,), "int64"),
    }
    if (width := text_width(config)) is not None:
        tensors["encoder_hidden_states"] = TensorSpec((batch, tokens, width), "float32")
    if (labels := _class_labels(config, batch)) is not None:
        tensors["class_labels"] = labels
    if config.time_cond_proj_dim is not None:
        tensors["timestep_cond"] = TensorSpec((batch, config.time_cond_proj_dim), "float32")
    if config.addition_embed_type == "text_time":
        tensors["added_cond_kwargs"] = _text_and_time(config, batch)
    return tensors


def _time_embedding_width(config: UNet2DConditionConfig) -> int:
    return config.time_embedding_dim or 4 * config.block_out_channels[0]


def _class_labels(config: UNet2DConditionConfig, batch: int) -> TensorSpec | None:
    match config.class_embed_type:
        case None:
            return None if config.num_class_embeds is None else TensorSpec((batch,), "int64")
        case "timestep":
            return TensorSpec((batch,), "int64")
        case "identity":
            return TensorSpec((batch, _time_embedding_width(config)), "float32")
    width = config.projection_class_embeddings_input_dim
    return None if width is None else TensorSpec((batch, width), "float32")


def _text_and_time(config: UNet2DConditionConfig, batch: int) -> dict[str, TensorSpec]:
    """SDXL's pooled text and time ids, whose embeddings together fill the projection."""
    together = config.projection_class_embeddings_input_dim or 0
    each = config.addition_time_embed_dim or 1
    published = (ids for ids in _TIME_IDS if together - ids * each == _POOLED_TEXT)
    ids = next(published, min(_TIME_IDS[0], (together - 1) // each))
    return {
        "text_embeds": TensorSpec((batch, together - ids * each), "float32"),
        "time_ids": TensorSpec((batch, ids), "float32"),
    }
