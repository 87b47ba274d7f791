"""Locks as JSON text.

Each module and each tensor has one line, in the order of the network, so that `git diff` reads
well. A lock holds no times and no file paths. It states the version of its format, so that a newer
format is refused and not misread. The versions of the tools are recorded and never compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.lock import Lock, called
from unetscope.record import is_dtype

FORMAT = 1
SUFFIX = ".lock"

_MARK = "format_version"
_AGAIN = "`unetscope lock CONFIG` writes a new one"


def dumps(lock: Lock) -> bytes:
    """`lock` as JSON text; equal locks give equal text except for the versions of the tools."""
    plain = {_MARK: FORMAT, **msgspec.to_builtins(lock)}
    order = ("format_version", "name", "tools", "config")
    keys = (*order, *(key for key in plain if key not in order))
    entries = (f"  {_json(key)}: {_section(key, plain[key])}" for key in keys)
    return ("{\n" + ",\n".join(entries) + "\n}\n").encode()


def _section(key: str, value: Any) -> str:
    """A top-level value with one line for each entry; entries omit empty optional keys."""
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
    """A section inside a section; each of its entries has its own line."""


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
        UnetscopeError: `text` is not a lock, is damaged, or has another format.
    """
    place = Place(file)
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        conflict = re.search(rb"^(<<<<<<<|=======|>>>>>>>)", text, re.MULTILINE)
        why = "it contains the markers of a merge conflict" if conflict else str(error)
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
    """The damage that the types do not show: what is missing, doubled or does not add up."""
    paths = [module.path for module in lock.modules]
    known = set(paths)
    if not paths or paths[0] != "":
        yield "its first module is not the root"
    yield from _doubled(paths)
    yield from _doubled(tensor.name for tensor in lock.tensors)
    for tensor in (*lock.tensors, *lock.inputs, *lock.outputs):
        if not is_dtype(tensor.dtype) or min(tensor.shape, default=0) < 0:
            yield f"impossible tensor: shape {list(tensor.shape)}, dtype `{tensor.dtype}`"
    for tensor in lock.tensors:
        if tensor.name.rpartition(".")[0] not in known:
            yield f"`{tensor.name}` belongs to no module"
    for module in lock.modules:
        for key in module.functions:
            if key not in lock.functions:
                yield f"`{module.path}` refers to the functions `{key}`, which are missing"
            for target in called(module.path, lock.functions.get(key, ())):
                if target not in known:
                    yield f"`{module.path}` calls `{target}`, which is not a module"
    own = (t.numel for t in lock.tensors if not t.buffer and t.tied_to is None)
    if (total := sum(own)) != lock.totals.parameters:
        yield f"its tensors have {total:,} parameters, its total says {lock.totals.parameters:,}"
    if (total := sum(lock.macs.values())) != lock.totals.macs:
        yield f"its kinds have {total:,} multiply-adds, its total says {lock.totals.macs:,}"


def _doubled(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"`{name}` is listed twice"
        seen.add(name)


def is_lock(path: Path) -> bool:
    """Whether a file is a lock by its suffix or by its first key."""
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
