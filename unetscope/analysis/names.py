"""The names of modules: CompVis' for diffusers', and what a user may write for a module.

`down_blocks.0.resnets.0.conv1` is `input_blocks.1.0.in_layers.2`.

CompVis numbers one list of input blocks through all levels (a ResNet with its transformer, or a
downsampler) and one list of output blocks (a ResNet with its transformer and its upsampler). How
many there are at each level is read off the names themselves, so that networks with other counts,
such as those of SSD-1B and BK-SDM, have CompVis names too. In a pruned decoder, whose residuals are
not all popped, the output blocks are those that are left: CompVis' own code cannot run it.

An attention that is no transformer has queries, keys and values in one tensor there, `qkv`, so that
three of diffusers' names have one counterpart.

Source: CompVis/stable-diffusion, `ldm/modules/diffusionmodules/openaimodel.py`,
Stability-AI/generative-models, `sgm/modules/diffusionmodules/video_model.py`,
lllyasviel/ControlNet, `cldm/cldm.py`, and the names in the published checkpoints of these.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from unetscope.analysis.network import Network
from unetscope.analysis.parameters import spellings
from unetscope.analysis.partition import merge_block_units
from unetscope.record import Trace

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "dropout": "out_layers.2",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
MLP = {"linear_1": "0", "act": "1", "linear_2": "2"}
ATTENTION = {"group_norm": "norm", "to_q": "qkv", "to_k": "qkv", "to_v": "qkv"}
TRANSFORMER = {
    "norm": "norm",
    "proj_in": "proj_in",
    "transformer_blocks": "transformer_blocks",
    "temporal_transformer_blocks": "time_stack",
    "time_mixer": "time_mixer",
    "proj_out": "proj_out",
}
TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding": "time_embed",
    "add_embedding": "label_emb.0",
    "conv_norm_out": "out.0",
    "conv_act": "out.1",
    "conv_out": "out.2",
    "mid_block": "middle_block",
}
PICTURE = "controlnet_cond_embedding"
HINT = "input_hint_block"
"""The convolutions that shrink a ControlNet's picture, with activations between them."""
ZEROS = {"controlnet_down_blocks": "zero_convs", "controlnet_mid_block": "middle_block_out"}
"""The convolutions that begin as zeros in a ControlNet."""
_UNIT = re.compile(r"(down|up|mid)_blocks?(?:\.(\d+))?\.(resnets|attentions|\w+samplers)\.(\d+)")
_OTHER_CODE = re.compile(r"\.(resnet_(down|up)|norm1\.linear)(\.|$)")
"""Parts of networks that are numbered otherwise in their originals: NCSN++ and k-diffusion."""
_COMPVIS_BLOCK = re.compile(r"(?:(input|output)_blocks\.(\d+)|middle_block)")
_INDEX = re.compile(r"\[(\d+)\]")


def compvis_names(names: Iterable[str]) -> dict[str, str]:
    """CompVis' name for each of a network's names.

    Args:
        names: every parameter's or every module's name in one network, in diffusers' dialect.

    Returns:
        diffusers' name -> CompVis'. Modules without a counterpart are left out: `down_blocks.0` is
        several input blocks, and the activation that a ResNet shares is several layers. Empty, if
        the network has no blocks as CompVis has them.
    """
    names = list(names)
    units = _units(names)
    if not units or any(map(_OTHER_CODE.search, names)):
        return {}
    held = _held(names)
    found = {}
    for name in names:
        unit = _UNIT.match(name)
        if unit:
            translated = _inside_unit(name, unit[0], units, held[unit[0]])
        else:
            translated = _beside_units(name, names)
        if translated is not None:
            found[name] = translated
    return found


def names_in(dialect: str, trace: Trace) -> dict[str, str]:
    """The names of a network's modules and parameters in `diffusers` or `compvis`.

    Returns:
        Path -> name. What has no counterpart is left out, and keeps the name that it has.
    """
    if dialect == "diffusers":
        return {}
    modules = [module.path for module in trace.modules if module.path]
    parameters = [f"{module.path}.{p.name}" for module in trace.modules for p in module.parameters]
    found = compvis_names(modules) | compvis_names(parameters)
    options = trace.config.get("unet", {}) if trace.config else {}
    if options.get("class_embed_type") != "timestep":
        return found
    # The original embeds such a class behind a module that makes sinusoids of it.
    return {ours: theirs.replace("label_emb.0", "label_emb.1") for ours, theirs in found.items()}


def one_to_one(names: Mapping[str, str]) -> dict[str, str]:
    """Names without those of which several have one counterpart."""
    counts = Counter(names.values())
    return {ours: theirs for ours, theirs in names.items() if counts[theirs] == 1}


