"""Files that hold weights, by how they begin: there is no network in them to build."""

from __future__ import annotations

from unetscope.errors import Place, UnetscopeError

_LONGEST_HEADER = 100_000_000
"""Bytes of the largest header that safetensors reads."""


def kind(content: bytes) -> str | None:
    """What kind of weights a file holds that begins so; None if it is something else.

    `safetensors` begins with the length of a header in JSON, 8 bytes; GGUF with its name;
    `torch.save` writes a zip archive or, until torch 1.6, a pickle of protocol 2.
    """
    if content.startswith(b"GGUF"):
        return "GGUF"
    if content.startswith((b"PK\3\4", b"\x80\2")):
        return "a pickle"
    length = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and 2 <= length <= _LONGEST_HEADER:
        return "safetensors"
    return None


def no_network(kind: str, place: Place) -> UnetscopeError:
    """That a file of weights was named where a network is wanted, and which command reads it."""
    reads = "`unetscope diff CONFIG CHECKPOINT` compares"
    other = "the tensors of a `.safetensors` file, which `safetensors.torch.save_file` writes"
    return UnetscopeError(
        f"a checkpoint ({kind}): it holds the tensors of a network, not what it does with them",
        hint=f"{reads} {'its tensors' if '.safetensors' in place.file else other}",
        place=place,
    )
