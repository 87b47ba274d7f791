"""True shapes of tensors that are stored packed, and the helpers that stand beside them.

What is stored is told by the helpers' names, never by a shape alone:

- scaled fp8: `scale_weight` or `weight_scale`, and `scaled_fp8` or `comfy_quant` as a mark;
- NVFP4: `weight_scale_2` beside a byte for two elements along the last axis;
- bitsandbytes: `weight.absmax` with `quant_state.bitsandbytes__nf4` beside a column of bytes, each
  of two elements; the shape is a text that is stored as that tensor; `SCB` beside int8;
- GPTQ and AWQ: `qweight`, `qzeros` and `scales` in the place of a linear layer's weight;
- SVDQuant: `qweight` with `wscales`; optimum-quanto: `weight._data` with `weight._scale`.

GGUF's types are read as such: its file has the true shapes.

Sources: comfyanonymous/ComfyUI, `comfy/ops.py` and `comfy/quant_ops.py`; bitsandbytes,
`functional.py` (QuantState); AutoGPTQ and AutoAWQ, `qlinear`; nunchaku, `models/linear.py`;
optimum-quanto, `tensor/qbytes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

import msgspec

from unetscope.checkpoints.header import MOST_AXES
from unetscope.record import TensorSpec

STATE = ".quant_state.bitsandbytes__"
"""What stands between a weight's name and its type in the name of what describes it."""
LARGEST_STATE = 1_000
"""The most bytes of such a description that are read; they have some 80 to 170."""
_PLAIN = (".weight", ".bias")
_MARKS = frozenset({"scaled_fp8", "comfy_quant"})
_SCALES = frozenset(
    {
        *("scale_weight", "scale_input", "weight_scale", "weight_scale_2", "input_scale"),
        *("output_scale", "pre_quant_scale", "SCB", "weight_format"),
    }
)
"""Helpers of a weight that is stored under its own name, and in its own shape but for NVFP4."""
_OF_FOUR_BITS = ("absmax", "quant_map", "nested_absmax", "nested_quant_map")
_OF_INTEGERS = ("qzeros", "scales", "g_idx")
_OF_SVD = ("wscales", "wzeros", "wtscale", "wcscales", "smooth_factor", "smooth_factor_orig")
_BYTES = ("int8", "uint8")
_FOUR_BITS = {"nf4": "NF4", "fp4": "FP4"}
_TELLING = frozenset(
    {"qweight", "_data", *_MARKS, *_SCALES, *(f"bitsandbytes__{kind}" for kind in _FOUR_BITS)}
)
"""Last levels of the names that tell how something is stored."""


class _State(msgspec.Struct):
    """What bitsandbytes says of a weight, of which this much is read."""

    shape: list[int]


_state = msgspec.json.Decoder(_State).decode


@dataclass
class Restored:
    """Tensors as they are when used.

    Attributes:
        tensors: name -> tensor, without helpers.
        flat: names of those whose shape is lost, which have all elements in one axis.
        told: names of those whose shape was lost, and is told by the bias beside them.
        became: the names of those that are stored under other ones: `qweight` -> `weight`.
    """

    tensors: dict[str, TensorSpec]
    flat: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    became: dict[str, str] = field(default_factory=dict)

    def doubts(self, names: Iterable[str]) -> tuple[str, ...]:
        """What cannot be told of the tensors of these names, in sentences."""
        if not self.told and not self.flat:
            return ()
        names = set(names)
        found = []
        if told := len(self.told & names):
            found.append(
                f"tensors of four bits, whose shapes are told by their biases alone: {told}"
            )
        if flat := len(self.flat & names):
            found.append(
                f"tensors of four bits, of which no header tells more than their elements: {flat}"
            )
        return tuple(found)


def described(state: bytes) -> tuple[int, ...] | None:
    """The shape that bitsandbytes' description of a weight tells; None if it is damaged."""
    try:
        shape = tuple(_state(state).shape)
    except (ValueError, RecursionError):
        return None
    return shape if len(shape) <= MOST_AXES and min(shape, default=0) >= 0 else None


