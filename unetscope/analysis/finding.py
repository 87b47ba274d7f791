"""Modules by what a user may call them: a path, a CompVis name, a merge block, a glob."""

from __future__ import annotations

import re
from difflib import get_close_matches
from fnmatch import fnmatchcase

from unetscope.analysis.merge_blocks import merge_block_units
from unetscope.analysis.names import compvis_names
from unetscope.analysis.network import Network
from unetscope.analysis.parameters import spellings

_COMPVIS_BLOCK = re.compile(r"(?:(input|output)_blocks\.(\d+)|middle_block)")
_INDEX = re.compile(r"\[(\d+)\]")


def find(network: Network, wanted: str) -> tuple[str, ...]:
    """The paths of the modules that `wanted` may mean; none if there are none.

    In this order: `.` for the whole network; a path, in either spelling (`resnets[0]`,
    `resnets.0`), or a parameter's name; a merge block such as `IN05`; a CompVis name; a glob over
    paths and CompVis names, in which `*` stands for any characters.
    """
    dotted = _INDEX.sub(r".\1", wanted)
    if wanted == ".":
        return ("",)
    for name in (dotted, _module_of(network, dotted)):
        if name and name in network.modules:
            return (name,)
    units = merge_block_units(network)
    if wanted.upper() in units:
        return units[wanted.upper()]
    theirs = compvis_names(network.modules)
    ours = {other: path for path, other in theirs.items()}
    for name in (dotted, dotted.rpartition(".")[0] if _is_parameter(dotted) else ""):
        if name in ours:
            return (ours[name],)
    if ours and (block := _COMPVIS_BLOCK.fullmatch(dotted)):
        side = {"input": "IN", "output": "OUT"}.get(block[1], "M")
        name = f"{side}{int(block[2] or 0):02}"
        inside = tuple(p for p in units.get(name, ()) if theirs.get(p, "").startswith(f"{dotted}."))
        if inside:
            return inside
    for pattern in spellings(wanted):
        found = tuple(
            path
            for path in network.modules
            if path and (fnmatchcase(path, pattern) or fnmatchcase(theirs.get(path, ""), pattern))
        )
        if found:
            return found
    return ()


def nearest_names(network: Network, wanted: str) -> list[str]:
    """The three names that come closest to one that means nothing."""
    known = {
        *network.modules,
        *compvis_names(network.modules).values(),
        *merge_block_units(network),
    }
    folded = {name.casefold(): name for name in known if name}
    dotted = _INDEX.sub(r".\1", wanted).casefold()
    return [folded[name] for name in get_close_matches(dotted, sorted(folded), n=3, cutoff=0.5)]


def _module_of(network: Network, name: str) -> str:
    """The module that holds a parameter or buffer of this name; empty if there is none."""
    path, _, last = name.rpartition(".")
    module = network.modules.get(path)
    held = () if module is None else (*module.parameters, *module.buffers)
    return path if any(tensor.name == last for tensor in held) else ""


def _is_parameter(name: str) -> bool:
    return name.endswith((".weight", ".bias"))
