"""What a branch changed: each config, and each lock that belongs to none, at two times."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from posixpath import basename, dirname, join, normpath

from unetscope.config.files import SUFFIXES
from unetscope.errors import Place, UnetscopeError
from unetscope.files.locks import SUFFIX
from unetscope.sources.bases import known_commit, merge_base
from unetscope.sources.chosen import Chosen, is_config, is_lock
from unetscope.sources.git import Repository
from unetscope.sources.source import Info
from unetscope.sources.trees import StoredTree, Tree, WorkingTree

LEAST_ALIKE = 0.5
"""The share of lines that two texts have in common, from which on one is the other under a new
name; it is git's own."""
MOST_CANDIDATES = 50
"""Files that went, or came, that are looked at for renamed ones."""
LARGEST_CANDIDATE = 100_000
"""Bytes of each."""


@dataclass(frozen=True)
class Branch:
    """The files of a repository at two times.

    Attributes:
        repository: the one around the working folder.
        base: what people call the earlier time.
        old: the files then.
        new: the files at the later time.
    """

    repository: Repository
    base: str
    old: StoredTree
    new: Tree
    _lock_folders: dict[str, str] = field(default_factory=dict)

    @classmethod
    def since(cls, base: str, info: Info) -> Branch:
        """The working tree, and the commit where the branch left its base.

        Raises:
            UnetscopeError: there is no such base, or no such commit.
        """
        repository = Repository.here()
        sha, name = merge_base(base, repository, info)
        old = StoredTree.of(sha, sha[:7])
        return cls(repository, f"{name} ({sha[:7]})", old, WorkingTree(repository))

    @classmethod
    def between(cls, old: str, new: str) -> Branch:
        """Two revisions, as they are.

        Raises:
            UnetscopeError: one of them is not there.
        """
        then, now = (_tree(name) for name in (old, new))
        return cls(Repository.here(), old, then, now)

    def lock_of(self, config: str) -> str:
        """Where the lock of a config belongs, as the settings of today say.

        Raises:
            ConfigError: these settings are no TOML, or name no folder there.
        """
        from unetscope.sources.settings import lock_of

        holder = dirname(config)
        if holder not in self._lock_folders:
            whole = lock_of(self.repository.top / holder / "any.yaml").parent
            folder = whole.relative_to(self.repository.top).as_posix()
            self._lock_folders[holder] = "" if folder == "." else f"{folder}/"
        return f"{self._lock_folders[holder]}{basename(config).rpartition('.')[0]}{SUFFIX}"

    def lock_then(self, config: str) -> str:
        """Where the lock of a config belonged, as the settings of the earlier time said."""
        from unetscope.sources.settings import is_locks_folder, parse

        holder, folder = dirname(config), "."
        above = [*map(str, PurePosixPath(config).parents)]
        files = (normpath(join(each, "pyproject.toml")) for each in above)
        file = next(filter(self.old.holds, files), None)
        if file is not None:
            # Wrong settings of the past are nobody's business now.
            with suppress(UnetscopeError, UnicodeDecodeError, AttributeError):
                text = self.old.content(file).decode("utf-8-sig")
                said = parse(text, Path(file)).get("tool", {}).get("unetscope", {}).get("locks")
                folder = said if is_locks_folder(said) else "."
        return normpath(join(holder, folder, f"{_stem(config)}{SUFFIX}"))

    def shown(self, place: Place) -> Place | None:
        """A place as one from the working folder; None if it is not in the repository."""
        path = Path(normpath(place.file))
        if path.is_absolute():
            inside = self.repository.inside(path)
            return None if inside is None else replace(place, file=self.repository.shown(inside))
        return replace(place, file=os.path.normpath(path))


def _tree(revision: str) -> StoredTree:
    return StoredTree.of(known_commit(revision), revision)


@dataclass(frozen=True)
class Pair:
    """A config, or a lock that belongs to none, at both times.

    Attributes:
        old: its path then; None if it was not there.
        new: its path now; None if it is gone.
        left_lock: the lock of a config that is gone or has another name, which was left behind.
    """

    old: str | None
    new: str | None
    left_lock: str | None = None

    @property
    def path(self) -> str:
        """Its path now or, if it is gone, then."""
        return self.new or self.old or ""


def pairs(branch: Branch, chosen: Chosen) -> list[Pair]:
    """All that was chosen, at both times, by path.

    Raises:
        UnetscopeError: something that was named is not there.
    """
    there = branch.new.paths if isinstance(branch.new, StoredTree) else _with_named(branch, chosen)
    chosen.check({*branch.old.paths, *there})
    then, now = set(branch.old.paths), set(there)
    configs = _configs(branch, chosen, then, now)
    kept = {branch.lock_of(pair.new) for pair in configs if pair.new}
    configs = [_with_lock(pair, branch, kept, now) for pair in configs]
    left = {pair.left_lock for pair in configs if pair.left_lock is not None}
    locks = _locks(branch, chosen, then, now, left)
    return sorted([*configs, *locks], key=lambda pair: pair.path)


