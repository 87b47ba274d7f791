"""What differs between matched modules: their tensors, attributes, classes, paths and bodies.

Two bodies are alike if they compute the same from the same operands, in whatever order. A module
without a counterpart that only holds others counts as if its body stood in its caller's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from unetscope.analysis.diff.bodies import Body, Line, body_edits, line_edits
from unetscope.analysis.diff.changes import Change, Edit
from unetscope.analysis.diff.flow import Blur, Computed, Flow
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.side import Side, own_name
from unetscope.lock import LockedTensor
from unetscope.ops import OpKind, operation

_CHANNELS = {
    *("in_channels", "out_channels", "in_features", "out_features", "num_features", "channels"),
    *("num_channels", "normalized_shape", "num_embeddings", "embedding_dim"),
}
"""Attributes whose changes show in the shapes of tensors too."""
_TRAINED = (
    *(("", "inplace"), ("Dropout", "p"), ("AlphaDropout", "p"), ("FeatureAlphaDropout", "p")),
    ("BatchNorm", "momentum"),
    *(("Embedding", name) for name in ("padding_idx", "scale_grad_by_freq", "sparse")),
)
"""Attributes that no pass in eval mode reads, with what the classes begin with that have them.

Where they do matter, as where what was overwritten is read again, the bodies differ.
"""
Event = tuple[str | None, str]
"""A call of a matched module, by its path; or None and a function."""

_NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(e-?\d+)?")
_SIZE = re.compile(r"size=(\([^)]*\)|\d+)")
_DETAIL = re.compile(r"(?<=[\w\]+\-*/@])\(.*", re.DOTALL)


def tensor_changes(matching: Matching) -> Iterator[Change]:
    """A change for each tensor that one side lacks or has otherwise."""
    old, new = matching.old, matching.new
    for path in new.modules:
        before = matching.was.get(path)
        theirs = {} if before is None else {own_name(t): t for t in old.tensors[before]}
        for tensor in new.tensors[path]:
            yield from _compared(theirs.pop(own_name(tensor), None), tensor)
        for tensor in theirs.values():
            yield from _compared(tensor, None)
    for path in old.modules:
        if path not in matching.now:
            for tensor in old.tensors[path]:
                yield from _compared(tensor, None)


def matched_tensors(matching: Matching) -> Iterator[tuple[str, str]]:
    """Old and new name of each tensor that both sides have."""
    for was in matching.old.modules:
        now = matching.now.get(was)
        if now is None:
            continue
        theirs = {own_name(tensor): tensor.name for tensor in matching.new.tensors[now]}
        for tensor in matching.old.tensors[was]:
            if own_name(tensor) in theirs:
                yield tensor.name, theirs[own_name(tensor)]


def _compared(old: LockedTensor | None, new: LockedTensor | None) -> Iterator[Change]:
    if new is None and old is not None:
        kind = "param-removed" if old.persistent else "buffer-removed"
        yield Change(kind, old.name, None, old.shape, None)
    elif old is None and new is not None:
        kind = "param-added" if new.persistent else "buffer-added"
        yield Change(kind, None, new.name, None, new.shape)
    elif old is not None and new is not None:
        if old.persistent != new.persistent:
            values = old.persistent, new.persistent
            yield Change("persistence-changed", old.name, new.name, *values, "persistent")
        if old.shape != new.shape:
            saved = old.persistent and new.persistent
            kind, about = ("param-reshaped", "") if saved else ("attr-changed", "shape")
            yield Change(kind, old.name, new.name, old.shape, new.shape, about)
        for about in ("dtype", "buffer"):
            before, after = getattr(old, about), getattr(new, about)
            if before != after:
                yield Change("attr-changed", old.name, new.name, before, after, about)
        if (old.tied_to is None) != (new.tied_to is None):
            yield Change("attr-changed", old.name, new.name, old.tied_to, new.tied_to, "tied_to")


def attribute_changes(matching: Matching, *, reshaped: bool) -> Iterator[Change]:
    """A change for each attribute that two matched modules set differently.

    An attribute that only one of them has is no change: code may keep more or fewer of them.

    Args:
        matching: which module is which.
        reshaped: whether any tensor has another shape; then changed channels show in the tensors.
    """
    for was, now in matching.now.items():
        before = matching.old.modules[was].attributes
        after = matching.new.modules[now].attributes
        for name in before:
            implied = reshaped and name in _CHANNELS
            if name in after and not implied and differ(before[name], after[name]):
                kind = matching.new.modules[now].kind
                trained = any(name == known and kind.startswith(start) for start, known in _TRAINED)
                change = "training-changed" if trained else "attr-changed"
                yield Change(change, was, now, before[name], after[name], name)


def differ(old: object, new: object) -> bool:
    """Whether two settings differ: `1` is `1.0`, but not `True`."""
    return old != new or isinstance(old, bool) != isinstance(new, bool)


def name_changes(matching: Matching, *, same: bool = True) -> Iterator[Change]:
    """A change for each module with another class or another path.

    Args:
        matching: which module is which.
        same: whether the networks compute the same, so that nothing has moved but names.
    """
    for was, now in matching.now.items():
        old, new = matching.old.modules[was], matching.new.modules[now]
        if was != now:
            moved = not same and matching.old.owners_below[was] and _elsewhere(matching, was)
            yield Change("module-moved" if moved else "module-renamed", was, now, was, now)
        if old.kind != new.kind:
            yield Change("class-renamed", was, now, old.kind, new.kind)


def _elsewhere(matching: Matching, path: str) -> bool:
    """Whether a module, or one that holds it, lies in another module than before."""
    while path:
        holder = matching.old.parent(path)
        while holder not in matching.now:
            holder = matching.old.parent(holder)
        other = matching.new.parent(matching.now[path])
        while other not in matching.was:
            other = matching.new.parent(other)
        if matching.now[holder] != other:
            return True
        path = holder
    return False


def same_flow(matching: Matching) -> bool:
    """Whether both networks are sure to compute the same, whichever modules do it."""
    if not _all_matched(matching):
        return False
    old, new = _flows(matching)
    return old.whole() == new.whole()


def _all_matched(matching: Matching) -> bool:
    """Whether every module that holds tensors has a counterpart."""
    return set(matching.old.owners) <= matching.now.keys() and (
        set(matching.new.owners) <= matching.was.keys()
    )


def function_changes(
    matching: Matching, *, changed: Container[str], reshaped: bool, resized: bool
) -> Iterator[Change]:
    """A change for each pair of matched modules whose bodies differ, where there is no `same_flow`.

    A body that calls what was added or removed differs for that reason; no change is made of it.

    Args:
        matching: which module is which.
        changed: new paths of modules whose attributes changed; the arguments of their functions
            differ with these.
        reshaped: whether any tensor has another shape; then numbers among the arguments of
            functions differ with the channels.
        resized: whether the passes ran at different sizes; then sizes that functions are given
            differ with these.
    """
    old, new = _Bodies(matching.old, matching.now), _Bodies(matching.new, matching.was)
    flows = _flows(matching)
    explained = bool(changed) or reshaped or resized or not _all_matched(matching)
    for was, now in matching.now.items():
        if not (matching.old.modules[was].calls and matching.new.modules[now].calls):
            continue  # the body that calls only one of them differs
        before, lossy = old.effective(was)
        after, also_lossy = new.effective(now)
        if lossy or also_lossy or _retyped(matching, was, now):
            explained = True
            continue
        blur = _blur(now in changed, reshaped, resized)
        one, other = flows[0].bodies(was, blur), flows[1].bodies(now, blur)
        if one == other:
            continue
        explained = True
        if [body.returned for body in one] == [body.returned for body in other]:
            yield Change("unread-result", was, now, _unread(one, other), _unread(other, one))
            continue
        left = _lines(_named(before, matching.now), before, was, blur)
        right = _lines(after, after, now, blur)
        alike = Counter(line.key for line in left) == Counter(line.key for line in right)
        plain = before == list(matching.old.body(was)) and after == list(matching.new.body(now))
        edits = _in_bodies(flows, was, now, blur) if plain else line_edits(left, right)
        yield _changed("flow-changed" if alike else "op-changed", was, now, edits)
    if not explained:
        # Bodies that no pair of modules has: the functions differ in whose body they stand.
        yield _changed("flow-changed", "", "", _in_bodies(flows, "", "", str))


def _in_bodies(flows: tuple[Flow, Flow], was: str, now: str, blur: Blur) -> tuple[Edit, ...]:
    """Where the bodies of two matched modules differ, call by call."""
    found: dict[Edit, None] = {}
    keys = [f.side.modules[p].functions for f, p in zip(flows, (was, now), strict=True)]
    for pair in zip(*keys, strict=False):
        bodies = (Body.of(f, p, k, blur) for f, p, k in zip(flows, (was, now), pair, strict=True))
        found.update(dict.fromkeys(body_edits(*bodies)))
    return tuple(found)


def _changed(kind: str, was: str, now: str, edits: tuple[Edit, ...]) -> Change:
    old = tuple(text for edit in edits for text in edit.old)
    new = tuple(text for edit in edits for text in edit.new)
    return Change(kind, was, now, old, new, edits=edits)


def _lines(named: Sequence[Event], events: Sequence[Event], path: str, blur: Blur) -> list[Line]:
    """Events to be aligned: by the other side's names, as the own side writes them."""
    texts = _written(events, path)
    return [
        Line((called, "" if called is not None else blur(text)), written)
        for (called, text), written in zip(named, texts, strict=True)
    ]


