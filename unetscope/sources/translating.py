"""Networks whose tensors alone are compared, brought under diffusers' names where these differ.

`analysis.diff` sees through CompVis' names itself, where each tensor has one counterpart. The names
of other code are translated here: of DDPM's, of attentions whose queries, keys and values are one
tensor, and those that diffusers had once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unetscope.analysis.diff import Diff
from unetscope.analysis.diff.bare import Written, bare
from unetscope.checkpoints.inference.naming import Named
from unetscope.lock import Lock
from unetscope.sources.source import Info

_CODE = {"DDPM": "DDPM", "CompVis": "CompVis", "ADM": "CompVis", "diffusers": "diffusers < 0.15"}
"""Whose names are translated; guided-diffusion's are CompVis', and diffusers' were others once."""
Shapes = Mapping[str, tuple[int, ...]]


def tensor_diff(old: Lock, new: Lock, info: Info) -> Diff:
    """What changed among the tensors of two networks, under diffusers' names if they need be.

    Args:
        old: a lock.
        new: another.
        info: is called with notes on each network whose names are translated.
    """
    from unetscope.analysis import diff

    one, other = _Tensors.of(old), _Tensors.of(new)
    (before, was), (after, now) = _translated(one, other, info), _translated(other, one, info)
    return diff.tensor_diff(before, after, (was, now))


class _Tensors(NamedTuple):
    """A network's tensors, and the same under diffusers' names; None if these cannot be told."""

    lock: Lock
    shapes: Shapes
    named: Named | None

    @classmethod
    def of(cls, lock: Lock) -> _Tensors:
        """Those of a lock."""
        shapes = {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}
        return cls(lock, shapes, _named(shapes))


def _translated(one: _Tensors, other: _Tensors, info: Info) -> tuple[Lock, Written]:
    """A network, under diffusers' names if those of the other one are not its own already."""
    found = one.named
    if found is None or _is_one_to_one(found):
        return one.lock, Written()
    names = {ours: own for ours, own in found.names.items() if ours != own}
    known = other.shapes if other.named is None else other.named.shapes
    if not other.shapes.keys().isdisjoint(names.values()) or names.keys().isdisjoint(known):
        return one.lock, Written()
    code = _CODE[found.dialect]
    for note in _notes(one.lock.name, code, names, found, one.shapes):
        info(note)
    return bare(one.lock.name, found.shapes), Written(code, names)


def _notes(
    file: str, code: str, names: Mapping[str, str], found: Named, shapes: Shapes
) -> Iterator[str]:
    """What was translated."""
    ours, own = next(iter(names.items()))
    yield f"note: `{file}` has names of {code}; they are read as diffusers': `{own}` is `{ours}`"
    reshaped = {own: ours for ours, own in names.items() if found.shapes[ours] != shapes[own]}
    for own, ours in [*reshaped.items()][:1]:
        yield (
            f"note: {len(reshaped)} tensors of `{file}` have other shapes than in diffusers, such "
            f"as `{own}`: {list(shapes[own])}, there {list(found.shapes[ours])}"
        )


def _named(shapes: Shapes) -> Named | None:
    """The network under diffusers' names; None if these cannot be told."""
    from unetscope.checkpoints.inference.naming import named
    from unetscope.checkpoints.inference.tree import NotInferredError

    try:
        return named(shapes)
    except NotInferredError:
        return None


def _is_one_to_one(found: Named) -> bool:
    """Whether its names are CompVis' and each of them is one of diffusers'."""
    of_several = len(found.names) > len(set(found.names.values()))
    return found.dialect in ("CompVis", "ADM") and not of_several
