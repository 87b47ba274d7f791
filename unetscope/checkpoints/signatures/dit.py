"""What all tables of diffusion transformers (DiTs) write their rows with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from unetscope.checkpoints.signatures.signature import Pattern, Signature

DIT = "transformer"


def dit(
    name: str,
    has: dict[str, Pattern],
    *lacks: str,
    doubt: str = "",
    blocks: Mapping[str, int] = MappingProxyType({}),
) -> Signature:
    """The signature of a diffusion transformer."""
    return Signature(DIT, name, has, lacks, doubt=doubt, blocks=blocks)