def _blur(bare: bool, reshaped: bool, resized: bool) -> Blur:
    """What of the functions is compared where some arguments differ with what is told elsewhere."""

    def blur(text: str) -> str:
        if bare:
            return _bare(text)
        text = _numberless(text) if reshaped else text
        return _sizeless(text) if resized else text

    return blur


def _unread(bodies: Iterable[Computed], other: Iterable[Computed]) -> tuple[str, ...]:
    """The functions and calls whose results nothing reads, and that only one side has."""
    theirs = {key for body in other for key in body.unread}
    return tuple(text for body in bodies for key, text in body.unread.items() if key not in theirs)


def _flows(matching: Matching) -> tuple[Flow, Flow]:
    """The data flow of both sides, in which modules have the new side's names."""
    old, new = matching.old, matching.new
    theirs = {path: new.taken.get(path, ()) for path in matching.was}
    ours = {now: old.taken.get(was, ()) for was, now in matching.now.items()}
    return Flow(old, matching.now, theirs), Flow(new, {p: p for p in matching.was}, ours)


def _named(events: Sequence[Event], names: Mapping[str, str]) -> list[Event]:
    """The events with the other side's names of what they call."""
    return [(path and names[path], text) for path, text in events]


def _retyped(matching: Matching, was: str, now: str) -> bool:
    """Whether a module's own tensors have another rank: it is another layer then."""
    sides = ((matching.old, was), (matching.new, now))
    before, after = (
        [len(t.shape) for t in side.tensors[path] if t.persistent] for side, path in sides
    )
    return before != after


