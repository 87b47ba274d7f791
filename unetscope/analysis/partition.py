"""Ways to divide a network: by block, part or path, so that sums add up, and by merge block.

Merge-block ids (IN00 … M00 … OUT11) are numbered as the merge-block-weighted tools do: what brings
the sample in is IN00, each ResNet of the encoder (with the transformer after it) and each
downsampler is the next IN block, the middle is M00, each ResNet of the decoder (with the
transformer and the upsampler after it) is the next OUT block. Embeddings belong to IN00, the output
layers to the last OUT block. Sources: bbc-mc/sdweb-merge-block-weighted-gui and
hako-mikan/sd-webui-supermerger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from unetscope.analysis.anatomy import Anatomy, anatomy, embeddings, makes_vectors
from unetscope.analysis.control import blocks, parts_beside
from unetscope.analysis.network import Network

By = Literal["block", "part", "module"]

OTHER = "other"
"""The group of what is in no other: the root, and containers of several groups."""
TIME_EMBEDDING = "time_embedding"
"""The part that makes vectors `(B, C)`: embeddings of the time step, and of what is added to it."""
BASE = "BASE"
"""The merge block of what is no part of the UNet, such as the text encoder."""

# A name with the index that follows it is one level: `down_blocks.0`, `resnets.1`, `conv1`.
_LEVEL = re.compile(r"[^.]*[^.\d][^.]*\.\d+(?![^.])|[^.]+")


def partition(network: Network, by: By, depth: int | None = None) -> dict[str, str]:
    """The group of every module, by path, in the order of the modules.

    A function belongs to the group of the module in whose body it ran. A group may hold neither
    parameters nor functions.

    Args:
        network: a traced network.
        by: `block`: a block of `Network.blocks` by path, or what stands beside them; `part`: a
            field of `Anatomy`, `time_embedding`, what steers the UNet (`controlnet`, `adapter`) or
            `other`; `module`: a path.
        depth: with `module`, the number of levels of a path that make a group, 1 for the children
            of the root; None for all. A name and its index are one level: `down_blocks.0`.
    """
    if by == "module":
        return {path: _cut(path, depth) or OTHER for path in network.modules}
    held_by = _blocks(network)
    return held_by if by == "block" else parts_of(network, anatomy(network), held_by)


def parts_of(network: Network, found: Anatomy, blocks: Mapping[str, str]) -> dict[str, str]:
    """The part of every module, by path, from the parts of the network and every module's block."""
    beside, parts = parts_beside(network), _parts(network, found)
    return {
        path: nearest(path, beside) or parts.get(block, OTHER) for path, block in blocks.items()
    }


def in_order(network: Network, groups: Mapping[str, str]) -> list[str]:
    """The groups in the order of their first calls; those that are never called come last."""
    called = dict.fromkeys(groups[step.module] for step in network.trace.steps)
    return list(dict.fromkeys([*called, *groups.values()]))


def _cut(path: str, depth: int | None) -> str:
    """The first `depth` levels of a path."""
    levels = _LEVEL.findall(path)
    return ".".join(levels[:depth])


def _blocks(network: Network) -> dict[str, str]:
    """The block of every module; a module beside the blocks is one by itself, called or not.

    What steers the UNet has blocks too; what it holds beside them is one with its path.
    """
    called, steer = {network.path(call) for call in blocks(network)}, parts_beside(network)
    above = {""}
    for path in called:
        while path := path.rpartition(".")[0]:
            above.add(path)

    @cache
    def group(path: str) -> str:
        parent = path.rpartition(".")[0]
        around = group(parent) if path else OTHER
        if path in called:
            return path
        if around in called:
            return around
        begins = path in steer if path in above else parent in above
        return path if begins else around

    return {path: group(path) for path in network.modules}


def _parts(network: Network, found: Anatomy) -> dict[str, str]:
    """The part of every block, by path."""
    parts = {network.path(call): part for part, calls in vars(found).items() for call in calls}
    for call in embeddings(network, found):
        part = TIME_EMBEDDING if makes_vectors(network, call) else OTHER
        parts.setdefault(network.path(call), part)
    return parts


def merge_blocks(network: Network) -> dict[str, str]:
    """The merge-block id of every module, by path; containers of several have none.

    A layer beside the ResNets, transformers and resamplers of its block belongs to their last; one
    that is in no block and never called, to BASE.
    """
    units = merge_block_units(network)
    ids = {path: name for name, paths in units.items() for path in paths}
    last = {
        network.path(block): name
        for block in network.blocks
        for path, name in ids.items()
        if path.startswith(f"{network.path(block)}.")
    }
    found = {}
    for path, module in network.modules.items():
        name = nearest(path, ids)
        if name is None and module.own_parameters:
            name = nearest(path, last) or BASE
        if name is not None:
            found[path] = name
    return found


def nearest(path: str, known: Mapping[str, str]) -> str | None:
    """What is known of the smallest module around a path of which something is, itself included."""
    while path and path not in known:
        path = path.rpartition(".")[0]
    return known.get(path)


def merge_block_units(network: Network) -> dict[str, tuple[str, ...]]:
    """The paths of the modules that each merge block consists of, from IN00 to the last OUT."""
    parts = anatomy(network)
    units: dict[str, list[int]] = {"IN00": [*embeddings(network, parts), *parts.entry]}
    number = 0
    for unit in network.units_of(parts.encoder):
        if number == 0 or not network.is_transformer(unit):
            number += 1
        units.setdefault(f"IN{number:02}", []).append(unit)
    units["M00"] = list(network.units_of(parts.middle))
    number = -1
    for unit in network.units_of(parts.decoder):
        upsamples = network.resamples(unit)
        number += number < 0 or (network.is_resnet(unit) and not upsamples)
        units.setdefault(f"OUT{number:02}", []).append(unit)
    units.setdefault(f"OUT{max(number, 0):02}", []).extend(parts.exit)
    return {
        name: tuple(dict.fromkeys(map(network.path, calls)))
        for name, calls in units.items()
        if calls
    }
