"""Files that hold weights, by how they begin: there is no network in them to build."""

from __future__ import annotations

from pathlib import Path

from unetscope.errors import Place, UnetscopeError

SAFETENSORS, GGUF, PICKLE = "safetensors", "GGUF", "a pickle"
GIT_LFS = b"version https://git-lfs"
FIRST = 32
"""Bytes of a file that tell its kind."""
_PICKLES = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")
"""How pickles begin: with their protocol."""
_LONGEST_HEADER = 100_000_000
"""Bytes of the largest header that safetensors reads."""


def kind(content: bytes) -> str | None:
    """What kind of weights a file holds that begins so; None if it is something else.

    `safetensors` begins with the length of a header in JSON, 8 bytes; GGUF with its name;
    `torch.save` writes a zip archive or, until torch 1.6, a pickle of protocol 2.
    """
    if content.startswith(b"GGUF"):
        return GGUF
    if content.startswith((b"PK\3\4", *_PICKLES)):
        return PICKLE
    length = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and 2 <= length <= _LONGEST_HEADER:
        return SAFETENSORS
    return None


def kind_of(path: Path) -> str | None:
    """What kind of weights a regular file holds; None if it is something else, or unreadable."""
    try:
        with path.open("rb") as file:
            return kind(file.read(FIRST))
    except (OSError, ValueError):
        return None


def no_network(kind: str, place: Place) -> UnetscopeError:
    """That a file of weights was named where a network is wanted, and which command reads it."""
    return UnetscopeError(
        f"a checkpoint ({kind}): it holds the tensors of a network, not what it does with them",
        hint="`unetscope identify CHECKPOINT --yaml` prints the config of its network",
        place=place,
    )
