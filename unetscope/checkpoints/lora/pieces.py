"""The pieces of low-rank additions: by which names they are known, and what their shapes tell.

Sources: kohya-ss/sd-scripts, `networks/lora.py`, `oft.py` and `oft_flux.py`; huggingface/peft,
`tuners`; KohakuBlueleaf/LyCORIS, `lycoris/modules`; comfyanonymous/ComfyUI, `comfy/lora.py`;
huggingface/diffusers, `lora_conversion_utils.py`; XLabs-AI/x-flux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from unetscope.checkpoints.lora.targets import Target, target
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

MOST_NAMES = 20_000
"""Names of which is remembered what they tell, since many files have names in common."""


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


@lru_cache(maxsize=MOST_NAMES)
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
        form = _form(name, spec)
        if form is None:
            continue
        module, piece = _piece(name)
        known = modules.get(module)
        if known is None:
            known = modules[module] = _Pieces(form)
        known.shapes[_ROLES.get(piece, piece)] = spec.shape
    for module, pieces in modules.items():
        yield target(module, pieces.form, pieces.shapes)


def forms(tensors: Mapping[str, TensorSpec]) -> set[str]:
    """What is added: `LoRA`, `LoKr`."""
    return {form for name, spec in tensors.items() if (form := _form(name, spec)) is not None}


def _form(name: str, spec: TensorSpec) -> str | None:
    """What a tensor is a piece of; None if it only stands beside one."""
    form = _form_by_name(name)
    return "BOFT" if form == "OFT" and _is_stack(name, spec) else form


def _is_stack(name: str, spec: TensorSpec) -> bool:
    """Whether a rotation is several, one after the other."""
    return len(spec.shape) == 4 and name.endswith(".oft_blocks")


@lru_cache(maxsize=MOST_NAMES)
def _form_by_name(name: str) -> str | None:
    last = name[name.rfind(".") + 1 :]
    if last in _BESIDE or "lora_magnitude_vector" in name:
        return None
    module, piece = _piece(name)
    if last == "weight" and piece == "weight":
        return "IA3"
    return _LAST.get(last) or _END.get(name[len(module) + 1 :], "LoRA")
