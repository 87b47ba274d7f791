"""Locks: what of a trace is kept beside a config, to be reviewed and compared.

A lock is JSON with one module or tensor a line, in the order of the network, so that `git diff`
reads well. It holds no times and no paths. It says which format it has, so that a newer one is
refused by name and not misread; the versions of the tools are recorded and never compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.record import BYTES_PER_ELEMENT, Setting, TensorSpec

FORMAT = 1
SUFFIX = ".lock"
SELF = "self."
"""Begins a call of a module inside the one whose body it is: `self.resnets.0`."""
ROOT = "root."
"""Begins a call of any other module, by its whole path."""

_MARK = "format_version"
_AGAIN = "`unetscope lock CONFIG` writes it anew"


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


def dumps(lock: Lock) -> bytes:
    """`lock` as JSON text; equal locks give equal text, apart from the tools' versions."""
    plain = {_MARK: FORMAT, **msgspec.to_builtins(lock)}
    order = ("format_version", "name", "tools", "config")
    keys = (*order, *(key for key in plain if key not in order))
    entries = (f"  {_json(key)}: {_section(key, plain[key])}" for key in keys)
    return ("{\n" + ",\n".join(entries) + "\n}\n").encode()


def _section(key: str, value: Any) -> str:
    """A top-level value, one entry a line; entries leave out what is as usual."""
    if isinstance(value, dict):
        if key == "config":
            value = {k: _Nested(v) if isinstance(v, dict) else v for k, v in value.items()}
        lines = [f"    {_json(k)}: {_entry(v)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    if isinstance(value, list | tuple):
        lines = [f"    {_entry(_brief(item))}" for item in value]
        return "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    return _json(value)


class _Nested(dict[str, Any]):
    """A section of a section, which has its own lines."""


def _entry(value: Any) -> str:
    if isinstance(value, _Nested) and value:
        lines = [f"      {_json(k)}: {_json(v)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n    }"
    return _json(value)


_OPTIONAL = ("attributes", "functions", "calls", "buffer", "tied_to", "function")


def _brief(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {key: value for key, value in item.items() if value or key not in _OPTIONAL}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


class _Head(msgspec.Struct):
    format_version: Any = None


def loads(text: bytes, file: str = "lock") -> Lock:
    """The lock that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is no lock, is damaged, or has another format.
    """
    place = Place(file)
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        conflict = re.search(rb"^(<<<<<<<|=======|>>>>>>>)", text, re.MULTILINE)
        why = "it holds the marks of a merge conflict" if conflict else str(error)
        raise UnetscopeError(f"a damaged lock: {why}", place=place, hint=_AGAIN) from None
    version = head.format_version
    if type(version) is not int:
        raise UnetscopeError(f"a damaged lock: it has no `{_MARK}`", place=place, hint=_AGAIN)
    if version != FORMAT:
        hint = "a newer unetscope wrote it: update this one" if version > FORMAT else _AGAIN
        message = f"a lock of format {version}; this unetscope reads {FORMAT}"
        raise UnetscopeError(message, place=place, hint=hint)
    try:
        lock = msgspec.json.decode(text, type=Lock)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnetscopeError(f"a damaged lock: {error}", place=place, hint=_AGAIN) from None
    for damage in _damages(lock):
        raise UnetscopeError(f"a damaged lock: {damage}", place=place, hint=_AGAIN)
    return lock


def _damages(lock: Lock) -> Iterator[str]:
    """What the types alone do not tell: what is missing, doubled or does not add up."""
    paths = [module.path for module in lock.modules]
    known = set(paths)
    if not paths or paths[0] != "":
        yield "its first module is not the root"
    yield from _doubled(paths)
    yield from _doubled(tensor.name for tensor in lock.tensors)
    for tensor in (*lock.tensors, *lock.inputs, *lock.outputs):
        if tensor.dtype not in BYTES_PER_ELEMENT or min(tensor.shape, default=0) < 0:
            yield f"no such tensor: {list(tensor.shape)} of `{tensor.dtype}`"
    for tensor in lock.tensors:
        if tensor.name.rpartition(".")[0] not in known:
            yield f"`{tensor.name}` is held by no module"
    for module in lock.modules:
        for key in module.functions:
            if key not in lock.functions:
                yield f"`{module.path}` has the functions {key}, which are not there"
            for target in called(module.path, lock.functions.get(key, ())):
                if target not in known:
                    yield f"`{module.path}` calls `{target}`, which is no module"
    own = (t.numel for t in lock.tensors if not t.buffer and t.tied_to is None)
    if (total := sum(own)) != lock.totals.parameters:
        yield f"its tensors have {total:,} parameters, its total says {lock.totals.parameters:,}"
    if (total := sum(lock.macs.values())) != lock.totals.macs:
        yield f"its kinds have {total:,} multiply-adds, its total says {lock.totals.macs:,}"


def _doubled(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"`{name}` stands there twice"
        seen.add(name)


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


def is_lock(path: Path) -> bool:
    """Whether a file calls itself a lock, by its name or by what it holds."""
    if path.suffix == SUFFIX:
        return True
    with path.open("rb") as file:
        return re.match(rb'\s*\{\s*"%b"' % _MARK.encode(), file.read(64)) is not None


def load(path: Path) -> Lock:
    """The lock in a file; see `loads`."""
    try:
        text = path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UnetscopeError(f"cannot be read: {why}", place=Place(str(path))) from None
    return loads(text, str(path))


def schema() -> dict[str, Any]:
    """The JSON Schema of a lock."""
    found = msgspec.json.schema(Lock)
    definition = found["$defs"]["Lock"]
    definition["properties"] = {_MARK: {"const": FORMAT}, **definition["properties"]}
    definition["required"] = [_MARK, *definition["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