class _Bodies:
    """The bodies of one side, those of modules without a counterpart inserted where they run."""

    def __init__(self, side: Side, matched: Container[str]) -> None:
        self._side = side
        self._matched = matched
        holders = (p for owner in side.owners if owner in matched for p in _upwards(side, owner))
        self._holders = set(holders)

    def effective(self, path: str) -> tuple[list[Event], bool]:
        """What runs in a module's body, and whether calls of new or gone modules are left out."""
        found: list[Event] = []
        lossy = self._follow(path, found, (path,))
        return found, lossy

    def _follow(self, path: str, found: list[Event], above: tuple[str, ...]) -> bool:
        side, lossy = self._side, False
        for called, text in side.body(path):
            if called is None:
                found.append((None, text))
            elif called in self._matched:
                found.append((called, ""))
            else:
                added_or_removed = bool(side.owners_below[called]) and called not in self._holders
                if added_or_removed:
                    lossy = True
                elif called not in above:
                    if side.tensors[called]:
                        found.append((called, ""))
                    lossy |= self._follow(called, found, (*above, called))
        return lossy


def _upwards(side: Side, path: str) -> Iterator[str]:
    yield path
    while path:
        path = side.parent(path)
        yield path


def _bare(text: str) -> str:
    """A function without its arguments."""
    return _DETAIL.sub("", text)


def _numberless(text: str) -> str:
    """A function whose arguments have no numbers."""
    return _NUMBER.sub("#", text)


def _sizeless(text: str) -> str:
    """A function without the sizes that it is given."""
    row = operation(text.partition("(")[0])
    if row.sized or row.kind is OpKind.VIEW:
        return _bare(text)
    return _numberless(text) if row.kind is OpKind.CREATION else _SIZE.sub("size", text)


def _written(events: Sequence[Event], path: str) -> tuple[str, ...]:
    """Events as code writes them, calls by their paths below the caller's."""
    inside = f"{path}." if path else ""
    return tuple(
        text if called is None else f"self.{called.removeprefix(inside)}" for called, text in events
    )
