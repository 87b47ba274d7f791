"""All that stands in a weights file: which networks and additions, told by names and shapes.

Signatures are looked for by one tensor each, their anchor, under any prefix; what no signature
claims is told by the container that it stands in, or is listed as unknown. Helpers of quantised
tensors are no tensors of a network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from unetscope.checkpoints import lora
from unetscope.checkpoints.header import Header
from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.prefixes import (
    APART,
    AVERAGES,
    EMA,
    PARALLEL,
    SCHEDULE,
    TRAINING,
    container,
    unwrapped,
    with_dots,
)
from unetscope.checkpoints.quantised import Restored, restored
from unetscope.checkpoints.signatures import SIGNATURES, Signature, by_tail
from unetscope.files.reading import is_file
from unetscope.record import TensorSpec

_OPTIMIZER = frozenset({"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer"})
_WIDTHS = {768: "SD1", 1024: "SD2", 1280: "OpenCLIP ViT-bigG/14"}
_MOST_WORDS = 75
"""Words that CLIP reads at once."""
_SCHEDULE = "(schedule)"
_MOST_NETWORKS = 64
"""More than these in one file are not told apart."""
_COUNTERS = frozenset({"decay", "num_updates"})
_KEEPS_LORA = frozenset({"ip adapter"})
"""Kinds of networks that have low-rank tensors of their own."""
Found = dict[str, list[Signature]]


def parts(header: Header) -> tuple[Part, ...]:
    """What a weights file holds, the largest first.

    Every tensor of the file is in exactly one part, or is the helper of one that is.
    """
    found = [*_parts(header.tensors, header.packed)]
    for place, tensors in header.others.items():
        if TRAINING.search(place):
            nbytes = sum(spec.nbytes for spec in tensors.values())
            evidence = (f"it stands at `{place}`",)
            found.append(Part("optimizer", "", f"{place}.", tensors, nbytes, evidence))
        else:
            found += _parts({f"{place}.{name}": spec for name, spec in tensors.items()})
    return tuple(sorted(_averages(found), key=lambda part: -part.nbytes))


def pipeline(folder: Path) -> tuple[Part, ...]:
    """What the folders of a diffusers pipeline hold, the largest first; the folder is the prefix.

    Raises:
        UnetscopeError: the weights in one of them cannot be read.
    """
    from unetscope.checkpoints import files

    found: list[Part] = []
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        weights = files.in_folder(inside)
        if weights is None and (error := files.unreadable(inside)):
            raise error
        if weights is not None and is_file(weights):
            for part in parts(files.read(weights)):
                found.append(replace(part, prefix=f"{inside.name}/{part.prefix}"))
    return tuple(sorted(found, key=lambda part: -part.nbytes))


def unet(header: Mapping[str, TensorSpec]) -> tuple[dict[str, TensorSpec], dict[str, int]]:
    """The UNet's tensors without the prefix, and how many tensors of each other part there are.

    If no part of it looks like a UNet, that is all tensors.
    """
    if not isinstance(header, Header):
        header = Header("", dict(header))
    tensors = header.tensors
    found = _averages([*_parts(tensors, header.packed)])
    networks = [part for part in found if part.kind == "unet"]
    if not networks:
        networks = [part for part in found if part.kind == "controlnet"]
    if not networks or len(found) == 1:
        return dict(found[0].tensors if len(found) == 1 else _bare(tensors)), {}
    own = min(networks, key=lambda part: (bool(AVERAGES.search(part.prefix)), -part.nbytes))
    left_out: dict[str, int] = defaultdict(int)
    for part in found:
        if part is not own:
            left_out[part.kind] += len(part.tensors)
    return dict(own.tensors), dict(left_out)


def _bare(tensors: Mapping[str, TensorSpec]) -> Mapping[str, TensorSpec]:
    """All tensors as one network, without what is wrapped around it."""
    bare = unwrapped(tensors)
    while bare and all(name.startswith(PARALLEL) and name != PARALLEL for name in bare):
        bare = {name[len(PARALLEL) :]: spec for name, spec in bare.items()}
    return bare


def _parts(
    stored: Mapping[str, TensorSpec], packed: Mapping[str, tuple[int, ...]] | None = None
) -> Iterator[Part]:
    """The parts of one set of tensors, some of which may be packed."""
    bare = unwrapped(stored)
    names = dict(zip(stored, bare, strict=True)) if packed else {}
    shapes = {names[name]: shape for name, shape in (packed or {}).items() if name in names}
    stored = bare
    whole = restored(stored, shapes)
    announced, added = _announced(whole.tensors)
    borne = _outermost(_borne(whole, announced))
    if borne:
        added = [name for name in added if _kind_at(name, borne) not in _KEEPS_LORA]
    if added:
        yield lora.part({name: whole.tensors[name] for name in added})
        taken = set(added)
        stored = {name: spec for name, spec in stored.items() if name not in taken}
    for prefix, group in _grouped(stored, borne).items():
        part = _told(prefix, group, stored, whole, borne.get(prefix, []))
        if part.tensors:  # there may be nothing but marks, as `scaled_fp8` is one
            yield part


def _announced(tensors: Mapping[str, TensorSpec]) -> tuple[Found, list[str]]:
    """Prefix -> signatures whose anchor stands there; and the names of low-rank tensors."""
    tails = by_tail()
    found: Found = defaultdict(list)
    spotted = lora.Spotted()
    for name in tensors:
        cut = name.rfind(".")
        last, end = name[cut + 1 :], name[name.rfind(".", 0, max(cut, 0)) + 1 :]
        for anchor, signatures in tails.get(end, ()):
            if name == anchor or (name.endswith(anchor) and name[-len(anchor) - 1] == "."):
                found[name[: -len(anchor)]] += signatures
        if last in tails and last != end:
            found[name[: cut + 1]] += tails[last][0][1]
        if last in lora.LASTS or end in lora.ENDS or ".lora_" in name:
            spotted.see(name, last, end)
    return found, spotted.names(tensors)


def _borne(whole: Restored, announced: Found) -> Found:
    """Prefix -> the signatures that all tensors there bear; the general ones only where alone."""
    found = {}
    for prefix, signatures in announced.items():
        fit = [s for s in signatures if s.fits(whole.tensors, prefix, whole.flat)]
        exact = [signature for signature in fit if not signature.general]
        if fit:
            named = sorted(exact, key=lambda signature: not signature.name)
            found[prefix] = named or [min(fit, key=SIGNATURES.index)]
    return found


def _outermost(borne: Found) -> Found:
    """Networks that are a part of no other; what stands in a container is none's part."""
    found: Found = {}
    for prefix in sorted(borne, key=len):
        if len(found) == _MOST_NETWORKS:
            break
        outer = [p for p in found if prefix.startswith(p)]
        apart = container(prefix + "x")[0]
        if not outer or (apart and not any(p.startswith(apart) for p in outer)):
            found[prefix] = borne[prefix]
    return found


