"""What the shapes of the pieces that are added to a module tell of it.

Sources: as those of `pieces`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from unetscope.checkpoints.lora.bases import Told


@dataclass
class Target:
    """A module that is added to.

    Attributes:
        name: as the file has it: `lora_unet_mid_block_attentions_0_proj_in`.
        form: what is added: `LoRA`, `LoKr`.
        inputs: the channels that it reads; None where that is not told.
        outputs: the channels that it writes; None where that is not told.
        rank: the rank of what is added; None where it has none.
        convolves: whether it is a convolution; None where that is not told.
        either: the channels that it reads or writes, where it is not told which of both.
    """

    name: str
    form: str
    inputs: int | None = None
    outputs: int | None = None
    rank: int | None = None
    convolves: bool | None = None
    either: int | None = None

    @property
    def told(self) -> Told:
        """What is to be compared with a network's modules."""
        return Told(self.inputs, self.outputs, self.convolves, self.either)


def target(name: str, form: str, shapes: dict[str, tuple[int, ...]]) -> Target:
    """What the shapes of the pieces tell of a module."""

    def size(piece: str, axis: int) -> int | None:
        shape = shapes.get(piece, ())
        return shape[axis] if axis < len(shape) else None

    if form == "LoRA":
        convolves = len(shapes["down"]) == 4 if "down" in shapes else None
        return Target(name, form, size("down", 1), size("up", 0), size("down", 0), convolves)
    if form == "LoHa":
        if "hada_t1" in shapes:
            rank = size("hada_w1_b", 0)
            return Target(name, form, size("hada_w1_b", 1), size("hada_w1_a", 1), rank)
        inputs = size("hada_w1_b", 1)
        return Target(name, form, inputs, size("hada_w1_a", 0), size("hada_w1_b", 0))
    if form == "LoKr":
        small = (
            size("lokr_w1", 0) or size("lokr_w1_a", 0),
            size("lokr_w1", 1) or size("lokr_w1_b", 1),
        )
        tucker = "lokr_t2" in shapes
        large = (
            size("lokr_w2", 0) or size("lokr_w2_a", 1 if tucker else 0),
            size("lokr_w2", 1) or size("lokr_w2_b", 1),
        )
        rank = size("lokr_w2_b", 0) or size("lokr_w1_b", 0)
        return Target(name, form, _times(small[1], large[1]), _times(small[0], large[0]), rank)
    if form in ("OFT", "BOFT"):
        return _rotated(name, form, shapes)
    if form == "IA3":
        return _scaled(name, shapes)
    if form == "GLoRA":
        if size("a2", 0) == size("a1", 1) == size("b1", 1):
            return Target(name, form, size("a2", 1), size("b1", 0), size("a2", 0))
        return Target(name, form, size("a1", 1), size("b2", 0), size("a1", 0))
    if form == "full difference":
        shape = shapes.get("diff", ())
        inputs = size("diff", 1) if len(shape) > 1 else None
        return Target(name, form, inputs, size("diff", 0), None, len(shape) == 4)
    return Target(name, form)


def _rotated(name: str, form: str, shapes: dict[str, tuple[int, ...]]) -> Target:
    """What rotations tell: PEFT rotates what a module reads, all others what it writes."""
    packed = shapes.get("oft_R", ())
    if len(packed) == 2:
        blocks, upper = packed
        side = (1 + isqrt(1 + 8 * upper)) // 2
        whole = side * (side - 1) // 2 == upper
        return Target(name, form, blocks * side if _counts(packed) and whole else None)
    turned = sum(
        shape[-3] * shape[-1]
        for piece, shape in shapes.items()
        if len(shape) > 2 and (piece != "oft_r" or _counts(shape))
    )
    scales = shapes.get("oft_s") or shapes.get("boft_s")
    if scales:
        return Target(name, form, turned or None, max(scales))
    return Target(name, form, None, turned or None)


def _counts(shape: tuple[int, ...]) -> bool:
    """Whether blocks of PEFT's tell how many there are: a single one may be shared by all."""
    return shape[0] > 1


def _scaled(name: str, shapes: dict[str, tuple[int, ...]]) -> Target:
    """What scales tell: LyCORIS keeps in a value which side they scale, PEFT in their shape."""
    shape = shapes.get("ia3_l")
    if shape and len(shape) == 2:
        return Target(name, "IA3", *((None, shape[0]) if shape[1] == 1 else (shape[1], None)))
    shape = shape or shapes.get("weight", ())
    return Target(name, "IA3", convolves=len(shape) > 2, either=max(shape, default=None))


def _times(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first * second
