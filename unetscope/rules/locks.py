"""Locks and the configs that they belong to: what each lock is found to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from unetscope.analysis.diff import Change
from unetscope.errors import Place, UnetscopeError
from unetscope.rules.gate import Judgement, nowhere


class State(str, Enum):
    """What a lock is found to be."""

    CURRENT = "current"
    """It is what it would be written as."""
    WRITTEN = "written"
    """It was not, and is now."""
    MISSING = "missing"
    STALE = "stale"
    """It would be written as something else."""
    ORPHANED = "orphaned"
    """The config whose lock it was is gone."""
    COLLIDING = "colliding"
    """Several configs would have it."""
    UNREADABLE = "unreadable"
    """It is damaged, or of another format."""
    UNCHECKED = "unchecked"
    """Its config describes no network that runs."""


class Staleness(str, Enum):
    """Why a lock is stale."""

    NETWORK = "network"
    """It is that of another network."""
    CONFIG = "config"
    """It is that of the same network from another config."""
    LAYOUT = "layout"
    """It says the same in other words."""


GOOD = (State.CURRENT, State.WRITTEN)
_UNKNOWN = (State.UNREADABLE, State.UNCHECKED)


@dataclass(frozen=True)
class Row:
    """One lock.

    Attributes:
        lock: its path.
        state: what it is found to be.
        configs: the paths of the configs that would have it.
        command: what writes it, if that would mend it.
        staleness: why it is stale, if it is.
        error: why it, or its config, is not to be read.
        judgement: what changed since it was written, all of which fails; None if nothing is known.
        place: the line of a config that most likely caused a change.
    """

    lock: str
    state: State
    configs: tuple[str, ...] = ()
    command: str | None = None
    staleness: Staleness | None = None
    error: UnetscopeError | None = None
    judgement: Judgement | None = None
    place: Callable[[Change], Place | None] = nowhere

    @property
    def good(self) -> bool:
        """Whether there is nothing to say against it."""
        return self.state in GOOD


@dataclass(frozen=True)
class Report:
    """All locks that were looked at.

    Attributes:
        rows: one each.
    """

    rows: Sequence[Row]

    @property
    def bad(self) -> list[Row]:
        """Those with something to say against them."""
        return [row for row in self.rows if not row.good]

    @property
    def counts(self) -> dict[str, int]:
        """How many are found to be what, in the order of the states."""
        counted = Counter(row.state for row in self.rows)
        return {state.value: counted[state] for state in State if counted[state]}

    @property
    def code(self) -> int:
        """The exit code: 2 if something could not be read or run, 1 if a lock is bad, else 0."""
        if any(row.state in _UNKNOWN for row in self.rows):
            return UnetscopeError.exit_code
        return 1 if self.bad else 0
