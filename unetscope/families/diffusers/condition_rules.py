"""What the conditions of a network must be to each other, and to the blocks that read them."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.families.diffusers.blocks import CROSS_NORM_GROUPS
from unetscope.families.diffusers.channel_rules import BLOCKS
from unetscope.families.diffusers.inputs import HINT_CHANNELS, image_dims
from unetscope.families.diffusers.levels import (
    TextLevel,
    attention_blocks,
    reading_levels,
    text_dim,
)
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.findings import GROUPS, HEADS, UNSUPPORTED, Finding, Rule, Severity

CONDITION_WIDTH = Rule(
    "condition-width", Severity.ERROR, "The channels of conditions do not fit each other."
)
CONTEXT_WIDTH = Rule(
    "context-width", Severity.ERROR, "The text has not the channels that its readers expect."
)


def conditions(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """What is added to the time, and what tokens are made of."""
    if unet.time_embedding_type == "fourier" and unet.time_embed_dim % 2:
        message = f"expected an even number of sines and cosines, found {unet.time_embed_dim}"
        beside = ("time_embedding_type", "block_out_channels")
        yield CONDITION_WIDTH.at(("time_embedding_dim",), message, beside=beside)
    yield from _one_dim(unet)
    if len(set(image_dims(unet))) > 1:
        yield CONDITION_WIDTH.at(
            ("encoder_hid_dim",),
            f"expected cross_attention_dim, {unet.cross_attention_dim}, since one image is added "
            f"to the time and read, found {unet.encoder_hid_dim}",
            beside=("cross_attention_dim", "addition_embed_type", "encoder_hid_dim_type"),
        )
    if unet.addition_embed_type is None:
        return
    if unet.class_embeddings_concat:
        yield CONDITION_WIDTH.at(
            ("class_embeddings_concat",),
            f"expected false, since addition_embed_type {unet.addition_embed_type} adds to the "
            "time what is as wide as the time alone, found true",
            beside=("addition_embed_type",),
        )
    id_dim, together = unet.addition_time_embed_dim, unet.projection_class_embeddings_input_dim
    if id_dim is not None and together is not None and together <= id_dim:
        yield CONDITION_WIDTH.at(
            ("projection_class_embeddings_input_dim",),
            f"expected more than addition_time_embed_dim, {id_dim}, since it holds the pooled "
            f"text and {id_dim} for each time id, found {together}",
            beside=("addition_time_embed_dim", "addition_embed_type"),
        )
    if unet.addition_embed_type == "image_hint" and unet.in_channels <= HINT_CHANNELS:
        message = f"expected more than the hint's {HINT_CHANNELS} channels, since they are among "
        message = f"{message}them, found {unet.in_channels}"
        yield CONDITION_WIDTH.at(("in_channels",), message, beside=("addition_embed_type",))
    if unet.addition_embed_type == "text":
        yield from _pooling(unet)


def _one_dim(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """Some conditions are projected to the one dimension that all blocks read."""
    if not isinstance(unet.cross_attention_dim, tuple):
        return
    needs = {
        "encoder_hid_dim_type": unet.token_projection is not None,
        "addition_embed_type": unet.addition_embed_type == "text_image"
        or (unet.addition_embed_type == "text" and unet.encoder_hid_dim is None),
        "attention_type": unet.attention_type != "default",
    }
    for key, needed in needs.items():
        if needed:
            value = unet.token_projection if key == "encoder_hid_dim_type" else getattr(unet, key)
            yield CONDITION_WIDTH.at(
                ("cross_attention_dim",),
                f"expected one number, since {key} is {value}, found a list",
                beside=(*needs, "encoder_hid_dim"),
            )
            return


def _pooling(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """The attention that pools the text cuts it into heads."""
    dim, heads = (
        unet.encoder_hid_dim or unet.cross_attention_dim,
        unet.addition_embed_type_num_heads,
    )
    if isinstance(dim, int) and dim % heads:
        yield HEADS.at(
            ("addition_embed_type_num_heads",),
            f"expected a divisor of the text's {dim} channels, found {heads}",
            beside=("encoder_hid_dim", "cross_attention_dim", "addition_embed_type"),
        )


def context(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """One text has tokens of one dimension; without a text, a level reads its own pixels."""
    kinds: dict[int, set[str]] = {}
    for block in attention_blocks(unet):
        kinds.setdefault(block.level, set()).add(block.kind)
    is_read = text_dim(unet) is not None
    for index, level in reading_levels(unet).items():
        entry = (index,) if isinstance(unet.cross_attention_dim, tuple) else ()
        path = ("cross_attention_dim", *entry)
        if not is_read and (level.context_dim != level.channels or "k" in kinds[index]):
            yield CONTEXT_WIDTH.at(
                path,
                f"expected the level's channels, {level.channels}, since no text is as wide as all "
                f"of cross_attention_dim, found {level.context_dim}",
                beside=("cross_attention_dim", "block_out_channels", *BLOCKS),
            )
        elif "added_kv" in kinds[index]:
            yield from _cross_norm(unet, level, path)
    if unet.attention_type != "default":
        yield from _gates(unet)


def _cross_norm(
    unet: UNet2DConditionConfig, level: TextLevel, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    norm, dim = unet.cross_attention_norm, level.context_dim
    since = f"since cross_attention_norm is {norm}, found {dim}"
    if norm == "layer_norm" and dim != level.channels:
        message = f"expected the level's channels, {level.channels}, {since}"
        beside = ("cross_attention_norm", "block_out_channels", *BLOCKS)
        yield CONTEXT_WIDTH.at(path, message, beside=beside)
    if norm == "group_norm" and dim % CROSS_NORM_GROUPS:
        message = f"expected a multiple of {CROSS_NORM_GROUPS}, {since}"
        yield GROUPS.at(path, message, beside=("cross_attention_norm", *BLOCKS))


def _gates(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """GLIGEN's gates stand in transformers."""
    others = {block.kind for block in attention_blocks(unet)} - {"self", "transformer"}
    if others or unet.dual_cross_attention:
        yield UNSUPPORTED.at(
            ("attention_type",),
            "expected default, since only blocks with one Transformer2DModel a layer have gates, "
            f"found {unet.attention_type}",
            beside=("dual_cross_attention", *BLOCKS),
        )
