"""What a file says of itself against what its shapes tell, and what a whole pipeline would lack.

Metadata are texts that anybody may write: they are read, and never believed.

Sources: Stability-AI/ModelSpec; kohya-ss/sd-scripts, `sai_model_spec.py` and `train_util.py`;
KohakuBlueleaf/LyCORIS, `kohya.py`; city96/ComfyUI-GGUF, `loader.py` and `convert.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from unetscope.checkpoints.header import Header
from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.lora import forms as forms_of
from unetscope.record import TensorSpec

_NETWORKS = ("unet", "transformer")
_FAMILIES = (
    ("SDXL's refiner", r"refiner"),
    ("SDXL", r"(?<![a-z])sd[-_ ]?xl|stable[-_ ]diffusion[-_ ]xl"),
    ("SD3", r"(?<![a-z])sd[-_ ]?3|stable-diffusion-v?3"),
    ("SD2", r"(?<![a-z])sd[-_]?v?2|stable-diffusion-v?2"),
    ("SD1", r"(?<![a-z])sd[-_]?v?1|stable-diffusion-v?1"),
    ("Flux.2", r"flux[-_. ]?2"),
    ("Flux.1", r"flux"),
    ("Chroma", r"chroma"),
    ("Wan", r"\bwan"),
    ("HunyuanVideo", r"hunyuan[-_ ]?video|hyvid"),
    ("HunyuanImage", r"hunyuan[-_ ]?image"),
    ("Hunyuan-DiT", r"hunyuan[-_ ]?dit|hydit"),
    ("LTX", r"ltx"),
    ("PixArt", r"pixart"),
    ("AuraFlow", r"aura"),
    ("Lumina 2", r"lumina"),
    ("Qwen-Image", r"qwen[-_ ]?image"),
    ("Z-Image", r"z[-_ ]?image"),
    ("CogVideoX", r"cogvideo"),
    ("Stable Cascade", r"cascade|wuerstchen"),
)
"""Families of networks, and how metadata and the names of parts spell them; the first counts."""
_ALIKE = {
    "sd1": ("SD1", "SD2"),
    "sdxl": ("SDXL", "SDXL's refiner"),
    "flux": ("Flux.1", "Flux.2", "Chroma"),
    "hyvid": ("HunyuanVideo", "HunyuanImage"),
    "lumina2": ("Lumina 2", "Z-Image"),
}
"""Architectures of GGUF files, which name a loader, and the families that it loads."""
_CLAIMS = ("modelspec.architecture", "ss_base_model_version", "general.architecture")
_CONTEXTS = {768: "SD1", 1024: "SD2", 1280: "SDXL's refiner", 2048: "SDXL"}
_READS_TEXT = (".attn2.to_k.weight", ".attn2.to_v.weight")
_FORMS = {"lora": "LoRA", "locon": "LoRA", "loha": "LoHa", "lokr": "LoKr", "ia3": "IA3"}
_FORMS |= {"diag-oft": "OFT", "oft": "OFT", "boft": "BOFT", "glora": "GLoRA"}
_FORMS |= {"full": "full difference"}
"""LyCORIS' algorithms, and what each of them writes."""
_MODULES = (("networks.lora", "LoRA"), ("networks.oft", "OFT"))
"""How the modules of sd-scripts begin that write one form, and that form."""
_RANK = re.compile(r"\d{1,9}")
"""A rank in a text; Python reads no numbers of some thousand digits."""
_FUSED = (1, 3, 4)
"""Of how many layers that were trained apart one may be made, whose rank is the sum of theirs."""
_V_PREDICTION = ("v_pred", "edm_vpred.sigma_max")
_TWO_ENCODERS = 2048
"""The channels of SDXL's text, which two encoders make."""


def contradictions(header: Header, parts: tuple[Part, ...]) -> tuple[str, ...]:
    """Where a file's metadata and its tensors disagree, in sentences.

    Args:
        header: the file's.
        parts: what stands in it.
    """
    return (
        *_of_families(header, parts),
        *_of_additions(header, parts),
        *_of_prediction(header, parts),
    )


