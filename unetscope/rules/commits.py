"""What the commits of a history did to a network, and which of them does not pass a gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from unetscope.analysis.diff import Diff
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.lock import Lock
    from unetscope.rules.gate import Judgement


@dataclass(frozen=True)
class Commit:
    """One commit.

    Attributes:
        sha: its full hash.
        short: the same, as short as git prints it.
        parents: the nearest commits before it at which the files differ, or that lie before the
            range that was asked for.
        date: when its author wrote it: `2024-05-31T18:20:01+02:00`.
        author: the author's name.
        subject: the first line of its message.
    """

    sha: str
    short: str
    parents: tuple[str, ...]
    date: str
    author: str
    subject: str


class Status(str, Enum):
    """What a commit did."""

    created = "created"
    """There was no such file before."""
    earliest = "earliest"
    """What was before is not in this clone, which is shallow."""
    changed = "changed"
    """The network is another one."""
    broken = "broken"
    """What is there describes no network."""
    mended = "mended"
    """It does again; what is compared is the last network before, if there is one."""
    removed = "removed"
    """The file is gone."""


@dataclass(frozen=True)
class Entry:
    """A commit that changed the network.

    Attributes:
        commit: the commit.
        path: of the config, in the repository; what it was called if it is gone.
        status: what the commit did.
        lock: the network; None if there is none now.
        diff: from the network before, if both are there.
        error: why there is none now, if the file is there.
        by_lock: whether the network was read from its lock, and not traced.
    """

    commit: Commit
    path: str
    status: Status
    lock: Lock | None = None
    diff: Diff | None = None
    error: UnetscopeError | None = None
    by_lock: bool = False


@dataclass(frozen=True)
class Blame:
    """The first commit that does not pass a gate.

    Attributes:
        base: what every network is compared with: the commit before the range, else the first one
            of the history that describes a network.
        judgement: what the gate says of the one that does not pass, against the base; None: all do.
        entry: what the commit did; None if what was before the range does not pass already.
        unread: the commits right before it that describe no network, and may have done it; if all
            others pass, the last ones, of which nothing is known.
        mended: whether the network passes again at the end of the history.
    """

    base: str
    judgement: Judgement | None = None
    entry: Entry | None = None
    unread: tuple[Commit, ...] = field(default=())
    mended: bool = False

    @property
    def code(self) -> int:
        """The exit code: 1 if one does not pass, 2 if nothing is known of the last, else 0."""
        if self.judgement is not None:
            return 1
        return UnetscopeError.exit_code if self.unread else 0
