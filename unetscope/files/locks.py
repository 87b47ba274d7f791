"""Locks as JSON text.

Each module and each tensor has one line, in the order of the network, so that `git diff` reads
well. A lock holds no times and no file paths. It states the version of its format, so that a newer
format is refused and not misread. The versions of the tools are recorded and never compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from unetscope.files.versioned import Versioned, absurd, impossible, too_deep
from unetscope.lock import Lock, called, earlier, parted
from unetscope.record import TensorSpec

FORMAT = 2
SUFFIX = ".lock"
MOST_CALLS = 10_000_000
"""Calls of modules in one pass."""

_MARK = "format_version"


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
        if key == "functions":
            value = {k: _Lines(v) for k, v in value.items()}
        lines = [f"    {_json(k)}: {_entry(v)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    if isinstance(value, list | tuple):
        lines = [f"    {_entry(_brief(item))}" for item in value]
        return "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    return _json(value)


class _Nested(dict[str, Any]):
    """A section inside a section; each of its entries has its own line."""


class _Lines(tuple[str, ...]):
    """A list inside a section; each of its items has its own line."""


def _entry(value: Any) -> str:
    if isinstance(value, _Nested) and value:
        lines = [f"      {_json(k)}: {_json(v)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n    }"
    if isinstance(value, _Lines) and value:
        return "[\n" + ",\n".join(f"      {_json(item)}" for item in value) + "\n    ]"
    return _json(value)


_OPTIONAL = ("attributes", "functions", "calls", "buffer", "tied_to", "function")


def _brief(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {
        key: value
        for key, value in item.items()
        if (value or key not in _OPTIONAL) and (key != "persistent" or not value)
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def loads(text: bytes, file: str = "lock") -> Lock:
    """The lock that `dumps` wrote.

    Raises:
        UnetscopeError: `text` is not a lock, is damaged, or has another format.
    """
    return _LOCK.loads(text, file)


def load(path: Path) -> Lock:
    """The lock in a file; see `loads`."""
    return _LOCK.load(path)


def is_lock(path: Path) -> bool:
    """Whether a file is a lock by its suffix or by its first key."""
    return path.suffix == SUFFIX or _LOCK.is_in(path)


def _damages(lock: Lock) -> Iterator[str]:
    """The damage that the types do not show: what is missing, doubled or does not add up."""
    paths = [module.path for module in lock.modules]
    known = set(paths)
    if not paths or paths[0] != "":
        yield "its first module is not the root"
    yield from _doubled(paths)
    yield from _doubled(tensor.name for tensor in lock.tensors)
    yield from too_deep(lock.config)
    counts = (lock.totals.parameters, lock.totals.macs, lock.totals.activation_bytes)
    yield from absurd("totals", counts)
    yield from absurd("macs", lock.macs.values())
    yield from absurd("uncounted", lock.uncounted.values())
    yield from absurd("calls", (module.calls for module in lock.modules))
    for skip in lock.skips:
        yield from absurd("skips", (skip.push, skip.pop, skip.operand, *skip.shape))
    held = (*lock.tensors, *lock.inputs, *lock.outputs)
    yield from impossible(TensorSpec(tensor.shape, tensor.dtype) for tensor in held)
    for tensor in lock.tensors:
        if tensor.name.rpartition(".")[0] not in known:
            yield f"`{tensor.name}` belongs to no module"
        if not (tensor.persistent or tensor.buffer):
            yield f"`{tensor.name}` is a parameter that no state_dict holds"
    for module in lock.modules:
        for key in module.functions:
            if key not in lock.functions:
                yield f"`{module.path}` refers to the functions `{key}`, which are missing"
            for target in called(module.path, lock.functions.get(key, ())):
                if target not in known:
                    yield f"`{module.path}` calls `{target}`, which is not a module"
    yield from _miscounted(lock)
    for key, entries in lock.functions.items():
        for number, entry in enumerate(entries):
            for operand in parted(entry)[1]:
                source = earlier(operand.rpartition("=")[2])
                if source is not None and source[0] >= number:
                    yield f"the functions `{key}`: `{entry}` takes what no earlier entry made"
    own = (t.numel for t in lock.tensors if not t.buffer and t.tied_to is None)
    if (total := sum(own)) != lock.totals.parameters:
        yield f"its tensors have {total:,} parameters, its total says {lock.totals.parameters:,}"
    if (total := sum(lock.macs.values())) != lock.totals.macs:
        yield f"its kinds have {total:,} multiply-adds, its total says {lock.totals.macs:,}"


def _miscounted(lock: Lock) -> Iterator[str]:
    """Modules that are called more or less often than they have bodies, or bodies call them."""
    for module in lock.modules:
        if len(module.functions) not in ((1, module.calls) if module.calls else (0,)):
            yield f"`{module.path}` has {module.calls} calls, and {len(module.functions)} bodies"
    counts = dict.fromkeys((module.path for module in lock.modules), 0)
    for module in lock.modules:
        for key in module.functions:
            times = module.calls if len(module.functions) == 1 else 1
            for target in called(module.path, lock.functions.get(key, ())):
                if target in counts:
                    counts[target] += times
    for module in lock.modules:
        made = counts[module.path] + (module.path == "")
        if lock.functions and made != module.calls:
            yield f"`{module.path}` has {module.calls} calls, and the bodies of others {made} of it"
    total = sum(module.calls for module in lock.modules)
    if total > MOST_CALLS:
        yield f"{total:,} calls, and {MOST_CALLS:,} is the bound for a lock"


def _doubled(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"`{name}` is listed twice"
        seen.add(name)


def schema() -> dict[str, Any]:
    """The JSON Schema of a lock."""
    found = msgspec.json.schema(Lock)
    definition = found["$defs"]["Lock"]
    definition["properties"] = {_MARK: {"const": FORMAT}, **definition["properties"]}
    definition["required"] = [_MARK, *definition["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


_LOCK = Versioned(
    name="lock",
    mark=_MARK,
    version=FORMAT,
    content=Lock,
    damages=_damages,
    foreign="a damaged lock",
    again="`unetscope lock CONFIG` writes a new one",
)
