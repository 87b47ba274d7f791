"""The kinds of changes with their severities, and what a comparison returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from math import inf
from typing import Any


class ChangeSeverity(IntEnum):
    """How bad a change is; each severity is worse than those before it."""

    COSMETIC = 1
    """The network computes the same under other names."""
    COST = 2
    """It costs more or less."""
    BEHAVIOURAL = 3
    """The same checkpoint gives another result."""
    BREAKING = 4
    """Old checkpoints or callers fail."""


SEVERITIES: dict[str, ChangeSeverity] = {
    "network-deleted": ChangeSeverity.BREAKING,
    "param-added": ChangeSeverity.BREAKING,
    "param-removed": ChangeSeverity.BREAKING,
    "param-reshaped": ChangeSeverity.BREAKING,
    "persistence-changed": ChangeSeverity.BREAKING,
    "module-moved": ChangeSeverity.BREAKING,
    "io-reshaped": ChangeSeverity.BREAKING,
    "io-renamed": ChangeSeverity.BREAKING,
    "skip-added": ChangeSeverity.BEHAVIOURAL,
    "skip-removed": ChangeSeverity.BEHAVIOURAL,
    "skip-repaired": ChangeSeverity.BEHAVIOURAL,
    "skip-reordered": ChangeSeverity.BEHAVIOURAL,
    "skip-summed": ChangeSeverity.BEHAVIOURAL,
    "attr-changed": ChangeSeverity.BEHAVIOURAL,
    "op-changed": ChangeSeverity.BEHAVIOURAL,
    "flow-changed": ChangeSeverity.BEHAVIOURAL,
    "result-changed": ChangeSeverity.BEHAVIOURAL,
    "params": ChangeSeverity.COST,
    "macs": ChangeSeverity.COST,
    "activation-memory": ChangeSeverity.COST,
    "buffer-added": ChangeSeverity.COST,
    "buffer-removed": ChangeSeverity.COST,
    "io-resized": ChangeSeverity.COST,
    "unread-result": ChangeSeverity.COST,
    "training-changed": ChangeSeverity.COST,
    "module-renamed": ChangeSeverity.COSMETIC,
    "class-renamed": ChangeSeverity.COSMETIC,
    "network-renamed": ChangeSeverity.COSMETIC,
    "text-changed": ChangeSeverity.COSMETIC,
}
"""Every id, from the worst on.

- `network-…`, `text-changed`: of the file of a config or lock at two revisions; the text alone
  changed where the network is the same.
- `param-…`: of the tensors of a `state_dict`, persistent buffers among them.
- `persistence-changed`: a buffer that a `state_dict` now holds, or holds no more.
- `module-moved`: a module with tensors lies in another module, and the network is not the same.
- `io-renamed`: `forward` has another name for an input, so that callers by keyword fail.
- `skip-summed`: what is added to a skip on its way, such as a ControlNet's residual, is made by
  other modules, or nothing is added any more.
- `flow-changed`: the same functions take other operands.
- `result-changed`: real runs with equal weights gave other outputs, where nothing else told of it.
- `buffer-…`: of buffers that no `state_dict` holds.
- `io-resized`: the pass ran at another batch, height, width or number of tokens, so that the costs
  are those of different work.
- `unread-result`: what is returned is the same, and something else is computed that nothing reads.
- `training-changed`: an attribute that only training reads, such as the `p` of a dropout.
"""

COSTS = ("params", "macs", "activation-memory")
_MIRRORED = {"added": "removed", "removed": "added"}
_MARKS = {"added": "+", "removed": "-", "renamed": ">"}


@dataclass(frozen=True)
class Edit:
    """One place of a body where it differs: what stands there, and what stood there before.

    Entries are written as in a lock, operands by the names of what made them.

    Attributes:
        old: the entries that are gone, or whose operands changed.
        new: those that stand there now.
        after: the entry above, which both bodies have, as the old and as the new one writes it;
            empty at the beginning.
        before: the entry below, likewise; empty at the end.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    after: tuple[str, str] = ("", "")
    before: tuple[str, str] = ("", "")

    def mirrored(self) -> Edit:
        """The edit from the new body to the old one."""
        return Edit(self.new, self.old, self.after[::-1], self.before[::-1])