def restored(
    stored: Mapping[str, TensorSpec], shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Restored:
    """The true shapes of what a file holds.

    Args:
        stored: name -> tensor, as the header has them.
        shapes: those of flattened ones, as far as the file tells them.
    """
    suspects = [
        name
        for name in stored
        if not name.endswith(_PLAIN) and name[name.rfind(".") + 1 :] in _TELLING
    ]
    found = Restored(dict(stored))
    for name in suspects:
        owner, _, last = name.rpartition(".")
        if last == "qweight":
            _packed(found, stored, owner)
        elif last == "_data" and f"{owner}._scale" in stored:
            _replace(found, name, owner, stored[name])
            found.tensors.pop(f"{owner}._scale", None)
        elif last in _MARKS:
            found.tensors.pop(name, None)
        elif STATE in name:
            _four_bits(found, stored, name, shapes or {})
        elif last in _SCALES:
            _scaled(found, stored, owner, name)
    return found


def _scaled(found: Restored, stored: Mapping[str, TensorSpec], owner: str, helper: str) -> None:
    """A weight of eight bits with its scale, or one of four, two to a byte."""
    weight = stored.get(f"{owner}.weight")
    if weight is None or not (weight.dtype in _BYTES or weight.dtype.startswith("float8")):
        return
    found.tensors.pop(helper, None)
    is_nvfp4 = helper.endswith(".weight_scale_2") and weight.dtype == "uint8"
    if is_nvfp4 and len(weight.shape) == 2:
        rows, columns = weight.shape
        found.tensors[f"{owner}.weight"] = TensorSpec((rows, 2 * columns), "F4")


def _four_bits(
    found: Restored,
    stored: Mapping[str, TensorSpec],
    state: str,
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """A weight of bitsandbytes': a column of bytes, each of two elements."""
    name, _, kind = state.partition(STATE)
    weight = stored.get(name)
    found.tensors.pop(state, None)
    if weight is None:
        return
    for helper in _OF_FOUR_BITS:
        found.tensors.pop(f"{name}.{helper}", None)
    numel = 2 * weight.nbytes
    bias = stored.get(f"{name.removesuffix('weight')}bias")
    shape = shapes.get(name)
    if shape is not None and numel - prod(shape) in (0, 1):  # a last byte may hold one element
        pass
    elif bias is not None and len(bias.shape) == 1 and bias.numel and not numel % bias.numel:
        shape = bias.numel, numel // bias.numel
        found.told.add(name)
    else:
        shape = (numel,)
        found.flat.add(name)
    found.tensors[name] = TensorSpec(shape, _FOUR_BITS.get(kind, "NF4"))


def _packed(found: Restored, stored: Mapping[str, TensorSpec], owner: str) -> None:
    """The weight of a linear layer of GPTQ's, AWQ's or SVDQuant's, by what stands beside it."""
    packed = stored[f"{owner}.qweight"]
    if len(packed.shape) != 2:
        return
    rows, columns = packed.shape
    is_svd = f"{owner}.wscales" in stored
    helpers = _OF_SVD if is_svd else _OF_INTEGERS
    two_to_a_byte = TensorSpec((rows, 2 * columns), "int4")
    spec = two_to_a_byte if is_svd else _of_integers(stored, owner, rows, columns)
    if spec is None:
        return
    _replace(found, f"{owner}.qweight", f"{owner}.weight", spec)
    for helper in helpers:
        found.tensors.pop(f"{owner}.{helper}", None)


def _of_integers(
    stored: Mapping[str, TensorSpec], owner: str, rows: int, columns: int
) -> TensorSpec | None:
    """A weight of GPTQ's, packed along its inputs, or of AWQ's, along its outputs."""
    scales, groups = stored.get(f"{owner}.scales"), stored.get(f"{owner}.g_idx")
    if scales is None or len(scales.shape) != 2 or not scales.shape[1] or not columns:
        return None
    outputs = scales.shape[1]
    if columns != outputs:
        return TensorSpec((outputs, rows), "uint4")
    zeros = stored.get(f"{owner}.qzeros")
    bits = 32 * zeros.shape[-1] // outputs if zeros is not None and zeros.shape else 4
    inputs = groups.numel if groups is not None else rows * 32 // max(bits, 1)
    return TensorSpec((outputs, inputs), f"uint{bits}")


def _replace(found: Restored, old: str, new: str, spec: TensorSpec) -> None:
    found.tensors.pop(old, None)
    found.tensors[new] = spec
    found.became[old] = new
