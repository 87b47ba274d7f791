"""Which channels fit group norms, attention heads and the wiring of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unetscope.errors import Place
from unetscope.families.diffusers.blocks import (
    DOWN_BLOCKS,
    FIR_ATTENTION_GROUPS,
    FIR_IMAGE_CHANNELS,
    K_GROUP_SIZE,
    UP_BLOCKS,
    BlockType,
)
from unetscope.families.diffusers.levels import AttentionBlock, attention_blocks
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.findings import GROUPS, HEADS, WIRING, Finding, Path, layer_of
from unetscope.wording import joined

Unet = UNet2DConditionConfig | UNet2DConfig

BLOCKS = ("down_block_types", "mid_block_type", "up_block_types")
"""The options that say which blocks there are."""

_TIME = ("time_embedding_dim", "time_embedding_type", "class_embeddings_concat")
"""The options that say how wide the embedded time is."""

_PLAIN = BlockType()


def groups(unet: Unet, written: Mapping[Path, Place]) -> Iterator[Finding]:
    """Group norms see each level's channels, and sums of two of them where a skip is joined.

    What divides the channels divides the sums, so only the channels need a look.
    """
    if unet.norm_num_groups is None:
        yield from _counted_groups(unet)
        return
    if all(block.resnet == "k" for block in (*_down(unet), *_up(unet))):
        return
    number = unet.norm_num_groups
    faults = [i for i, channels in enumerate(unet.block_out_channels) if channels % number]
    at_fault = [unet.block_out_channels[index] for index in faults]
    key = "block_out_channels"
    all_at_fault = len(set(at_fault)) > 1 and len(faults) == len(unet.block_out_channels)
    later = layer_of(("norm_num_groups",), written) - layer_of((key,), written)
    if faults and (later > 0 or (later == 0 and all_at_fault) or (key,) not in written):
        divisor = _divisor(unet.block_out_channels, number)
        yield GROUPS.at(
            ("norm_num_groups",),
            f"expected a divisor of the levels' channels, {joined(at_fault)}, found {number}",
            hint=f"{divisor} divides all of block_out_channels",
            beside=(key, *BLOCKS),
        )
        return
    for index, channels in zip(faults, at_fault, strict=True):
        below = channels // number * number
        above = below + number
        yield GROUPS.at(
            (key, index),
            f"expected a multiple of norm_num_groups, {number}, found {channels}",
            hint=f"{f'{below} or ' if below else ''}{above} would do",
            beside=("norm_num_groups", *BLOCKS),
        )


def _counted_groups(unet: Unet) -> Iterator[Finding]:
    """Without a number of groups, each block must have a way to count its own."""
    blocks = (*_down(unet), *_up(unet))
    names = (*unet.down_block_types, *unet.up_block_types)
    if blocks[0].resnet == "k":
        return  # another rule refuses what may not stand beside it
    for name, block in zip(names, blocks, strict=True):
        if block.resnet in ("plain", "guided"):
            message = f"expected a number, since {name} counts by it, found null"
            yield GROUPS.at(("norm_num_groups",), message, beside=BLOCKS)
            return
    lowest = unet.block_out_channels[-1]
    if unet.mid_block_type is not None and (lowest < 4 or lowest % min(lowest // 4, 32)):
        message = (
            f"expected a number, since {lowest} channels cannot be grouped by four, found null"
        )
        beside = ("block_out_channels", *BLOCKS)
        yield GROUPS.at(("norm_num_groups",), message, beside=beside)


def _divisor(channels: tuple[int, ...], number: int) -> int:
    """The largest number of groups, `number` at most, that divides all the channels."""
    return next(n for n in range(number, 0, -1) if not any(each % n for each in channels))


def middle_groups(unet: UNet2DConfig) -> Iterator[Finding]:
    """The middle attention may count groups of its own."""
    number, lowest = unet.attn_norm_num_groups, unet.block_out_channels[-1]
    read = unet.mid_block_type is not None and unet.add_attention
    if read and number is not None and lowest % number:
        message = f"expected a divisor of the lowest level's {lowest} channels, found {number}"
        beside = ("block_out_channels", "mid_block_type", "add_attention")
        yield GROUPS.at(("attn_norm_num_groups",), message, beside=beside)


def heads(unet: Unet, written: Mapping[Path, Place]) -> Iterator[Finding]:
    """Heads share the channels of their level."""
    key, channels_key = "attention_head_dim", "block_out_channels"
    about = (key, channels_key, *BLOCKS, "add_attention")
    faults: dict[int, tuple[int, int, AttentionBlock]] = {}
    for block in _attending(unet):
        channels = unet.block_out_channels[block.level]
        heads = _head_dim(unet, block.entry)
        if heads is not None and channels % heads:
            faults.setdefault(block.level, (channels, heads, block))
    hints = {
        block.kind: "attention_head_dim is the number of heads here, whatever its name says"
        if block.kind == "transformer"
        else "attention_head_dim is the width of each head in these blocks"
        for _, _, block in faults.values()
    }
    if isinstance(unet.attention_head_dim, tuple):
        for channels, number, block in faults.values():
            message = f"expected a divisor of the level's {channels} channels, found {number}"
            yield HEADS.at((key, block.entry), message, hints[block.kind], beside=about)
    elif faults and layer_of((key,), written) >= max(layer_of((channels_key,), written), 0):
        listed = joined(channels for channels, _, _ in faults.values())
        hint = next(iter(hints.values()))
        message = f"expected a divisor of the levels' channels, {listed}"
        message = f"{message}, found {unet.attention_head_dim}"
        yield HEADS.at((key,), message, hint, beside=about)
    else:
        for level, (channels, number, block) in faults.items():
            what = "heads" if block.kind == "transformer" else "channels of each head"
            message = f"expected a multiple of the {number} {what} (attention_head_dim)"
            hint = hints[block.kind]
            message = f"{message}, found {channels}"
            yield HEADS.at((channels_key, level), message, hint, beside=about)


def _attending(unet: Unet) -> Iterator[AttentionBlock]:
    """The blocks with attention; the middle of a `UNet2DModel` has one without saying so."""
    yield from attention_blocks(unet)
    if isinstance(unet, UNet2DConfig) and unet.mid_block_type is not None and unet.add_attention:
        last = len(unet.block_out_channels) - 1
        yield AttentionBlock(last, "self", last)


def _head_dim(unet: Unet, entry: int) -> int | None:
    value = unet.attention_head_dim
    return value[entry] if isinstance(value, tuple) else value


def k_blocks(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """Blocks of k-diffusion join one skip a level, so that no others fit beside them."""
    for key, blocks in (("down_block_types", _down(unet)), ("up_block_types", _up(unet))):
        for index, block in enumerate(blocks):
            if (block.resnet == "k") != (_down(unet)[0].resnet == "k"):
                message = "expected blocks of k-diffusion at all levels or at none"
                message = f"{message}, found {getattr(unet, key)[index]}"
                yield WIRING.at((key, index), message, beside=BLOCKS)
                return
    if _down(unet)[0].resnet != "k":
        return
    for index, channels in enumerate(unet.block_out_channels):
        if channels % K_GROUP_SIZE:
            message = f"expected a multiple of {K_GROUP_SIZE}, the channels of a norm's group"
            message = f"{message}, found {channels}"
            yield GROUPS.at(("block_out_channels", index), message, beside=BLOCKS)
            return
    if _down(unet)[-1].attention != _up(unet)[0].attention:
        message = "expected attention at the lowest level in encoder and decoder, or in neither"
        message = f"{message}, found {unet.up_block_types[0]}"
        yield WIRING.at(("up_block_types", 0), message, beside=BLOCKS)
        return
    mirrored = [*unet.block_out_channels[::-1], unet.block_out_channels[0]]
    for index, block in enumerate(_up(unet)):
        channels, above = mirrored[index], mirrored[index + 1]
        # The published code takes a block for the lowest if three numbers of channels are equal.
        is_lowest = block.attention is not None and channels == above == unet.temb_channels
        if block.attention is not None and is_lowest != (index == 0):
            wanted = "those of the level above and" if index == 0 else "other than"
            yield WIRING.at(
                ("block_out_channels", len(mirrored) - 2 - index),
                f"expected {wanted} the width of the time embedding, {unet.temb_channels}, by "
                f"which {unet.up_block_types[index]} knows the lowest level, found {channels}",
                beside=(*BLOCKS, *_TIME),
            )
            return


def fir_blocks(unet: UNet2DConfig) -> Iterator[Finding]:
    """Blocks of NCSN++ carry an image along, and count groups by channels."""
    down, up = _down(unet), _up(unet)
    carries = [block.resnet == "fir" for block in down[:-1]]
    pictures = [block.resnet == "fir" for block in up]
    for key, used in (("in_channels", any(carries)), ("out_channels", any(pictures))):
        if used and getattr(unet, key) != FIR_IMAGE_CHANNELS:
            message = (
                f"expected the {FIR_IMAGE_CHANNELS} channels of the image that Skip blocks carry"
            )
            yield WIRING.at((key,), f"{message}, found {getattr(unet, key)}", beside=BLOCKS)
    for key, chain in (
        ("down_block_types", carries[::-1]),
        ("up_block_types", pictures),
    ):
        if True in chain and not all(chain[chain.index(True) :]):
            behind = chain.index(False, chain.index(True))
            index = len(carries) - 1 - behind if key == "down_block_types" else behind
            name = getattr(unet, key)[index]
            message = "expected a Skip block, since the image is carried through this level"
            yield WIRING.at((key, index), f"{message}, found {name}", beside=BLOCKS)
    for index, channels in _fir_channels(unet):
        if channels < 4 or channels % min(channels // 4, 32):
            message = (
                f"expected channels that make groups of four, or {FIR_ATTENTION_GROUPS} groups"
            )
            message = f"{message}, found {channels}"
            yield GROUPS.at(("block_out_channels", index), message, beside=BLOCKS)
            return
    for block in attention_blocks(unet):
        kinds = (down[block.level], up[len(up) - 1 - block.level])
        channels = unet.block_out_channels[block.level]
        if (
            any(k.resnet == "fir" and k.attention for k in kinds)
            and channels % FIR_ATTENTION_GROUPS
        ):
            message = f"expected a multiple of the {FIR_ATTENTION_GROUPS} groups of its attention"
            message = f"{message}, found {channels}"
            yield GROUPS.at(("block_out_channels", block.level), message, beside=BLOCKS)
            return


def _fir_channels(unet: UNet2DConfig) -> Iterator[tuple[int, int]]:
    """The channels over which such blocks count groups, each with its level."""
    channels, last = unet.block_out_channels, len(unet.block_out_channels) - 1
    for level, block in enumerate(_down(unet)):
        if block.resnet == "fir":
            yield level, channels[level]
            yield level, channels[max(level - 1, 0)]
    for index, block in enumerate(_up(unet)):
        level = last - index
        if block.resnet == "fir":
            yield level, channels[level]
            yield level, channels[min(level + 1, last)] + channels[level]
            yield level, channels[level] + channels[max(level - 1, 0)]


def _down(unet: Unet) -> list[BlockType]:
    return [DOWN_BLOCKS.get(name, _PLAIN) for name in unet.down_block_types]


def _up(unet: Unet) -> list[BlockType]:
    return [UP_BLOCKS.get(name, _PLAIN) for name in unet.up_block_types]
