"""What a weights file is: all that is known of it put together, from the surest to the least.

The names and shapes of its UNet are those of a published network; or a config is read off them, and
the network that it describes is built and compared; or the nearest published network is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.checkpoints import known
from unetscope.checkpoints.header import Header
from unetscope.checkpoints.identified import Certainty, Identified, Part
from unetscope.record import TensorSpec
from unetscope.sources.equal import undecided

if TYPE_CHECKING:
    from unetscope.checkpoints.known import Known

DENOISERS = ("unet", "controlnet")
"""The kinds of parts that a config describes."""
_NAMED = ("other", *DENOISERS)
"""The kinds of parts that may be a published network."""


def identify(source: str | Path | Mapping[str, Sequence[int] | TensorSpec]) -> Identified:
    """What a weights file is.

    Args:
        source: a file, the index of several, or a folder with either; or names and shapes.

    Raises:
        UnetscopeError: it cannot be read, is of no known kind, is damaged, or exceeds a bound.
    """
    if isinstance(source, Mapping):
        return of_header(Header("", {name: _spec(given) for name, given in source.items()}))
    from unetscope.checkpoints import files

    return of_header(files.read(Path(source)))


def _spec(given: Sequence[int] | TensorSpec) -> TensorSpec:
    """What a program says of a tensor; without an element type, it is taken to be `float32`."""
    return given if isinstance(given, TensorSpec) else TensorSpec(tuple(map(int, given)), "float32")


def of_header(header: Header) -> Identified:
    """What the file is that has this header."""
    held = _parts(header)
    for part in held:
        found = known.find(part.tensors) if part.kind in _NAMED else None
        if found is not None:
            return _published(part, found, held)
    return Identified(Certainty.UNKNOWN, "unknown", parts=held)


def _parts(header: Header) -> tuple[Part, ...]:
    from unetscope.checkpoints import contents

    tensors, _ = contents.unet(header)
    nbytes = sum(spec.nbytes for spec in tensors.values())
    return (Part("other", "", "", tensors, nbytes),)


def _published(part: Part, found: Known, parts: tuple[Part, ...]) -> Identified:
    """The answer where a part has exactly the tensors of published networks."""
    count, networks = len(part.tensors), ", ".join(f"`{name}`" for name in found.networks)
    evidence = f"all {count} names and shapes are those of {networks}"
    if found.names == known.ORIGINAL:
        evidence = f"all {count} names and shapes are those of {networks} in the original code"
    return Identified(
        Certainty.EXACT,
        ", ".join(found.networks),
        found.networks,
        parts,
        evidence=(evidence, *part.evidence),
        undecided=undecided(found.networks),
    )
