"""Signatures of all networks that are known by name; a newcomer is one row in one of the tables.

Of several general ones that a file bears, the first counts.

A file is told by *every* signature that it bears, whatever their order; a test makes each network
and asks that exactly one signature is borne.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from unetscope.checkpoints.signatures import (
    additions,
    autoencoders,
    encoders,
    extras,
    joint_transformers,
    transformers,
    unets,
    video_transformers,
)
from unetscope.checkpoints.signatures.signature import Signature

__all__ = ["SIGNATURES", "Signature", "by_tail", "tail"]

SIGNATURES: tuple[Signature, ...] = (
    *unets.SIGNATURES,
    *joint_transformers.SIGNATURES,
    *video_transformers.SIGNATURES,
    *transformers.SIGNATURES,
    *autoencoders.SIGNATURES,
    *encoders.SIGNATURES,
    *additions.SIGNATURES,
    *extras.SIGNATURES,
)


def tail(name: str) -> str:
    """The last two levels of a name: `to_k.weight`."""
    return name[name.rfind(".", 0, max(name.rfind("."), 0)) + 1 :]


@cache
def by_tail() -> dict[str, list[tuple[str, list[Signature]]]]:
    """The anchors of all signatures with what they may announce, by the end of their names."""
    anchors: dict[str, list[Signature]] = defaultdict(list)
    for signature in SIGNATURES:
        anchors[signature.anchor].append(signature)
    found: dict[str, list[tuple[str, list[Signature]]]] = defaultdict(list)
    for anchor, signatures in anchors.items():
        found[tail(anchor)].append((anchor, signatures))
    return dict(found)
