"""All networks of a branch at two times, and what the gate says of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from unetscope.analysis.diff import Change, ChangeSeverity
from unetscope.errors import Place, UnetscopeError
from unetscope.rules.gate import Judgement, nowhere
from unetscope.table import Picture


class Status(str, Enum):
    """What became of a config or lock, as far as files tell."""

    UNCHANGED = "unchanged"
    """It holds the same bytes, and so does all that it extends."""
    TEXT = "text-only"
    """Its text changed, and it describes the same network."""
    CHANGED = "changed"
    INHERITED = "base-changed"
    """What it extends changed."""
    RENAMED = "renamed"
    NEW = "new"
    MENDED = "mended"
    """It could not be read or run then, and can be now."""
    DELETED = "deleted"
    UNREADABLE = "unreadable"
    """It describes no network now, or one that cannot run."""


@dataclass(frozen=True)
class Row:
    """A config or lock at both times.

    Attributes:
        path: from the working folder, now or, if it is gone, then.
        status: what became of it.
        was: its path then, if it has another one now.
        left_lock: the lock of a config that is gone or renamed, which was left behind.
        error: why it could not be read or run, now or then.
        judgement: of what changed; None if nothing did, or nothing is known.
        place: the line of a config that most likely caused a change.
        picture: both networks in one drawing, if that is wanted and both have a trace.
    """

    path: str
    status: Status
    was: str | None = None
    left_lock: str | None = None
    error: UnetscopeError | None = None
    judgement: Judgement | None = None
    place: Callable[[Change], Place | None] = nowhere
    picture: Picture | None = None

    @property
    def changed(self) -> bool:
        """Whether there is anything to say of it."""
        return self.status is not Status.UNCHANGED

    @property
    def network_changed(self) -> bool:
        """Whether more than its text changed, or more of that than is allowed."""
        return (
            self.changed and not self.unreadable and (self.status is not Status.TEXT or self.fails)
        )

    @property
    def unreadable(self) -> bool:
        """Whether nothing is known of what it is now."""
        return self.status is Status.UNREADABLE

    @property
    def came(self) -> bool:
        """Whether there is nothing to compare it with."""
        return self.status in (Status.NEW, Status.MENDED)

    @property
    def fails(self) -> bool:
        """Whether it changed more than the gate allows, or left its lock behind."""
        broken = self.judgement is not None and self.judgement.breaches
        return bool(broken) or self.left_lock is not None

    @property
    def worst(self) -> ChangeSeverity | None:
        """The worst change that is reported."""
        shown = self.judgement.shown if self.judgement else ()
        return max((change.severity for change in shown), default=None)


@dataclass(frozen=True)
class Report:
    """All configs and locks of a branch.

    Attributes:
        base: what people call that with which they are compared.
        rows: one each, by path.
    """

    base: str
    rows: Sequence[Row]

    @property
    def code(self) -> int:
        """The exit code: 2 if one is unreadable, 1 if one fails, else 0."""
        if any(row.unreadable for row in self.rows):
            return UnetscopeError.exit_code
        return 1 if any(row.fails for row in self.rows) else 0
