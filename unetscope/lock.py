"""A locked network: what of a trace is kept beside a config, to be reviewed and compared.

`unetscope.lockfile` writes and reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from unetscope.record import Setting, TensorSpec

SELF = "self."
"""Begins a call of a module inside the one whose body it is: `self.resnets.0`."""
ROOT = "root."
"""Begins a call of any other module, by its whole path."""


@dataclass(frozen=True)
class LockedTensor:
    """A parameter or buffer, or an input or output of the network."""

    name: str
    """Its full name: `conv_in.weight`."""
    shape: tuple[int, ...]
    dtype: str
    buffer: bool = False
    """Whether it is a buffer."""
    tied_to: str | None = None
    """The name under which the same tensor was met first, if it was."""

    @property
    def numel(self) -> int:
        """The number of elements."""
        return TensorSpec(self.shape, self.dtype).numel


@dataclass(frozen=True)
class LockedModule:
    """One module, called or not."""

    path: str
    """`down_blocks.0.resnets.1`; empty for the root."""
    kind: str
    """Its class."""
    attributes: dict[str, Setting | tuple[Setting, ...]] = field(default_factory=dict)
    """What it is set to."""
    functions: tuple[str, ...] = ()
    """What runs in its body, by key of `Lock.functions`: of each call, or once if all are alike."""
    calls: int = 0
    """How often it was called."""


@dataclass(frozen=True)
class LockedSkip:
    """An earlier tensor joined to one that was computed from it."""

    push: int
    pop: int
    producer: str
    """The module whose whole output it is, or in whose body it was made."""
    consumer: str
    """The module that takes what it was joined to, or in whose body that is used."""
    operand: int
    """Its position among the joined tensors."""
    shape: tuple[int, ...]
    function: str | None = None
    """The function that made it, if no module's whole output it is."""


@dataclass(frozen=True)
class Totals:
    """What the whole network comes to."""

    parameters: int
    """A shared tensor counts once."""
    macs: int
    """Multiply-adds that are known, of one pass."""
    activation_bytes: int
    """The most that the pass held at once beside weights and inputs."""


@dataclass(frozen=True)
class Lock:
    """The digest of one trace."""

    name: str
    config: dict[str, Any]
    """As resolved; empty if the network was built by other code."""
    inputs: tuple[LockedTensor, ...]
    outputs: tuple[LockedTensor, ...]
    totals: Totals
    macs: dict[str, int]
    """By kind of work."""
    uncounted: dict[str, int]
    """Functions whose multiply-adds are not known, and how often each ran."""
    blocks: tuple[str, ...]
    """The modules called in the body that joins the skips."""
    modules: tuple[LockedModule, ...]
    """In the order of `named_modules()`; the root is first."""
    tensors: tuple[LockedTensor, ...]
    """Parameters and buffers, in the order of their modules."""
    skips: tuple[LockedSkip, ...]
    """In the order of the joins."""
    functions: dict[str, tuple[str, ...]]
    """Each sequence of functions and calls that is some module's body, by a digest of it."""
    tools: dict[str, str] = field(default_factory=dict, compare=False)
    """Versions: stated, never compared."""


def called(path: str, functions: Iterable[str]) -> list[str]:
    """The paths of the modules that a body calls, in order."""
    found = (target(path, function) for function in functions)
    return [path for path in found if path is not None]


def target(path: str, function: str) -> str | None:
    """The path of the module that an entry of a body calls; None if it is a function."""
    if function.startswith(SELF):
        inner = function[len(SELF) :]
        return f"{path}.{inner}" if path else inner
    return function[len(ROOT) :] if function.startswith(ROOT) else None
