"""What the options of a `UNet2DConditionModel` must be to each other.

The schema has checked each one alone. A rule yields one finding for one cause, at the key that
most likely is the cause.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unetscope.config.attending import attending_levels, has_transformers, text_width
from unetscope.config.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS
from unetscope.config.document import Path
from unetscope.config.findings import Finding
from unetscope.config.levels import levels_of
from unetscope.config.supported import unsupported

if TYPE_CHECKING:
    from unetscope.config.unet2d_condition import UNet2DConditionConfig

MOST_LAYERS = 10_000
"""ResNets and transformer blocks in one network; the largest published one has about 170."""

_ONE_A_LEVEL = (
    "up_block_types",
    "block_out_channels",
    "layers_per_block",
    "only_cross_attention",
    "cross_attention_dim",
    "attention_head_dim",
    "transformer_layers_per_block",
    "reverse_transformer_layers_per_block",
)


def check_options(unet: UNet2DConditionConfig, written: Collection[Path]) -> Iterator[Finding]:
    """What keeps the options from being a network.

    Args:
        unet: the options.
        written: the paths that the config writes; a default is never the cause.
    """
    yield from _not_covered(unet)
    of_lengths = [*_lengths(unet), *_depth_lengths(unet)]
    yield from of_lengths
    yield from _groups(unet, written)
    yield from _conditions(unet)
    if not of_lengths:
        yield from _heads(unet, written)
        yield from _context(unet)
        yield from _layers(unet)


def _not_covered(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    for finding in unsupported(unet):
        yield replace(finding, path=("unet", *finding.path))


def _lengths(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """Lists have one entry a level; `down_block_types` says how many levels there are."""
    levels = len(unet.down_block_types)
    for key in _ONE_A_LEVEL:
        value = getattr(unet, key)
        if isinstance(value, tuple) and len(value) != levels:
            yield Finding(
                "list-length",
                ("unet", key),
                f"expected {_entries(levels)}, one for each of down_block_types, "
                f"found {len(value)}",
            )


def _depth_lengths(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """A level's transformer depths may be a list, with one entry for each of its ResNets."""
    key = "transformer_layers_per_block"
    reverse_key = f"reverse_{key}"
    depths = unet.transformer_layers_per_block
    if isinstance(depths, tuple):
        nested = [index for index, depth in enumerate(depths) if isinstance(depth, tuple)]
        if nested and unet.reverse_transformer_layers_per_block is None:
            yield Finding(
                "reverse-missing",
                ("unet", key, nested[0]),
                f"a list for each ResNet needs {reverse_key}, found null",
                hint="the decoder has one ResNet more a level, so its lists have one entry more",
            )
        yield from _nested_lengths(unet, key, depths, unet.down_block_types, reverse=False)
    reverse = unet.reverse_transformer_layers_per_block
    if reverse is not None:
        yield from _nested_lengths(unet, reverse_key, reverse, unet.up_block_types, reverse=True)


def _nested_lengths(
    unet: UNet2DConditionConfig, key: str, depths: Any, types: tuple[str, ...], *, reverse: bool
) -> Iterator[Finding]:
    layers = unet.layers_per_block
    each = layers if isinstance(layers, tuple) else (layers,) * len(types)
    wanted = [count + 1 for count in reversed(each)] if reverse else list(each)
    blocks = UP_BLOCKS if reverse else DOWN_BLOCKS
    for index, (depth, name, count) in enumerate(zip(depths, types, wanted, strict=False)):
        # Published configs hold lists of any length where there is no transformer to read them.
        if not isinstance(depth, tuple):
            continue
        if not depth or (has_transformers(name, blocks) and len(depth) != count):
            yield Finding(
                "list-length",
                ("unet", key, index),
                f"expected {_entries(count)}, one for each ResNet of the block, found {len(depth)}",
            )


