"""What a set of tensors in a weights file is: by a signature, by its container, by what is left."""

from __future__ import annotations

from collections.abc import Mapping

from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.prefixes import bare, container
from unetscope.checkpoints.quantised import Restored
from unetscope.checkpoints.signatures import Signature
from unetscope.record import TensorSpec

SCHEDULED = "(schedule)"
"""Stands for a prefix where tensors are those of a noise schedule."""
_OPTIMIZER = frozenset({"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer"})
_WIDTHS = {768: "SD1", 1024: "SD2", 1280: "OpenCLIP ViT-bigG/14"}
_MOST_WORDS = 75
"""Words that CLIP reads at once."""
_NOTHING_FITS = "no signature that is known fits its names and shapes"


def told(
    prefix: str,
    group: Mapping[str, str],
    stored: Mapping[str, TensorSpec],
    whole: Restored,
    signatures: list[Signature],
) -> Part:
    """The part that some tensors of a file are.

    Args:
        prefix: what they stand under, or `SCHEDULED`.
        group: name in the file -> name without the prefix.
        stored: all tensors of the file.
        whole: the same as they are when used.
        signatures: those that these tensors bear, if any.
    """
    tensors = _used(group, whole)
    nbytes = sum(stored[name].nbytes for name in group)
    doubts = whole.doubts(group)
    if signatures:
        first, *others = signatures
        doubts += (first.doubt,) if first.doubt else ()
        also = (other.name for other in others if other.name)
        doubts += tuple(f"it bears the signature of {name} as well" for name in also)
        evidence = first.evidence(whole.tensors, prefix)
        return Part(first.kind, first.name, prefix, tensors, nbytes, evidence, doubts)
    if prefix == SCHEDULED:
        evidence = tuple(f"it has `{name}`, which no network reads" for name in [*tensors][:3])
        return Part("other", "noise schedule", "", tensors, nbytes, evidence)
    if prefix:
        _, kind = container(prefix + "x")
        evidence = (f"it stands under `{prefix}`",)
        return Part(kind, "", prefix, tensors, nbytes, evidence, (*doubts, _NOTHING_FITS))
    return _unclaimed(tensors, nbytes, doubts)


def _used(group: Mapping[str, str], whole: Restored) -> dict[str, TensorSpec]:
    """The tensors as they are when used, without their prefix and without helpers."""
    found = {}
    for name, short in group.items():
        true = whole.became.get(name, name)
        if true in whole.tensors:
            own = short if name == true else true[len(name) - len(short) :]
            found[own] = whole.tensors[true]
    return found


def _unclaimed(tensors: dict[str, TensorSpec], nbytes: int, doubts: tuple[str, ...]) -> Part:
    """What no signature claims and no container holds."""
    if len(tensors) == 1:
        ((name, spec),) = tensors.items()
        if base := _reads_words(spec.shape):
            evidence = (f"it has `{name}` alone, which is {list(spec.shape)}",)
            doubts = (*doubts, "by its width alone is it an embedding of words")
            named = f"textual inversion for {base}"
            return Part("embedding", named, "", tensors, nbytes, evidence, doubts)
    if any(name.rpartition(".")[2] in _OPTIMIZER for name in tensors):
        evidence = ("it has the moments that an optimizer keeps",)
        return Part("optimizer", "", "", tensors, nbytes, evidence)
    found = bare(tensors)
    first, short = next(iter(tensors), ""), next(iter(found), "")
    prefix = first[: len(first) - len(short)]
    shown = "; ".join(f"`{name}` {list(spec.shape)}" for name, spec in [*found.items()][:3])
    said = (f"its first tensors are {shown}",) if shown else ()
    return Part("other", "", prefix, dict(found), nbytes, said, (*doubts, _NOTHING_FITS))


def _reads_words(shape: tuple[int, ...]) -> str:
    """The network whose text encoder may read words of this shape; empty if none does."""
    if len(shape) == 2 and 1 <= shape[0] <= _MOST_WORDS:
        return _WIDTHS.get(shape[1], "")
    return _WIDTHS.get(shape[0], "") if len(shape) == 1 else ""
