"""Whether a network is built of blocks as diffusers' UNets are, which articles' tables fit."""

from __future__ import annotations

import re

from unetscope.analysis.network import Network

_BLOCK = re.compile(r"(?P<around>.*\.|)(?P<list>down_blocks|up_blocks)\.\d+")


def has_blocks(network: Network) -> bool:
    """Whether the articles' tables of down blocks, a middle block and up blocks fit a network.

    They fit what a config of a family describes, whatever its blocks are called. Of code they fit
    what calls its blocks as diffusers does: one module holds `down_blocks.N` and `up_blocks.N`,
    itself or inside another one, and none of these is a single layer. In all other networks a
    block is only what happens to be called in the body that joins the skips, often one layer; there
    is then no middle block and no count of ResNets to speak of.
    """
    if network.trace.config:
        return True
    lists: dict[str, set[str]] = {}
    for call in range(len(network.trace.steps)):
        found = _BLOCK.fullmatch(network.path(call))
        if found is None:
            continue
        if not network.children[call]:
            return False
        lists.setdefault(found["around"], set()).add(found["list"])
    return any(len(names) == 2 for names in lists.values())
