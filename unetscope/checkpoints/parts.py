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
from unetscope.checkpoints.averages import with_averages
from unetscope.checkpoints.header import Header
from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.prefixes import (
    APART,
    AVERAGES,
    EMA,
    SCHEDULE,
    TRAINING,
    bare,
    container,
    unwrapped,
)
from unetscope.checkpoints.quantised import Restored, restored
from unetscope.checkpoints.signatures import SIGNATURES, Signature, by_tail
from unetscope.checkpoints.telling import SCHEDULED, told
from unetscope.files.reading import is_file
from unetscope.record import TensorSpec

_MOST_NETWORKS = 64
"""More than these in one file are not told apart."""
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
    return tuple(sorted(with_averages(found), key=lambda part: -part.nbytes))


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
    found = with_averages([*_parts(tensors, header.packed)])
    networks = [part for part in found if part.kind == "unet"]
    if not networks:
        networks = [part for part in found if part.kind == "controlnet"]
    if not networks or len(found) == 1:
        return dict(found[0].tensors if len(found) == 1 else bare(tensors)), {}
    own = min(networks, key=lambda part: (bool(AVERAGES.search(part.prefix)), -part.nbytes))
    left_out: dict[str, int] = defaultdict(int)
    for part in found:
        if part is not own:
            left_out[part.kind] += len(part.tensors)
    return dict(own.tensors), dict(left_out)


def _parts(
    stored: Mapping[str, TensorSpec], packed: Mapping[str, tuple[int, ...]] | None = None
) -> Iterator[Part]:
    """The parts of one set of tensors, some of which may be packed."""
    wrapped, stored = stored, unwrapped(stored)
    names = dict(zip(wrapped, stored, strict=True)) if packed else {}
    shapes = {names[name]: shape for name, shape in (packed or {}).items() if name in names}
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
        part = told(prefix, group, stored, whole, borne.get(prefix, []))
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
    if rest:
        _group_rest(groups, rest)
    return groups


def _group_rest(groups: dict[str, dict[str, str]], rest: list[str]) -> None:
    """Adds what no network claims to the one network of its container, or else by container."""
    homes = {prefix: {*group.values()} for prefix, group in groups.items()}
    for name in rest:
        place = "" if name in SCHEDULE else container(name)[0]
        inside = [prefix for prefix in homes if place and prefix.startswith(place)]
        short = name[len(place) :]
        if len(inside) == 1 and short not in homes[inside[0]]:
            homes[inside[0]].add(short)
            groups[inside[0]][name] = short
        else:
            groups[SCHEDULED if name in SCHEDULE else place][name] = short
