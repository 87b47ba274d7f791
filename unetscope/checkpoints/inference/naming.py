"""Whose names a network's tensors bear, and diffusers' names for them.

CompVis' and guided-diffusion's names are those of `analysis.names`, read backwards; DDPM's are
those of `ddpm`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from unetscope.analysis.names import ATTENTION, HINT, MLP, PICTURE, RESNET, TOP, TRANSFORMER, ZEROS
from unetscope.checkpoints.inference.ddpm import MARK
from unetscope.checkpoints.inference.ddpm import in_diffusers_names as _of_ddpm
from unetscope.checkpoints.inference.layout import Unit, units
from unetscope.checkpoints.inference.tree import NotInferredError, Shape

_OLD = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""What diffusers called the layers of attentions before 0.15."""
_OLD_NAME = re.compile(r"(.*\.attentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)")
_UNIT = re.compile(r"(?:(?:input|output)_blocks\.\d{1,4}|middle_block)\.\d(?=\.)")
_BLOCKS = {
    "diffusers": ("down_blocks.", "mid_block.", "up_blocks."),
    "original": ("input_blocks.", "middle_block.", "output_blocks."),
}
_ZERO = re.compile(r"(\w+)(?:\.(\d+))?\.0\.(weight|bias)")
_POOLED = (1280, 2048)
"""Dimensions of the text's tokens where CompVis' kin add a pooled text to the time: SDXL's."""


def _backwards(table: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in table.items()}


_RESNET, _TRANSFORMER, _LAYERS = _backwards(RESNET), _backwards(TRANSFORMER), _backwards(MLP)
_ZEROS, _BESIDE = _backwards(ZEROS), _backwards(TOP)
_QUERIES = [ours for ours, theirs in ATTENTION.items() if theirs == "qkv"]


@dataclass(frozen=True)
class Named:
    """A network's tensors by diffusers' names.

    Attributes:
        dialect: whose names they bore: `diffusers`, `CompVis`, `ADM` or `DDPM`.
        names: the name that each bore.
        shapes: its shape, as diffusers' network has it.
    """

    dialect: str
    names: dict[str, str]
    shapes: dict[str, Shape]


def named(shapes: Mapping[str, Shape]) -> Named:
    """Diffusers' names for a network's tensors; what has none keeps its name.

    Raises:
        NotInferredError: the numbers of its blocks fit no UNet, or two names mean one tensor.
    """
    original = any(name.startswith("input_blocks.") for name in shapes)
    is_ddpm = not original and MARK in shapes
    names: dict[str, str] = {}
    found: dict[str, Shape] = {}
    translated = _original if original else _of_ddpm if is_ddpm else _of_diffusers
    for own, name, shape in translated(shapes):
        if name in names:
            raise NotInferredError(f"`{names[name]}` and `{own}` are names of one tensor")
        names[name], found[name] = own, shape
    if not original:
        return Named("DDPM" if is_ddpm else "diffusers", names, found)
    reads_text = any(".transformer_blocks." in name for name in shapes)
    return Named("CompVis" if reads_text else "ADM", names, found)


def mixed(names: Collection[str]) -> str | None:
    """That some blocks bear diffusers' names and some the original's; None if they do not.

    A file that was converted by half is so.
    """
    first = {
        kind: next((name for name in names if name.startswith(blocks)), None)
        for kind, blocks in _BLOCKS.items()
    }
    if not all(first.values()):
        return None
    ours, theirs = first.values()
    return f"names of two kinds: `{ours}` is diffusers', `{theirs}` is the original code's"


def _of_diffusers(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str, Shape]]:
    for name, shape in shapes.items():
        old = _OLD_NAME.fullmatch(name) if ".attentions." in name else None
        yield name, f"{old[1]}.{_OLD[old[2]]}.{old[3]}" if old else name, shape


def _original(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str, Shape]]:
    """Each name with one of diffusers': three for queries, keys and values in one."""
    known = units(shapes)
    modules = _modules_beside(shapes)
    for theirs, shape in shapes.items():
        match = _UNIT.match(theirs)
        unit = known.get(match[0]) if match else None
        if match and unit:
            for ours, own in _in_unit(unit, theirs[match.end() + 1 :], shape):
                yield theirs, ours or theirs, own
        else:
            yield theirs, _beside(theirs, modules) or theirs, shape


def _in_unit(unit: Unit, rest: str, shape: Shape) -> Iterator[tuple[str | None, Shape]]:
    first, _, below = rest.partition(".")
    if unit.role == "attention":
        yield from _in_attention(unit, first, below, shape)
        return
    ours: str | None
    if unit.role == "resnet":
        number, _, last = below.partition(".")
        ours = _RESNET.get(f"{first}.{number}")
        ours, below = (ours, last) if ours else (_RESNET.get(first), below)
    elif unit.role == "transformer":
        ours = _TRANSFORMER.get(first)
    else:
        ours = "conv"
    yield f"{unit.path}.{ours}.{below}" if ours else None, shape


def _in_attention(
    unit: Unit, first: str, below: str, shape: Shape
) -> Iterator[tuple[str | None, Shape]]:
    """Inside an attention to the pixels, whose projections are convolutions over one axis."""
    flat = shape[:2] if set(shape[2:]) <= {1} else shape
    if first == "qkv":
        each = (flat[0] // 3, *flat[1:]) if flat and flat[0] % 3 == 0 else flat
        for query in _QUERIES:
            yield f"{unit.path}.{query}.{below}", each
    elif first == "proj_out":
        yield f"{unit.path}.to_out.0.{below}", flat
    else:
        yield f"{unit.path}.group_norm.{below}" if first == "norm" else None, shape


def _modules_beside(shapes: Mapping[str, Shape]) -> dict[str, str]:
    """CompVis' modules beside the blocks, and diffusers'."""
    found = {theirs: ours for theirs, ours in _BESIDE.items() if not theirs.startswith("label_emb")}
    place = next((p for p in ("label_emb.1", "label_emb.0") if f"{p}.0.weight" in shapes), None)
    of_text = any(
        name.endswith(".attn2.to_k.weight") and len(shape) == 2 and shape[1] in _POOLED
        for name, shape in shapes.items()
    )
    is_addition = place == "label_emb.0" and of_text
    found[place or "label_emb"] = "add_embedding" if is_addition else "class_embedding"
    picture = sorted(
        int(number)
        for name in shapes
        if name.startswith(f"{HINT}.")
        and (number := name.split(".")[1]).isdigit()
        and len(number) < 4
        and name.endswith(".weight")
    )
    for index in picture:
        found[f"{HINT}.{index}"] = f"{PICTURE}.blocks.{index // 2 - 1}"
    for index, part in zip(picture[::-1][:1] + picture[:1], ("conv_out", "conv_in"), strict=False):
        found[f"{HINT}.{index}"] = f"{PICTURE}.{part}"
    return found


def _beside(theirs: str, modules: Mapping[str, str]) -> str | None:
    """Diffusers' name for what stands beside the blocks."""
    if (zero := _ZERO.fullmatch(theirs)) and (ours := _ZEROS.get(zero[1])):
        return ".".join(filter(None, (ours, zero[2], zero[3])))
    head, _, last = theirs.rpartition(".")
    if head in modules:
        return f"{modules[head]}.{last}"
    above, _, layer = head.rpartition(".")
    if above in modules and layer in _LAYERS:
        return f"{modules[above]}.{_LAYERS[layer]}.{last}"
    return None
