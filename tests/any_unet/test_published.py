"""`config.json` of classes that no family here covers: diffusers builds them."""

from __future__ import annotations

import json
from importlib.metadata import version

import diffusers
import pytest

from unetscope.cli import run
from unetscope.config.dialects.diffusers import OTHER_UNETS
from unetscope.config.dialects.diffusers import published as families_of_diffusers
from unetscope.errors import ForwardError, UnetscopeError
from unetscope.files import locks
from unetscope.sources import Request, published, resolve

NARROW = {
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "cross_attention_dim": 8,
    "sample_size": 8,
}
LEVEL = ["SDCascadeResBlock", "SDCascadeTimestepBlock"]
FILES = {
    "I2VGenXLUNet": {
        **NARROW,
        "attention_head_dim": 4,
        "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
        "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
    },
    "Kandinsky3UNet": {
        "time_embedding_dim": 16,
        "groups": 8,
        "attention_head_dim": 8,
        "layers_per_block": 2,
        "block_out_channels": [32, 64, 64],
        "cross_attention_dim": 16,
        "encoder_hid_dim": 8,
    },
    "StableCascadeUNet": {
        "block_out_channels": [32, 64],
        "num_attention_heads": [0, 4],
        "down_num_layers_per_block": [1, 2],
        "up_num_layers_per_block": [2, 1],
        "down_blocks_repeat_mappers": [1, 1],
        "up_blocks_repeat_mappers": [1, 1],
        "block_types_per_layer": [LEVEL, LEVEL],
        "clip_text_in_channels": 8,
        "clip_image_in_channels": 8,
        "effnet_in_channels": 16,
    },
    "UNet1DModel": {"extra_in_channels": 64, "sample_size": 1024},
    "UNet3DConditionModel": {
        **NARROW,
        "attention_head_dim": 4,
        "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
        "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
    },
    "UNetMotionModel": {
        **NARROW,
        "num_attention_heads": 4,
        "down_block_types": ["CrossAttnDownBlockMotion", "DownBlockMotion"],
        "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion"],
    },
    "UNetSpatioTemporalConditionModel": {
        **NARROW,
        "num_attention_heads": 4,
        "num_frames": 3,
        "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
        "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"],
    },
}


@pytest.fixture
def write(tmp_path):
    """Write a `config.json` of a class; its path."""

    def write(kind, **options):
        path = tmp_path / kind / "unet" / "config.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {"_class_name": kind, "_diffusers_version": "0.36.0", **options}
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("kind", FILES)
def test_every_class_runs_with_the_inputs_that_are_guessed(write, kind):
    trace = resolve(Request(str(write(kind, **FILES[kind])))).trace()
    built = getattr(diffusers, kind).from_config(FILES[kind])
    assert trace.total_params == sum(tensor.numel() for tensor in built.parameters())
    assert trace.skips
    assert trace.name == kind


def test_the_table_has_no_class_that_a_family_covers():
    assert set(FILES) == set(published.CLASSES)
    assert set(published.CLASSES) <= set(OTHER_UNETS)
    assert not set(published.CLASSES) & set(families_of_diffusers())
    assert all(issubclass(getattr(diffusers, k), diffusers.ModelMixin) for k in published.CLASSES)


def test_the_heading_says_who_built_it(write, capsys):
    folder = write("UNetMotionModel", **FILES["UNetMotionModel"]).parents[1]
    assert run(["trace", str(folder), "--sections", "model,io", "--height", "16"]) == 0
    out = capsys.readouterr().out
    assert f"{folder}, built by diffusers {version('diffusers')}" in out
    assert "(1, 4, 16, 16, 8)" in out


def test_it_can_be_locked(write, capsys):
    path = write("UNet3DConditionModel", **FILES["UNet3DConditionModel"])
    inputs = "sample=1,4,2,8,8", "timestep=1:int64", "encoder_hidden_states=1,5,8"
    given = [part for text in inputs for part in ("--input", text)]
    assert run(["lock", str(path), *given]) == 0
    lock = locks.load(path.with_suffix(".lock"))
    assert lock.inputs[0].shape == (1, 4, 2, 8, 8)
    assert lock.config["unet"]["layers_per_block"] == 1
    assert run(["lock", "--check", str(path), *given]) == 0
    write("UNet3DConditionModel", **{**FILES["UNet3DConditionModel"], "layers_per_block": 2})
    assert run(["lock", "--check", str(path), *given]) == 1


def test_without_diffusers(write, monkeypatch):
    monkeypatch.setattr(published, "find_spec", lambda name: None)
    with pytest.raises(UnetscopeError, match="is not installed") as caught:
        resolve(Request(str(write("UNetMotionModel")))).trace()
    assert caught.value.hint == "pip install 'unetscope[diffusers]'"
    assert caught.value.exit_code == 2


def test_what_diffusers_cannot_build_or_run(write):
    with pytest.raises(UnetscopeError, match="failed: ValueError"):
        resolve(
            Request(str(write("UNetMotionModel", down_block_types=["DownBlockMotion"])))
        ).trace()
    with pytest.raises(ForwardError):  # its own defaults do not fit each other
        resolve(Request(str(write("UNet1DModel")))).trace()
    path = str(write("UNetMotionModel"))
    for more in ({"overrides": ("a=1",)}, {"kwargs": "{}"}, {"controlnet": "controlnet_sd15"}):
        with pytest.raises(UnetscopeError, match="diffusers builds it from its file"):
            resolve(Request(path, **more)).trace()
