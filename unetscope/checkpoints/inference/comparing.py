"""How tensors differ from those of a network, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unetscope.checkpoints.inference.tree import Shape

_MOST_TOLD = 3
"""Names that a sentence lists."""


def differences(
    names: Mapping[str, str], given: Mapping[str, Shape], built: Mapping[str, Shape]
) -> tuple[str, ...]:
    """What is left over, what is missing, and what has other shapes; empty if all are equal.

    Args:
        names: what is called, in the file, what the network has under a name.
        given: shapes by the network's names.
        built: the network's own.
    """
    found = []
    over = [names[name] for name in given if name not in built]
    lacking = [name for name in built if name not in given]
    other = [
        f"`{names[name]}` {list(shape)} ≠ {list(built[name])}"
        for name, shape in given.items()
        if name in built and built[name] != shape
    ]
    if over:
        found.append(f"left over, {len(over)} in all: {_listed(over)}")
    if lacking:
        found.append(f"missing, {len(lacking)} in all: {_listed(lacking)}")
    if other:
        told = "; ".join(other[:_MOST_TOLD])
        found.append(f"of other shapes than the network's, {len(other)} in all: {told}")
    return tuple(found)


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(f"`{name}`" for name in names[:_MOST_TOLD])
    return told if len(names) <= _MOST_TOLD else f"{told} and {len(names) - _MOST_TOLD} more"
