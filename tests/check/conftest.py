"""Narrow configs, and `unetscope check` run as a shell would see it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from unetscope import cli
from unetscope.commands import console

NARROW = """\
family: UNet2DConditionModel
unet:
  sample_size: 16
  block_out_channels: [64, 128]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  attention_head_dim: 2
  cross_attention_dim: 768
"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def check(capsys, monkeypatch, tmp_path):
    """A function that runs `unetscope check ARGUMENTS` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(console, "_quiet", False)
        monkeypatch.setattr(console, "_verbose", False)
        code = cli.run(["check", *map(str, arguments)])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run


@pytest.fixture
def narrow(tmp_path):
    """A function that writes the narrow config with some text replaced."""

    def write(*replaced, name="narrow.yaml"):
        text = NARROW
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write
