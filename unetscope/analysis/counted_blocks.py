"""How many blocks a UNet has, as people count them: those down, the middle, those up.

A lock tells it too, so that networks are counted alike however they are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unetscope.analysis.anatomy import named_as
from unetscope.lock import Lock
from unetscope.record import lies_in


class BlockCount(NamedTuple):
    """The blocks of a UNet; what gives the sample its first channels, embeds or ends is none."""

    down: int
    middle: int
    """1 if anything runs between the blocks that push and those that pop."""
    up: int


def count_blocks(lock: Lock) -> BlockCount | None:
    """The blocks by the skips that they push and pop, and by their names.

    None for a network without skips, or whose skips no block makes.
    """
    blocks = list(lock.blocks)
    pushing = [at for skip in lock.skips if (at := _holder(blocks, skip.producer)) is not None]
    popping = [at for skip in lock.skips if (at := _joiner(blocks, skip.consumer)) is not None]
    if not pushing or not popping or max(pushing) >= max(popping):
        return None
    first, last_push = min(pushing), max(pushing)
    first_pop, last_pop = min(at for at in popping if at > last_push), max(popping)
    kinds = {module.path: module.kind for module in lock.modules}
    inner = {module.path.rpartition(".")[0] for module in lock.modules if module.path}
    parts = [named_as(path, kinds.get(path, "")) for path in blocks]
    down, middle, up = list[str](), list[str](), list[str]()
    for at, path in enumerate(blocks):
        part = parts[at]
        if first <= at <= last_push:
            down.append(path)
        elif last_push < at < first_pop:
            {"encoder": down, "decoder": up}.get(part or "", middle).append(path)
        elif first_pop <= at <= last_pop or (at > last_pop and part == "decoder"):
            up.append(path)
    named = dict(zip(blocks, parts, strict=True))
    down = _blocks(_from_named(down, named, "encoder"), inner)
    up = _blocks(_from_named(up[::-1], named, "decoder"), inner)
    calls = {module.path: module.calls for module in lock.modules}
    sides = [len({_stage(path, calls) for path in side}) for side in (down, up)]
    return BlockCount(sides[0], min(len(middle), 1), sides[1])


def _holder(blocks: Sequence[str], path: str) -> int | None:
    """The block that is a module or holds it."""
    found = (at for at, block in enumerate(blocks) if lies_in(path, block))
    return next(found, None)


def _joiner(blocks: Sequence[str], path: str) -> int | None:
    """The block that takes what a module joins; behind the blocks that the module itself holds."""
    inside = [at for at, block in enumerate(blocks) if path and block.startswith(f"{path}.")]
    if inside:
        return inside[-1] + 1 if inside[-1] + 1 < len(blocks) else None
    return _holder(blocks, path)


def _from_named(side: list[str], parts: dict[str, str | None], part: str) -> list[str]:
    """A side without what stands outside of the first block that is named after it."""
    named = [at for at, path in enumerate(side) if parts[path] == part]
    return side[named[0] :] if named else side


def _blocks(side: list[str], inner: set[str]) -> list[str]:
    """A side without single layers, unless it consists of them."""
    return [path for path in side if path in inner] or side


def _stage(path: str, calls: dict[str, int]) -> str:
    """The list of a list of lists that a block stands in, which is one block to people."""
    above = path.rpartition(".")[0]
    further = above.rpartition(".")[0]
    in_lists = above and further and not calls.get(above) and not calls.get(further)
    return above if in_lists else path
