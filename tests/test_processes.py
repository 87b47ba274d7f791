"""The installed command as a shell runs it: pipes, terminals and real exit codes."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

UNETSCOPE = [str(Path(sys.executable).with_name("unetscope"))]


def run(*arguments, **environment):
    return subprocess.run(
        [*UNETSCOPE, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def on_a_terminal(*arguments, columns, **environment):
    """What is printed on a terminal so many columns wide."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [*UNETSCOPE, *arguments], stdout=theirs, stderr=subprocess.DEVNULL, env=settings
    ):
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 65536):
                printed += chunk
        except OSError:
            pass
        os.close(ours)
    return printed.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Stable Diffusion 1.5, traced once for all who only read it."""
    path = str(tmp_path_factory.mktemp("traces") / "sd15.json")
    assert run("trace", "sd15", "--sections", "model", "--save", path).returncode == 0
    return path


def test_a_pipe_gets_no_colour_and_whole_lines(saved):
    done = run("trace", saved, COLUMNS="40")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "down_blocks.0.downsamplers.0" in done.stdout
    assert "…" not in done.stdout.replace("down_blocks.0 … down_blocks.3", "").replace(
        "up_blocks.0 … up_blocks.3", ""
    ).replace("conv_norm_out … conv_out", "")


def test_a_terminal_gets_colour_unless_it_asks_for_none(saved):
    assert "\x1b[" in on_a_terminal("skips", saved, columns=100)
    assert "\x1b[" not in on_a_terminal("skips", saved, columns=100, NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("skips", saved, columns=100, TERM="dumb")


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_no_line_is_wider_than_the_terminal(saved, columns):
    printed = on_a_terminal("trace", saved, columns=columns, NO_COLOR="1")
    assert max(map(len, printed.splitlines())) <= columns
    assert "12 pushed, 12 popped" in printed


def test_whoever_reads_may_stop_early(saved):
    command = f"{UNETSCOPE[0]} trace {saved} --modules | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_python_m_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "unetscope", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == run("--version").stdout


def test_usage_errors_are_exit_code_2_without_a_traceback():
    for arguments in (["show"], ["trace", "sd15", "--nonsense"], ["nonsense"]):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_nothing_but_data_on_stdout():
    done = run("trace", "article_003", "-v", "-f", "json")
    assert done.stdout.startswith("{")
    assert "calls and" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_real_run_on_the_cpu_stays_within_a_gigabyte():
    script = (
        "import os, re, sys\n"
        "os.environ['OMP_NUM_THREADS'] = '2'\n"
        "from unetscope import cli\n"
        "network = ['bk_sdm_tiny', '--height', '32', '--width', '32']\n"
        "code = cli.run(['skips', *network, '--device', 'cpu'])\n"
        # `ru_maxrss` would be at least that of the process that forked this one.
        "peak = re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(code, peak, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    code, peak_kib = map(int, done.stderr.split())
    assert code == 0
    assert peak_kib < 1024 * 1024
