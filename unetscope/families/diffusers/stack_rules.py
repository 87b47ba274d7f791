"""Whether the ResNets of the up blocks fit the residuals that are pushed at their resolutions.

diffusers gives each up block one ResNet more than the down block that it mirrors, so that it joins
all of them. A pruned decoder has fewer, and which residuals its ResNets join is no matter of
counting: it decides the channels that they take.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.channel_rules import BLOCKS
from unetscope.families.diffusers.levels import (
    Joins,
    has_transformers,
    mid_depth,
    unet_levels,
    up_layers,
)
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import DEEPEST
from unetscope.findings import LIST_LENGTH, MISSING, RESIDUALS, UNSUPPORTED, Finding, Path
from unetscope.wording import found, series

Unet = UNet2DConditionConfig | UNet2DConfig
KEY = "up_layers_per_block"
_BESIDE = ("layers_per_block", *BLOCKS)
_MOST_SHOWN = 3
"""Ways to join the residuals that a hint lists."""


def stack(unet: Unet) -> Iterator[Finding]:
    """What the up blocks say of their ResNets; every other list of `unet` has one entry a level."""
    value = unet.up_layers_per_block
    if value is None:
        return
    if any(_kind(name) == "k" for name in (*unet.down_block_types, *unet.up_block_types)):
        yield UNSUPPORTED.at(
            (KEY,),
            "expected null, since blocks of k-diffusion join one residual of their level before "
            f"all their ResNets, found {found(list(value) if isinstance(value, tuple) else value)}",
            beside=_BESIDE,
        )
        return
    last = len(unet.block_out_channels) - 1
    for block, up in enumerate(up_layers(value, last + 1)):
        path: Path = (KEY, block) if isinstance(value, tuple) else (KEY,)
        faults = list(_faults(path, block, up, _pushed(unet, last - block)))
        yield from faults
        if faults and not isinstance(value, tuple):
            return


def middle_depth(unet: UNet2DConditionConfig) -> Iterator[Finding]:
    """The middle block has the transformer of the last level, which may have none."""
    if has_transformers(unet.mid_block_type, MID_BLOCKS) and mid_depth(unet) is None:
        yield MISSING.at(
            ("transformer_layers_per_mid_block",),
            f"expected a number, since the last level has no transformer whose depth "
            f"{unet.mid_block_type} could have, found null",
            beside=("transformer_layers_per_block", *BLOCKS),
        )


def _faults(path: Path, block: int, up: Joins, pushed: list[str]) -> Iterator[Finding]:
    if isinstance(up, tuple):
        yield from _faults_of_joins(path, up, pushed)
        return
    wanted = f"expected {len(pushed)} ResNets, one for each residual of their resolution"
    told = ", ".join(f"{index} is {name}" for index, name in enumerate(pushed))
    if up < len(pushed):
        left = series(pushed[up:])
        ways = islice(combinations(range(len(pushed)), up), _MOST_SHOWN)
        shown = series([str(list(way)) for way in ways], "or")
        yield RESIDUALS.at(
            path,
            f"{wanted}, found {up}, with which {left} would be left",
            hint=f"which residuals they join must be said, such as {shown}: {told}",
            beside=_BESIDE,
        )
    elif up > len(pushed):
        lacking = series([f"up_blocks.{block}.resnets.{i}" for i in range(len(pushed), up)])
        ways_out = [*map(str, range(len(pushed))), *["null"] * (up - len(pushed))]
        yield RESIDUALS.at(
            path,
            f"{wanted}, found {up}, of which {lacking} would find none",
            hint=f"null joins none, such as [{', '.join(ways_out)}]",
            beside=_BESIDE,
        )


def _faults_of_joins(
    path: Path, joins: tuple[int | None, ...], pushed: list[str]
) -> Iterator[Finding]:
    if not 1 <= len(joins) <= DEEPEST:
        wanted = f"expected 1 to {DEEPEST} entries, one for each ResNet of the block"
        yield LIST_LENGTH.at(path, f"{wanted}, found {len(joins):,}")
        return
    before = -1
    for index, joined in enumerate(joins):
        if joined is None:
            continue
        at = (*path, index)
        if joined >= len(pushed):
            yield RESIDUALS.at(
                at,
                f"expected 0 to {len(pushed) - 1}, since {len(pushed)} residuals are pushed at "
                f"its resolution, found {joined}",
                hint=f"the oldest, {len(pushed) - 1}, is {pushed[-1]}",
                beside=_BESIDE,
            )
            return
        if joined <= before:
            yield RESIDUALS.at(
                at,
                f"expected more than {before}, since residuals are popped the newest first and "
                f"joined once, found {joined}",
            )
            return
        before = joined


def _pushed(unet: Unet, level: int) -> list[str]:
    """The modules whose results are pushed at a level's resolution, the newest first."""
    own = unet_levels(unet)[level]
    kind = DOWN_BLOCKS.get(unet.down_block_types[level], BlockType()).attention
    names = []
    for layer in reversed(range(own.layers)):
        attends = kind is not None and own.attends(kind, layer)
        names.append(f"down_blocks.{level}.{'attentions' if attends else 'resnets'}.{layer}")
    if level == 0:
        return [*names, "conv_in"]
    above = f"down_blocks.{level - 1}"
    carries = _kind(unet.down_block_types[level - 1]) == "fir"
    return [*names, above if carries else f"{above}.downsamplers.0"]


def _kind(name: str) -> str | None:
    known = DOWN_BLOCKS.get(name) or UP_BLOCKS.get(name)
    return known.resnet if known else None
