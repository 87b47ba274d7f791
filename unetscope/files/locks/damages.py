"""The damage of a lock that its text does not show: what is missing, doubled or does not add up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from unetscope.files.versioned import absurd, impossible, too_deep
from unetscope.lock import RETURN, Lock, Results, held, parted
from unetscope.record import TensorSpec

MOST_CALLS = 10_000_000
"""Calls of modules in one pass."""

_BY_ITSELF = re.compile(r"[^#^\[\]]*")
"""An operand that is not named by the entry that made it."""


def damages(lock: Lock) -> Iterator[str]:
    """Each damage in words."""
    yield from _doubled(module.path for module in lock.modules)
    yield from _doubled(tensor.name for tensor in lock.tensors)
    yield from too_deep(lock.config)
    counts = (lock.totals.parameters, lock.totals.macs, lock.totals.activation_bytes)
    yield from absurd("totals", counts)
    yield from absurd("macs", lock.macs.values())
    yield from absurd("uncounted", lock.uncounted.values())
    yield from absurd("calls", (module.calls for module in lock.modules))
    for skip in lock.skips:
        yield from absurd("skips", (skip.push, skip.pop, skip.operand, *skip.shape))
    tensors = (*lock.tensors, *lock.inputs, *lock.outputs)
    specs = dict.fromkeys(TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors)
    yield from impossible(specs)
    for tensor in lock.tensors:
        if not (tensor.persistent or tensor.buffer):
            yield f"`{tensor.name}` is a parameter that no state_dict holds"
    yield from _miscounted(lock)
    for entries in lock.functions.values():
        if [parted(entry)[0] for entry in (*entries, RETURN)].index(RETURN) != len(entries) - 1:
            yield f"a body of {len(entries)} entries does not return in its last and no other"
        results = Results()
        for entry in entries:
            text, operands = parted(entry)
            for operand in operands:
                name = operand.rpartition("=")[2]
                if results.find(name) is None and not _BY_ITSELF.fullmatch(name):
                    yield f"the entry `{entry}` takes what no earlier entry made"
            results.add(text)
    own = (t.numel for t in lock.tensors if not t.buffer and t.tied_to is None)
    if (total := sum(own)) != lock.totals.parameters:
        yield f"its tensors have {total:,} parameters, its total says {lock.totals.parameters:,}"
    if (total := sum(lock.macs.values())) != lock.totals.macs:
        yield f"its kinds have {total:,} multiply-adds, its total says {lock.totals.macs:,}"


def _miscounted(lock: Lock) -> Iterator[str]:
    """Modules that are called more or less often than they have bodies, or bodies call them."""
    texts = {key: [parted(entry)[0] for entry in body] for key, body in lock.functions.items()}
    calls = {key: [t for t in found if held("", t) is not None] for key, found in texts.items()}
    for module in lock.modules:
        if len(module.functions) not in ((1, module.calls) if module.calls else (0,)):
            yield f"`{module.path}` has {module.calls} calls, and {len(module.functions)} bodies"
    counts = dict.fromkeys((module.path for module in lock.modules), 0)
    for module in lock.modules:
        for key in module.functions:
            times = module.calls if len(module.functions) == 1 else 1
            for text in calls[key]:
                target = held(module.path, text)
                if target in counts:
                    counts[target] += times
                else:
                    yield f"`{module.path}` calls `{target}`, which is not a module"
    for module in lock.modules:
        made = counts[module.path] + (module.path == "")
        if made != module.calls:
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
