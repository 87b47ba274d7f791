"""A locked network: what of a trace is kept beside a config, to be reviewed and compared.

`unetscope.files.locks` writes and reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from unetscope.record import Setting, TensorSpec

SELF = "self."
"""Prefix of a call to a module inside the one whose body is listed: `self.resnets.0`."""
ROOT = "root."
"""Prefix of a call to any other module, named by its full path."""
FLOW = " ← "
"""Stands between a function or call and its operands."""
RETURN = "return"
"""The last entry of a body, whose operands are what it returns."""
ABOVE = "^"
"""The operand that is the result of the entry above."""
OUTSIDE, CONSTANT = "?outside", "?constant"
"""Operands that were neither passed to the body nor made in it; and that were there before."""
_TOLD = re.compile(r"(\w+)=(\d+|\([\d, ]*\))", re.ASCII)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_PLACE = re.compile(r"(.*)\[(\d{1,9})\]", re.ASCII | re.DOTALL)


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
    persistent: bool = True
    """Whether a `state_dict` holds it; only buffers may be left out."""

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
    added: tuple[str, ...] = ()
    """Paths of the modules whose results are added to it on its way, such as a ControlNet's."""


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
    """The bodies of the modules by their digests, each a sequence of functions and calls in the
    order in which they ran, with their operands: `cat(dim=1) ← ^, residual`. `Results` tells the
    names of what the entries make. Other operands are an input of the body, by its name, or a
    tensor that a module holds (`self.weight`). Those of a call bear the names of the callee's
    inputs: `self.attn1 ← hidden_states=self.norm1`."""
    tools: dict[str, str] = field(default_factory=dict, compare=False)
    """Versions of the tools; they are stored with the lock and never compared."""


def body_key(entries: Sequence[str]) -> str:
    """The digest of a body, its key in `Lock.functions`."""
    whole = sha256("\n".join(entries).encode(errors="surrogatepass"))
    return whole.hexdigest()[:10]  # one network has some hundred bodies at most


def called(path: str, functions: Iterable[str]) -> list[str]:
    """The paths of the modules that a body calls, in order."""
    found = (target(path, function) for function in functions)
    return [path for path in found if path is not None]


def entry(text: str, operands: Iterable[str]) -> str:
    """An entry of a body, which `parted` takes apart."""
    written = ", ".join(operands)
    return f"{text}{FLOW}{written}" if written else text


def parted(entry: str) -> tuple[str, list[str]]:
    """An entry of a body: the function or call, and its operands."""
    text, _, operands = entry.partition(FLOW)
    return text, operands.split(", ") if operands else []


class Results:
    """What the entries of a body make, by the names that operands of later entries have for it.

    Names do not depend on what stands elsewhere in the body. The result of a call is named as the
    call, that of a function by the function and how often it ran: `self.norm1`, `self.act#2`,
    `cat#1`. The result of the entry above is `^`, one of several is `split#1[2]` or `^[2]`.
    """

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._count = 0

    def add(self, text: str) -> str:
        """Take note of the next entry's function or call, and return the name of its result."""
        called = held("", text) is not None
        bare = text if called else text.partition("(")[0]
        times = self._times[bare] = self._times.get(bare, 0) + 1
        name = bare if called and times == 1 else f"{bare}#{times}"
        self._names[name] = self._count
        self._count += 1
        return name

    def find(self, operand: str) -> tuple[int, int | None] | None:
        """The number of the entry that made an operand, and its place there; None if none did."""
        match = _PLACE.fullmatch(operand)
        name, place = (match[1], int(match[2])) if match else (operand, None)
        if name == ABOVE:
            return (self._count - 1, place) if self._count else None
        number = self._names.get(name)
        return None if number is None else (number, place)


def part(dim: int, start: int, stop: int, size: int) -> str:
    """The function that takes a part of a tensor along a dim, which may be one of several equal."""
    length = stop - start
    if length > 0 and not start % length and not size % length:
        return f"part({start // length}, of={size // length}, dim={dim})"
    return f"getitem({':, ' * dim}{start}:{stop})"


def single(text: str, place: int) -> str | None:
    """The function that makes one of the results of `split` or `unbind`; None for another."""
    name, _, detail = text.partition("(")
    if name not in ("split", "unbind"):
        return None
    numbers = {key: list(map(int, _DIGITS.findall(told))) for key, told in _TOLD.findall(detail)}
    dim = numbers.get("dim", [0])[0]
    if name == "unbind":
        return f"getitem({':, ' * dim}{place})"
    if "parts" in numbers:
        return part(dim, place, place + 1, numbers["parts"][0])
    sizes = numbers.get("sizes", [])
    return part(dim, sum(sizes[:place]), sum(sizes[: place + 1]), sum(sizes))


def target(path: str, entry: str) -> str | None:
    """The path of the module that an entry of a body calls; None if it is a function."""
    return held(path, parted(entry)[0])


def named(path: str, name: str) -> str:
    """How a module's body names another module or a tensor, by its full name; see `held`."""
    if not path:
        return f"{SELF}{name}"
    inside = name.startswith(f"{path}.")
    return f"{SELF}{name[len(path) + 1 :]}" if inside else f"{ROOT}{name}"


def held(path: str, name: str) -> str | None:
    """The full name of what a module calls, or of a tensor, by its name in the module's body.

    None for what is no such name.
    """
    if name.startswith(SELF):
        inner = name[len(SELF) :]
        return f"{path}.{inner}" if path else inner
    return name[len(ROOT) :] if name.startswith(ROOT) else None
