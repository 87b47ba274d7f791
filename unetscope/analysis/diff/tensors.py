"""Parameters and buffers that were added, removed or reshaped."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.analysis.diff.changes import Change
from unetscope.analysis.diff.matching import Matching
from unetscope.lock import LockedTensor


def tensor_changes(matching: Matching) -> Iterator[Change]:
    """A change for each tensor that an old checkpoint would not fit."""
    old, new = matching.old, matching.new
    for path in new.modules:
        before = matching.was.get(path)
        theirs = {} if before is None else {_own(t): t for t in old.tensors[before]}
        for tensor in new.tensors[path]:
            yield from _compared(theirs.pop(_own(tensor), None), tensor)
        for tensor in theirs.values():
            yield from _compared(tensor, None)
    for path in old.modules:
        if path not in matching.now:
            for tensor in old.tensors[path]:
                yield from _compared(tensor, None)


def renamed_tensors(matching: Matching) -> Iterator[tuple[str, str]]:
    """Old and new name of each tensor that has another one now."""
    for was in matching.old.modules:
        now = matching.now.get(was, was)
        if now == was:
            continue
        theirs = {_own(tensor): tensor.name for tensor in matching.new.tensors[now]}
        for tensor in matching.old.tensors[was]:
            if _own(tensor) in theirs:
                yield tensor.name, theirs[_own(tensor)]


def _compared(old: LockedTensor | None, new: LockedTensor | None) -> Iterator[Change]:
    if new is None and old is not None:
        yield Change("param-removed", old.name, None, old.shape, None)
    elif old is None and new is not None:
        yield Change("param-added", None, new.name, None, new.shape)
    elif old is not None and new is not None:
        if old.shape != new.shape:
            yield Change("param-reshaped", old.name, new.name, old.shape, new.shape)
        for about in ("dtype", "buffer"):
            before, after = getattr(old, about), getattr(new, about)
            if before != after:
                yield Change("attr-changed", old.name, new.name, before, after, about)
        if (old.tied_to is None) != (new.tied_to is None):
            yield Change("attr-changed", old.name, new.name, old.tied_to, new.tied_to, "tied_to")


def _own(tensor: LockedTensor) -> str:
    return tensor.name.rpartition(".")[2]
