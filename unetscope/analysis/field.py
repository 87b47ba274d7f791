"""The receptive field of a feature map through convolutions: how much of the sample a place reads.

Norms, attention and pooling over the whole map let every place read all others; they are left out
here, so that what is said is said of the convolutions, of pooling windows and of places that are
moved into channels.
"""

from __future__ import annotations

import re

from unetscope.analysis.network import Network
from unetscope.ops import OpKind, operation
from unetscope.record import Op

_DILATION = re.compile(r"(?<!\w)dilation=\(?([\d, ]+)")
_KERNEL = re.compile(r"(?<!\w)kernel_size=\(?([\d, ]+)")


def receptive_field(network: Network, value: int) -> tuple[int, ...] | None:
    """How many places of the sample one place of a map is computed from, along each spatial dim.

    Returns:
        The places, perhaps more than the sample has; None if the map is not computed from the
        sample, or on a way to it something raises the resolution or has a kernel that is not known.
    """
    sample = network.sample
    if sample is None or not network.is_map(sample) or not network.of_sample(value):
        return None
    whole = network.size(sample)
    fields: dict[int, tuple[int, ...]] = {sample: (1,) * len(whole)}
    maps = {sample: sample}  # for each value the last map that it was computed from
    on_way = sorted(each for each in network.graph.back(value) if network.of_sample(each))
    for each in on_way:
        op = network.graph.op(each)
        before = [parent for parent in network.graph.content(each) if parent in fields]
        if each == sample or op is None or not before:
            continue
        last = maps[before[0]]
        added = _added(network, op, last, each)
        if added is None:
            return None
        widest = map(max, zip(*(fields[parent] for parent in before), strict=True))
        steps = (full // here for full, here in zip(whole, network.size(last), strict=True))
        fields[each] = tuple(
            field + more * step for field, more, step in zip(widest, added, steps, strict=True)
        )
        maps[each] = each if _is_made_by(network, op, last, each) else last
    return fields.get(value)


def _is_made_by(network: Network, op: Op, last: int, value: int) -> bool:
    """Whether a value is the next map, and not, say, the heads of an attention."""
    if not network.is_map(value):
        return False
    if operation(op.name).kind in (OpKind.CONVOLUTION, OpKind.POOLING):
        return True
    return network.size(value) == network.size(last) or _is_unshuffled(network, last, value)


def _is_unshuffled(network: Network, last: int, value: int) -> bool:
    """Whether places of a map were moved into channels."""
    before, after = network.spec(last), network.spec(value)
    sides = [*zip(before.shape[2:], after.shape[2:], strict=True)]
    return before.numel == after.numel and all(old % new == 0 for old, new in sides)


def _added(network: Network, op: Op, last: int, value: int) -> list[int] | None:
    """The places of the last map that a function reads beside one, along each dim."""
    kind, size = operation(op.name).kind, network.size(last)
    flat = [0] * len(size)
    if kind is OpKind.CONVOLUTION:
        kernel = list(network.spec(op.inputs[1]).shape[2:])
    elif kind is OpKind.POOLING:
        found = _KERNEL.search(op.detail)
        kernel = _numbers(found[1], len(size)) if found else [1] * len(size)  # of the whole map
    elif kind is OpKind.RESAMPLING:
        return None
    elif network.is_map(value) and _is_unshuffled(network, last, value):
        return [old // new - 1 for old, new in zip(size, network.size(value), strict=True)]
    else:
        return flat
    if set(kernel) == {1}:
        return flat
    given = network.spec(op.inputs[0]).shape
    raises = any(new > old for new, old in zip(network.size(value), size, strict=False))
    if len(kernel) != len(size) or len(given) != len(size) + 2 or raises:
        return None
    if any(not old <= side < old + k for side, old, k in zip(given[2:], size, kernel, strict=True)):
        return None  # neither the last map nor that with an edge
    dilation = _DILATION.search(op.detail)
    apart = _numbers(dilation[1], len(size)) if dilation else [1] * len(size)
    return [(k - 1) * step for k, step in zip(kernel, apart, strict=True)]


def _numbers(text: str, count: int) -> list[int]:
    found = [int(number) for number in re.findall(r"\d+", text)]
    return found * count if len(found) == 1 else found
