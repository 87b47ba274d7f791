"""Ways to divide a network, so that each module is in exactly one group and sums add up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from unetscope.analysis.anatomy import Anatomy, anatomy, embeddings, makes_vectors
from unetscope.analysis.network import Network

By = Literal["block", "part", "module"]

OTHER = "other"
"""The group of what is in no other: the root, and containers of several groups."""
TIME_EMBEDDING = "time_embedding"
"""The part that makes one vector an image: embeddings of time, and of what is added to it."""

# A name with the index that follows it is one level: `down_blocks.0`, `resnets.1`, `conv1`.
_LEVEL = re.compile(r"[^.]*[^.\d][^.]*\.\d+(?![^.])|[^.]+")


def partition(network: Network, by: By, depth: int | None = None) -> dict[str, str]:
    """The group of every module, by path, in the order of the modules.

    A function belongs to the group of the module in whose body it ran. Groups that hold nothing
    are the reader's to leave out.

    Args:
        network: a traced network.
        by: `block`: a block of `Network.blocks` by path, or what stands beside them; `part`: a
            field of `Anatomy`, `time_embedding` or `other`; `module`: a path.
        depth: with `module`, how many levels of a path to tell apart, 1 for the children of the
            root; None for all. An index is no level: `down_blocks.0` is one.
    """
    if by == "module":
        return {path: _cut(path, depth) or OTHER for path in network.modules}
    blocks = _blocks(network)
    if by == "block":
        return blocks
    parts = _parts(network, anatomy(network))
    return {path: parts.get(block, OTHER) for path, block in blocks.items()}


def in_order(network: Network, groups: Mapping[str, str]) -> list[str]:
    """The groups in the order of their first calls; those that are never called come last."""
    called = dict.fromkeys(groups[step.module] for step in network.trace.steps)
    return list(dict.fromkeys([*called, *groups.values()]))


def _cut(path: str, depth: int | None) -> str:
    """The first `depth` levels of a path."""
    levels = _LEVEL.findall(path)
    return ".".join(levels[:depth])


def _blocks(network: Network) -> dict[str, str]:
    """The block of every module; a module beside the blocks is one by itself, called or not."""
    called = {network.path(call) for call in network.blocks}
    above = {"", *(prefix for path in called for prefix in _prefixes(path)[:-1])}
    groups = {}
    for path in network.modules:
        prefixes = _prefixes(path)
        inside = [prefix for prefix in prefixes if prefix in called]
        beside = [prefix for prefix in prefixes if prefix not in above]
        groups[path] = inside[-1] if inside else beside[0] if beside else OTHER
    return groups


def _prefixes(path: str) -> list[str]:
    """The paths of the modules down to `path`, the root's first."""
    names = path.split(".") if path else []
    return [".".join(names[:end]) for end in range(len(names) + 1)]


def _parts(network: Network, found: Anatomy) -> dict[str, str]:
    """The part of every block, by path."""
    parts = {network.path(call): part for part, calls in vars(found).items() for call in calls}
    for call in embeddings(network, found):
        part = TIME_EMBEDDING if makes_vectors(network, call) else OTHER
        parts.setdefault(network.path(call), part)
    return parts
