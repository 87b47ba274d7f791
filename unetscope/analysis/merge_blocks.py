"""Merge-block ids (IN00 … M00 … OUT11), found from what the network does.

As the merge-block-weighted tools number them: what brings the sample in is IN00, each ResNet of
the encoder (with the transformer after it) and each downsampler is the next IN block, the middle is
M00, each ResNet of the decoder (with the transformer and the upsampler after it) is the next OUT
block. Embeddings belong to IN00, the output layers to the last OUT block. BASE is all that is no
part of the UNet, such as the text encoder.

Sources: bbc-mc/sdweb-merge-block-weighted-gui and hako-mikan/sd-webui-supermerger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unetscope.analysis.anatomy import anatomy, embeddings
from unetscope.analysis.network import Network

BASE = "BASE"


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
        name = _around(path, ids)
        if name is None and module.own_parameters:
            name = _around(path, last) or BASE
        if name is not None:
            found[path] = name
    return found


def _around(path: str, ids: Mapping[str, str]) -> str | None:
    """The id of the smallest module around a path that has one."""
    while path and path not in ids:
        path = path.rpartition(".")[0]
    return ids.get(path)


def merge_block_units(network: Network) -> dict[str, tuple[str, ...]]:
    """The paths of the modules that each merge block consists of, from IN00 to the last OUT."""
    parts = anatomy(network)
    units: dict[str, list[int]] = {"IN00": [*embeddings(network, parts), *parts.entry]}
    number = 0
    for unit in _units(network, parts.encoder):
        if number == 0 or not network.is_transformer(unit):
            number += 1
        units.setdefault(f"IN{number:02}", []).append(unit)
    units["M00"] = list(_units(network, parts.middle))
    number = -1
    for unit in _units(network, parts.decoder):
        upsamples = network.resamples(unit)
        number += number < 0 or (network.is_resnet(unit) and not upsamples)
        units.setdefault(f"OUT{number:02}", []).append(unit)
    units.setdefault(f"OUT{max(number, 0):02}", []).extend(parts.exit)
    return {
        name: tuple(dict.fromkeys(map(network.path, calls)))
        for name, calls in units.items()
        if calls
    }


def _units(network: Network, blocks: Sequence[int]) -> Iterator[int]:
    """The ResNets, transformers and resamplers of blocks; a block that is one stands for itself."""
    for block in blocks:
        single = network.is_resnet(block) or network.is_transformer(block)
        yield from [block] if single else network.units(block) or [block]
