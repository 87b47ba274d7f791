"""Code that a file names is never run, unless the user says so."""

from __future__ import annotations

import sys

import pytest

from unetscope.cli import run
from unetscope.config.code import Code, code_of, code_of_network

MODULE = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.enter = nn.Conv2d(3, width, 1)

    def forward(self, x):
        return self.enter(x)
"""
FILES = {
    "hydra": "_target_: trusted_package.nets.Net\nwidth: 4\n",
    "under unet": "unet:\n  _target_: trusted_package.nets.Net\n  width: 4\n",
    "lightning": "class_path: trusted_package.nets.Net\ninit_args: {width: 4}\n",
    "compvis": "model:\n  target: ldm.models.Ddpm\n  params:\n    unet_config:\n"
    "      target: trusted_package.nets.Net\n      params: {width: 4}\n",
}
COMMAND = "unetscope trace trusted_package.nets:Net --kwargs '{\"width\": 4}'"


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    (tmp_path / "trusted_package").mkdir()
    (tmp_path / "trusted_package" / "nets.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("trusted_package")]:
        del sys.modules[name]


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_refused_with_the_command_that_runs_it(package, capsys, text):
    (package / "x.yaml").write_text(text, encoding="utf-8")
    assert run(["trace", "x.yaml"]) == 2
    said = capsys.readouterr().err
    assert f"`unetscope trace FILE --trust-code` or `{COMMAND}` runs it" in said
    assert not any(name.startswith("trusted_package") for name in sys.modules)

    assert run(["trace", "x.yaml", "--trust-code", "--sections", "model,io"]) == 0
    said = capsys.readouterr().out
    assert "trusted_package.nets:Net" in said
    assert "(1, 4, 64, 64)" in said


def test_what_a_file_cannot_say(package, capsys):
    (package / "x.yaml").write_text("unet: {layers_per_block: 1}\n", encoding="utf-8")
    assert run(["trace", "x.yaml", "--trust-code"]) == 2
    assert "it names no code" in capsys.readouterr().err
    (package / "x.yaml").write_text(FILES["hydra"], encoding="utf-8")
    assert run(["trace", "x.yaml", "--trust-code", "--kwargs", "{width: 2}"]) == 2
    assert "do not go together" in capsys.readouterr().err


def test_no_name_reaches_a_shell():
    assert code_of({"_target_": "os.system`id`"}) is None
    assert code_of({"_target_": "a.b'; rm"}) is None
    assert code_of({"_target_": 3}) is None
    assert code_of({"target": "a.B", "params": [1]}) is None
    assert Code("a:B", {"x": "' ; id '"}).command == "unetscope trace a:B --kwargs '{…}'"
    assert Code("a:B", {}).command == "unetscope trace a:B"
    assert code_of_network([1]) is None
