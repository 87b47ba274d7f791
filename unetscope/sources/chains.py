"""A config of a repository with all that it extends there."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path

from unetscope.config.files import MODEL_CONFIGS, shipped
from unetscope.errors import UnetscopeError
from unetscope.sources.trees import StoredTree, Tree


def chain(tree: Tree, path: str, top: Path | None = None) -> dict[str, str]:
    """A file and those that it extends: the path at which each is looked for, and where it is.

    They differ for a shipped config, if the repository is the one that ships it. What is not
    there, or outside, ends the chain: loading it says what is wrong.

    Args:
        tree: the files of the repository.
        path: of the config.
        top: the uppermost folder of the repository.
    """
    found: dict[str, str] = {}
    named, place = path, path if tree.holds(path) else None
    while place is not None and named not in found:
        found[named] = place
        try:
            base = extended(tree.content(place), place)
        except UnetscopeError:
            break
        if base is None:
            break
        there = (way for way in base_ways(named, place, base, top) if tree.holds(way[1]))
        named, place = next(there, (named, None))
    return found


def base_ways(named: str, place: str, base: str, top: Path | None) -> Iterator[tuple[str, str]]:
    """Where what a config extends may lie: the path at which it is looked for, and where it is.

    The likeliest comes first; see `config.files.locate`. None leads out of the repository, nor of a
    folder in which files lie at the paths at which they are looked for.

    Args:
        named: where the config is looked for.
        place: where it is.
        base: what it says that it extends.
        top: the uppermost folder of the repository; None if it ships no configs.
    """
    beside, at = _beside(named, base), _beside(place, base)
    for inside in ("", *MODEL_CONFIGS):
        looked, known = (posixpath.join(path, inside).rstrip("/") for path in (beside, at))
        if not any(way.startswith(("../", "/")) for way in (looked, known)):
            yield looked, known
    if top is None or beside.startswith(("../", "/")):
        return
    ships = shipped().get(base.removesuffix(".yaml"))
    if ships is not None and ships.is_relative_to(top):
        yield beside, ships.relative_to(top).as_posix()


def unversioned(tree: StoredTree, path: str, top: Path, known: Collection[str]) -> str | None:
    """What a config extends that lies here and is in no commit, so that what it was is not known.

    Args:
        tree: the files at a time, at which the config cannot be read.
        path: of the config.
        top: the uppermost folder of the repository.
        known: the paths of all files that are in the repository, or could be.
    """
    base, wanted = _end(tree, chain(tree, path, top))
    versioned = any(each == wanted or each.startswith(f"{wanted}/") for each in known)
    return None if base is None or versioned or not (top / wanted).exists() else base


def _end(tree: Tree, held: Mapping[str, str]) -> tuple[str | None, str]:
    """What the last file of a chain extends, as it says, and where that would be; None if nothing.

    It is not there, or among the files before.
    """
    for named, place in [*held.items()][-1:]:
        if base := extended(tree.content(place), place):
            return base, _beside(named, base)
    return None, ""


def _beside(path: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))


@cache
def extended(content: bytes, path: str) -> str | None:
    """What a config says it extends; what is wrong with it is found when it is loaded."""
    if b"extends" not in content or not path.endswith((".yaml", ".yml", ".json")):
        return None
    from unetscope.config.document import parse

    try:
        data = parse(content.decode("utf-8-sig"), path).data
    except (UnicodeDecodeError, UnetscopeError):
        return None
    base = data.get("extends") if isinstance(data, dict) else None
    if not isinstance(base, str):
        return None
    return base.rpartition("#")[0] or base


def alike(old: StoredTree, was: str, new: Tree, now: str, top: Path | None = None) -> bool:
    """Whether two configs, and all that they extend, hold the same bytes."""
    after = chain(new, now, top)
    old.learn(new, after.values())
    before = chain(old, was, top)
    pairs = zip_longest(before.values(), after.values())
    if not all(a is not None and b is not None and same(old, a, new, b) for a, b in pairs):
        return False
    # What is not here may lie in a submodule that is not, and has its commit alone.
    return old.pinned(_end(old, before)[1]) == new.pinned(_end(new, after)[1])


def same(old: Tree, was: str, new: Tree, now: str) -> bool:
    """Whether two files hold the same bytes, but for what git does to the ends of lines."""
    left, right = old.identity(was), new.identity(now)
    if left is None or right is None or left == right:
        return left == right and left is not None
    contents = old.content(was), new.content(now)
    if not any(b"\r\n" in content for content in contents):
        return False
    left_text, right_text = (content.replace(b"\r\n", b"\n") for content in contents)
    return left_text == right_text


def extract(tree: Tree, path: str, folder: Path, top: Path | None = None) -> bool:
    """Write a file and those that it extends into a folder; False if there is none."""
    found = chain(tree, path, top)
    for named, place in found.items():
        written = folder / named
        if not written.exists():
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(tree.content(place))
    return bool(found)
