"""diffusers' `config.json`: the options under their own names, beside keys that shape nothing.

Source: `diffusers.configuration_utils.ConfigMixin.from_config`, 0.42, which ignores every key that
the class does not know. Here only those are ignored that are known to shape nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from unetscope.config.document import Document
from unetscope.config.sections import keys_of
from unetscope.errors import Place, nearest
from unetscope.families import every, find
from unetscope.families.family import Options
from unetscope.findings import MISSING_KEY, UNKNOWN_FAMILY, UNKNOWN_KEY, Finding, Path
from unetscope.wording import found, shown

CLASS_KEY = "_class_name"

IGNORED = {
    "neuron": "how AWS Neuron compiled it",
    "decay": "of the moving average of the weights",
    "inv_gamma": "of the moving average",
    "min_decay": "of the moving average",
    "optimization_step": "of the moving average",
    "power": "of the moving average",
    "update_after_step": "of the moving average",
    "use_ema_warmup": "of the moving average",
}
"""Keys of published files that are no options, and what they are."""

OLD_SPELLINGS = {"timestep_act_2": "timestep_post_act"}
"""Names of options in early revisions of published files, which diffusers ignores too."""

LIBRARY = "diffusers"

OTHER_UNETS = (
    "AudioLDM2UNet2DConditionModel",
    "ControlNetUnionModel",
    "DreamLiteUNetModel",
    "I2VGenXLUNet",
    "Kandinsky3UNet",
    "SparseControlNetModel",
    "StableCascadeUNet",
    "T2IAdapter",
    "UNet1DModel",
    "UNet3DConditionModel",
    "UNetControlNetXSModel",
    "UNetFlatConditionModel",
    "UNetMotionModel",
    "UNetSpatioTemporalConditionModel",
    "UniDiffuserModel",
    "UVit2DModel",
    "WuerstchenDiffNeXt",
    "WuerstchenPrior",
)
"""UNets, and what feeds the levels of a UNet, that no family covers: diffusers builds them."""

_PARTS = {
    "ControlNetXSAdapter": "UNetControlNetXSModel",
    "MotionAdapter": "UNetMotionModel",
    "UTransformer2DModel": "UniDiffuserModel",
}
"""Classes of published files that do not run by themselves, and the class that they are part of."""


def published() -> dict[str, type[Options]]:
    """The options of each family that diffusers publishes."""
    return {family.name: family.options for family in every() if family.library == LIBRARY}


def translate(document: Document, path: FilePath) -> Document:
    """A `config.json` in the form of a config."""
    data = document.data
    family = data.get(CLASS_KEY)
    if not isinstance(family, str) or family not in published():
        return replace(document, problems=(_wrong_class(data),))
    if foreign := (*_of_other_families(data, family), *_of_ours(data, family)):
        return replace(document, problems=foreign)
    options = {key: value for key, value in data.items() if not is_ignored(key)}
    places = {
        ("unet", *inner): replace(place, key=".".join(map(str, inner)))
        for inner, place in document.places.items()
        if inner and inner[0] in options
    }
    places.update(_sections(document))
    unit = {
        "name": name_of(path),
        "family": family,
        "source": _source(data, path),
        "unet": options,
    }
    return Document(unit, places, tuple(_notes(data, path)))


def _sections(document: Document) -> dict[Path, Place]:
    top = document.places[()]
    return {(): top, ("unet",): top, ("family",): document.places[CLASS_KEY,]}


def is_ignored(key: str) -> bool:
    """Whether a key of published files is known to shape nothing."""
    return key.startswith("_") or key in IGNORED or key in OLD_SPELLINGS


def _notes(data: dict[str, Any], path: FilePath) -> list[str]:
    # Keys with an underscore say who wrote the file.
    ignored = [shown(key) for key in data if is_ignored(key) and not key.startswith("_")]
    notes = []
    if ignored:
        notes.append(f"{path}: ignored, as diffusers ignores them: {', '.join(ignored)}")
    notes += [
        f"{path}: {old} is an early name of {new}, which diffusers has forgotten; "
        f"`--set {new}=…` gives the network that the file meant"
        for old, new in OLD_SPELLINGS.items()
        if old in data
    ]
    return notes


def name_of(path: FilePath) -> str:
    """What a network is called: as its file or, if that is `config.json`, as its folder."""
    if path.stem != "config":
        return path.stem
    folder = path.resolve().parent
    return (folder.parent if folder.name == "unet" else folder).name or path.stem


def _source(data: dict[str, Any], path: FilePath) -> str:
    usual = path.name if path.resolve().parent.name != "unet" else f"unet/{path.name}"
    trained = data.get("_name_or_path")
    return f"{trained[:200]}, {usual}" if isinstance(trained, str) and trained else usual


def _of_other_families(data: dict[str, Any], family: str) -> Iterator[Finding]:
    for key in data:
        owners = [other for other, section in published().items() if key in keys_of(section)]
        if owners and family not in owners:
            hint = f"it is an option of {' and '.join(owners)}, not of {family}"
            yield UNKNOWN_KEY.at((key,), "unknown key", hint=hint)


def _of_ours(data: dict[str, Any], family: str) -> Iterator[Finding]:
    for key in find(family).own_keys:
        if data.get(key) is not None:
            yield UNKNOWN_KEY.at(
                (key,),
                f"{LIBRARY}' {family} has no such option and would ignore it",
                hint="give it in a YAML that `extends` this file without it",
            )


def _wrong_class(data: dict[str, Any]) -> Finding:
    wanted = f"expected one of {', '.join(published())}"
    if CLASS_KEY not in data:
        return MISSING_KEY.at(
            (),
            f"the key {CLASS_KEY} is missing: the class that reads the options; {wanted}",
            hint=_of_no_class(data),
        )
    family = data[CLASS_KEY]
    hint = _of_class(family) if isinstance(family, str) else None
    return UNKNOWN_FAMILY.at((CLASS_KEY,), f"{wanted}, found {found(family)}", hint=hint)


def _of_no_class(data: dict[str, Any]) -> str | None:
    if "model_type" in data or "architectures" in data:
        return "this looks like a model of transformers; a UNet's is unet/config.json"
    for family, section in published().items():
        if data and all(key in keys_of(section) for key in data if not key.startswith("_")):
            return f'the options are those of {family}: add "{CLASS_KEY}": "{family}"'
    return None


def _of_class(family: str) -> str:
    if family.endswith("Pipeline"):
        return "a pipeline is many networks; name its folder, or the unet/config.json in it"
    if "Autoencoder" in family or "VQModel" in family:
        return "this is an autoencoder; the UNet's file is unet/config.json"
    if family in _PARTS:
        return f"it is a part of a {_PARTS[family]}, without which it does not run"
    if "ControlNet" in family and family not in OTHER_UNETS:
        return "this steers a transformer, not a UNet"
    if "Transformer" in family or "DiT" in family:
        return "this is a transformer, not a UNet"
    if family in OTHER_UNETS:
        return "this is a published network, but no family here covers it"
    close = nearest(family, [*published(), *OTHER_UNETS])
    return f"did you mean {close}?" if close else "no family here covers it"
