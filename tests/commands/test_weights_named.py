"""A file of weights where a network is wanted: which network it is, or why that is not known."""

from __future__ import annotations

import pickle

import pytest
import torch
from safetensors.torch import save_file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    tensors = {"conv_in.weight": torch.zeros(8, 4, 3, 3)}
    save_file(tensors, tmp_path / "model.safetensors")
    save_file(tensors, tmp_path / "no_suffix")
    torch.save(tensors, tmp_path / "model.bin")
    torch.save(tensors, tmp_path / "zip")
    (tmp_path / "old").write_bytes(pickle.dumps(1, protocol=2))
    (tmp_path / "model.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(2_000_000))
    (tmp_path / "heir.yaml").write_text("extends: no_suffix\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["model.safetensors", "no_suffix", "model.bin", "zip"])
@pytest.mark.parametrize("command", ["trace", "params", "explain", "show", "check", "compare"])
def test_of_no_network(unetscope, folder, command, name):
    result = unetscope(command, name, *(["."] if command == "explain" else []))
    assert (result.code, result.out) == (2, "")
    assert f"error: {name}: a checkpoint of no network that is known here" in result.err
    hint = f"hint: name a UNet's weights or config; `unetscope identify {name}` tells more"
    assert hint in result.err


@pytest.mark.parametrize("name", ["old", "model.gguf"])
def test_damaged(unetscope, folder, name):
    result = unetscope("trace", name)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {name}: ")


def test_where_only_configs_are_read(unetscope, folder):
    named = unetscope("trace", "sd15", "--controlnet", "model.safetensors")
    assert (named.code, named.out) == (2, "")
    assert "error: model.safetensors: a checkpoint of no network that is known here" in named.err
    heir = unetscope("trace", "heir.yaml")
    assert "error: no_suffix: a checkpoint (safetensors)" in heir.err
