"""`HEAD~1:configs/unet.yaml`: a file as it was at a revision of the repository around us.

`:configs/unet.yaml` is the file in the index.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from unetscope.errors import Place, UnetscopeError
from unetscope.files.reading import is_there
from unetscope.sources.bases import known_commit
from unetscope.sources.chains import extract
from unetscope.sources.git import git
from unetscope.sources.trees import StoredTree

INDEX = "the index"
_SUFFIXES = (".yaml", ".yml", ".json", ".lock")


def is_revision(source: str) -> bool:
    """Whether a user named a file at a revision or in the index, and no file that is there."""
    _, colon, path = source.partition(":")
    return bool(colon) and path.endswith(_SUFFIXES) and not is_there(Path(source))


@dataclass(frozen=True)
class CheckedOut:
    """A file of a revision, for as long as it lies in a temporary folder.

    Attributes:
        file: where it lies.
        folder: the temporary folder.
        revision: as the user named it; `""` is the index.
    """

    file: Path
    folder: Path
    revision: str

    def named(self, place: Place) -> Place:
        """A place in the folder as a place in the revision."""
        return renamed(place, self.folder, lambda inside: f"{self.revision}:{inside}")

    def telling(self, info: Callable[[str], None]) -> Callable[[str], None]:
        """What takes messages for the user that name files in the folder."""
        return telling(info, self.folder, f"{self.revision}:")


def telling(info: Callable[[str], None], folder: Path, prefix: str) -> Callable[[str], None]:
    """What takes messages for the user, in which a prefix stands for a temporary folder."""
    return lambda message: info(message.replace(f"{folder}{os.sep}", prefix))


def renamed(place: Place, folder: Path, name: Callable[[str], str]) -> Place:
    """A place in a temporary folder as people know it, by the path there; others stay.

    Args:
        place: any.
        folder: the temporary folder.
        name: from the path of a file in it, what people call the file.
    """
    path = Path(place.file)
    if not path.is_relative_to(folder):
        return place
    return replace(place, file=name(path.relative_to(folder).as_posix()))


@contextmanager
def placing(named: Callable[[Place], Place]) -> Iterator[None]:
    """Errors at the places that people know.

    Raises:
        UnetscopeError: what is raised inside, with `named` of its place.
    """
    try:
        yield
    except UnetscopeError as error:
        if error.place is not None:
            error.place = named(error.place)
        raise


@contextmanager
def checked_out(source: str) -> Iterator[CheckedOut]:
    """The file in a temporary folder, with those that it extends; errors name the revision.

    Raises:
        UnetscopeError: there is no git, no repository, no such revision or no such file.
    """
    revision, _, path = source.partition(":")
    with TemporaryDirectory(prefix="unetscope-") as name:
        folder = Path(name)
        found = CheckedOut(folder / _extract(revision, path, folder), folder, revision)
        with placing(found.named):
            yield found


def _extract(revision: str, path: str, folder: Path) -> str:
    """Write a file and those that it extends; return its path in the repository."""
    if revision.startswith("-"):
        raise UnetscopeError(f"`{revision}` is no revision")
    if revision:
        known_commit(revision)
    prefix = (git("rev-parse", "--show-prefix") or b"").decode().strip()
    tree = StoredTree.of(revision, revision or INDEX)
    places = [posixpath.normpath(path), posixpath.normpath(posixpath.join(prefix, path))]
    for place in dict.fromkeys(places):
        if extract(tree, place, folder):
            return place
    where = f"at {revision}" if revision else f"in {INDEX}"
    unmerged = not revision and bool(git("ls-files", "-u", "--", path))
    raise UnetscopeError(
        f"there is no `{path}` {where}" + (": a merge has left it open" if unmerged else ""),
        hint="`git add` what it is to be" if unmerged else None,
        place=Place(f"{revision}:{path}"),
    )
