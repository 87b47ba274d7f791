"""Low-rank additions to a network (LoRA and its relatives): their form, ranks, targets and base.

A target is a module of the network that is added to. What is added tells how many channels that
module reads and writes, and all of them together tell the network: see `lora_bases`.

Sources: kohya-ss/sd-scripts, `networks/lora.py` and `lora_flux.py`; KohakuBlueleaf/LyCORIS,
`lycoris/modules`; huggingface/peft, `utils/save_and_load.py`; huggingface/diffusers,
`loaders/lora_conversion_utils.py`; XLabs-AI/x-flux.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.lora_bases import MODULES, Base, Told, encoder_of, matches
from unetscope.record import TensorSpec

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
    "on_input": "IA3",
    "diff": "full difference",
    "diff_b": "full difference",
    "w_norm": "full difference",
    "b_norm": "full difference",
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
_ROLES = {"lora_down": "down", "lora_A": "down", "down": "down"}
_ROLES |= {"lora_up": "up", "lora_B": "up", "up": "up"}
_MOST_SHOWN = 5


class Spotted:
    """Names that are pieces of low-rank additions, noted while all names are gone through."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.beside: list[str] = []

    def see(self, name: str, last: str, end: str) -> None:
        """Look at a name, of which the last level and the last two are given."""
        if last in _LAST or end in _END:
            self.pieces.append(name)
        elif last in _BESIDE or "lora_magnitude_vector" in end:
            self.beside.append(name)
        elif last == "weight" and (
            (end in ("down.weight", "up.weight") and _OLD.fullmatch(name)) or _ADAPTER.match(name)
        ):
            self.pieces.append(name)

    def names(self, tensors: Mapping[str, TensorSpec]) -> list[str]:
        """All names of low-rank additions."""
        if not self.pieces:
            return []
        modules = {_piece(name)[0] for name in self.pieces}
        found = [*self.pieces]
        for name in self.beside:
            module = name.partition(".lora_magnitude_vector")[0]
            if module in modules or module.rpartition(".")[0] in modules:
                found.append(name)
        on_input = [m for m in modules if f"{m}.on_input" in tensors and f"{m}.weight" in tensors]
        return found + [f"{module}.weight" for module in on_input]


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
    """

    name: str
    form: str
    inputs: int | None = None
    outputs: int | None = None
    rank: int | None = None
    convolves: bool | None = None

    @property
    def told(self) -> Told:
        """What is to be compared with a network's modules."""
        return Told(self.inputs, self.outputs, self.convolves)


def part(tensors: Mapping[str, TensorSpec]) -> Part:
    """The low-rank addition that these tensors are.

    Args:
        tensors: the names that `Spotted` found, with their tensors.
    """
    targets = [*_targets(tensors)]
    forms = Counter(target.form for target in targets)
    low_rank = [form for form in forms if form != "full difference"] or [*forms]
    form = " and ".join(sorted(low_rank))
    if any(name.endswith((".dora_scale", ".lora_magnitude_vector")) for name in tensors):
        form = form.replace("LoRA", "DoRA")
    places = _by_place(targets)
    bases, unmatched = matches(
        {key: target.told for key, target in places.get("network", {}).items()}
    )
    evidence = [*_about_places(places), *_about_ranks(targets)]
    doubts: list[str] = []
    network = places.get("network", {})
    if bases:
        evidence += _about_base(bases, len(network), len(unmatched))
    if len(bases) > 1:
        doubts.append(f"its targets are in {' and in '.join(b.name for b in bases)} alike")
    if network and not bases:
        doubts.append("no network that is known has its targets")
    if bases and unmatched:
        names = ", ".join(f"`{network[key].name}`" for key in unmatched[:_MOST_SHOWN])
        more = len(unmatched) - _MOST_SHOWN
        beyond = f" and {more} more" if more > 0 else ""
        doubts.append(
            f"{len(unmatched)} of {len(network)} targets are not in {bases[0].name}: "
            f"{names}{beyond}"
        )
    name = _name(form, bases, places)
    nbytes = sum(spec.nbytes for spec in tensors.values())
    return Part("lora", name, "", dict(tensors), nbytes, tuple(evidence), tuple(doubts))


