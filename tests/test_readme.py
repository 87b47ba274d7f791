"""The README tells the truth: its commands are run, its output is compared."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n\$ unetscope (.*?)\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def branch(tmp_path):
    """A repository in which a config changed since `origin/main`; the same on every machine."""
    (tmp_path / "configs").mkdir()
    unet, small = (tmp_path / "configs" / f"{name}.yaml" for name in ("unet", "small"))
    unet.write_text("extends: sd15\nunet:\n  norm_num_groups: 32\n")
    small.write_text("extends: unet.yaml\nunet:\n  layers_per_block: 1\n")
    times = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-01T00:00:00Z")
    environment = {**os.environ, **times, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    for line in (
        "init -q",
        "add .",
        "commit -qm first",
        "update-ref refs/remotes/origin/main HEAD",
    ):
        subprocess.run(["git", *who, *line.split()], cwd=tmp_path, env=environment, check=True)
    unet.write_text(unet.read_text().replace("32", "16"))
    return tmp_path


@pytest.mark.parametrize(("command", "expected"), SESSIONS, ids=[s[0] for s in SESSIONS])
def test_output_is_real(unetscope, monkeypatch, request, command, expected):
    monkeypatch.chdir(request.getfixturevalue("branch") if "--base" in command else ROOT)
    done = unetscope(*shlex.split(command))
    assert (done.out + done.err).rstrip() == expected.rstrip()


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in README.splitlines() if line.endswith("&& pytest"))
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_is_explained():
    from unetscope.cli import app

    for command in app.registered_commands:
        assert f"`unetscope {command.name}" in README


def test_the_workflow_runs_the_oldest_torch_that_is_allowed():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    oldest, newest = workflow["jobs"]["torch"]["strategy"]["matrix"]["torch"]
    allowed = re.search(r'"torch>=(\d+\.\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert oldest == f"torch=={allowed}.0"
    assert newest == "torch"
