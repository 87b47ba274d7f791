"""The pieces of low-rank additions: by which names they are known, and what their shapes tell.

Sources: kohya-ss/sd-scripts, `networks/lora.py`, `oft.py` and `oft_flux.py`;
KohakuBlueleaf/LyCORIS, `lycoris/modules`; huggingface/peft, `tuners`; comfyanonymous/ComfyUI, `comfy/lora.py`;
huggingface/diffusers, `lora_conversion_utils.py`; XLabs-AI/x-flux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isqrt

from unetscope.checkpoints.lora.bases import Told
from unetscope.record import TensorSpec

NORMS = "difference of norms"
_LAST = {
    "hada_w1_a": "LoHa",
    "hada_w1_b": "LoHa",
    "hada_w2_a": "LoHa",
    "hada_w2_b": "LoHa",
    "hada_t1": "LoHa",
    "hada_t2": "LoHa",
    "lokr_w1": "LoKr",
    "lokr_w1_a": "LoKr",
    "lokr_w1_b": "LoKr",
    "lokr_w2": "LoKr",
    "lokr_w2_a": "LoKr",
    "lokr_w2_b": "LoKr",
    "lokr_t2": "LoKr",
    "oft_blocks": "OFT",
    "oft_diag": "OFT",
    "oft_r": "OFT",
    "oft_s": "OFT",
    "boft_R": "BOFT",
    "boft_s": "BOFT",
    "on_input": "IA3",
    "ia3_l": "IA3",
    "diff": "full difference",
    "diff_b": "full difference",
    "w_norm": NORMS,
    "b_norm": NORMS,
    "lora_A": "LoRA",
    "lora_B": "LoRA",
}
"""Last level of a name -> what it is a piece of."""
_END = {
    "lora_down.weight": "LoRA",
    "lora_up.weight": "LoRA",
    "lora_mid.weight": "LoRA",
    "lora_A.weight": "LoRA",
    "lora_B.weight": "LoRA",
    "lora_B.bias": "LoRA",
    "a1.weight": "GLoRA",
    "a2.weight": "GLoRA",
    "b1.weight": "GLoRA",
    "b2.weight": "GLoRA",
    "bm.weight": "GLoRA",
    "oft_R.weight": "OFT",
    **{f"oft_blocks.{number}": "OFT" for number in range(4)},
}
"""Last two levels of a name -> what it is a piece of."""
_OLD = re.compile(
    r"(.*?)(?:\.processor)?\.(\w+?)[._](?:lora\d?|lora_linear_layer)\.(down|up)\.weight"
)
"""diffusers' names before PEFT: `attn1.processor.to_q_lora.down.weight`, `to_q.lora.up.weight`."""
_ADAPTER = re.compile(r"(.*)\.(lora_[AB])\.\w+\.weight")
"""PEFT's names with the adapter's: `to_q.lora_A.default.weight`."""
_BESIDE = frozenset(
    {"alpha", "dora_scale", "lora_magnitude_vector", "rescale", "set_weight", "reshape_weight"}
)
"""What counts only beside a piece of the same module."""
_GLORA = ("a1.weight", "a2.weight", "b1.weight", "b2.weight")
"""Names that other networks have too, so that all of them have to be there."""
_ROLES = {"lora_down": "down", "lora_A": "down", "down": "down"}
_ROLES |= {"lora_up": "up", "lora_B": "up", "up": "up"}
_OLD_ENDS = ("down.weight", "up.weight")
LASTS = frozenset({*_LAST, *_BESIDE})
ENDS = frozenset({*_END, *_OLD_ENDS})
"""Ends of names that are worth a closer look; so is what has `.lora_` in it."""