def _name(form: str, bases: list[Base], places: Mapping[str, Mapping[str, Target]]) -> str:
    if bases:
        return f"{form} for {' or '.join(base.name for base in bases)}"
    encoders = [place for place in places if place != "network"]
    if encoders and "network" not in places:
        found = encoder_of({t.inputs for t in places[encoders[0]].values()})
        return f"{form} for {found}" if found else form
    return form


def _about_places(places: Mapping[str, Mapping[str, Target]]) -> Iterator[str]:
    for place, targets in places.items():
        widths = {t.inputs for t in targets.values()}
        encoder = encoder_of(widths) if place != "network" else ""
        if place == "network":
            yield f"it adds to {len(targets)} modules of the network"
        elif encoder:
            yield f"it adds to {len(targets)} modules of the text encoder `{place}`: {encoder}"
        else:
            yield f"it adds to {len(targets)} modules of the text encoder `{place}`"
    if "network" in places and len(places) == 1:
        yield "it adds to no text encoder"


def _about_ranks(targets: list[Target]) -> Iterator[str]:
    ranks = Counter(target.rank for target in targets if target.rank is not None)
    if len(ranks) == 1:
        yield f"its rank is {next(iter(ranks))}"
    elif ranks:
        usual = ranks.most_common(1)[0][0]
        yield f"its ranks are {min(ranks)} to {max(ranks)}, most of them {usual}"


def _about_base(bases: list[Base], targets: int, unmatched: int) -> Iterator[str]:
    fit = targets - unmatched
    yield f"{fit} of {targets} targets are modules of {bases[0].name}, with their channels"


def _by_place(targets: list[Target]) -> dict[str, dict[str, Target]]:
    """Targets by where they stand, `network` or a text encoder; by their name in one spelling."""
    found: dict[str, dict[str, Target]] = defaultdict(dict)
    for target in targets:
        key, place = target.name, "network"
        for prefix, where in MODULES:
            if key.startswith(prefix):
                key, place = key[len(prefix) :], where or place
                if where:
                    break
        key = key.replace(".", "_")
        found[place].setdefault(key, target)
    return dict(found)


def _piece(name: str) -> tuple[str, str]:
    """The module that a piece is of, and what the piece is called."""
    if match := _OLD.fullmatch(name):
        return f"{match[1]}.{match[2]}", match[3]
    if match := _ADAPTER.fullmatch(name):
        return match[1], match[2]
    module, _, last = name.rpartition(".")
    if last in ("weight", "bias") and module.rpartition(".")[2] in _PIECES:
        module, _, last = module.rpartition(".")
    return module, last


_PIECES = frozenset(key.partition(".")[0] for key in _END)


@dataclass
class _Pieces:
    """The pieces of what is added to one module, by their names."""

    form: str
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def _targets(tensors: Mapping[str, TensorSpec]) -> Iterator[Target]:
    modules: dict[str, _Pieces] = {}
    for name, spec in tensors.items():
        last = name.rpartition(".")[2]
        if last in _BESIDE or "lora_magnitude_vector" in name:
            continue
        module, piece = _piece(name)
        form = _LAST.get(last) or ("GLoRA" if piece in ("a1", "a2", "b1", "b2") else "LoRA")
        if last == "weight" and piece == "weight":
            form = "IA3"
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
        rank = size("lokr_w2_b", 0)
        return Target(name, form, _times(small[1], large[1]), _times(small[0], large[0]), rank)
    if form == "OFT":
        outputs = _times(size("oft_blocks", 0), size("oft_blocks", 1))
        outputs = outputs or _times(size("oft_diag", 0), size("oft_diag", 1))
        return Target(name, form, None, outputs, None)
    if form == "GLoRA":
        if size("a2", 0) == size("a1", 1) == size("b1", 1):
            return Target(name, form, size("a2", 1), size("b1", 0), size("a2", 0))
        return Target(name, form, size("a1", 1), size("b2", 0), size("a1", 0))
    if form == "full difference":
        shape = shapes.get("diff", ())
        inputs = size("diff", 1) if len(shape) > 1 else None
        return Target(name, form, inputs, size("diff", 0), None, len(shape) == 4)
    return Target(name, form)


def _times(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first * second
