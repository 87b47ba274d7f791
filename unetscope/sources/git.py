"""git, asked with caution."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.files.reading import why

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


def git(*arguments: str, folder: Path | None = None, given: bytes | None = None) -> bytes | None:
    """What git prints; None if there is no such revision or file, or it has nothing to say.

    Args:
        arguments: the command and its options.
        folder: in which it runs, if not the working folder.
        given: what it reads from stdin.

    Raises:
        UnetscopeError: it cannot be run, or fails otherwise.
    """
    command = ["git", *_CAUTIOUS, *arguments]
    environment = {**os.environ, **_ENVIRONMENT}
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, check=False, env=environment, cwd=folder
        )
    except (OSError, ValueError) as error:
        raise UnetscopeError(f"git cannot be run: {why(error)}") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if "not a git repository" in said:
        raise UnetscopeError("there is no git repository here")
    if "bare repository" in said or "must be run in a work tree" in said:
        raise UnetscopeError(
            "a bare repository has no files that could be compared",
            hint="`git clone` it, and go to the clone",
        )
    if "dubious ownership" in said:
        raise UnetscopeError(
            "git: this repository is somebody else's",
            hint="if it is to be trusted: `git config --global --add safe.directory FOLDER`",
        )
    if said and not _NOT_THERE.search(said):
        raise UnetscopeError(f"git: {said.splitlines()[0].removeprefix('fatal: ')}")
    return None


def commit(revision: str, folder: Path | None = None) -> str | None:
    """The full hash of the commit that a revision names; None if it names none."""
    if not revision or revision.startswith("-"):
        return None
    found = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", folder=folder)
    return None if found is None else found.decode().strip()


def top_of(folder: Path | None = None) -> Path:
    """The uppermost folder of the repository around a folder, if not the working folder.

    Raises:
        UnetscopeError: there is none.
    """
    said = git("rev-parse", "--show-toplevel", folder=folder) or b""
    return Path(os.fsdecode(said.removesuffix(b"\n")))


@dataclass(frozen=True)
class Repository:
    """The repository around the working folder.

    Attributes:
        top: its uppermost folder, without links in its path.
        prefix: the working folder in it: `""` or `models/unets/`.
        algorithm: of its hashes, sha1 or sha256.
        shallow: whether a part of its history was left out when it was fetched.
    """

    top: Path
    prefix: str
    algorithm: str
    shallow: bool

    @classmethod
    def here(cls) -> Repository:
        """The repository around the working folder.

        Raises:
            UnetscopeError: there is none, or it has no working tree.
        """
        asked = ("--show-toplevel", "--show-prefix", "--show-object-format")
        said = git("rev-parse", *asked, "--is-shallow-repository") or b""
        top, prefix, algorithm, shallow = os.fsdecode(said).split("\n")[:4]
        return cls(Path(top), prefix, algorithm, shallow == "true")

    def shown(self, path: str) -> str:
        """A path in the repository as one from the working folder."""
        return posixpath.relpath(path, self.prefix or ".")

    def inside(self, path: Path) -> str | None:
        """A path as one in the repository, links in its folder followed; None if it is outside."""
        whole = Path(os.path.realpath(path.parent)) / path.name if path.name else path.resolve()
        whole = Path(os.path.normpath(whole))
        return whole.relative_to(self.top).as_posix() if whole.is_relative_to(self.top) else None
