"""Which config a lock belongs to, which locks belong to none, which configs a change reaches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from unetscope.config.files import SUFFIXES
from unetscope.config.inheritance import bases
from unetscope.errors import UnetscopeError
from unetscope.files import locks, reading
from unetscope.files.locks import SUFFIX, begins_a_lock
from unetscope.files.reading import is_file
from unetscope.sources.git import git
from unetscope.sources.settings import lock_of

YAML = (".yaml", ".yml")


def owner(lock: Path) -> Path | None:
    """The config whose lock a path is, there or not; see `lock_of`."""
    wanted = os.path.abspath(lock)  # noqa: PTH100, which would follow links
    for folder in (lock.parent, *Path(wanted).parents[1:]):
        for suffix in SUFFIXES:
            config = folder / f"{lock.stem}{suffix}"
            if is_file(config) and os.path.abspath(lock_of(config)) == wanted:  # noqa: PTH100
                return config
    return None


def rivals(config: Path) -> list[Path]:
    """The configs beside a YAML file that would have its lock, as `unet.yml` beside `unet.yaml`."""
    if config.suffix not in YAML:
        return []
    beside = (config.with_suffix(suffix) for suffix in YAML if suffix != config.suffix)
    return [other for other in beside if is_file(other) and _is_config(other, config)]


def _is_config(path: Path, other: Path) -> bool:
    """Whether a file is a config of its own, and no other name of the other's."""
    from unetscope.config import load

    try:
        if path.samefile(other):
            return False
        load(str(path))
    except (OSError, UnetscopeError):
        return False
    return True


def orphans(paths: Iterable[Path]) -> Iterator[tuple[Path, UnetscopeError | None]]:
    """The locks among some files whose config is gone, and why one cannot be read.

    The lock of code, such as a test writes, never had a config.
    """
    for path in paths:
        if not _is_lock(path) or owner(path) is not None:
            continue
        try:
            if locks.load(path).config:
                yield path, None
        except UnetscopeError as error:
            yield path, error


def beside(found: Iterable[Path]) -> list[Path]:
    """All files with the suffix of locks in the folders of some, by path."""
    folders = dict.fromkeys(path.parent for path in found)
    return [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _is_lock(path: Path) -> bool:
    """Whether a file begins as a lock; others than ours have the suffix too."""
    try:
        return is_file(path) and begins_a_lock(reading.content(path, 64))
    except OSError:
        return False


def reached(changed: Sequence[str]) -> list[str]:
    """The configs whose locks some changed files may make stale.

    They are the configs among them, in YAML or with a lock; those whose lock is among them; and
    those with a lock, anywhere in the git repository, that extend one of them.

    Raises:
        UnetscopeError: there is no git repository here, or git fails.
    """
    files = list(map(Path, changed))
    found = [
        path
        for path in files
        if path.suffix in SUFFIXES
        and is_file(path)
        and (path.suffix in YAML or is_file(lock_of(path)))
    ]
    found += filter(None, (owner(path) for path in files if path.suffix == SUFFIX))
    wanted = {path.resolve() for path in files}
    for path in tracked(*SUFFIXES) if wanted else ():
        if is_file(lock_of(path)) and wanted.intersection(b.resolve() for b in bases(path)):
            found.append(path)
    return list({path.resolve(): str(path) for path in reversed(found)}.values())[::-1]


def tracked(*suffixes: str) -> list[Path]:
    """The files of the git repository around us with some suffixes that git does not ignore.

    Raises:
        UnetscopeError: there is none, or git fails.
    """
    patterns = (f":(top,glob)**/*{suffix}" for suffix in suffixes)
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    names = sorted(set(os.fsdecode(listed or b"").split("\0")) - {""})
    return [path for path in map(Path, names) if is_file(path)]
