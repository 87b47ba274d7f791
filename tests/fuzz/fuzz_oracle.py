"""What every command owes to its user, whatever it is given: `answered` runs one and tells.

A command leaves with 0, with 2 and one `error:` that says something, or with 1 where a gate found
something. It lets no exception out, ends within seconds and within memory, and writes nothing on
stderr that a terminal would obey.
"""

from __future__ import annotations

import io
import os
import re
import resource
import signal
import time
import traceback
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from unetscope import cli
from unetscope.commands import console

SECONDS = 5.0
ROOM = 1_500_000_000
"""Bytes of memory that one command may take beside what is there."""
LONGEST_LINE = 2_000

NAMED = (
    *("config", "diffusers", "compvis", "lock", "trace", "pyproject"),
    *("header", "index", "gguf", "zip", "pickle"),
)
"""The kinds of input that are files: an error names the first file of such a case."""
LINED = ("config", "diffusers", "compvis")
"""Those of which an error also names the line, unless it is about the file as a whole."""

_GATES = {"check", "diff", "lock"}
_BUG = 70
_WHOLE = re.compile(
    r"UTF-16|not a text file|cannot be read|larger than|a folder|Git LFS|no file|cannot look|"
    r"is empty|damaged|is a lock|saved trace|this unetscope reads"
)

_ELSEWHERE = re.compile(r"/configs/|: cannot be read|expected a config or code, found none$")
"""What names another file: the shipped config that one extends, a shard that an index names; or
none, where `check` finds no config in the settings."""


@dataclass(frozen=True)
class Case:
    """A command and the files that it finds in the working directory.

    Attributes:
        kind: of the input that is tried.
        arguments: of the command line.
        files: name to content; a text instead of bytes is a thing that is no file, see `_put`.
    """

    kind: str
    arguments: tuple[str, ...]
    files: Mapping[str, bytes | str]

    def __repr__(self) -> str:
        files = {name: content[:200] for name, content in self.files.items()}
        return f"Case({self.kind}, {[text[:200] for text in self.arguments]}, {files})"


@dataclass(frozen=True)
class Fault:
    """What a command owes and did not do, and the function of the package where it began."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} ({self.where})"


@dataclass(frozen=True)
class Answer:
    """What a command did; its code is None if an exception came out of it."""

    code: int | None
    seconds: float
    err: str
    faults: tuple[Fault, ...]


class TooLongError(BaseException):
    """The time of a command is over; nothing in the package takes this for an error of its own."""


def answered(case: Case, seconds: float = SECONDS) -> Answer:
    """Run the command of a case in a folder of its own, and hold it to what it owes."""
    home = Path.cwd()
    with TemporaryDirectory(prefix="fuzz-") as folder:
        os.chdir(folder)
        try:
            for name, content in case.files.items():
                _put(Path(name), content)
            return _run(case, seconds)
        finally:
            os.chdir(home)


def _put(path: Path, content: bytes | str) -> None:
    """Make a file or, of a text, a `folder`, a `fifo`, a link to itself (`loop`) or to a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    elif content == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if content == "loop" else content)


def _run(case: Case, seconds: float) -> Answer:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)
    console._quiet = console._verbose = False
    code, escaped, began, before = None, None, time.perf_counter(), _peak()
    with _said() as said, redirect_stdout(out), redirect_stderr(err):
        try:
            with _at_most(seconds), _room():
                code = cli.run(list(case.arguments))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            escaped = error
    took, grown = time.perf_counter() - began, _peak() - before
    text = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
    where = _where(escaped or (said[-1] if said else None))
    found = list(_owed(case, code, bool(out.buffer.tell()), text))
    if took > seconds:
        found = [f"longer than {seconds:g} s"]
    elif escaped is not None:
        found = [f"{type(escaped).__name__} came out"]
    if grown > ROOM:
        found.append("more memory than it may take")
    return Answer(code, took, text, tuple(Fault(what, where) for what in found))


def _owed(case: Case, code: int | None, printed: bool, err: str) -> Iterator[str]:
    """What the exit code and the messages lack."""
    command = case.arguments[0] if case.arguments else ""
    if code == _BUG:
        yield "an error that nobody foresaw"
    elif code not in (0, 2) and not (code == 1 and command in _GATES):
        yield f"exit code {code}"
    if "Traceback (most recent" in err:
        yield "a traceback on stderr"
    errors = [line for line in err.split("\n") if line.startswith("error:")]
    if code == 2 and len(errors) != 1:
        yield "no error on stderr" if not errors else "more than one error on stderr"
    elif code == 2 and not errors[0].removeprefix("error:").strip():
        yield "an error that says nothing"
    elif code == 2 and printed and command != "check":
        yield "stdout is not empty"
    elif code == 2 and case.kind in NAMED:
        first = errors[0]
        if next(iter(case.files)) not in first and not _ELSEWHERE.search(first):
            yield "the error does not name the file"
        elif case.kind in LINED and not _WHOLE.search(err) and not re.search(r"\w:\d+", first):
            yield "the error does not name the line"
    if any(unicodedata.category(char) == "Cc" for char in err.replace("\n", "")):
        yield "control characters on stderr"
    if max(map(len, err.split("\n"))) > LONGEST_LINE:
        yield "a long line on stderr"


@contextmanager
def _said() -> Iterator[list[BaseException]]:
    """The errors that are shown meanwhile: they know where they began."""
    said: list[BaseException] = []
    show = console.error

    def error(found: object) -> None:
        if isinstance(found, BaseException):
            said.append(found)
        show(found)  # type: ignore[arg-type]

    console.error = error
    try:
        yield said
    finally:
        console.error = show


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` after some time, and again each second for who swallowed it."""

    def ring(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _room() -> Iterator[None]:
    """Let this process grow by `ROOM` and no more: what asks for more gets a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _where(error: BaseException | None) -> str:
    """The innermost function of the package that an error came through."""
    frames: Sequence[traceback.FrameSummary] = ()
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        _, package, file = frame.filename.replace("\\", "/").rpartition("/unetscope/")
        if package:
            return f"{file}:{frame.name}"
    return "-"
