"""What a file says of itself against what its shapes tell, and what a whole pipeline would lack.

Metadata are texts that anybody may write: they are read, and never believed.

Sources: Stability-AI/ModelSpec; kohya-ss/sd-scripts, `sai_model_spec.py` and `train_util.py`;
city96/ComfyUI-GGUF, `loader.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from unetscope.checkpoints.header import Header
from unetscope.checkpoints.identified import Part
from unetscope.record import TensorSpec

_NETWORKS = ("unet", "transformer")
_FAMILIES = (
    ("SDXL's refiner", r"refiner"),
    ("SDXL", r"sd[-_]?xl|stable-diffusion-xl|\bxl\b"),
    ("SD3", r"sd[-_ ]?3|stable-diffusion-v?3"),
    ("SD2", r"sd[-_]?v?2|stable-diffusion-v?2"),
    ("SD1", r"sd[-_]?v?1|stable-diffusion-v?1"),
    ("Flux.2", r"flux[-_. ]?2"),
    ("Flux.1", r"flux"),
    ("Chroma", r"chroma"),
    ("Wan", r"\bwan"),
    ("HunyuanVideo", r"hunyuan[-_ ]?video|hyvid"),
    ("Hunyuan-DiT", r"hunyuan|hydit"),
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
_CLAIMS = ("modelspec.architecture", "ss_base_model_version", "general.architecture")
_CONTEXTS = {768: "SD1", 1024: "SD2", 1280: "SDXL's refiner", 2048: "SDXL"}
_READS_TEXT = (".attn2.to_k.weight", ".attn2.to_v.weight")
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


def _of_families(header: Header, parts: tuple[Part, ...]) -> Iterator[str]:
    seen = [family for part in parts if (family := _family_of(part))]
    for key in _CLAIMS:
        claim = header.metadata.get(key)
        claimed = _family(claim) if isinstance(claim, str) else ""
        if seen and claimed and claimed not in seen:
            found = " and ".join(dict.fromkeys(seen))
            yield f"`{key}` is `{claim}`, that is {claimed}; the shapes are those of {found}"


def _of_additions(header: Header, parts: tuple[Part, ...]) -> Iterator[str]:
    """What trainers write of a low-rank addition."""
    added = next((part for part in parts if part.kind == "lora"), None)
    if added is None:
        return
    rank = header.metadata.get("ss_network_dim")
    ranks = _ranks(added.tensors)
    if isinstance(rank, str) and rank.isdigit() and ranks and int(rank) not in ranks:
        yield f"`ss_network_dim` is `{rank}`, and the ranks are {min(ranks)} to {max(ranks)}"
    arguments = header.metadata.get("ss_network_args")
    try:
        algorithm = str(json.loads(arguments).get("algo", "")) if isinstance(arguments, str) else ""
    except (ValueError, AttributeError, RecursionError):
        algorithm = ""
    form = added.name.partition(" for ")[0]
    known = {"loha": "LoHa", "lokr": "LoKr", "ia3": "IA3", "full": "full difference"}
    meant = known.get(algorithm.lower())
    if meant and meant not in form:
        yield f"`ss_network_args` has the algorithm `{algorithm}`, and the tensors are of a {form}"


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
