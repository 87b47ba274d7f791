"""The configs that come with the package are the published ones, and cost little to load."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

import unetscope
from unetscope.config import load, shipped
from unetscope.families import find
from unetscope.record import TensorSpec

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "reference" / "published_unets.json").read_text()
)


@pytest.mark.parametrize("name", [name for name in shipped() if name in PUBLISHED])
def test_options_are_the_published_ones(name):
    published = dict(PUBLISHED[name]["config"])
    if published.get("upcast_attention", ...) is None:
        del published["upcast_attention"]  # some files say null for false
    spec = load(name)
    assert spec.family == PUBLISHED[name]["class"]
    assert spec.unet == msgspec.convert(published, find(spec.family).options)


def test_sd15_is_among_them():
    assert "sd15" in PUBLISHED
    assert "sd15" in shipped()


def shapes(tensors):
    return {
        name: value.shape if isinstance(value, TensorSpec) else shapes(value)
        for name, value in tensors.items()
    }


def test_inputs_of_sd15():
    tensors = load("sd15", batch=2, height=96, width=32, tokens=5).tensors()
    assert tensors == {
        "sample": TensorSpec((2, 4, 96, 32), "float32"),
        "timestep": TensorSpec((2,), "int64"),
        "encoder_hidden_states": TensorSpec((2, 5, 768), "float32"),
    }


@pytest.mark.parametrize(
    ("overrides", "ids", "text"),
    [
        ([], 6, 1280),
        (["projection_class_embeddings_input_dim=2560"], 5, 1280),  # SDXL's refiner
        (["projection_class_embeddings_input_dim=5632"], 6, 4096),  # Kolors
        (["projection_class_embeddings_input_dim=80", "addition_time_embed_dim=8"], 6, 32),
        (["projection_class_embeddings_input_dim=20", "addition_time_embed_dim=8"], 2, 4),
    ],
)
def test_inputs_of_sdxl(overrides, ids, text):
    added = load("sdxl_base", overrides=overrides).tensors()["added_cond_kwargs"]
    assert shapes(added) == {"text_embeds": (1, text), "time_ids": (1, ids)}


@pytest.mark.parametrize(
    ("override", "name", "spec"),
    [
        ("num_class_embeds=10", "class_labels", TensorSpec((3,), "int64")),
        ("class_embed_type=timestep", "class_labels", TensorSpec((3,), "int64")),
        ("class_embed_type=identity", "class_labels", TensorSpec((3, 1280), "float32")),
        ("encoder_hid_dim=4096", "encoder_hidden_states", TensorSpec((3, 77, 4096), "float32")),
        ("time_cond_proj_dim=256", "timestep_cond", TensorSpec((3, 256), "float32")),
    ],
)
def test_inputs_that_options_call_for(override, name, spec):
    assert load("sd15", overrides=[override], batch=3).tensors()[name] == spec


def test_a_controlnet_reads_a_picture_of_the_images_size():
    tensors = load("controlnet_sd15", height=8, width=16).tensors()
    assert tensors["controlnet_cond"].shape == (1, 3, 64, 128)
    assert tensors["encoder_hidden_states"].shape == (1, 77, 768)


def test_objects_of_gligen():
    inputs = load("sd15", overrides=["attention_type=gated"]).tensors()["gligen"]
    assert shapes(inputs) == {
        "boxes": (1, 30, 4),
        "masks": (1, 30),
        "positive_embeddings": (1, 30, 768),
    }


def test_two_contexts_have_the_tokens_of_both(write):
    name = write("unet: {dual_cross_attention: true, attention_head_dim: 8}\n")
    assert load(name).tensors()["encoder_hidden_states"].shape == (1, 77 + 257, 1280)


@pytest.mark.parametrize(
    ("overrides", "width"),
    [
        (["cross_attention_dim=[768, 768, 768, 5]", "mid_block_type=null"], 768),
        (["cross_attention_dim=[320, 640, 1280, 1280]"], None),  # AudioLDM reads pixels twice
        (["down_block_types=[DownBlock2D]", "up_block_types=[UpBlock2D]",
          "block_out_channels=[32]", "mid_block_type=null"], 768),
    ],
)  # fmt: skip
def test_the_text_has_the_width_that_all_levels_read(overrides, width):
    text = load("sd15", overrides=overrides).tensors().get("encoder_hidden_states")
    assert (text.shape[-1] if text else None) == width


def test_an_installed_package_finds_its_configs(tmp_path):
    root = Path(unetscope.__file__).parent
    shutil.copytree(root, tmp_path / "unetscope", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(shipped()["sd15"].parent, tmp_path / "unetscope" / "configs")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from unetscope import config; "
        "print(config.shipped()['sd15'], config.load('sd15.yaml').name)"
    )
    expected = tmp_path / "unetscope" / "configs" / "sd15.yaml"
    assert output(code) == f"{expected} Stable Diffusion 1.5"


def test_sizes_default_to_the_sample_size(write):
    def size(unet, inputs="{}"):
        spec = load(write(f"unet: {unet}\ninputs: {inputs}\n"))
        return spec.inputs.height, spec.inputs.width

    assert size("{sample_size: 32}") == (32, 32)
    assert size("{sample_size: [32, 48]}") == (32, 48)
    assert size("{sample_size: 32}", "{width: 8}") == (32, 8)
    assert size("{}") == (64, 64)


HEAVY = ("torch", "rich", "typer", "numpy", "diffusers")
LOADED = f"print([name for name in {HEAVY} if name in sys.modules])"


def output(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_loading_needs_neither_torch_nor_a_terminal():
    load_one = "import sys; from unetscope import config; config.load('sd15').tensors()"
    assert output(f"{load_one}; {LOADED}") == "[]"


def test_that_this_test_can_fail():
    assert output(f"import sys, rich; {LOADED}") == "['rich']"


def test_loading_takes_less_than_20_ms():
    def seconds():
        start = time.perf_counter()
        load("ssd_1b")
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.020
