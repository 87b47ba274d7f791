"""Locks of networks of which only the tensors are known, such as a checkpoint's.

A checkpoint's tensors have no order but that of their names, so those of the network that it is
compared with are put in that order too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from unetscope.lock import Lock, LockedModule, LockedTensor, Totals

_DTYPE = "float32"
"""Every tensor's: weights in another precision are the same network's."""
_DIGITS = re.compile(r"(\d+)")
_BLOCK = re.compile(r"[^.]+(\.\d+)?")


@dataclass(frozen=True)
class Written:
    """Whose names a network's tensors have where they stand, if they are compared under others.

    Attributes:
        dialect: whose; empty if they are compared under these.
        names: the name that is compared -> the one that stands there.
    """

    dialect: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def bare(name: str, shapes: Mapping[str, tuple[int, ...]]) -> Lock:
    """A lock of tensors alone: without functions, skips, inputs, outputs, settings and classes."""
    tensors = tuple(
        LockedTensor(tensor, shapes[tensor], _DTYPE) for tensor in sorted(shapes, key=_numbered)
    )
    holders = {"": None}
    for tensor in tensors:
        levels = tensor.name.split(".")[:-1]
        holders.update((".".join(levels[: n + 1]), None) for n in range(len(levels)))
    return Lock(
        name=name,
        config={},
        inputs=(),
        outputs=(),
        totals=Totals(sum(tensor.numel for tensor in tensors), 0, 0),
        macs={},
        uncounted={},
        blocks=tuple(dict.fromkeys(m[0] for m in map(_BLOCK.match, holders) if m)),
        modules=tuple(LockedModule(path, "") for path in holders),
        tensors=tensors,
        skips=(),
        functions={},
    )


def shapes_of(lock: Lock, other: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The tensors of a lock that a checkpoint holds.

    A tied tensor may be saved once or under each of its names: it counts if `other` names it.
    """
    named = set(other)
    return {
        tensor.name: tensor.shape
        for tensor in lock.tensors
        if tensor.persistent and (tensor.tied_to is None or tensor.name in named)
    }


def other_names(old: Lock, new: Lock) -> dict[str, str]:
    """Old path -> new path, where one network has diffusers' names and the other one CompVis'."""
    from unetscope.analysis.names import compvis_names, one_to_one  # checkpoints alone need them

    before, after = ({module.path: None for module in lock.modules} for lock in (old, new))
    forth = {was: now for was, now in one_to_one(compvis_names(before)).items() if now in after}
    back = {was: now for now, was in one_to_one(compvis_names(after)).items() if was in before}
    found = {now: was for was, now in reversed(max(forth, back, key=len).items())}
    return {was: now for now, was in found.items() if was not in after and now not in before}


def dialect(lock: Lock) -> str:
    """Whose names a network has, diffusers' or CompVis', if it has either's."""
    compvis = any(module.path.startswith("input_blocks.") for module in lock.modules)
    return "CompVis" if compvis else "diffusers"


def _numbered(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts `blocks.10` behind `blocks.2`."""
    parts = _DIGITS.split(name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name
