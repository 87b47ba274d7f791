"""The networks that the commits of a config made: which of them changed it, and how.

A network is traced once, however often it comes back, and not at all where a lock beside the config
was written for this very config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import to_builtins

from unetscope.analysis.diff import diff
from unetscope.errors import Place, UnetscopeError
from unetscope.rules.commits import Commit, Entry, Status
from unetscope.sources.configs import ConfigNetwork, ControlledNetwork
from unetscope.sources.history import History, Version
from unetscope.sources.request import Request
from unetscope.sources.revisions import placing, renamed
from unetscope.sources.source import Source

if TYPE_CHECKING:
    from unetscope.config import Spec
    from unetscope.lock import Lock

MOST_KEPT = 100
"""Networks that are kept, the latest; one may take a megabyte."""
_Key = tuple[object, ...]


@dataclass(frozen=True)
class State:
    """What the config was at one commit.

    Attributes:
        key: equal where the networks, or what is wrong, are.
        error: why it describes no network.
        source: the config or lock.
        sha: the latest commit at which it was so.
        version: the file there.
    """

    key: _Key
    sha: str
    version: Version
    error: UnetscopeError | None = None
    source: Source | None = None


class Past:
    """The networks of a history.

    Attributes:
        history: the commits.
        by_lock: the keys of networks that were read from their locks.
    """

    def __init__(self, history: History, request: Request, part: str | None, folder: Path) -> None:
        """Take a request with the options for every network, and a folder for files."""
        self.history = history
        self.by_lock: set[_Key] = set()
        self._request, self._part, self._folder = request, part, folder
        self._states: dict[object, State | None] = {None: None}
        self._networks: dict[_Key, Lock | UnetscopeError] = {}

    def entries(self, after_each: Callable[[], None] = lambda: None) -> Iterator[Entry]:
        """The commits that changed the network, the newest first.

        A merge did if its network differs from those of all its parents.

        Args:
            after_each: is called after each commit that was looked at.
        """
        for commit in self.history.commits:
            entry = self._entry(commit)
            after_each()
            if entry is not None:
                yield entry

    def entry(self, commit: Commit) -> Entry:
        """What a commit did, against its first parent, even if that is nothing."""
        alone = replace(commit, parents=commit.parents[:1])
        return self._entry(alone, even_equal=True) or Entry(commit, "", Status.changed)

    def _entry(self, commit: Commit, *, even_equal: bool = False) -> Entry | None:
        now = self.state(commit.sha)
        befores = [self.state(parent) for parent in commit.parents]
        if not even_equal and any(_same(now, before) for before in befores or [None]):
            return None
        version = self.history.versions.get(commit.sha)
        first = befores[0] if befores else None
        if now is None or version is None:
            was = self.history.versions.get(commit.parents[0])
            return Entry(commit, was.path if was else self.history.path, Status.removed)
        found = self._network(now)
        entry = Entry(commit, version.path, Status.created, by_lock=now.key in self.by_lock)
        if isinstance(found, UnetscopeError):
            return replace(entry, status=Status.broken, error=found, by_lock=False)
        entry = replace(entry, lock=found)
        if first is None:
            cut = commit.sha in self.history.shallow
            return replace(entry, status=Status.earliest if cut else Status.created)
        olds = [self._network(before) for before in filter(None, befores)]
        diffs = [diff(old, found) for old in olds if not isinstance(old, UnetscopeError)]
        if not even_equal and not all(each.changes for each in diffs):
            return None
        if isinstance(olds[0], UnetscopeError):
            last = self.last_network(commit)
            since = None if last is None else diff(last, found)
            return replace(entry, status=Status.mended, diff=since)
        return replace(entry, status=Status.changed, diff=diffs[0])

    def last_network(self, commit: Commit) -> Lock | None:
        """The network of the nearest commit before that had one, along first parents."""
        commits = {each.sha: each for each in self.history.commits}
        sha = commit.parents[0] if commit.parents else None
        while sha is not None:
            found = self.network(sha)
            if found is not None:
                return found
            sha = next(iter(commits[sha].parents), None) if sha in commits else None
        return None

    def network(self, sha: str) -> Lock | None:
        """The network at a commit of the history, or a parent; None if there is none."""
        found = self._at(sha)
        return None if isinstance(found, UnetscopeError) else found

    def error(self, sha: str) -> UnetscopeError | None:
        """Why the file describes no network there; None if it does, or is not there."""
        found = self._at(sha)
        return found if isinstance(found, UnetscopeError) else None

    def _at(self, sha: str) -> Lock | UnetscopeError | None:
        state = self.state(sha)
        return None if state is None else self._network(state)

    def state(self, sha: str) -> State | None:
        """What the config was at a commit of the history, or a parent; None if it was not."""
        version = self.history.versions.get(sha)
        key = None if version is None else (version.path, version.key)
        if version is not None and key not in self._states:
            self._states[key] = self._read(version, sha)
        return self._states[key]

    def _read(self, version: Version, sha: str) -> State:
        folder = self._folder / str(len(self._states))
        at = version.path

        def named(place: Place) -> Place:
            return renamed(place, folder, lambda inside: f"{sha[:7]}:{inside}")

        try:
            with placing(named):
                for name, blob in version.files.items():
                    file = folder / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(self.history.blobs.content(blob))
                part = f"#{self._part}" if self._part else ""
                source = self._resolved(f"{folder / at}{part}")
                source = source.at_revision(f"{sha[:7]}:{at}", named)
        except UnetscopeError as error:
            texts = tuple(blob.oid for blob in version.files.values())
            return State(("error", *texts), sha, version, error=error)
        return State(_key(source, version), sha, version, source=source)

    def _resolved(self, name: str) -> Source:
        from unetscope.sources import resolve

        return resolve(replace(self._request, source=name))

    def _network(self, state: State) -> Lock | UnetscopeError:
        """The network of a state, or why there is none; each is made once."""
        if state.error is not None or state.source is None:
            return state.error or UnetscopeError("it describes no network")
        known = self._networks.pop(state.key, None)
        if known is None:
            known = self._made(state, state.source)
        self._networks[state.key] = known
        if len(self._networks) > MOST_KEPT:
            del self._networks[next(iter(self._networks))]
        if isinstance(known, UnetscopeError) or not (specs := _specs(state.source)):
            return known
        # Whatever commit it was made at, its config is this one, in which defaults are said too.
        config = {**state.source.config(), "unet": to_builtins(specs[0].unet)}
        return replace(known, name=specs[0].name, config=config)

    def _made(self, state: State, source: Source) -> Lock | UnetscopeError:
        if (read := self._fresh(state, source)) is not None:
            self.by_lock.add(state.key)
            return read
        try:
            return source.lock()
        except UnetscopeError as error:
            return error

    def _fresh(self, state: State, source: Source) -> Lock | None:
        """The lock beside a config, if it was written for it; see `unetscope lock`."""
        from unetscope.files import locks

        if not _specs(source):
            return None
        blobs = self.history.blobs
        try:
            asked = [(state.sha, path) for path in self._lock_paths[state.version.path]]
            blob = next(filter(None, blobs.find(asked).values()), None)
            found = None if blob is None else locks.loads(blobs.content(blob))
        except UnetscopeError:  # of an earlier format, or left out of this clone
            return None
        if found is None:
            return None
        types = {tensor.dtype for tensor in found.tensors}
        fits = self._request.dtype in types or not types
        return found if fits and found.config == dict(source.config()) else None

    @cached_property
    def _lock_paths(self) -> dict[str, list[str]]:
        """Where the lock of a config may lie: as settings say today, or beside it; all are found.

        Raises:
            UnetscopeError: the settings are wrong.
        """
        from unetscope.files.locks import SUFFIX
        from unetscope.sources.settings import lock_of

        top, found, asked = self.history.top, {}, []
        for sha, version in self.history.versions.items():
            config = top / version.path
            places = dict.fromkeys([lock_of(config), config.with_suffix(SUFFIX)])
            paths = [place.relative_to(top).as_posix() for place in places]
            found[version.path] = paths
            asked += [(sha, path) for path in paths]
        self.history.blobs.find(asked)
        return found


def _same(now: State | None, before: State | None) -> bool:
    """Whether two states are one without a look at the networks."""
    return (now and now.key) == (before and before.key)


def _key(source: Source, version: Version) -> _Key:
    """Equal where the networks are: by the resolved config, else by the files."""
    specs = _specs(source)
    if not specs:
        return "files", version.key
    return "networks", *(repr(spec.network) for spec in specs)


def _specs(source: Source) -> list[Spec]:
    """The configs of a network; none if no config of a family made it."""
    if isinstance(source, ConfigNetwork):
        return [source.spec]
    if isinstance(source, ControlledNetwork):
        return [source.unet.spec, source.control]
    return []
