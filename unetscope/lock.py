"""A locked network: what of a trace is kept beside a config, to be reviewed and compared.

`unetscope.files.locks` writes and reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from unetscope.record import Setting, TensorSpec

SELF = "self."
"""Prefix of a call to a module inside the one whose body is listed: `self.resnets.0`."""
ROOT = "root."
"""Prefix of a call to any other module, named by its full path."""


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
    """The full name under which the same tensor was recorded first; None if here."""

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
    """The attributes that configure it."""
    functions: tuple[str, ...] = ()
    """The bodies of its calls, as keys of `Lock.functions`; one key if all calls are alike."""
    calls: int = 0
    """The number of its calls."""


@dataclass(frozen=True)
class LockedSkip:
    """An earlier tensor joined to one that was computed from it."""

    push: int
    pop: int
    producer: str
    """Path of the module whose whole output it is, or in whose body it was made."""
    consumer: str
    """Path of the module that takes the joined tensor, or in whose body it is used."""
    operand: int
    """Its position among the inputs of the join."""
    shape: tuple[int, ...]
    function: str | None = None
    """The function that made it; None if it is a module's whole output."""


@dataclass(frozen=True)
class Totals:
    """The totals of the whole network."""

    parameters: int
    """A shared tensor counts once."""
    macs: int
    """The known multiply-adds of one forward pass."""
    activation_bytes: int
    """Peak of the bytes that the pass held at once, weights and inputs not counted."""


@dataclass(frozen=True)
class Lock:
    """The digest of one trace."""

    name: str
    config: dict[str, Any]
    """The resolved config; empty if other code built the network."""
    inputs: tuple[LockedTensor, ...]
    outputs: tuple[LockedTensor, ...]
    totals: Totals
    macs: dict[str, int]
    """Multiply-adds by kind of work."""
    uncounted: dict[str, int]
    """Functions whose multiply-adds are not known, and how often each ran."""
    blocks: tuple[str, ...]
    """Paths of the modules called in the body that joins the skips."""
    modules: tuple[LockedModule, ...]
    """In the order of `named_modules()`; the root is first."""
    tensors: tuple[LockedTensor, ...]
    """Parameters and buffers, in the order of their modules."""
    skips: tuple[LockedSkip, ...]
    """In the order of the joins."""
    functions: dict[str, tuple[str, ...]]
    """The bodies of the modules, each a sequence of functions and calls, by its digest."""
    tools: dict[str, str] = field(default_factory=dict, compare=False)
    """Versions of the tools; they are stored with the lock and never compared."""


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