def _groups(unet: UNet2DConditionConfig, written: Collection[Path]) -> Iterator[Finding]:
    """Group norms see each level's channels, and sums of two of them where a skip is joined.

    What divides the channels divides the sums, so only the channels need a look.
    """
    groups = unet.norm_num_groups
    faults = [i for i, channels in enumerate(unet.block_out_channels) if channels % groups]
    widths = [unet.block_out_channels[index] for index in faults]
    path = ("unet", "block_out_channels")
    all_at_fault = len(set(widths)) > 1 and len(faults) == len(unet.block_out_channels)
    if faults and (all_at_fault or path not in written):
        divisor = _divisor(unet.block_out_channels, groups)
        yield Finding(
            "groups",
            ("unet", "norm_num_groups"),
            f"expected a divisor of the levels' channels, {_listed(widths)}, found {groups}",
            hint=f"{divisor} divides all of block_out_channels",
        )
        return
    for index, width in zip(faults, widths, strict=True):
        below, above = width // groups * groups, (width // groups + 1) * groups
        yield Finding(
            "groups",
            (*path, index),
            f"expected a multiple of norm_num_groups, {groups}, found {width}",
            hint=f"{f'{below} or ' if below else ''}{above} would do",
        )


def _divisor(channels: tuple[int, ...], groups: int) -> int:
    """The largest number of groups, `groups` at most, that divides all the channels."""
    return next(n for n in range(groups, 0, -1) if not any(width % n for width in channels))


def _conditions(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    if unet.addition_embed_type is None:
        return
    if unet.class_embeddings_concat:
        yield Finding(
            "condition-width",
            ("unet", "class_embeddings_concat"),
            f"expected false, since addition_embed_type {unet.addition_embed_type} adds to the "
            "time what is as wide as the time alone, found true",
        )
    ids_width, together = unet.addition_time_embed_dim, unet.projection_class_embeddings_input_dim
    if ids_width is not None and together is not None and together <= ids_width:
        yield Finding(
            "condition-width",
            ("unet", "projection_class_embeddings_input_dim"),
            f"expected more than addition_time_embed_dim, {ids_width}, since it holds the pooled "
            f"text and {ids_width} for each time id, found {together}",
        )


def _heads(unet: UNet2DConditionConfig, written: Collection[Path]) -> Iterator[Finding]:
    attending = attending_levels(unet).items()
    faults = {index: level for index, level in attending if level.channels % level.heads}
    key: Path = ("unet", "attention_head_dim")
    hint = "attention_head_dim is the number of heads here, whatever its name says"
    if isinstance(unet.attention_head_dim, tuple):
        for index, level in faults.items():
            message = f"expected a divisor of the level's {level.channels} channels"
            yield Finding("heads", (*key, index), f"{message}, found {level.heads}", hint)
    elif faults and key in written:
        widths = _listed(level.channels for level in faults.values())
        message = f"expected a divisor of the levels' channels, {widths}"
        yield Finding("heads", key, f"{message}, found {unet.attention_head_dim}", hint)
    else:
        for index, level in faults.items():
            message = f"expected a multiple of the {level.heads} heads (attention_head_dim)"
            path = ("unet", "block_out_channels", index)
            yield Finding("heads", path, f"{message}, found {level.channels}", hint)


def _context(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """One text has one width; without a text, a level reads its own pixels."""
    if text_width(unet) is not None:
        return
    for index, level in attending_levels(unet).items():
        if level.context_dim != level.channels:
            yield Finding(
                "context-width",
                ("unet", "cross_attention_dim", index),
                f"expected the level's channels, {level.channels}, since no text is as wide as all "
                f"of cross_attention_dim, found {level.context_dim}",
            )


def _layers(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """The schema's bounds let transformer blocks alone multiply beyond what anybody builds."""
    levels = levels_of(unet)
    in_middle = has_transformers(unet.mid_block_type, MID_BLOCKS)
    count = 2 + levels[-1].down_depths[0] if in_middle else 1
    for level, encoder, decoder in zip(
        levels, unet.down_block_types, reversed(unet.up_block_types), strict=True
    ):
        count += 2 * level.layers + 1
        if has_transformers(encoder, DOWN_BLOCKS):
            count += sum(level.down_depths)
        if has_transformers(decoder, UP_BLOCKS):
            count += sum(level.up_depths)
    if count > MOST_LAYERS:
        yield Finding(
            "too-large",
            ("unet", "transformer_layers_per_block"),
            f"expected a network of at most {MOST_LAYERS:,} ResNets and transformer blocks, "
            f"found {count:,}",
        )


def _listed(numbers: Iterable[int]) -> str:
    """Each number once: `320, 640 and 1280`."""
    *first, last = map(str, dict.fromkeys(numbers))
    return f"{', '.join(first)} and {last}" if first else last


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
