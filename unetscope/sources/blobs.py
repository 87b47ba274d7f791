"""The contents of files at many commits, asked of git in one go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.sources.git import git

LARGEST = 8_000_000
"""Bytes of one file that are read: the bound for a lock, and more than that for a config."""
_FOUND = re.compile(rb"([0-9a-f]{40,64}) blob (\d+)")
_LISTED = re.compile(rb"(\d+) blob ([0-9a-f]{40,64}) +(\d+)\t")
_ASTRAY = re.compile(rb"(?:dangling|loop|notdir|symlink) (\d+)")
"""A link that leads nowhere; its target follows."""


@dataclass(frozen=True)
class Blob:
    """The content of a file.

    Attributes:
        oid: its hash.
        nbytes: its length.
    """

    oid: str
    nbytes: int


class Blobs:
    """What the files of a repository hold, links followed."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._found: dict[tuple[str, str], Blob | None] = {}
        self._contents: dict[str, bytes] = {}
        said = git("config", "--get-regexp", r"^remote\..*\.promisor$", folder=top)
        self._partial = bool(said)

    def find(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Blob | None]:
        """The content at each commit and path; None if there is none.

        Raises:
            UnetscopeError: git cannot tell, or the content was left out when it was fetched.
        """
        wanted = list(wanted)
        new = [pair for pair in dict.fromkeys(wanted) if pair not in self._found]
        self._found.update((pair, self._alone(*pair)) for pair in new if "\n" in pair[1])
        asked = [pair for pair in new if "\n" not in pair[1]]
        if asked:
            lines = b"".join(b"%s:%s\n" % (s.encode(), os.fsencode(p)) for s, p in asked)
            said = iter(self._ask("--batch-check", lines).split(b"\n"))
            for pair in asked:
                self._found[pair] = found = _blob(said)
                if found is None and self._partial:
                    self._see_gone(*pair)
        return {pair: self._found[pair] for pair in wanted}

    def content(self, blob: Blob) -> bytes:
        """What a file holds; those that were found and not read yet are read with it.

        Raises:
            UnetscopeError: it is too large.
        """
        if blob.nbytes > LARGEST:
            raise UnetscopeError(f"larger than {LARGEST:,} bytes, the bound for a file")
        if blob.oid not in self._contents:
            found = {b.oid: b for b in self._found.values() if b and b.nbytes <= LARGEST}
            found |= {blob.oid: blob}
            unread = [b for oid, b in found.items() if oid not in self._contents]
            said = self._ask("--batch", b"".join(b"%s\n" % b.oid.encode() for b in unread))
            at = 0
            for each in unread:
                at = said.index(b"\n", at) + 1
                self._contents[each.oid] = said[at : at + each.nbytes]
                at += each.nbytes + 1
        return self._contents[blob.oid]

    def _alone(self, sha: str, path: str) -> Blob | None:
        """A file whose name has a line break, which cannot be asked for among others.

        Raises:
            UnetscopeError: it is a link.
        """
        asked = ("--literal-pathspecs", "ls-tree", "-z", "-l", sha, "--", path)
        said = git(*asked, folder=self._top) or b""
        match = _LISTED.match(said)
        if match is not None and match[1] == b"120000":
            raise UnetscopeError(f"`{path}`: a link whose name has a line break is not followed")
        return None if match is None else Blob(match[2].decode(), int(match[3]))

    def _ask(self, how: str, lines: bytes) -> bytes:
        links = ["--follow-symlinks"] if how == "--batch-check" else []
        return git("cat-file", how, *links, folder=self._top, given=lines) or b""

    def _see_gone(self, sha: str, path: str) -> None:
        """See that a file is not there, where contents may have been left out.

        Raises:
            UnetscopeError: it is there.
        """
        asked = ("--literal-pathspecs", "ls-tree", "-z", sha, "--", path)
        if b" blob " in (git(*asked, folder=self._top) or b""):
            raise UnetscopeError(
                f"the content of `{path}` at {sha[:7]} is not in this partial clone",
                hint="`git fetch --refetch --filter=blob:limit=1m` brings what is not large",
            )


def _blob(said: Iterator[bytes]) -> Blob | None:
    """Read the next answer."""
    line = next(said)
    if match := _FOUND.fullmatch(line):
        return Blob(match[1].decode(), int(match[2]))
    if match := _ASTRAY.fullmatch(line):
        left = int(match[1])
        while left >= 0:
            left -= len(next(said)) + 1
    return None
