"""Modules that are set differently, have another class or another name."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.analysis.diff.changes import Change
from unetscope.analysis.diff.matching import Matching

WIDTHS = {
    *("in_channels", "out_channels", "in_features", "out_features", "num_features", "channels"),
    *("num_channels", "normalized_shape", "num_embeddings", "embedding_dim"),
}
"""Attributes that say what shapes of tensors say too."""


def attribute_changes(matching: Matching, *, widened: bool) -> Iterator[Change]:
    """A change for each attribute that two matched modules set differently.

    What only one of them has is no setting of both: code may keep more or less on its modules.

    Args:
        matching: which module is which.
        widened: whether any tensor has another shape; then widths are told by tensors.
    """
    for was, now in matching.now.items():
        before = matching.old.modules[was].attributes
        after = matching.new.modules[now].attributes
        for name in before:
            implied = widened and name in WIDTHS
            if name in after and not implied and _differ(before[name], after[name]):
                yield Change("attr-changed", was, now, before[name], after[name], name)


def _differ(old: object, new: object) -> bool:
    """Whether two settings differ: `1` is `1.0`, but not `True`."""
    return old != new or isinstance(old, bool) != isinstance(new, bool)


def name_changes(matching: Matching) -> Iterator[Change]:
    """A change for each module with another class or another path."""
    for was, now in matching.now.items():
        old, new = matching.old.modules[was], matching.new.modules[now]
        if was != now:
            yield Change("module-renamed", was, now, was, now)
        if old.kind != new.kind:
            yield Change("class-renamed", was, now, old.kind, new.kind)
