"""`unetscope check pkg.module:attr`: what shows when other people's code runs once."""

import pytest

CODE = """\
import torch
from torch import nn


class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.out = nn.Conv2d(11, 3, 1)
        self.forgotten = nn.Linear(4, 4)

    def forward(self, x):
        return self.out(torch.cat([self.up(self.down(x)), x], 1))


class Broken(Idle):
    def forward(self, x):
        return self.out(self.down(x))
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    (tmp_path / "linted_nets.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def test_parameters_without_a_use(unetscope, nets):
    result = unetscope("check", "linted_nets:Idle", "--input", "1,3,32,32")
    assert result.code == 0
    assert "linted_nets:Idle: warning [unused-parameters]" in result.out
    assert "20 of 544 parameters: forgotten.weight, forgotten.bias" in result.out
    assert unetscope("check", "linted_nets:Idle", "--input", "1,3,32,32", "--strict").code == 1


def test_a_pass_that_fails_is_an_error_with_its_line(unetscope, nets, tmp_path):
    result = unetscope("check", "linted_nets:Broken", "--input", "1,3,32,32")
    assert result.code == 1
    assert "linted_nets.py:19: error [forward] `out` failed in `F.conv2d`" in result.out


def test_code_that_is_not_there_could_not_be_checked(unetscope, nets):
    assert unetscope("check", "linted_netz:Idle").code == 2


def test_an_input_that_is_joined_has_its_name(unetscope, nets):
    result = unetscope("skips", "linted_nets:Idle", "--input", "1,3,32,32", "-f", "csv")
    assert result.out.splitlines()[1].startswith("0,x,")