class Spotted:
    """Names that are pieces of low-rank additions, noted while all names are gone through."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.beside: list[str] = []

    def see(self, name: str, last: str, end: str) -> None:
        """Look at a name that may be one, of which the last level and the last two are given."""
        if last in _LAST or end in _END:
            self.pieces.append(name)
        elif last in _BESIDE or "lora_magnitude_vector" in end:
            self.beside.append(name)
        elif (_OLD if end in _OLD_ENDS else _ADAPTER).fullmatch(name):
            self.pieces.append(name)

    def names(self, tensors: Mapping[str, TensorSpec]) -> list[str]:
        """All names of low-rank additions."""
        if not self.pieces:
            return []
        found = [name for name in self.pieces if _is_whole(name, tensors)]
        modules = {_piece(name)[0] for name in found}
        for name in self.beside:
            module = name.partition(".lora_magnitude_vector")[0]
            if module in modules or module.rpartition(".")[0] in modules:
                found.append(name)
        on_input = [m for m in modules if f"{m}.on_input" in tensors and f"{m}.weight" in tensors]
        return found + [f"{module}.weight" for module in on_input]


def _is_whole(name: str, tensors: Mapping[str, TensorSpec]) -> bool:
    """Whether a piece that no name alone tells has all the others beside it."""
    owner, _ = _piece(name)
    if _END.get(name[len(owner) + 1 :]) != "GLoRA":
        return True
    return all(f"{owner}.{end}" in tensors for end in _GLORA)


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


def _piece(name: str) -> tuple[str, str]:
    """The module that a piece is of, and what the piece is called."""
    module, _, last = name.rpartition(".")
    if last in _LAST:
        return module, last
    owner, _, piece = module.rpartition(".")
    if f"{piece}.{last}" in _END:
        return owner, f"{piece}.{last}" if last.isdigit() else piece
    if name.endswith(_OLD_ENDS) and (match := _OLD.fullmatch(name)):
        # Their last layer of an attention is `to_out.0` everywhere else.
        return f"{match[1]}.{match[2]}" + (".0" if match[2] == "to_out" else ""), match[3]
    if match := _ADAPTER.fullmatch(name):
        return match[1], match[2]
    return module, last


@dataclass
class _Pieces:
    """The pieces of what is added to one module, by their names."""

    form: str
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def targets(tensors: Mapping[str, TensorSpec]) -> Iterator[Target]:
    """The modules that are added to, each with what is told of it."""
    modules: dict[str, _Pieces] = {}
    for name, spec in tensors.items():
        last = name.rpartition(".")[2]
        if last in _BESIDE or "lora_magnitude_vector" in name:
            continue
        module, piece = _piece(name)
        form = _LAST.get(last) or _END.get(name[len(module) + 1 :], "LoRA")
        if last == "weight" and piece == "weight":
            form = "IA3"
        if last == "oft_blocks" and len(spec.shape) == 4:
            form = "BOFT"
        known = modules.setdefault(module, _Pieces(form))
        known.shapes[_ROLES.get(piece, piece)] = spec.shape
    for module, pieces in modules.items():
        yield _target(module, pieces.form, pieces.shapes)


def _target(name: str, form: str, shapes: dict[str, tuple[int, ...]]) -> Target:
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
    if packed := shapes.get("oft_R"):
        blocks, upper = packed
        side = (1 + isqrt(1 + 8 * upper)) // 2
        # A single one may be shared by all blocks, and then it does not tell how many there are.
        told = blocks > 1 and side * (side - 1) // 2 == upper
        return Target(name, form, blocks * side if told else None)
    sizes = [shape[-3] * shape[-1] for piece, shape in shapes.items() if _is_block(piece, shape)]
    turned = sum(sizes) or None
    scales = shapes.get("oft_s") or shapes.get("boft_s")
    if scales:
        shared = "oft_r" in shapes and shapes["oft_r"][0] == 1
        return Target(name, form, None if shared else turned, max(scales))
    if shapes.get("oft_r", (0,))[0] == 1:
        turned = None
    return Target(name, form, None, turned)


def _is_block(piece: str, shape: tuple[int, ...]) -> bool:
    return piece.startswith(("oft_", "boft_R")) and len(shape) >= 3


def _scaled(name: str, shapes: dict[str, tuple[int, ...]]) -> Target:
    """What scales tell: LyCORIS keeps in a value which side they scale, PEFT in their shape."""
    shape = shapes.get("ia3_l")
    if shape and len(shape) == 2:
        return Target(name, "IA3", *((None, shape[0]) if shape[1] == 1 else (shape[1], None)))
    shape = shape or shapes.get("weight", ())
    return Target(name, "IA3", convolves=len(shape) > 2, either=max(shape, default=None))


def _times(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first * second
