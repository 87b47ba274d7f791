"""The README tells the truth: its commands are run, its output is compared."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n\$ unetscope (.*?)\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "expected"), SESSIONS, ids=[s[0] for s in SESSIONS])
def test_output_is_real(unetscope, monkeypatch, command, expected):
    monkeypatch.chdir(ROOT)
    done = unetscope(*shlex.split(command))
    assert (done.out + done.err).rstrip() == expected.rstrip()


def test_the_drawing_is_what_the_command_draws(unetscope):
    (command,) = re.findall(r"^`unetscope (draw \w+) -o draw\.svg`", README, re.MULTILINE)
    assert "(.github/draw.svg)" in README
    picture = (ROOT / ".github" / "draw.svg").read_text(encoding="utf-8")
    assert picture == unetscope(*command.split(), "-f", "svg").out


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in README.splitlines() if line.endswith("&& pytest"))
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_is_explained():
    from unetscope.cli import app

    for command in app().registered_commands:
        assert f"`unetscope {command.name}" in README


def test_the_workflow_runs_the_oldest_torch_that_is_allowed():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    oldest, newest = workflow["jobs"]["torch"]["strategy"]["matrix"]["torch"]
    allowed = re.search(r'"torch>=(\d+\.\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert oldest == f"torch=={allowed}.0"
    assert newest == "torch"


def test_it_is_short():
    assert len(README.splitlines()) <= 300


RECIPES = re.findall(r"^(unetscope .*?)(?:  +#.*)?$", README, re.MULTILINE)


def test_every_option_is_one(unetscope):
    """Of commands that are shown without their output, as some need files of the reader's."""
    assert len(RECIPES) >= 8
    for line in RECIPES:
        _, command, *arguments = shlex.split(line)
        shown = unetscope(command, "-h").out
        for option in arguments:
            assert not option.startswith("-") or option in shown, line
