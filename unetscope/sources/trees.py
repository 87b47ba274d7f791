"""The files of a repository: of a commit, of the index, or as they lie in the working tree.

Paths are those in the repository, with `/` between their parts.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

from unetscope.errors import Place, UnetscopeError
from unetscope.files import reading
from unetscope.files.reading import why
from unetscope.sources.git import Repository, git, top_of

LARGEST = 10_000_000
"""Bytes of a file that is read; locks have fewer."""
MOST_LINKS = 40
"""Links that one path may lead through, as in Linux."""

_LINK, _SUBMODULE = "120000", "160000"


class Tree(ABC):
    """The files of a repository at one time.

    Attributes:
        name: what people call it.
    """

    name: str

    @property
    @abstractmethod
    def paths(self) -> Iterable[str]:
        """The paths of all files and links."""

    @abstractmethod
    def holds(self, path: str) -> bool:
        """Whether there is such a file, or a link to one."""

    @abstractmethod
    def identity(self, path: str) -> str | None:
        """The hash of its content as git makes it; None if there is none that can be read."""

    @abstractmethod
    def pinned(self, path: str) -> str | None:
        """The commit of the submodule in which a path lies; None if in none."""

    @abstractmethod
    def content(self, path: str) -> bytes:
        """What the file holds, or the one that it links to.

        Raises:
            UnetscopeError: there is none, or it cannot be read.
        """


class StoredTree(Tree):
    """The files of a commit or of the index, by their hashes.

    Those of submodules that are checked out can be read too, but are not among its paths.
    """

    def __init__(self, name: str, entries: Mapping[str, tuple[str, str]], top: Path) -> None:
        self.name = name
        self._entries = entries
        self._top = top
        self._contents: dict[str, bytes] = {}
        self._submodules: dict[str, StoredTree] = {}

    @classmethod
    def of(cls, revision: str, name: str, folder: Path | None = None) -> StoredTree:
        """Those of a revision that is there; of the index if it is `""`.

        Args:
            revision: a commit.
            name: what people call it.
            folder: of the repository, if not the working folder.

        Raises:
            UnetscopeError: git cannot tell them.
        """
        top = top_of(folder)
        if revision:
            listed = git("ls-tree", "-r", "-z", "--full-tree", revision, folder=top)
        else:
            listed = git("ls-files", "-s", "-z", folder=top)
        entries = {}
        for line in _records(listed):
            told, _, path = line.partition("\t")
            mode, *others = told.split(" ")
            # `MODE blob HASH` of a commit, `MODE HASH STAGE` of the index
            if revision or others[1] == "0":
                entries[path] = (mode, others[1] if revision else others[0])
        return cls(name, entries, top)

    @cached_property
    def paths(self) -> Iterable[str]:
        """The paths of all files and links."""
        return tuple(path for path, (mode, _) in self._entries.items() if mode != _SUBMODULE)

    def holds(self, path: str) -> bool:
        """Whether there is such a file or link."""
        return self._entry(path) is not None or self.followed(path) is not None

    def identity(self, path: str) -> str | None:
        """Its hash, or that of the file that it links to."""
        found = self.followed(path)
        entry = None if found is None else self._entry(found)
        return None if entry is None else entry[1]

    def content(self, path: str) -> bytes:
        """What the file holds, or the one that it links to."""
        found = self.followed(path)
        place = Place(f"{self.name}:{path}")
        if found is None and self._entry(path) is not None:
            raise UnetscopeError("a link to no file of the repository", place=place)
        if found is None:
            raise UnetscopeError(f"there is no `{path}` at {self.name}", place=place)
        return self._blob(found)

    def learn(self, other: Tree, paths: Iterable[str]) -> None:
        """Take over the contents of files of another tree, by their hashes, instead of asking."""
        for path in paths:
            if (identity := other.identity(path)) is not None:
                self._contents.setdefault(identity, other.content(path))

    def followed(self, path: str) -> str | None:
        """Where a path leads once all links are followed; None if to no file of the repository."""
        for _ in range(MOST_LINKS):
            parts = path.split("/")
            heads = ("/".join(parts[: end + 1]) for end in range(len(parts)))
            link = next((h for h in heads if (self._entry(h) or ("",))[0] == _LINK), None)
            if link is None:
                return path if self._entry(path) is not None else None
            target = os.fsdecode(self._blob(link))
            rest = path[len(link) + 1 :]
            path = posixpath.normpath(posixpath.join(posixpath.dirname(link), target, rest))
        return None

    def _entry(self, path: str) -> tuple[str, str] | None:
        """Mode and hash of a file or link."""
        tree, inside = self._holder(path)
        found = tree._entries.get(inside)
        return None if found is None or found[0] == _SUBMODULE else found

    def pinned(self, path: str) -> str | None:
        """The commit of the submodule in which a path lies; None if in none."""
        folder = _above(path, self._entries)
        mode, sha = self._entries.get(folder or "", ("", ""))
        return sha if mode == _SUBMODULE else None

    def _holder(self, path: str) -> tuple[StoredTree, str]:
        """The tree itself or that of a submodule, and the path of a file there."""
        folder, sha = _above(path, self._entries), self.pinned(path)
        if folder is None or sha is None:
            return self, path
        if folder not in self._submodules:
            self._submodules[folder] = self._submodule(folder, sha)
        return self._submodules[folder]._holder(path[len(folder) + 1 :])

    def _submodule(self, folder: str, sha: str) -> StoredTree:
        """A submodule at the commit that this tree names; empty if that is not here."""
        top = self._top / folder
        try:
            return StoredTree.of(sha, self.name, top)
        except UnetscopeError:
            return StoredTree(self.name, {}, top)

    def _blob(self, path: str) -> bytes:
        tree, inside = self._holder(path)
        sha = tree._entries[inside][1]
        if sha not in self._contents:
            found = git("cat-file", "blob", sha, folder=tree._top)
            if found is None:
                place = Place(f"{self.name}:{path}")
                raise UnetscopeError("its content is not in this repository", place=place)
            self._contents[sha] = found
        return self._contents[sha]


class WorkingTree(Tree):
    """The files as they lie in the working tree, but for those that git is told to ignore."""

    name = "the working tree"

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._top = repository.top
        self._known: dict[str, str | None] = {}

    @cached_property
    def paths(self) -> Iterable[str]:
        """The paths of all files and links that are tracked or could be."""
        others = git("ls-files", "-z", "--others", "--exclude-standard", folder=self._top)
        there = (path for path in self._tracked if os.path.lexists(self._top / path))
        return dict.fromkeys([*self._left_out, *there, *_records(others)])

    @cached_property
    def _tracked(self) -> dict[str, tuple[str, str]]:
        """Each path in the index -> its tag, and its hash there."""
        listed = git("ls-files", "-z", "-t", "-s", folder=self._top)
        parts = (line.partition("\t") for line in _records(listed))
        return {path: (told[0], told.split(" ")[2]) for told, _, path in parts}

    def pinned(self, path: str) -> str | None:
        """The commit, in the index, of the submodule in which a path lies; None if in none."""
        folder = _above(path, self._tracked)
        return None if folder is None else self._tracked[folder][1]

    @cached_property
    def _left_out(self) -> dict[str, str]:
        """Files that a sparse checkout leaves out: they are as the index has them."""
        return {path: sha for path, (tag, sha) in self._tracked.items() if tag == "S"}

    def holds(self, path: str) -> bool:
        """Whether there is such a file, or a link to one."""
        return reading.is_file(self._top / path) or path in self._left_out

    def identity(self, path: str) -> str | None:
        """The hash that git would give to its content."""
        if path not in self._known:
            try:
                content = self.content(path)
            except UnetscopeError:
                self._known[path] = None
            else:
                whole = b"blob %d\0%b" % (len(content), content)
                self._known[path] = hashlib.new(self._repository.algorithm, whole).hexdigest()
        return self._known[path]

    def content(self, path: str) -> bytes:
        """What the file holds."""
        place = Place(self._repository.shown(path))
        try:
            found = reading.content(self._top / path, LARGEST)
        except OSError as error:
            if path in self._left_out and (blob := git("cat-file", "blob", self._left_out[path])):
                return blob
            raise UnetscopeError(f"cannot be read: {why(error)}", place=place) from None
        if len(found) > LARGEST:
            raise UnetscopeError(f"larger than {LARGEST:,} bytes", place=place)
        return found


def _above(path: str, known: Mapping[str, object]) -> str | None:
    """The folder above a path that is known as if it were a file, as submodules are."""
    return next((f for f in map(str, PurePosixPath(path).parents) if f in known), None)


def _records(listed: bytes | None) -> Iterator[str]:
    return map(os.fsdecode, filter(None, (listed or b"").split(b"\0")))
