"""The original YAML of CompVis and Stability: which of its networks is meant, and where it stands.

Those files name classes (`target`) and what to call them with (`params`). Both are read as data: a
known name chooses a family, and nothing is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from unetscope.config.code import code_of
from unetscope.config.dialects import VIDEO_UNETS
from unetscope.config.dialects.compvis_arguments import (
    CONTROL_NETS,
    UNETS,
    OriginalNetwork,
    VideoArguments,
)
from unetscope.config.dialects.compvis_flags import TARGET, FlagNetwork, are_flags, network_of
from unetscope.config.dialects.compvis_rules import problems
from unetscope.config.dialects.compvis_translation import Translation, translated
from unetscope.config.dialects.compvis_video import CLASS, video, video_problems
from unetscope.config.document import Document
from unetscope.config.types import mismatches
from unetscope.errors import Place, nearest
from unetscope.families.family import Count, HeightAndWidth
from unetscope.findings import (
    MISSING_KEY,
    SEVERAL,
    UNKNOWN_FAMILY,
    WRONG_TYPE,
    WRONG_VALUE,
    Finding,
    Path,
)
from unetscope.wording import dotted, found, quoted, shown

NETWORK_KEYS = ("unet_config", "network_config", "control_stage_config")
"""Keys under which the original files keep a network, whatever its class."""

KNOWN = (*UNETS, *CONTROL_NETS, *VIDEO_UNETS)
"""Classes that are read, wherever they are defined: forks move the module, not the class."""

OTHER_CLASSES = {
    "EncoderUNetModel": "a classifier, half a UNet",
    "SuperResModel": "a UNet that joins a smaller image to its input: UNetModel with twice the "
    "in_channels is the same behind that",
    "SpatialUNetModelWithTime": "a UNet over frames and views, of which VideoUNet is the nearest",
}

SIZE = ("model", "params", "image_size")
"""Where files give the size of the latents; `image_size` among a network's arguments is no size."""
CONDITION = ("model", "params", "cond_stage_config", "target")
"""Where files name the class that embeds the condition."""


@dataclass(frozen=True)
class _Candidate:
    """A mapping that is a network, by its key, by its class or by the flags that it holds."""

    path: Path
    target: Any
    params: Any
    is_flags: bool = False

    @property
    def class_name(self) -> str:
        return str(self.target).rpartition(".")[2]


def is_original(document: Document) -> bool:
    """Whether a document looks like an original file, with a network in it or not."""
    return isinstance(document.data.get("model"), dict) or any(_candidates(document.data, ()))


def translate(document: Document, path: FilePath, part: str | None = None) -> Document:
    """An original file in the form of a config; `part` is the key of one of its networks."""
    candidates = list(_candidates(document.data, ()))
    chosen = _chosen(candidates, part) if candidates else (_no_network(document.data),)
    if isinstance(chosen, tuple):
        return replace(document, problems=chosen)
    of_arguments = (*problems(chosen), *_problems_of_size(document.data))
    if of_arguments:
        return replace(document, problems=of_arguments)
    if chosen.is_video:
        message = f"expected one of {', '.join((*UNETS, *CONTROL_NETS))}, found {CLASS}'s original"
        hint = "diffusers builds it, so that it can be traced, but not changed or extended"
        problem = UNKNOWN_FAMILY.at((*chosen.path, "target"), message, hint)
        return replace(document, problems=(problem,))
    translation = translated(chosen)
    inputs: dict[str, Any] = _tokens(document.data, translation)
    if isinstance(chosen, FlagNetwork):
        translation.put("sample_size", chosen.flags["image_size"], "image_size")
        if chosen.ignored:
            translation.notes.append(f"not read: {', '.join(map(shown, chosen.ignored))}")
    _add_size(translation, document.data, inputs)
    where = dotted(chosen.path)
    data = {
        "name": path.stem,
        "family": translation.family,
        "source": f"{path.name}, {where}" if where else path.name,
        "unet": translation.values,
        **({"inputs": inputs} if inputs else {}),
    }
    origins = {("unet", *inner): origin for inner, origin in translation.origins.items()}
    origins |= {(): (), ("unet",): chosen.path, ("inputs",): ()}
    origins["family",] = (*chosen.path, "target")
    origins |= {("inputs", name): CONDITION if name == "tokens" else SIZE for name in inputs}
    places = {ours: _place(origin, document.places) for ours, origin in origins.items()}
    notes = (*translation.notes, *_others(candidates, chosen, path))
    return Document(data, places, tuple(f"{path}: {note}" for note in notes))


def published(document: Document, path: FilePath, part: str | None = None) -> Document | None:
    """An original file whose UNet diffusers builds, in the form of a config; None for any other.

    Its options are those of `UNetSpatioTemporalConditionModel`.
    """
    if not isinstance(document.data, dict) or not is_original(document):
        return None
    candidates = list(_candidates(document.data, ()))
    chosen = _chosen(candidates, part) if candidates else None
    if not isinstance(chosen, OriginalNetwork) or not chosen.is_video:
        return None
    of_arguments = tuple(problems(chosen))
    if not of_arguments:
        assert isinstance(chosen.arguments, VideoArguments)
        of_arguments = tuple(video_problems(chosen, chosen.arguments))
    if of_arguments:
        return replace(document, problems=of_arguments)
    translation = video(chosen)
    places = {ours: _place(at, document.places) for ours, at in translation.origins.items()}
    places |= {(): document.places[()]}
    notes = tuple(f"{path}: {note}" for note in translation.notes)
    return Document({"family": CLASS, "unet": translation.values}, places, notes)


