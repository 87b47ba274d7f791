"""What a weights file is: all that is known of it put together, from the surest to the least.

The names and shapes of its UNet are those of a published network; or a config is read off them, and
the network that it describes is built and compared; or the nearest published network is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unetscope.checkpoints import known
from unetscope.checkpoints.claims import contradictions, missing, split
from unetscope.checkpoints.header import Header, is_name
from unetscope.checkpoints.identified import Certainty, Identified, Inferred, Part
from unetscope.checkpoints.loading import loading
from unetscope.checkpoints.prefixes import AVERAGES
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec
from unetscope.sources.equal import TRAINED_FOR, undecided

if TYPE_CHECKING:
    from unetscope.checkpoints.known import Known

_PREFIXES = ("model.diffusion_model.", "control_model.")
"""What stands before the names of a network in files of the original code."""
DENOISERS = ("unet", "controlnet")
"""The kinds of parts that a config describes."""
_UNKNOWN_UNET = "unknown UNet"
"""What is said of one, whatever else a file holds."""


def identify(source: str | Path | Mapping[str, Any]) -> Identified:
    """What a weights file is.

    Args:
        source: a file, the index of several, a folder with either, or a pipeline of diffusers; or
            the shape of each tensor by its name.

    Raises:
        UnetscopeError: it cannot be read, is of no known kind, is damaged, or exceeds a bound.
    """
    from unetscope.checkpoints import files
    from unetscope.checkpoints.gathering import is_pipeline
    from unetscope.checkpoints.parts import parts, pipeline

    if isinstance(source, Mapping):
        header = Header("", {name: _spec(name, given) for name, given in source.items()})
    elif is_pipeline(Path(source)):
        return _of_parts(pipeline(Path(source)))
    else:
        header = files.read(Path(source))
    held = _alone(header) or parts(header)
    found = _of_parts(held)
    return replace(
        found,
        contradictions=contradictions(header, held),
        missing=(*split(header), *found.missing),
        loading=tuple(loading(header)),
    )


def _spec(name: Any, given: Any) -> TensorSpec:
    """What a program says of a tensor, or the tensor itself; a mere shape is of `float32`.

    Raises:
        UnetscopeError: the name is none of a tensor, or that is no shape.
    """
    if not (isinstance(name, str) and is_name(name)):
        raise UnetscopeError(f"not a name of a tensor: {str(name)[:80]!a}")
    shape, dtype = getattr(given, "shape", given), getattr(given, "dtype", "float32")
    try:
        dims = tuple(map(index, shape))
    except TypeError:
        dims = (-1,)
    if isinstance(shape, (bytes, bytearray)) or min(dims, default=0) < 0:
        raise UnetscopeError(f"`{name}`: expected a shape, found {str(shape)[:80]!a}")
    return TensorSpec(dims, str(dtype).removeprefix("torch."))


def _alone(header: Header) -> tuple[Part, ...]:
    """The one part of a file that holds a published network and nothing else; else none.

    Many files do, and this is sooner known than what else might stand in one.
    """
    first = next(iter(header), "")
    prefix = next((each for each in _PREFIXES if first.startswith(each)), "")
    if header.others or not all(name.startswith(prefix) for name in header):
        return ()
    tensors = {name[len(prefix) :]: spec for name, spec in header.items()}
    found = known.find(tensors)
    if found is None:
        return ()
    nbytes = sum(spec.nbytes for spec in tensors.values())
    return (Part(found.kind, "", prefix, tensors, nbytes),)


def _of_parts(held: tuple[Part, ...]) -> Identified:
    """What a file is that holds these parts."""
    return replace(_answer(_told_apart(held)), missing=missing(held))


def _told_apart(held: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, where each of several networks has the name of the published one that it is."""
    several = [part for part in held if part.kind in DENOISERS]
    if len(several) < 2:
        return held
    found = {part.prefix: known.find(part.tensors) for part in several}
    names = {prefix: ", ".join(each.networks) for prefix, each in found.items() if each}
    return tuple(
        replace(part, name=names.get(part.prefix, part.name)) if part in several else part
        for part in held
    )


def _answer(held: tuple[Part, ...]) -> Identified:
    candidates = [part for part in held if part.kind in DENOISERS]
    candidates.sort(key=lambda part: bool(AVERAGES.search(part.prefix)))
    candidates += [part for part in held if part.kind == "other"]
    for part in candidates:
        if found := known.find(part.tensors):
            return _published(part, found, held)
    reasons: tuple[str, ...] = ()
    for part in candidates:
        answer = _inferred(part, held)
        if isinstance(answer, Identified):
            return answer
        reasons = reasons or answer
    return _unknown(candidates, held, reasons)