@dataclass(frozen=True)
class Change:
    """One change, or several alike that are reported as one.

    Attributes:
        id: a key of `SEVERITIES`.
        was: where in the old network: a tensor's name, a module's path; None if it was not there.
        now: where in the new network; None if it is gone.
        old: what was there: a shape, a value, a class, functions, a number; of tensors that went
            with a module, its class.
        new: what is there now.
        about: the attribute that changed; of skips, what changed about them.
        parts: the changes that this one stands for; empty if it is one alone.
        edits: of a body, where it differs.
    """

    id: str
    was: str | None
    now: str | None
    old: Any = None
    new: Any = None
    about: str = ""
    parts: tuple[Change, ...] = field(default=())
    edits: tuple[Edit, ...] = ()

    @property
    def severity(self) -> ChangeSeverity:
        """How bad it is."""
        return SEVERITIES[self.id]

    @property
    def mark(self) -> str:
        """`+` for what came, `-` for what went, `>` for another name, `~` for the rest."""
        return _MARKS.get(self.id.rpartition("-")[2], "~")

    @property
    def where(self) -> str:
        """Where in the new network, or in the old one if it is gone."""
        return self.now if self.now is not None else self.was or ""

    @property
    def count(self) -> int:
        """How many single changes it stands for."""
        return sum(part.count for part in self.parts) if self.parts else 1

    def singles(self) -> tuple[Change, ...]:
        """The single changes it stands for, itself if it is one."""
        if not self.parts:
            return (self,)
        return tuple(single for part in self.parts for single in part.singles())

    def mirrored(self) -> Change:
        """The change from the new network to the old one."""
        kind, _, what = self.id.rpartition("-")
        name = f"{kind}-{_MIRRORED[what]}" if what in _MIRRORED else self.id
        parts = tuple(part.mirrored() for part in self.parts)
        edits = tuple(edit.mirrored() for edit in self.edits)
        return Change(name, self.now, self.was, self.new, self.old, self.about, parts, edits)


@dataclass(frozen=True)
class Total:
    """One number of the whole network, before and after."""

    id: str
    old: int
    new: int


@dataclass(frozen=True)
class ConfigChange:
    """One value of a config that differs: what may have caused the changes.

    Attributes:
        key: dotted, as `--set` takes it after `unet.`: `unet.block_out_channels.1`.
        old: None if it was not there.
        new: None if it is gone.
    """

    key: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ComparedOutput:
    """One output of both networks, computed with equal weights and inputs.

    Attributes:
        name: `output.0`.
        old: its shape in the old network; None if that has no such output.
        new: its shape in the new one.
        difference: the largest absolute difference, relative to the largest absolute value;
            infinite if only one side is finite, None if the shapes differ.
        constant: whether it is one number everywhere on both sides, so that it tells little.
    """

    name: str
    old: tuple[int, ...] | None
    new: tuple[int, ...] | None
    difference: float | None = None
    constant: bool = False

    def within(self, tolerance: float) -> bool:
        """Whether it is the same output."""
        return self.difference is not None and self.difference <= tolerance


@dataclass(frozen=True)
class Verification:
    """What real runs of both networks with equal weights and inputs told.

    Attributes:
        device: where they ran.
        dtype: of weights, inputs and floating-point buffers.
        tolerance: the largest relative difference of outputs that count as equal.
        outputs: every output of either network.
        buffers: the buffers whose values differ, and other tensors that are not drawn, by their
            names in the new network.
        old_alone: parameters that only the old network has, so that they were drawn for it alone.
        new_alone: those that only the new one has.
    """

    device: str
    dtype: str
    tolerance: float
    outputs: tuple[ComparedOutput, ...]
    buffers: tuple[str, ...] = ()
    old_alone: tuple[str, ...] = ()
    new_alone: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all outputs are equal."""
        return all(output.within(self.tolerance) for output in self.outputs)

    @property
    def worst(self) -> ComparedOutput:
        """The output that differs most, one of another shape before all others."""
        return max(
            self.outputs,
            key=lambda output: inf if output.difference is None else output.difference,
        )


@dataclass(frozen=True)
class Diff:
    """All that changed from one network to another.

    Attributes:
        old: the old network's name.
        new: the new one's.
        changes: the worst first, then in the order of the network.
        totals: parameters, MACs and activation memory, changed or not.
        config: which values of the configs differ.
        names: old -> new name of each module and tensor that is there under another name.
        tensors_only: whether nothing but tensors was compared: one is a checkpoint.
        verified: what real runs told; None if there were none.
        opaque: functions of either network that are compared by their names alone, for no pass on
            meta sees what they compute.
    """

    old: str
    new: str
    changes: tuple[Change, ...]
    totals: tuple[Total, ...]
    config: tuple[ConfigChange, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    tensors_only: bool = False
    verified: Verification | None = None
    opaque: tuple[str, ...] = ()

    def count(self, severity: ChangeSeverity) -> int:
        """The number of changes of a severity; those reported as one count once."""
        return sum(change.severity is severity for change in self.changes)

    @property
    def worst(self) -> ChangeSeverity | None:
        """The worst severity that occurs; None without changes."""
        return max((change.severity for change in self.changes), default=None)