def _kind_at(name: str, borne: Found) -> str:
    return next((found[0].kind for prefix, found in borne.items() if name.startswith(prefix)), "")


def _grouped(stored: Mapping[str, TensorSpec], borne: Found) -> dict[str, dict[str, str]]:
    """Prefix -> name in the file -> name without it, for networks, containers and the rest."""
    by_first: dict[str, list[str]] = defaultdict(list)
    for prefix in sorted(borne, key=len, reverse=True):
        by_first[prefix.partition(".")[0]].append(prefix)
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    loose, rest = [], []
    for name in stored:
        first = name.partition(".")[0]
        for prefix in by_first.get(first, ()):
            if prefix and name.startswith(prefix):
                groups[prefix][name] = name[len(prefix) :]
                break
        else:
            loose.append((name, first))
    for name, first in loose:
        if "" in borne and first not in APART and name not in SCHEDULE and first != EMA[:-1]:
            groups[""][name] = name
        else:
            rest.append(name)
    homes = {prefix: {*group.values()} for prefix, group in groups.items()} if rest else {}
    for name in rest:
        place = "" if name in SCHEDULE else container(name)[0]
        inside = [prefix for prefix in homes if place and prefix.startswith(place)]
        short = name[len(place) :]
        if len(inside) == 1 and short not in homes[inside[0]]:
            homes[inside[0]].add(short)
            groups[inside[0]][name] = short
        else:
            groups[_SCHEDULE if name in SCHEDULE else place][name] = short
    return groups


