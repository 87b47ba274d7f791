"""Configs narrow enough to lock in a moment, and commands run as a shell would see them."""

from __future__ import annotations

import pytest

NARROW = """\
extends: sd15
name: Narrow
unet:
  block_out_channels: [8, 16]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: 1
  attention_head_dim: 2
  cross_attention_dim: 6
  norm_num_groups: 4
inputs: {height: 16, width: 16, tokens: 5}
"""


@pytest.fixture
def unetscope(unetscope, monkeypatch):
    """Commands outside a GitHub job, whatever runs the tests."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return unetscope


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with one config, `configs/unet.yaml`, in which commands run."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "unet.yaml").write_text(NARROW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def change(project):
    """A function that changes one line of the config."""

    def run(old, new):
        path = project / "configs" / "unet.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return run