def missing(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """What loaders of whole pipelines would look for in vain, in sentences.

    Empty, if there is no network that makes pictures.
    """
    kinds = [part.kind for part in parts]
    network = next((part for part in parts if part.kind in _NETWORKS), None)
    if network is None:
        return ()
    found = []
    context = _context(network.tensors)
    reads = network.kind == "transformer" or context is not None
    encoders = kinds.count("text encoder")
    if reads and not encoders:
        found.append("no text encoder: loaders that want one refuse this file")
    elif network.kind == "unet" and context == _TWO_ENCODERS and encoders == 1:
        found.append("one text encoder where SDXL has two: loaders that want both refuse this file")
    if "autoencoder" not in kinds:
        found.append("no autoencoder: loaders that want one refuse this file")
    return tuple(found)


def split(header: Header) -> tuple[str, ...]:
    """Which part a GGUF file is of several that are one, in a sentence."""
    number, count = (header.metadata.get(f"split.{key}") for key in ("no", "count"))
    if not isinstance(number, int) or not isinstance(count, int) or count < 2:
        return ()
    return (f"the other files: by its metadata it is number {number + 1} of {count}",)


def _of_families(header: Header, parts: tuple[Part, ...]) -> Iterator[str]:
    seen = [family for part in parts if (family := _family_of(part))]
    found = " and ".join(dict.fromkeys(seen))
    for key in _CLAIMS:
        claim = header.metadata.get(key)
        claimed = _family(claim) if isinstance(claim, str) else ""
        alike = _ALIKE.get(str(claim), ()) if key == "general.architecture" else ()
        if seen and claimed and not {claimed, *alike} & {*seen}:
            yield f"`{key}` is `{claim}`, that is {claimed}; the shapes are those of {found}"
    second = str(header.metadata.get("ss_v2"))
    if second == "True" and seen and "SD2" not in seen:
        yield f"`ss_v2` is `{second}`, that is SD2; the shapes are those of {found}"
    if second == "False" and {*seen} == {"SD2"}:
        yield f"`ss_v2` is `{second}`, and the shapes are those of SD2"


def _of_additions(header: Header, parts: tuple[Part, ...]) -> Iterator[str]:
    """What trainers write of a low-rank addition."""
    added = next((part for part in parts if part.kind == "lora"), None)
    if added is not None:
        yield from _of_rank(header, added)
        yield from _of_form(header, added)


def _of_rank(header: Header, added: Part) -> Iterator[str]:
    rank = header.metadata.get("ss_network_dim")
    match = _RANK.fullmatch(rank) if isinstance(rank, str) else None
    if match is None:
        return
    ranks = _ranks(added.tensors)
    if not ranks or not ranks.isdisjoint(int(match[0]) * count for count in _FUSED):
        return
    least, most = min(ranks), max(ranks)
    told = f"the rank is {least}" if least == most else f"the ranks are {least} to {most}"
    yield f"`ss_network_dim` is `{rank}`, and {told}"


def _of_form(header: Header, added: Part) -> Iterator[str]:
    module, algorithm = header.metadata.get("ss_network_module"), _algorithm(header)
    if not module and not algorithm:
        return
    told = f"and the form of the tensors is {added.name.partition(' for ')[0]}"
    forms = forms_of(added.tensors)
    meant = _FORMS.get(algorithm.lower())
    if meant and meant not in forms:
        yield f"`ss_network_args` has the algorithm `{algorithm}`, {told}"
    for begins, writes in _MODULES:
        if isinstance(module, str) and module.startswith(begins) and writes not in forms:
            yield f"`ss_network_module` is `{module}`, {told}"


def _algorithm(header: Header) -> str:
    """LyCORIS' algorithm, as the metadata have it; empty if they have none."""
    arguments = header.metadata.get("ss_network_args")
    try:
        return str(json.loads(arguments).get("algo", "")) if isinstance(arguments, str) else ""
    except (ValueError, AttributeError, RecursionError):
        return ""


def _of_prediction(header: Header, parts: tuple[Part, ...]) -> Iterator[str]:
    claim = header.metadata.get("modelspec.prediction_type")
    marks = [key for part in parts for key in _V_PREDICTION if key in part.tensors]
    if claim in ("epsilon", "eps") and marks:
        yield (
            f"`modelspec.prediction_type` is `{claim}`, and the tensor `{marks[0]}` marks "
            "a network that predicts velocities"
        )


def _family(text: str) -> str:
    """The family that a text speaks of; empty if none."""
    return next((family for family, form in _FAMILIES if re.search(form, text, re.IGNORECASE)), "")


def _family_of(part: Part) -> str:
    """The family that a part is of, or is added to; empty where its form tells none."""
    if part.kind == "unet" and not part.name:
        return _CONTEXTS.get(_context(part.tensors) or 0, "")
    if part.kind in (*_NETWORKS, "lora", "controlnet") and " or " not in part.name:
        return _family(part.name.replace("the refiner of SDXL", "refiner"))
    return ""


def _context(tensors: Mapping[str, TensorSpec]) -> int | None:
    """The channels of the text that a UNet reads; None if it reads none."""
    for name, spec in tensors.items():
        if name.endswith(_READS_TEXT) and len(spec.shape) == 2:
            return spec.shape[1]
    return None


def _ranks(tensors: Mapping[str, TensorSpec]) -> set[int]:
    ends = ("lora_down.weight", "lora_A.weight", "hada_w1_b", "lokr_w2_b")
    return {spec.shape[0] for name, spec in tensors.items() if name.endswith(ends) and spec.shape}