def _with_named(branch: Branch, chosen: Chosen) -> Collection[str]:
    """The files of the working tree, with those that git ignores and that were named themselves."""
    inside = (branch.repository.inside(Path(name)) for name in chosen.names)
    named = [path for path in inside if path is not None and branch.new.holds(path)]
    return {*branch.new.paths, *named}


def _configs(branch: Branch, chosen: Chosen, then: set[str], now: set[str]) -> list[Pair]:
    old, new = ({path for path in paths if path.endswith(SUFFIXES)} for paths in (then, now))
    locks = {path for path in then | now if path.endswith(SUFFIX)}
    locked = set(map(_stem, locks))

    def counts(tree: Tree, path: str) -> bool:
        if chosen.by_name(path) or is_config(tree, path):
            return True
        return _stem(path) in locked and branch.lock_of(path) in locks

    return _pairs(branch, chosen, old, new, counts)


def _locks(
    branch: Branch, chosen: Chosen, then: set[str], now: set[str], left: set[str]
) -> list[Pair]:
    """The locks that belong to no config, such as those that tests wrote."""
    old, new = ({path for path in paths if path.endswith(SUFFIX)} for paths in (then, now))
    stems = set(map(_stem, filter(chosen.holds, old | new)))
    owners = (path for path in then | now if path.endswith(SUFFIXES) and _stem(path) in stems)
    owned = {lock for path in owners for lock in (branch.lock_of(path), branch.lock_then(path))}
    owned |= left
    return _pairs(branch, chosen, old - owned, new - owned, is_lock)


def _stem(path: str) -> str:
    return basename(path).rpartition(".")[0]


def _pairs(
    branch: Branch,
    chosen: Chosen,
    old: set[str],
    new: set[str],
    counts: Callable[[Tree, str], bool],
) -> list[Pair]:
    """Those files of both times that were chosen and count at one of them."""
    found = [
        Pair(path, path)
        for path in filter(chosen.holds, old & new)
        if counts(branch.new, path)
        or (branch.old.identity(path) != branch.new.identity(path) and counts(branch.old, path))
    ]
    renamed = _renamed(branch, chosen, sorted(old - new), sorted(new - old))
    found += [Pair(was, path) for was, path in renamed.items() if counts(branch.old, was)]
    went, came = {pair.old for pair in found}, {pair.new for pair in found}
    gone, added = filter(chosen.holds, old - new - went), filter(chosen.holds, new - old - came)
    found += [Pair(path, None) for path in gone if counts(branch.old, path)]
    found += [Pair(None, path) for path in added if counts(branch.new, path)]
    return found


def _with_lock(pair: Pair, branch: Branch, kept: set[str], now: set[str]) -> Pair:
    """The pair with the lock of its old name, if that belongs to no config any more."""
    if pair.old is None or pair.old == pair.new:
        return pair
    lock = branch.lock_of(pair.old)
    left = lock in now and lock not in kept and is_lock(branch.new, lock)
    return replace(pair, left_lock=lock) if left else pair


def _renamed(branch: Branch, chosen: Chosen, gone: list[str], came: list[str]) -> dict[str, str]:
    """Old -> new path of what was renamed; one of both was chosen.

    First what holds the same bytes, then what is most alike.
    """
    if not any(map(chosen.holds, [*gone, *came])):
        return {}
    if not any(map(chosen.holds, gone)):
        came = list(filter(chosen.holds, came))
    known: dict[str, list[str]] = {}
    for path in came:
        if (identity := branch.new.identity(path)) is not None:
            known.setdefault(identity, []).append(path)
    found: dict[str, str] = {}
    for was in gone:
        same = known.get(branch.old.identity(was) or "", ())
        free = [p for p in same if p not in found.values() and _one(chosen, was, p)]
        if free:
            named = [path for path in free if basename(path) == basename(was)]
            found[was] = (named or free)[0]
    rest = [path for path in gone if path not in found][:MOST_CANDIDATES]
    others = [path for path in came if path not in found.values()][:MOST_CANDIDATES]
    likely = sorted(
        (
            (_likeness(branch, was, path), was, path)
            for was in rest
            for path in others
            if _one(chosen, was, path)
        ),
        reverse=True,
    )
    for likeness, was, path in likely:
        if likeness >= LEAST_ALIKE and was not in found and path not in found.values():
            found[was] = path
    return found


def _one(chosen: Chosen, was: str, path: str) -> bool:
    return chosen.holds(was) or chosen.holds(path)


def _likeness(branch: Branch, was: str, path: str) -> float:
    """The share of lines that both files have in common; 0 for what is too large for a config."""
    try:
        texts = branch.old.content(was), branch.new.content(path)
    except UnetscopeError:
        return 0.0
    if max(map(len, texts)) > LARGEST_CANDIDATE:
        return 0.0
    old, new = (text.replace(b"\r\n", b"\n").split(b"\n") for text in texts)
    likeness = SequenceMatcher(None, old, new, autojunk=False)
    return likeness.ratio() if likeness.quick_ratio() >= LEAST_ALIKE else 0.0
