"""Both networks with equal weights: which values are equal, what that takes, what it tells.

The runs themselves are `tracing.verify`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unetscope.analysis.diff.changes import Change, ChangeSeverity, Diff, Verification
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.modules import matched_tensors
from unetscope.analysis.diff.side import Side
from unetscope.analysis.diff.whole import counterparts
from unetscope.dtypes import itemsize
from unetscope.lock import Lock


@dataclass(frozen=True)
class Keys:
    """By which keys the values of one network are drawn; equal keys give equal values.

    Attributes:
        tensors: the key of each parameter and buffer, by name.
        inputs: the key of each input, by name.
        alone: the parameters that the other network has not.
    """

    tensors: dict[str, str]
    inputs: dict[str, str]
    alone: tuple[str, ...]


def keys(old: Lock, new: Lock) -> tuple[Keys, Keys]:
    """The keys of both networks, equal where `diff` takes two tensors, or two inputs, for one.

    A tensor that only the new network ties, or only the old one, has the values that an old
    checkpoint would give it.
    """
    was = {now: was for was, now in matched_tensors(Matching(Side(old), Side(new)))}
    before = {tensor.name: tensor.tied_to or tensor.name for tensor in old.tensors}
    after = {
        tensor.name: before[was[tensor.name]] if tensor.name in was else f"new {tensor.name}"
        for tensor in new.tensors
    }
    pairs = counterparts(old.inputs, new.inputs)
    inputs = {o.name: o.name for o, _ in pairs if o is not None}
    others = {n.name: o.name if o is not None else f"new {n.name}" for o, n in pairs if n}
    return Keys(before, inputs, _alone(old, before, after)), Keys(
        after, others, _alone(new, after, before)
    )


def _alone(lock: Lock, own: dict[str, str], others: dict[str, str]) -> tuple[str, ...]:
    known = set(others.values())
    return tuple(t.name for t in lock.tensors if not t.buffer and own[t.name] not in known)


def needed_bytes(lock: Lock, dtype: str, traced_in: str) -> int:
    """About how many bytes a run takes: all tensors, and the peak of the activations.

    Args:
        lock: of the network.
        dtype: of the floating-point tensors in that run.
        traced_in: of those in the pass that was locked.
    """
    tensors = sum(
        t.numel * itemsize(dtype if "float" in t.dtype else t.dtype)
        for t in lock.tensors
        if t.tied_to is None
    )
    return tensors + lock.totals.activation_bytes * itemsize(dtype) // itemsize(traced_in)


def _explains(change: Change) -> bool:
    """Whether a change makes another result likely; what a `state_dict` holds does not."""
    computes = change.severity >= ChangeSeverity.BEHAVIOURAL
    return computes and change.id != "persistence-changed"


def with_verification(diff: Diff, found: Verification) -> Diff:
    """The diff with what real runs told.

    Outputs that differ are a change where nothing else says that the result is another one. Equal
    outputs take no change away: they are those of one draw of weights and inputs.
    """
    if any(map(_explains, diff.changes)):
        return replace(diff, verified=found)
    reshaped, differing = [], []
    for output in found.outputs:
        was, now = (None if side is None else output.name for side in (output.old, output.new))
        if output.difference is None:
            reshaped.append(Change("result-changed", was, now, output.old, output.new, "shape"))
        elif not output.within(found.tolerance):
            values = found.tolerance, output.difference, "difference"
            differing.append(Change("result-changed", was, now, *values))
    if len(differing) > 1:
        most = max(change.new for change in differing)
        values = found.tolerance, most, "difference"
        differing = [Change("result-changed", "", "", *values, parts=tuple(differing))]
    return replace(diff, changes=(*reshaped, *differing, *diff.changes), verified=found)