def _published(part: Part, found: Known, parts: tuple[Part, ...]) -> Identified:
    """The answer where a part has exactly the tensors of published networks."""
    count, networks = len(part.tensors), ", ".join(f"`{name}`" for name in found.networks)
    evidence = f"all {count:,} names and shapes are those of {networks}"
    if found.names == known.ORIGINAL:
        evidence = f"all {count:,} names and shapes are those of {networks} in the original code"
    return Identified(
        Certainty.EXACT,
        ", ".join(found.networks),
        found.networks,
        parts,
        evidence=(evidence,),
        undecided=undecided(found.networks),
    )


def _inferred(part: Part, parts: tuple[Part, ...]) -> Identified | tuple[str, ...]:
    """The answer where a config is read off the tensors of a part; else why none can be."""
    from msgspec import convert

    from unetscope.checkpoints.inference import NotInferredError, infer
    from unetscope.checkpoints.inference.comparing import differences
    from unetscope.families import find
    from unetscope.sources import nearest

    try:
        inferred = infer(part.tensors)
    except NotInferredError as error:
        return error.reasons
    family = inferred.config["family"]
    unet: Any = convert(inferred.config["unet"], find(family).options)
    count = len(part.tensors)
    if found := known.find_shapes(inferred.shapes):
        return Identified(
            Certainty.RENAMED,
            ", ".join(found.networks),
            found.networks,
            parts,
            inferred,
            evidence=(_renamed(inferred, found),),
            undecided=undecided(found.networks),
        )
    built = _built(family, unet)
    if wrong := differences(inferred.names, inferred.shapes, built):
        return wrong
    by_convention = {
        key for told in inferred.conventions for key in told.partition(":")[0].split(", ")
    }
    near = nearest.by_options(family, unet, by_convention)
    return Identified(
        Certainty.BUILT,
        family if near is None else near.label,
        () if near is None else near.networks,
        parts,
        inferred,
        () if near is None else near.differences,
        evidence=(
            f"a {family} was built from a config that was read off the file, and all {count:,} "
            "names and shapes are equal",
        ),
        undecided=(TRAINED_FOR,),
    )


def _renamed(inferred: Inferred, found: Known) -> str:
    """Under which names a file has the tensors of published networks."""
    ours, theirs = next((o, t) for o, t in inferred.names.items() if o != t)
    networks = ", ".join(f"`{name}`" for name in found.networks)
    return f"all shapes are those of {networks} under other names: `{theirs}` is `{ours}`"


def _built(family: str, unet: Any) -> dict[str, tuple[int, ...]]:
    """The tensors of a network that is built on meta."""
    from unetscope.families import build
    from unetscope.tracing import devices

    model = devices.build(lambda: build(family, unet), "meta", "float32")
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _unknown(
    candidates: Sequence[Part], parts: tuple[Part, ...], reasons: tuple[str, ...]
) -> Identified:
    """The answer where no network has these tensors: the nearest, or what the file holds."""
    from unetscope.checkpoints.inference.foreign import is_foreign
    from unetscope.sources import nearest

    for part in candidates:
        if part.name and is_foreign(part.tensors):
            return _component(part, parts, reasons)
        if near := nearest.by_tensors(part.tensors):
            return Identified(
                Certainty.NEAR,
                near.label,
                near.networks,
                parts,
                differences=near.differences,
                evidence=tuple(told for told in reasons if told not in near.differences),
            )
    first = next((part for part in candidates if part.kind in DENOISERS), None)
    named = first or next((part for part in parts if part.kind != "other"), None)
    if named is not None and (named.name or named is not first):
        return _component(named, parts, reasons if named in candidates else ())
    label = _UNKNOWN_UNET if first else next((part.name for part in parts if part.name), "unknown")
    shown = (first,) if first else parts
    evidence = tuple(dict.fromkeys((*reasons, *(e for p in shown for e in p.evidence))))
    told = evidence if parts else ("it holds no tensor",)
    return Identified(Certainty.UNKNOWN, label, parts=parts, evidence=told)


def _component(part: Part, parts: tuple[Part, ...], against: tuple[str, ...]) -> Identified:
    """The answer where a part is known by its evidence alone."""
    evidence = (*part.evidence, *against)
    return Identified(Certainty.COMPONENT, part.name or part.kind, parts=parts, evidence=evidence)
