"""The commits of a file: which changed it or what it extends, and what both were at each of them.

Renames are followed. Paths are those in the repository.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unetscope.config.files import LARGEST_FILE
from unetscope.errors import UnetscopeError
from unetscope.rules.commits import Commit
from unetscope.sources.bases import known_commit
from unetscope.sources.blobs import Blob, Blobs
from unetscope.sources.chains import base_ways, extended
from unetscope.sources.git import git, top_of

_FIELDS = ("%H", "%h", "%P", "%ad", "%aN", "%s")
SHALLOW = "this clone is shallow: `git fetch --unshallow` brings the commits that are not in it"


@dataclass(frozen=True)
class Version:
    """A file at one commit, with what it extends.

    Attributes:
        path: of the file.
        files: each of them by the path at which it is looked for, the file itself first.
    """

    path: str
    files: Mapping[str, Blob]

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Equal where path and content of all are."""
        return tuple((named, blob.oid) for named, blob in self.files.items())


@dataclass(frozen=True)
class History:
    """The history of a file.

    Attributes:
        top: the uppermost folder of the repository.
        path: of the file at the end of the history.
        revisions: hashes as `git log` takes them.
        before: the commit before the range that was asked for, if one was.
        first_parent: whether what merges brought in is theirs.
    """

    top: Path
    path: str
    revisions: tuple[str, ...]
    before: str | None = None
    first_parent: bool = False

    @classmethod
    def of(cls, file: Path, range_: str | None = None, *, first_parent: bool = False) -> History:
        """The history of a file that is there, or was; a link's is that of what it leads to.

        Args:
            file: of a repository.
            range_: `A..B` for the commits of B that A has not, or a revision for all of its;
                without, those of HEAD.
            first_parent: whether only the first parent of each merge is followed.

        Raises:
            UnetscopeError: there is no git, no repository, no such revision, or no commit that
                holds the file.
        """
        whole = Path(os.path.realpath(file))
        around = next(above for above in whole.parents if above.is_dir())
        try:
            top = top_of(around)
        except UnetscopeError as error:
            if "no git repository" not in error.message:
                raise
            raise UnetscopeError(f"`{file}` is in no git repository") from None
        if not whole.is_relative_to(top):
            raise UnetscopeError(f"`{file}` is outside of the repository {top}")
        before, last = _ends(top, range_)
        revisions = (last, *([f"^{before}"] if before else []))
        path = whole.relative_to(top).as_posix()
        found = cls(top, path, revisions, before, first_parent)
        if not found.commits and not any(found.presence[last].values()):
            raise _not_there(file, found, range_)
        return found

    @property
    def last(self) -> str:
        """The commit at which the history ends."""
        return self.revisions[0]

    @property
    def versions(self) -> Mapping[str, Version]:
        """The file and what it extends at each commit and each parent that has it."""
        return self._found[1]

    @property
    def commits(self) -> tuple[Commit, ...]:
        """Those that changed the file or what it extends, the newest first."""
        return self._found[0]

    @cached_property
    def shallow(self) -> frozenset[str]:
        """The commits whose parents were left out when the repository was fetched."""
        if (self._git("rev-parse", "--is-shallow-repository") or b"").strip() != b"true":
            return frozenset()
        said = self._git("rev-parse", "--git-path", "shallow") or b""
        file = self.top / os.fsdecode(said.removesuffix(b"\n"))
        try:
            return frozenset(file.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return frozenset()

    def _git(self, *arguments: str) -> bytes | None:
        return git("--literal-pathspecs", *arguments, folder=self.top)

    @cached_property
    def blobs(self) -> Blobs:
        """The contents of the repository."""
        return Blobs(self.top)

    @cached_property
    def _names(self) -> tuple[list[str], dict[str, str]]:
        """All names that the file had, and by commit the old one if it was renamed there."""
        names, renames = {self.path: None}, {}
        asked = ("--follow", "-M", "--name-status", "--no-merges", "--no-relative", "-z")
        fields = iter(self._log(*asked, "--format=%H", "--", self.path))
        sha = ""
        for field in fields:
            if not field.startswith("\n"):
                sha = field
                continue
            name = next(fields)
            if field[1] in "RC":
                renames[sha], _ = name, next(fields)
            names[name] = None
        return list(names), renames

    def _log(self, *arguments: str) -> list[str]:
        more = ("--first-parent",) if self.first_parent else ()
        # Signatures would be checked by a program that the repository names.
        fixed = ("--no-show-signature", "--no-color", "--encoding=UTF-8", "--no-ext-diff")
        at = arguments.index("--")
        arguments = (*arguments[:at], *self.revisions, *arguments[at:])
        found = os.fsdecode(self._git("log", *fixed, *more, *arguments) or b"")
        return found.removesuffix("\0").split("\0") if found else []

    def _commits(self, paths: Iterable[str]) -> list[Commit]:
        """The commits that touch some paths, none before what came after it."""
        form = f"--format={'%x00'.join(_FIELDS)}"
        asked = ("-z", "--date-order", "--parents", "--date=iso-strict", form)
        fields = self._log(*asked, "--", *paths)
        size = len(_FIELDS)
        found = []
        for at in range(0, len(fields) - size + 1, size):
            sha, short, parents, date, author, subject = fields[at : at + size]
            known = tuple(parents.split())[: 1 if self.first_parent else None]
            found.append(Commit(sha, short, known, date, author, subject))
        return found

    @cached_property
    def _found(self) -> tuple[tuple[Commit, ...], dict[str, Version]]:
        paths = dict.fromkeys(self._names[0])
        while True:
            commits = self._commits(paths)
            versions, looked = self._versions(commits)
            known = len(paths)
            paths.update(dict.fromkeys(looked))
            if len(paths) == known:
                return tuple(commits), versions

    @cached_property
    def presence(self) -> dict[str, dict[str, bool]]:
        """Whether the file is there under each of its names, by commit."""
        return self._presence([self.last])

    def _presence(self, shas: Iterable[str]) -> dict[str, dict[str, bool]]:
        pairs = [(sha, name) for sha in dict.fromkeys(shas) for name in self._names[0]]
        found: dict[str, dict[str, bool]] = {}
        for (sha, name), blob in self.blobs.find(pairs).items():
            found.setdefault(sha, {})[name] = blob is not None
        return found

    def _paths(self, commits: Iterable[Commit]) -> dict[str, str]:
        """What the file is called at each commit, and at the parents."""
        commits = list(commits)
        ends = [self.last, *([self.before] if self.before else [])]
        shas = [*ends, *(s for c in commits for s in (c.sha, *c.parents))]
        there, (names, renames) = self._presence(shas), self._names
        found = {self.last: self.path}
        for each in commits:
            name = found.setdefault(each.sha, self.path)
            for parent in each.parents:
                was = renames.get(each.sha, name)
                if len(each.parents) > 1 and not there[parent][was]:
                    was = next((other for other in names if there[parent][other]), was)
                found.setdefault(parent, was)
        if self.before and self.before not in found:
            there_before = (name for name in names if there[self.before][name])
            found[self.before] = next(there_before, self.path)
        return found

    def _versions(self, commits: Iterable[Commit]) -> tuple[dict[str, Version], set[str]]:
        """The file at each commit that holds it, and all paths that were looked at."""
        paths = self._paths(commits)
        files: dict[str, dict[str, Blob]] = {sha: {} for sha in paths}
        looked: set[str] = set()
        wanted = {sha: [(path, path)] for sha, path in paths.items()}
        while wanted:
            pairs = [(sha, place) for sha, ways in wanted.items() for _, place in ways]
            blobs = self.blobs.find(pairs)
            looked.update(place for _, place in pairs)
            further = {}
            for sha, ways in wanted.items():
                there = (way for way in ways if blobs[sha, way[1]] is not None)
                named, place = next(there, (None, ""))
                blob = blobs.get((sha, place))
                if named is None or blob is None or named in files[sha]:
                    continue
                files[sha][named] = blob
                if base := self._base(blob, place):
                    further[sha] = list(base_ways(named, place, base, self.top))
            wanted = further
        found = {sha: Version(paths[sha], held) for sha, held in files.items() if held}
        return found, looked

    def _base(self, blob: Blob, place: str) -> str | None:
        """What a config says it extends."""
        known = blob.nbytes <= LARGEST_FILE
        return extended(self.blobs.content(blob), place) if known else None


def _ends(top: Path, range_: str | None) -> tuple[str | None, str]:
    """The commit before a range, if it has a beginning, and the one that it ends with."""
    begin, dots, end = (range_ or "HEAD").rpartition("..")
    if begin.endswith(".") or end.startswith("^"):
        raise UnetscopeError(
            f"--range: expected `A..B` or one revision, found `{range_}`",
            hint="`A..B` are the commits of B that A has not",
        )
    before = known_commit(begin or "HEAD", top) if dots else None
    return before, known_commit(end or "HEAD", top)


def _not_there(file: Path, history: History, range_: str | None) -> UnetscopeError:
    """That no commit holds a file."""
    if not file.exists():
        return UnetscopeError(f"there is no `{file}`, and no commit that holds it")
    if range_ is not None:
        return UnetscopeError(f"no commit of `{range_}` holds `{file}`")
    hint = SHALLOW if history.shallow else "`git add` and commit it"
    return UnetscopeError(f"`{file}` is in no commit", hint=hint)
