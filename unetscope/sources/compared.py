"""Each config that a branch changed, resolved at both times; what did not change is not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from unetscope.errors import Place, UnetscopeError
from unetscope.files.locks import SUFFIX
from unetscope.rules.branch import Row, Status
from unetscope.sources import Request, resolve
from unetscope.sources.branch import Branch, Pair
from unetscope.sources.chains import alike, extract, same, unversioned
from unetscope.sources.configs import ConfigNetwork
from unetscope.sources.revisions import placing, renamed, telling
from unetscope.sources.saved import SavedLock
from unetscope.sources.source import Info, Source
from unetscope.sources.trees import StoredTree, Tree


@dataclass(frozen=True)
class Compared:
    """A config or lock at both times, with the networks that are to be compared.

    Attributes:
        row: what is known without a pass.
        old: what it was; None if it was not there, or nothing needs to be compared.
        new: what it is; None if it is gone, or nothing needs to be compared.
    """

    row: Row
    old: Source | None = None
    new: Source | None = None


def compared(
    branch: Branch, pairs: Sequence[Pair], request: Request, info: Info
) -> Iterator[Compared]:
    """Each pair, resolved if it must be.

    Args:
        branch: both times.
        pairs: of configs and locks.
        request: the options for all of them.
        info: is called with each message for the user.
    """
    with TemporaryDirectory(prefix="unetscope-") as name:
        folders = {branch.old: Path(name, "old"), branch.new: Path(name, "new")}
        sides = _Sides(branch, folders, request, info)
        for pair in pairs:
            yield sides.compared(pair)


@dataclass(frozen=True)
class _Sides:
    """Both times, and a temporary folder for the files of each."""

    branch: Branch
    folders: dict[Tree, Path]
    request: Request
    info: Info

    def compared(self, pair: Pair) -> Compared:
        shown = self.branch.repository.shown
        was = shown(pair.old) if pair.old and pair.new and pair.old != pair.new else None
        left = None if pair.left_lock is None else shown(pair.left_lock)
        status = self._status(pair)
        row = Row(shown(pair.path), status, was, left)
        if pair.new is None or status is Status.UNCHANGED:
            return Compared(row)
        try:
            new = self._source(self.branch.new, pair.new)
        except UnetscopeError as error:
            return Compared(replace(row, status=Status.UNREADABLE, error=error))
        if pair.old is None:
            return Compared(row, None, new)
        try:
            old = self._source(self.branch.old, pair.old)
        except UnetscopeError as error:
            if (unknown := self._unknown(pair.old, pair.new)) is not None:
                return Compared(replace(row, status=Status.UNREADABLE, error=unknown))
            return Compared(replace(row, status=Status.MENDED, error=error), None, new)
        if is_same(old, new):
            return Compared(replace(row, status=Status.RENAMED if was else Status.TEXT))
        return Compared(row, old, new)

    def _unknown(self, was: str, now: str) -> UnetscopeError | None:
        """Why nobody can tell what a config was: what it extends is under nobody's control."""
        branch = self.branch
        top, known = branch.repository.top, set(branch.new.paths)
        base = unversioned(branch.old, was, top, known)
        if base is None:
            return None
        return UnetscopeError(
            f"it extends `{base}`, which is in no commit here, "
            f"so what the network was at {branch.base} is not known",
            hint="`git add` that file, or fetch the commits of its submodule",
            place=Place(branch.repository.shown(now), 1),
        )

    def _status(self, pair: Pair) -> Status:
        if pair.old is None or pair.new is None:
            return Status.NEW if pair.old is None else Status.DELETED
        old, new = self.branch.old, self.branch.new
        if pair.old != pair.new:
            return Status.RENAMED
        if alike(old, pair.old, new, pair.new, self.branch.repository.top):
            return Status.UNCHANGED
        return Status.INHERITED if same(old, pair.old, new, pair.new) else Status.CHANGED

    def _source(self, tree: Tree, path: str) -> Source:
        """The network of a file.

        Raises:
            UnetscopeError: it describes none; the error's place is from the working folder, or
                begins with the revision.
        """
        shown = self.branch.repository.shown(path)
        if not isinstance(tree, StoredTree):
            if not path.endswith(SUFFIX):
                return resolve(replace(self.request, source=shown), self.info)
            return self._lock(tree, path, shown)
        name = f"{tree.name}:{shown}"
        is_old = tree is self.branch.old
        if path.endswith(SUFFIX):
            return self._lock(tree, path, name)
        folder = self.folders[tree]

        prefix = f"{tree.name}:" if is_old else ""

        def named(place: Place) -> Place:
            shown = self.branch.repository.shown
            return renamed(place, folder, lambda inside: f"{prefix}{shown(inside)}")

        extract(tree, path, folder, self.branch.repository.top)
        with placing(named):
            info = telling(self.info, folder, prefix)
            source = resolve(replace(self.request, source=str(folder / path)), info)
        return source.at_revision(name, named)

    def _lock(self, tree: Tree, path: str, name: str) -> SavedLock:
        from unetscope.files import locks

        return SavedLock(Request(name), self.info, locks.loads(tree.content(path), name))


def is_same(old: Source, new: Source) -> bool:
    """Whether two sources are known to be one network without a pass."""
    if isinstance(old, SavedLock) and isinstance(new, SavedLock):
        return old.lock() == new.lock()
    if type(old) is not ConfigNetwork or type(new) is not ConfigNetwork:
        return False
    return old.spec.network == new.spec.network
