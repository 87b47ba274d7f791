"""Which of diffusers' modules the numbered blocks of CompVis' networks are.

There the encoder is one list through all levels, of ResNets, each with its attention, and of what
halves the resolution between two levels; the decoder likewise, where what doubles it stands in the
last block of a level. A convolution that halves has a name of its own, `op`. A ResNet that halves
looks like any other: how many stand before it at its level is told by the decoder, which has one
more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from unetscope.checkpoints.inference.tree import NotInferredError

_BLOCK = re.compile(r"((input|output)_blocks\.(\d{1,4})\.(\d)|middle_block\.(\d))\.([^.]+)")
Role = Literal["resnet", "transformer", "attention", "op", "conv"]
_ROLES: dict[str, Role] = {
    "in_layers": "resnet",
    "proj_in": "transformer",
    "qkv": "attention",
    "op": "op",
    "conv": "conv",
}


@dataclass(frozen=True)
class Unit:
    """One module of CompVis' that is one of diffusers'.

    Attributes:
        path: diffusers' path.
        role: what it is.
    """

    path: str
    role: Role


Block = dict[int, Role]
"""What stands in one numbered block: its place there -> what it is."""


def units(names: Iterable[str]) -> dict[str, Unit]:
    """CompVis' paths, such as `input_blocks.1.0`, and which of diffusers' modules they are.

    Raises:
        NotInferredError: blocks are missing, or the encoder's cannot be told to be of a level.
    """
    sides: dict[str, dict[int, Block]] = {"input": {}, "output": {}, "middle": {}}
    for name in names:
        if match := _BLOCK.match(name):
            side, role = match[2] or "middle", _ROLES.get(match[6])
            if role is not None:
                index, place = int(match[3] or 0), int(match[4] or match[5])
                sides[side].setdefault(index, {})[place] = role
    found: dict[str, Unit] = {}
    ups = list(_levels_of_decoder(_listed("output", sides["output"], 0)))
    inputs = _listed("input", sides["input"], 1)
    found.update(_encoder(inputs, _levels_of_encoder(inputs, [len(level) for level in ups])))
    found.update(_decoder(ups))
    for place, role in sides["middle"].get(0, {}).items():
        part = f"resnets.{place // 2}" if role == "resnet" else f"attentions.{place // 2}"
        found[f"middle_block.{place}"] = Unit(f"mid_block.{part}", role)
    return found


def _listed(side: str, blocks: dict[int, Block], first: int) -> list[Block]:
    """The blocks of a side in order; the first convolution is no block."""
    numbers = sorted(number for number in blocks if number >= first)
    for index, number in enumerate(numbers, first):
        if index != number:
            raise NotInferredError(f"`{side}_blocks.{index}` is missing, and later ones are there")
    return [blocks[number] for number in numbers]


def _levels_of_decoder(blocks: list[Block]) -> Iterator[list[Block]]:
    """The blocks of each level, from the lowest resolution up."""
    level: list[Block] = []
    for block in blocks:
        level.append(block)
        if _doubles(block) is not None:
            yield level
            level = []
    if level:
        yield level


def _doubles(block: Block) -> int | None:
    """The place of what doubles the resolution, if that is in a block."""
    return next((at for at, role in block.items() if at and role in ("conv", "resnet")), None)


def _levels_of_encoder(blocks: list[Block], ups: list[int]) -> list[int]:
    """How many ResNets stand at each level, from the full resolution down."""
    halving = [index for index, block in enumerate(blocks) if block.get(0) == "op"]
    if len(halving) == len(ups) - 1 or not ups:
        ends = [*halving, len(blocks)]
        return [end - begin - 1 for begin, end in zip([-1, *halving], ends, strict=True)]
    counts = [count - 1 for count in reversed(ups)]
    if sum(counts) + len(counts) - 1 != len(blocks):
        raise NotInferredError(
            f"{len(blocks)} input blocks, which are not those of {len(counts)} levels with "
            f"{', '.join(map(str, counts))} ResNets and with {len(counts) - 1} that halve"
        )
    return counts


def _encoder(blocks: list[Block], counts: list[int]) -> Iterator[tuple[str, Unit]]:
    ahead = enumerate(blocks, 1)
    for level, count in enumerate(counts):
        path = f"down_blocks.{level}"
        for layer in range(count):
            index, block = next(ahead)
            yield from _layer(f"input_blocks.{index}", block, path, layer)
        for index, block in ahead if level < len(counts) - 1 else ():
            yield f"input_blocks.{index}.0", Unit(f"{path}.downsamplers.0", block.get(0, "op"))
            break


def _decoder(levels: list[list[Block]]) -> Iterator[tuple[str, Unit]]:
    index = 0
    for number, level in enumerate(levels):
        path = f"up_blocks.{number}"
        for layer, block in enumerate(level):
            place = f"output_blocks.{index}"
            index += 1
            doubling = _doubles(block)
            own = {at: role for at, role in block.items() if at != doubling}
            yield from _layer(place, own, path, layer)
            if doubling is not None:
                yield f"{place}.{doubling}", Unit(f"{path}.upsamplers.0", block[doubling])


def _layer(place: str, block: Block, path: str, layer: int) -> Iterator[tuple[str, Unit]]:
    """A ResNet, and the attention behind it."""
    for at, role in block.items():
        part = "resnets" if at == 0 else "attentions"
        yield f"{place}.{at}", Unit(f"{path}.{part}.{layer}", role)