def _units(names: Iterable[str]) -> dict[str, str]:
    """CompVis' names of the ResNets, transformers and resamplers.

    Where several transformers follow one ResNet, as in AudioLDM2, neither they nor what stands
    behind them in the same block of the original has a name here.
    """
    places: dict[tuple[str, int], dict[str, dict[int, str]]] = {}
    for name in names:
        if unit := _UNIT.match(name):
            side, block, role, index = unit.groups()
            kinds = places.setdefault((side, int(block or 0)), {})
            kinds.setdefault(role, {})[int(index)] = unit[0]
    found = {}
    inputs, outputs = 1, 0
    for (side, _), kinds in sorted(places.items()):
        resnets, attentions = kinds.get("resnets", {}), kinds.get("attentions", {})
        one_each = max(attentions, default=-1) < len(resnets) - (side == "mid")
        if not one_each:
            attentions = {}
        for index in sorted(resnets):
            if side == "mid":
                if index and not one_each:
                    continue
                found[resnets[index]] = f"middle_block.{2 * index}"
                if index in attentions:
                    found[attentions[index]] = f"middle_block.{2 * index + 1}"
                continue
            place = f"input_blocks.{inputs}" if side == "down" else f"output_blocks.{outputs}"
            found[resnets[index]] = f"{place}.0"
            if index in attentions:
                found[attentions[index]] = f"{place}.1"
            inputs, outputs = inputs + (side == "down"), outputs + (side == "up")
        for path in kinds.get("downsamplers", {}).values():
            found[path] = f"input_blocks.{inputs}.0"
            inputs += 1
        for path in kinds.get("upsamplers", {}).values() if one_each else ():
            # It follows the last ResNet of its level and, if there is one, its transformer.
            index = 2 if max(resnets) in attentions else 1
            found[path] = f"output_blocks.{outputs - 1}.{index}"
    return found


def _held(names: Iterable[str]) -> dict[str, set[str]]:
    """What each unit holds, such as `norm1` and `conv1`."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if unit := _UNIT.match(name):
            found[unit[0]].add(name[unit.end() :].lstrip(".").partition(".")[0])
    return found


def _inside_unit(name: str, unit: str, units: dict[str, str], held: set[str]) -> str | None:
    role, rest = unit.split(".")[-2], name[len(unit) :].lstrip(".")
    if unit not in units:
        return None
    if role == "attentions" and not held & {"transformer_blocks", "group_norm"}:
        return None
    if not rest:
        return units[unit]
    if role == "attentions":
        of_pixels = "transformer_blocks" not in held
        translated = _in_attention(rest, held) if of_pixels else _in_transformer(rest)
    elif role == "resnets" or "conv1" in held:
        translated = _in_resnet(rest)
    else:
        translated = _first_level(rest, {"conv": "op" if role == "downsamplers" else "conv"})
    return None if translated is None else f"{units[unit]}.{translated}"


def _in_resnet(rest: str) -> str | None:
    """Inside a ResNet; one over frames is a ResNet in space, one in time and what mixes both."""
    part, _, inner = rest.partition(".")
    if part == "spatial_res_block":
        return _first_level(inner, RESNET)
    if part == "temporal_res_block":
        translated = _first_level(inner, RESNET) if inner else ""
        return None if translated is None else f"time_stack.{translated}".rstrip(".")
    return rest if part == "time_mixer" else _first_level(rest, RESNET)


def _in_attention(rest: str, held: set[str]) -> str | None:
    """Inside an attention to the pixels alone; one that reads a text too is of other code."""
    if "add_k_proj" in held:
        return None
    if rest.startswith("to_out.0"):
        return f"proj_out{rest.removeprefix('to_out.0')}"
    return _first_level(rest, ATTENTION)


def _in_transformer(rest: str) -> str | None:
    part, _, inner = rest.partition(".")
    if part == "time_pos_embed":
        translated = _first_level(inner, MLP) if inner else ""
        return None if translated is None else f"time_pos_embed.{translated}".rstrip(".")
    return _first_level(rest, TRANSFORMER)


def _beside_units(name: str, names: Iterable[str]) -> str | None:
    top, _, rest = name.partition(".")
    if top == PICTURE or top in ZEROS:
        return _in_controlnet(top, rest, names)
    if top == "class_embedding":
        # An MLP on a vector; else a table of classes, or a linear layer on numbers.
        is_mlp = any(other.startswith("class_embedding.linear_1") for other in names)
        is_table = rest in ("", "weight", "bias")
        place = "label_emb.0" if is_mlp else "label_emb" if is_table else None
    else:
        place = TOP.get(top)
    if place is None or not rest or top == "mid_block":
        return place if not rest else None
    translated = (
        _first_level(rest, MLP) if rest.partition(".")[0] not in ("weight", "bias") else rest
    )
    return None if translated is None else f"{place}.{translated}"


def _in_controlnet(top: str, rest: str, names: Iterable[str]) -> str | None:
    if top in ZEROS:
        number, _, last = rest.partition(".") if top == "controlnet_down_blocks" else ("", "", rest)
        return ".".join(filter(None, (ZEROS[top], number, "0", last))) if rest else None
    part, _, last = rest.partition(".")
    if part == "blocks":
        number, _, last = last.partition(".")
        return f"{HINT}.{2 * int(number) + 2}.{last}".rstrip(".") if number.isdigit() else None
    if part == "conv_out":
        blocks = {name.split(".")[2] for name in names if name.startswith(f"{PICTURE}.blocks.")}
        return f"{HINT}.{2 * len(blocks) + 2}.{last}".rstrip(".")
    return f"{HINT}.0.{last}".rstrip(".") if part == "conv_in" else None


def _first_level(rest: str, table: dict[str, str]) -> str | None:
    """`rest` with its first level looked up; None if it has no counterpart."""
    first, dot, below = rest.partition(".")
    return table[first] + dot + below if first in table else None


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
    for name in (dotted, dotted.rpartition(".")[0] if _is_parameter(dotted) else ""):
        if found := tuple(path for path, other in theirs.items() if other == name):
            return found
    if theirs and (block := _COMPVIS_BLOCK.fullmatch(dotted)):
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