def _told(
    prefix: str,
    group: Mapping[str, str],
    stored: Mapping[str, TensorSpec],
    whole: Restored,
    signatures: list[Signature],
) -> Part:
    """The part that these tensors are, by the signatures that they bear or by where they stand."""
    tensors: dict[str, TensorSpec] = {}
    for name, short in group.items():
        true = whole.became.get(name, name) if whole.became else name
        if true in whole.tensors:
            tensors[_renamed(short, name, true)] = whole.tensors[true]
    nbytes = sum(stored[name].nbytes for name in group)
    doubts = whole.doubts(group)
    if signatures:
        first, *others = signatures
        if first.doubt:
            doubts = (*doubts, first.doubt)
        also = (other.name for other in others if other.name)
        doubts += tuple(f"it bears the signature of {name} as well" for name in also)
        evidence = first.evidence(whole.tensors, prefix)
        return Part(first.kind, first.name, prefix, tensors, nbytes, evidence, doubts)
    if prefix == _SCHEDULE:
        evidence = tuple(f"it has `{name}`, which no network reads" for name in [*tensors][:3])
        return Part("other", "noise schedule", "", tensors, nbytes, evidence)
    if prefix:
        kind = container(prefix + "x")[1]
        evidence = (f"it stands under `{prefix}`",)
        doubts = (*doubts, "no signature that is known fits its names and shapes")
        return Part(kind, "", prefix, tensors, nbytes, evidence, doubts)
    return _unknown(tensors, nbytes, doubts)


def _renamed(short: str, name: str, true: str) -> str:
    """The name without its prefix, where the tensor itself is stored under another one."""
    return short if name == true else true[len(name) - len(short) :]


def _unknown(tensors: dict[str, TensorSpec], nbytes: int, doubts: tuple[str, ...]) -> Part:
    """What no signature claims and no container holds."""
    for name, spec in tensors.items():
        words = spec.shape[0] if len(spec.shape) == 2 else len(spec.shape)
        if len(tensors) == 1 and 1 <= words <= _MOST_WORDS and spec.shape[-1] in _WIDTHS:
            base = _WIDTHS[spec.shape[-1]]
            evidence = (f"it has `{name}` alone, which is {list(spec.shape)}",)
            doubts = (*doubts, "by its width alone is it an embedding of words")
            named = f"textual inversion for {base}"
            return Part("embedding", named, "", tensors, nbytes, evidence, doubts)
    if any(name.rpartition(".")[2] in _OPTIMIZER for name in tensors):
        evidence = ("it has the moments that an optimizer keeps",)
        return Part("optimizer", "", "", tensors, nbytes, evidence)
    bare = _bare(tensors)
    prefix = next(iter(tensors))[: -len(next(iter(bare)))] if len(bare) and bare != tensors else ""
    shown = "; ".join(f"`{name}` {list(spec.shape)}" for name, spec in [*bare.items()][:3])
    told = (f"its first tensors are {shown}",) if shown else ()
    doubts = (*doubts, "no signature that is known fits its names and shapes")
    return Part("other", "", prefix, dict(bare), nbytes, told, doubts)


def _averages(found: list[Part]) -> list[Part]:
    """The parts, where what repeats a network under the name of an average is said to."""
    kept: list[Part] = []
    plain = [part for part in found if not AVERAGES.search(part.prefix)]
    for part in found:
        if part.prefix == EMA:
            kept.append(_flattened(part, found))
        elif AVERAGES.search(part.prefix) and any(_repeats(part, other) for other in plain):
            evidence = (f"it stands under `{part.prefix}` beside a {part.kind}", *part.evidence)
            again = "averaged weights", part.name or part.kind
            kept.append(replace(part, kind=again[0], name=again[1], evidence=evidence))
        else:
            kept.append(part)
    return kept


def _repeats(part: Part, other: Part) -> bool:
    """Whether two parts have the same names and shapes."""
    return part.kind == other.kind and _shapes(part) == _shapes(other)


def _shapes(part: Part) -> dict[str, tuple[int, ...]]:
    return {name: spec.shape for name, spec in part.tensors.items()}


def _flattened(part: Part, found: list[Part]) -> Part:
    """Averages of CompVis' code, under the names of the network beside them if they are its own."""
    own = {name: spec for name, spec in part.tensors.items() if name not in _COUNTERS}
    for other in found:
        inside = other.prefix.removeprefix("model.")
        named = with_dots(own, {inside + name: spec for name, spec in other.tensors.items()})
        if named is not own and own:
            tensors = {name[len(inside) :]: spec for name, spec in named.items()}
            evidence = (f"its names are those of `{other.prefix}` without dots",)
            of = other.name or other.kind
            return replace(part, name=of, tensors=tensors, evidence=evidence, doubts=())
    doubts = ("the dots of its names were removed, and no network beside it tells where",)
    return replace(part, tensors=own, doubts=doubts)
