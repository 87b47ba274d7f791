"""A network that computes in milliseconds, and a way to run commands."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from unetscope import cli
from unetscope.commands import console

NARROW = """\
name: Narrow
family: UNet2DConditionModel
unet:
  block_out_channels: [32, 64]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  norm_num_groups: 8
  attention_head_dim: 4
  cross_attention_dim: 16
inputs: {height: 16, width: 24, tokens: 5}
"""


@pytest.fixture
def narrow(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(NARROW)
    return path


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def unetscope(capsys, monkeypatch):
    """A function that runs `unetscope ARGUMENTS` and returns its `Result`."""

    def run(*arguments):
        monkeypatch.setattr(console, "_quiet", False)
        monkeypatch.setattr(console, "_verbose", False)
        code = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run
