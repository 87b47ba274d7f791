"""What the options of diffusers' UNets must be to each other.

The schema has checked each one alone. A rule yields one finding for one cause, at the key that
most likely is the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from unetscope.errors import Place
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS
from unetscope.families.diffusers.channel_rules import (
    BLOCKS,
    fir_blocks,
    groups,
    heads,
    k_blocks,
    middle_groups,
)
from unetscope.families.diffusers.condition_rules import conditions, context
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.inputs import embeds_classes
from unetscope.families.diffusers.levels import (
    each,
    has_transformers,
    levels_of,
    mid_depth,
    up_layers,
)
from unetscope.families.diffusers.stack_rules import middle_depth, stack
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.findings import LIST_LENGTH, MISSING, REVERSE_MISSING, TOO_LARGE, Finding, Path

MOST_LAYERS = 1_000
"""ResNets and transformer blocks in one network, which are traced in some seconds; the largest
published one has about 170."""

_ONE_A_LEVEL = (
    "up_block_types",
    "block_out_channels",
    "layers_per_block",
    "up_layers_per_block",
    "only_cross_attention",
    "cross_attention_dim",
    "attention_head_dim",
    "transformer_layers_per_block",
    "reverse_transformer_layers_per_block",
)


def unet2d_rules(unet: UNet2DConfig, written: Mapping[Path, Place]) -> Iterator[Finding]:
    """What keeps the options from being a `UNet2DModel`."""
    of_lengths = list(_lengths(unet)) or list(stack(unet))
    yield from of_lengths
    yield from groups(unet, written)
    if not of_lengths:
        yield from heads(unet, written)
        yield from middle_groups(unet)
        yield from fir_blocks(unet)


def condition_rules(
    unet: UNet2DConditionConfig, written: Mapping[Path, Place]
) -> Iterator[Finding]:
    """What keeps the options from being a `UNet2DConditionModel`."""
    if unet.class_embeddings_concat and not embeds_classes(unet):
        message = "expected class_embed_type or num_class_embeds beside it, found neither"
        beside = ("class_embed_type", "num_class_embeds")
        yield MISSING.at(("class_embeddings_concat",), message, beside=beside)
    of_lengths = [*_lengths(unet), *_depth_lengths(unet)]
    of_lengths = of_lengths or [*stack(unet), *middle_depth(unet)]
    yield from of_lengths
    yield from groups(unet, written)
    yield from conditions(unet)
    if not of_lengths:
        yield from heads(unet, written)
        yield from context(unet)
        yield from k_blocks(unet)
        yield from _layers(unet)


def controlnet_rules(config: ControlNetConfig, written: Mapping[Path, Place]) -> Iterator[Finding]:
    """What keeps the options from being a `ControlNetModel`."""
    for finding in condition_rules(config.unet(), written):
        if config.num_attention_heads is not None:
            path, *beside = map(_of_heads, (finding.path, *finding.beside))
            finding = replace(finding, path=path, beside=tuple(beside))
        yield finding


def _of_heads(path: Path) -> Path:
    """The path in a ControlNet that has an option of its own for the heads."""
    return ("num_attention_heads", *path[1:]) if path[0] == "attention_head_dim" else path


def _lengths(unet: UNet2DConditionConfig | UNet2DConfig) -> Iterator[Finding]:
    """Lists have one entry a level; `down_block_types` says how many levels there are."""
    levels = len(unet.down_block_types)
    for key in _ONE_A_LEVEL:
        value = getattr(unet, key, None)
        if isinstance(value, tuple) and len(value) != levels:
            yield LIST_LENGTH.at(
                (key,),
                f"expected {_entries(levels)}, one for each of down_block_types, "
                f"found {len(value)}",
                beside=("down_block_types",),
            )


def _depth_lengths(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """A level's transformer depths may be a list, with one entry for each of its ResNets."""
    key = "transformer_layers_per_block"
    reverse_key = f"reverse_{key}"
    depths = unet.transformer_layers_per_block
    if isinstance(depths, tuple):
        nested = [index for index, depth in enumerate(depths) if isinstance(depth, tuple)]
        if nested and unet.reverse_transformer_layers_per_block is None:
            yield REVERSE_MISSING.at(
                (key, nested[0]),
                f"a list for each ResNet needs {reverse_key}, found null",
                hint="the decoder has one ResNet more a level, so its lists have one entry more",
                beside=(reverse_key,),
            )
        yield from _nested_lengths(unet, key, depths, unet.down_block_types, reverse=False)
    reverse = unet.reverse_transformer_layers_per_block
    if reverse is not None:
        yield from _nested_lengths(unet, reverse_key, reverse, unet.up_block_types, reverse=True)


def _nested_lengths(
    unet: UNet2DConditionConfig, key: str, depths: Any, types: tuple[str, ...], *, reverse: bool
) -> Iterator[Finding]:
    layers = each(unet.layers_per_block, len(types))
    ups = unet.up_layers_per_block
    wanted = [*layers]
    if reverse and ups is None:
        wanted = [count + 1 for count in reversed(layers)]
    elif reverse and ups is not None:
        joins = up_layers(ups, len(types))
        wanted = [len(up) if isinstance(up, tuple) else up for up in joins]
    blocks = UP_BLOCKS if reverse else DOWN_BLOCKS
    for index, (depth, name, count) in enumerate(zip(depths, types, wanted, strict=False)):
        # Published configs hold lists of any length where there is no transformer to read them.
        if not isinstance(depth, tuple):
            continue
        if not depth or (has_transformers(name, blocks) and len(depth) != count):
            yield LIST_LENGTH.at(
                (key, index),
                f"expected {_entries(count)}, one for each ResNet of the block, found {len(depth)}",
                beside=("layers_per_block", "up_layers_per_block", *BLOCKS),
            )


def _layers(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """The schema's bounds let transformer blocks alone multiply beyond what anybody builds."""
    levels = levels_of(unet)
    in_middle = has_transformers(unet.mid_block_type, MID_BLOCKS)
    count = 2 + (mid_depth(unet) or 0) if in_middle else 1
    for level, encoder, decoder in zip(
        levels, unet.down_block_types, reversed(unet.up_block_types), strict=True
    ):
        count += level.layers + len(level.joins)
        if has_transformers(encoder, DOWN_BLOCKS):
            count += sum(filter(None, level.down_depths))
        if has_transformers(decoder, UP_BLOCKS):
            count += sum(filter(None, level.up_depths))
    if count > MOST_LAYERS:
        yield TOO_LARGE.at(
            ("transformer_layers_per_block",),
            f"expected a network of at most {MOST_LAYERS:,} ResNets and transformer blocks, "
            f"found {count:,}",
            beside=("layers_per_block", "reverse_transformer_layers_per_block", *BLOCKS),
        )


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
