"""A file of weights where a network is wanted: what it is, and which command reads it."""

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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.safetensors", "safetensors"),
        ("no_suffix", "safetensors"),
        ("model.bin", "a pickle"),
        ("zip", "a pickle"),
        ("old", "a pickle"),
        ("model.gguf", "GGUF"),
    ],
)
@pytest.mark.parametrize("command", ["trace", "params", "explain", "show", "check", "compare"])
def test_what_it_is(unetscope, folder, command, name, kind):
    result = unetscope(command, name, *(["."] if command == "explain" else []))
    assert (result.code, result.out) == (2, "")
    assert f"error: {name}: a checkpoint ({kind}): it holds the tensors" in result.err
    assert "hint: `unetscope diff CONFIG CHECKPOINT` compares its tensors" in result.err


def test_where_only_configs_are_read(unetscope, folder):
    named = unetscope("trace", "sd15", "--controlnet", "model.safetensors")
    assert (named.code, named.out) == (2, "")
    assert "error: model.safetensors: a checkpoint (safetensors)" in named.err
    heir = unetscope("trace", "heir.yaml")
    assert "error: no_suffix: a checkpoint (safetensors)" in heir.err
    alone = unetscope("explain", "model.safetensors")
    assert "error: model.safetensors: a checkpoint (safetensors)" in alone.err
