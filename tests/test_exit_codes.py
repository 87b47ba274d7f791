"""Exit codes mean what they say: 1 is a gate's alone, 70 is our own fault, 130 an interrupt."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unetscope import cli
from unetscope.cli import app

GATES = {"check", "diff", "lock", "flops", "log"}
"""Commands that may exit 1: they found something; `flops` where `--audit` does, `log` where
`--first-bad` does."""
ARGUMENTS = {
    "diff": ["sd15", "sd15"],
    "compare": ["sd15", "sd15"],
    "explain": ["sd15", "conv_in"],
    "identify": [__file__, "no-such-file"],
    "list": [],
    "schema": [],
    "cache": [],
    "lock": ["sd15", "-o", "never-written.lock"],
}
COMMANDS = [command.name for command in app().registered_commands]


@pytest.mark.parametrize("fault", [RuntimeError("broken\x1b[31m"), RecursionError(), MemoryError()])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_unforeseen_error_is_70_in_one_line(unetscope, monkeypatch, name, fault):
    def fail(*_, **__):
        raise fault

    for target in ("console.emit", "console.show", "options.NetworkOptions.requests"):
        monkeypatch.setattr(f"unetscope.commands.{target}", fail)
    monkeypatch.setattr("unetscope.commands.options.NetworkOptions.load", fail)
    monkeypatch.setattr("unetscope.commands.options.NetworkOptions.load_all", fail)
    done = unetscope(name, *ARGUMENTS.get(name, ["sd15"]))
    assert (done.code, done.out) == (70, "")
    first, hint = done.err.splitlines()
    assert first.startswith(f"error: a fault of unetscope's own: {type(fault).__name__}")
    assert "\x1b" not in first
    assert "-v" in hint
    assert "Traceback" in unetscope(name, *ARGUMENTS.get(name, ["sd15"]), "-v").err


@pytest.mark.parametrize("name", COMMANDS)
def test_what_cannot_be_done_is_2(unetscope, name):
    if name not in ("list", "schema"):
        other = ["conv_in"] if name == "explain" else ["sd15"] if name == "diff" else []
        assert unetscope(name, "no-such-config.yaml", *other).code == 2
    assert unetscope(name, "--no-such-option").code == 2


@pytest.mark.parametrize("name", sorted({*COMMANDS} - GATES))
def test_what_is_no_gate_never_exits_1(name):
    import inspect

    command = next(c.callback for c in app().registered_commands if c.name == name)
    assert "Exit(" not in inspect.getsource(inspect.getmodule(inspect.unwrap(command)))


def test_errors_of_the_environment_are_2(unetscope, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device", "some/file")

    monkeypatch.setattr("unetscope.commands.console.emit", fail)
    done = unetscope("list")
    assert (done.code, done.err) == (2, "error: some/file: no space left on device\n")


HEARD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with `&` ignores it
"""
STARTED = f"""{HEARD}
import unetscope.__main__ as it
opened = it._open_streams
it._open_streams = lambda: (opened(), print("started", flush=True))  # once interrupts are heard
it.main()
"""


@pytest.mark.parametrize("seconds", [0, 0.1, 0.3, 0.6])
def test_an_interrupt_is_130_and_silent(seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, "sweep", "sdxl_base", "--height", "8..512:8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")


SWALLOWED = f"""{HEARD}
import os, signal, unetscope.__main__ as it, unetscope.cli as cli
class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))
def run(**_):
    Dying()
    while True:
        pass
cli.run = run
it.main()
"""
TURNED = f"""{HEARD}
import os, signal, unetscope.__main__ as it, unetscope.cli as cli
def run(**_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))
    except KeyboardInterrupt as error:
        raise RuntimeError("as imports turn it") from error
cli.run = run
it.main()
"""


@pytest.mark.parametrize("interrupted", [SWALLOWED, TURNED], ids=["swallowed", "turned"])
def test_an_interrupt_that_something_else_catches_stops_all_the_same(interrupted):
    done = subprocess.run(
        [sys.executable, "-c", interrupted],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_fails_after_an_interrupt_is_no_fault(monkeypatch):
    """Torch's imports turn an interrupt into other errors."""
    monkeypatch.setattr("unetscope.commands.console.emit", lambda *_: 1 / 0)
    with pytest.raises(KeyboardInterrupt):
        cli.run(["list"], interrupted=lambda: True)


def shell(line, **environment):
    command = line.replace("unetscope", f"{sys.executable} -m unetscope")
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["list", "--help", "--version", "list -o /dev/full"])
def test_a_full_disk_is_2(command):
    done = shell(f"unetscope {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no space left" in done.stderr


def test_closed_streams():
    closed = shell("unetscope list >&-")
    assert (closed.returncode, closed.stdout) == (2, "")
    assert "cannot write to stdout" in closed.stderr
    talk = shell("unetscope show no-such-config 2>&-")
    assert (talk.returncode, talk.stdout) == (2, "")
    assert shell("unetscope show sd15 2>&-").stdout == shell("unetscope show sd15").stdout


def test_output_that_is_no_terminal_is_utf_8():
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    plain.pop("PYTHONIOENCODING", None)
    command = [sys.executable, "-m", "unetscope", "list", "--lang", "zh"]
    done = subprocess.run(command, capture_output=True, env=plain, check=False)
    assert done.returncode == 0
    assert "模型" in done.stdout.decode("utf-8")
    chosen = subprocess.run(
        command, capture_output=True, env={**plain, "PYTHONIOENCODING": "cp1252"}, check=False
    )
    assert chosen.returncode == 0
    assert rb"\u6a21\u578b" in chosen.stdout


def test_a_working_directory_that_is_gone(tmp_path):
    done = shell(f"cd {tmp_path} && mkdir gone && cd gone && rmdir ../gone && unetscope list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("error: the working directory: no such file or directory\n")


def test_a_gate_keeps_its_verdict_where_nobody_reads_on():
    done = shell(
        "set -o pipefail; cd configs/locks; unetscope diff sd15.lock sd21.lock | head -n 1"
    )
    assert done.returncode == 1


def test_whoever_reads_help_may_stop_early():
    done = shell("set -o pipefail; unetscope trace --help | true")
    assert (done.returncode, done.stderr) == (0, "")


def test_modules_of_the_current_folder_are_not_taken_for_ours(tmp_path):
    for name in ("torch", "yaml", "typer", "rich", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    done = subprocess.run(
        [sys.executable, "-m", "unetscope", "skips", "article_003"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_messages_are_harmless_and_bounded(unetscope):
    done = unetscope("show", "x" * 5000 + "\x1b[31m")
    assert done.code == 2
    assert done.err.isascii() or "…" in done.err
    assert "\x1b" not in done.err
    assert max(map(len, done.err.splitlines())) < 1100
    many = unetscope("sweep", "sd15", "--height", "9" * 5000)
    assert len(many.err) < 1000
