"""`HEAD~1:configs/unet.yaml`: a file as it was at a revision of the git repository around us."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from unetscope.errors import Place, UnetscopeError
from unetscope.files.reading import is_there, why

_SUFFIXES = (".yaml", ".yml", ".json", ".lock")


def is_revision(source: str) -> bool:
    """Whether a user named a file at a revision, and no file that is there."""
    revision, colon, path = source.partition(":")
    return bool(revision and colon) and path.endswith(_SUFFIXES) and not is_there(Path(source))


@dataclass(frozen=True)
class CheckedOut:
    """A file of a revision, for as long as it lies in a temporary folder.

    Attributes:
        file: where it lies.
        folder: the temporary folder.
        revision: as the user named it.
    """

    file: Path
    folder: Path
    revision: str

    def named(self, place: Place) -> Place:
        """A place in the folder as a place in the revision."""
        path = Path(place.file)
        if not path.is_relative_to(self.folder):
            return place
        inside = path.relative_to(self.folder).as_posix()
        return replace(place, file=f"{self.revision}:{inside}")


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
        try:
            yield found
        except UnetscopeError as error:
            if error.place is not None:
                error.place = found.named(error.place)
            raise


def _extract(revision: str, path: str, folder: Path) -> str:
    """Write a file and those that it extends; return its path in the repository."""
    if revision.startswith("-"):
        raise UnetscopeError(f"`{revision}` is no revision")
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise UnetscopeError(
            f"there is no revision `{revision}`",
            hint="in CI, `fetch-depth: 0` of actions/checkout brings the history",
        )
    prefix = (_git("rev-parse", "--show-prefix") or b"").decode().strip()
    places = [posixpath.normpath(path), posixpath.normpath(posixpath.join(prefix, path))]
    for place in dict.fromkeys(places):
        if _write(revision, place, folder):
            return place
    raise UnetscopeError(f"there is no `{path}` at {revision}", place=Place(f"{revision}:{path}"))


def _write(revision: str, path: str, folder: Path) -> bool:
    """Write a file and those that it extends; False if there is none."""
    found = False
    while not path.startswith(("..", "/")) and not (folder / path).exists():
        content = _git("cat-file", "blob", f"{revision}:{path}")
        if content is None:
            break
        found = True
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        base = _extended(content, path)
        if base is None:
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), base))
    return found


def _extended(content: bytes, path: str) -> str | None:
    """What a config says it extends; what is wrong with it is found when it is loaded."""
    if not path.endswith((".yaml", ".yml")):
        return None
    from unetscope.config.document import parse

    try:
        data = parse(content.decode(), path).data
    except (UnicodeDecodeError, UnetscopeError):
        return None
    base = data.get("extends") if isinstance(data, dict) else None
    return base if isinstance(base, str) else None


_CAUTIOUS = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", "safe.bareRepository=explicit"),
)
"""A repository may be anybody's: nothing that its config names is run, nothing is fetched."""
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # older versions of git do not know the first
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_NOT_THERE = re.compile(r"does not exist|exists on disk, but not in|not a valid object name")


def _git(*arguments: str) -> bytes | None:
    """What git prints; None if there is no such revision or file.

    Raises:
        UnetscopeError: it cannot be run, or fails otherwise.
    """
    command = ["git", *_CAUTIOUS, *arguments]
    environment = {**os.environ, **_ENVIRONMENT}
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
    except (OSError, ValueError) as error:
        raise UnetscopeError(f"git cannot be run: {why(error)}") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if "not a git repository" in said:
        raise UnetscopeError("there is no git repository here")
    if said and not _NOT_THERE.search(said):
        raise UnetscopeError(f"git: {said.splitlines()[0].removeprefix('fatal: ')}")
    return None
