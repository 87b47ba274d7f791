"""What a terminal shows of long work, in a process of its own whose stderr is a pseudo-terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

WORK = """
import sys
from time import sleep
import rich.progress  # which is imported late, and slowly on a busy machine
from unetscope.commands import console, waiting
waiting.PATIENCE = {patience}
console.set_quiet({quiet})
with console.progress("trace mine.yaml"):
    sleep(0.5)
    with console.progress("counting mine at 3 sizes", 3) as done:
        for _ in range(3):
            sleep(0.1)
            done()
    console.info("a message")
    console.emit("data\\n")
"""


def seen(patience: float, quiet: bool = False) -> tuple[str, str]:
    """What stands on stdout, and what a terminal got on stderr."""
    ours, theirs = pty.openpty()
    program = WORK.format(patience=patience, quiet=quiet)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux tells that the other end is closed
                break
            if not piece:
                break
            shown += piece
        assert process.stdout is not None
        data = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0
    return data.decode(), shown.decode()


def test_long_work_shows_what_it_is_and_how_far():
    data, shown = seen(patience=0.02)
    assert data == "data\n"
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "trace mine.yaml" in text
    assert re.search(r"counting mine at 3 sizes .*3/3", text)
    # The line is gone before anything else is printed.
    assert text.endswith("a message\r\n")
    assert "\x1b[2K" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")  # the cursor is back


def test_short_work_shows_nothing():
    assert seen(patience=60) == ("data\n", "a message\r\n")


def test_quiet_work_shows_nothing():
    assert seen(patience=0.02, quiet=True) == ("data\n", "")


def test_nothing_moves_in_a_pipe():
    program = WORK.format(patience=0.02, quiet=False)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr.decode().split() == ["a", "message"]