def _place(origin: Path, places: Mapping[Path, Place]) -> Place:
    """Where a key stands or, if it is not written, what holds it; with what the file calls that."""
    while origin and origin not in places:
        origin = origin[:-1]
    return replace(places[origin], key=dotted(origin) or None)


def _candidates(value: Any, path: Path) -> Iterator[_Candidate]:
    if isinstance(value, dict):
        if are_flags(value):
            yield _Candidate(path, TARGET, value, is_flags=True)
            return
        candidate = _Candidate(path, value.get("target"), value.get("params", {}))
        by_key = bool(path) and path[-1] in NETWORK_KEYS
        if by_key or candidate.class_name in (*KNOWN, *OTHER_CLASSES):
            yield candidate
            return
        for key, inner in value.items():
            yield from _candidates(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _candidates(inner, (*path, index))


def _chosen(
    candidates: list[_Candidate], part: str | None
) -> OriginalNetwork | tuple[Finding, ...]:
    """The network that is meant: the UNet, unless another one is named or alone."""
    named = [each for each in candidates if part in (None, dotted(each.path), *each.path[-1:])]
    if not named:
        there = ", ".join(quoted(dotted(each.path)) for each in candidates)
        message = f"no network under the key {quoted(str(part))}"
        return (MISSING_KEY.at((), message, hint=f"there is {there}"),)
    unets = [each for each in named if each.class_name in (*UNETS, *VIDEO_UNETS)]
    if len(unets) > 1:
        names = " and ".join(dotted(each.path) for each in unets)
        message = f"expected one UNet, found {len(unets)}: {names}"
        return (SEVERAL.at(unets[1].path, message, hint="FILE#KEY names one"),)
    known = unets or [each for each in named if each.class_name in CONTROL_NETS]
    if not known:
        return (_unknown_class(named[0]),)
    chosen = known[0]
    if chosen.is_flags:
        return network_of(chosen.params, chosen.path)
    if not isinstance(chosen.params, dict):
        message = f"expected a mapping of arguments, found {found(chosen.params)}"
        return (WRONG_TYPE.at((*chosen.path, "params"), message),)
    return OriginalNetwork(chosen.path, str(chosen.target), chosen.params)


def _no_network(data: dict[str, Any]) -> Finding:
    target = data["model"].get("target")
    what = f", the model of a {quoted(target)}" if isinstance(target, str) else ""
    return MISSING_KEY.at(
        ("model",),
        f"no UNet in it{what}: expected unet_config or network_config with target and params",
        hint=f"a UNet is what has a target named {' or '.join(UNETS)}",
    )


def _unknown_class(candidate: _Candidate) -> Finding:
    path = (*candidate.path, "target")
    message = f"expected a class named {', '.join(KNOWN)}, found {found(candidate.target)}"
    if what := OTHER_CLASSES.get(candidate.class_name):
        return UNKNOWN_FAMILY.at(path, message, f"{what}: no family here covers it")
    close = nearest(candidate.class_name, KNOWN)
    code = code_of({"target": candidate.target, "params": candidate.params})
    hint = code.hint if code else None
    return UNKNOWN_FAMILY.at(path, message, f"did you mean {close}?" if close else hint)


def _others(candidates: list[_Candidate], chosen: OriginalNetwork, path: FilePath) -> Iterator[str]:
    """A note on each other network that the file holds."""
    for other in candidates:
        if other.path not in ((), chosen.path) and other.class_name in KNOWN:
            yield (
                f"this is {dotted(chosen.path)}, a {chosen.class_name}; "
                f"`{path}#{dotted(other.path[-1:])}` is its {other.class_name}"
            )


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _problems_of_size(data: dict[str, Any]) -> Iterator[Finding]:
    for path, message in mismatches(_at(data, SIZE), Count | HeightAndWidth | None, SIZE):
        yield WRONG_VALUE.at(path, message)


def _add_size(translation: Translation, data: dict[str, Any], inputs: dict[str, Any]) -> None:
    """The size of the latents, if the file gives it: an option or, for want of one, an input."""
    size = _at(data, SIZE)
    if size is None:
        return
    if translation.family != "ControlNetModel":
        translation.put_from("sample_size", size, SIZE)
        return
    inputs["height"], inputs["width"] = size if isinstance(size, list) else (size, size)


def _tokens(data: dict[str, Any], translation: Translation) -> dict[str, int]:
    """One token is what embeds a class."""
    embedder = _at(data, CONDITION)
    has_text = translation.family != "UNet2DModel"
    is_class = isinstance(embedder, str) and embedder.endswith(".ClassEmbedder")
    return {"tokens": 1} if has_text and is_class else {}
