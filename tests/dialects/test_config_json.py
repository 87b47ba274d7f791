"""diffusers' files are read to the options that diffusers reads in them, or refused by name."""

from __future__ import annotations

import inspect
import json
import logging
import time
from pathlib import Path

import diffusers
import msgspec
import pytest
import torch

from unetscope.config import load
from unetscope.config.dialects.diffusers import IGNORED
from unetscope.families import build, every, find

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "reference" / "published_unets.json").read_text()
)
NARROW = {
    "_class_name": "UNet2DConditionModel",
    "_diffusers_version": "0.6.0",
    "sample_size": 16,
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
}
MOVING_AVERAGE = {
    "decay": 0.9999,
    "inv_gamma": 1.0,
    "min_decay": 0.0,
    "optimization_step": 20000,
    "power": 0.75,
    "update_after_step": 0,
    "use_ema_warmup": False,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files(write, name):
    published = PUBLISHED[name]
    head = {"_class_name": published["class"], "_diffusers_version": "0.21.0"}
    spec = load(write({**head, **published["config"], **MOVING_AVERAGE}, f"{name}.json"))
    assert (spec.name, spec.family) == (name, published["class"])
    assert spec.unet == msgspec.convert(published["config"], find(published["class"]).options)
    size = published["config"].get("sample_size") or 64
    assert (spec.inputs.height, spec.inputs.width) == (size, size)


def test_what_diffusers_ignores_is_ignored_with_a_note(write, caplog):
    extra = {"_name_or_path": "./x", "_commit_hash": None, "neuron": {"a": [1]}, **MOVING_AVERAGE}
    file = {**NARROW, **extra, "timestep_act_2": "gelu"}
    spec = load(write(file))
    caplog.set_level(logging.ERROR)
    with torch.device("meta"):
        theirs = diffusers.UNet2DConditionModel.from_config(file)
        ours = build(spec.family, spec.unet)
    shapes = [
        {name: parameter.shape for name, parameter in network.named_parameters()}
        for network in (ours, theirs)
    ]
    assert shapes[0] == shapes[1]
    assert spec.unet.timestep_post_act is theirs.config.timestep_post_act is None
    ignored = "neuron, decay, inv_gamma, "
    assert spec.notes == (
        f"config.json: ignored, as diffusers ignores them: {ignored}min_decay, "
        "optimization_step, power, update_after_step, use_ema_warmup, timestep_act_2",
        "config.json: timestep_act_2 is an early name of timestep_post_act, which diffusers has "
        "forgotten; `--set timestep_post_act=…` gives the network that the file meant",
    )


def test_no_option_is_among_the_ignored():
    assert not {key for each in every() for key in each.options.__struct_fields__} & {*IGNORED}


@pytest.mark.parametrize("family", ["UNet2DConditionModel", "UNet2DModel"])
def test_our_own_options_are_those_that_diffusers_does_not_know(family):
    theirs = inspect.signature(getattr(diffusers, family)).parameters
    ours = find(family)
    assert {*ours.options.__struct_fields__} - {*theirs} == {*ours.own_keys}


def test_no_note_without_a_reason(write):
    assert load(write({k: v for k, v in NARROW.items() if k != "_diffusers_version"})).notes == ()
    assert load("sd15").notes == ()


@pytest.mark.parametrize(
    ("file", "reference", "name"),
    [
        ("mine/unet/config.json", "mine", "mine"),
        ("mine/unet/config.json", "mine/unet", "mine"),
        ("mine/unet/config.json", "mine/unet/config.json", "mine"),
        ("mine/config.json", "mine/", "mine"),
        ("mine/config.json", "mine/config.json", "mine"),
        ("mine/bk_tiny.json", "mine/bk_tiny.json", "bk_tiny"),
        ("sd15/config.json", "sd15", "sd15"),  # a folder goes before a shipped config
    ],
)
def test_files_and_folders(write, file, reference, name):
    write(NARROW, file)
    spec = load(reference)
    assert (spec.name, spec.reference) == (name, reference)
    assert spec.unet.block_out_channels == (8, 16)


def test_a_pipeline_is_its_unet(write):
    write(NARROW, "mine/unet/config.json")
    write({"_class_name": "ControlNetModel"}, "mine/config.json")
    assert load("mine").family == "UNet2DConditionModel"


def test_a_config_may_extend_one(write):
    write({**NARROW, **MOVING_AVERAGE}, "mine/unet/config.json")
    spec = load(write("extends: mine\nunet: {layers_per_block: 1}\n", "x.yaml"))
    assert (spec.name, spec.unet.layers_per_block, spec.unet.norm_num_groups) == ("x", 1, 4)
    assert len(spec.notes) == 1


def test_our_own_form_in_json(write):
    own = write({"extends": "sd15", "unet": {"layers_per_block": 1}})
    assert load(own).unet.layers_per_block == 1


def narrow(**changes):
    return {**NARROW, **changes}


CLASSES = "UNet2DConditionModel, UNet2DModel, ControlNetModel"
REFUSED = {
    "an unknown key": (
        narrow(norm_num_group=4),
        "config.json:20:3: norm_num_group: unknown key\nhint: did you mean norm_num_groups?",
    ),
    "an option of another class": (
        {"_class_name": "UNet2DModel", "cross_attention_dim": 768},
        "config.json:3:3: cross_attention_dim: unknown key\n"
        "hint: it is an option of UNet2DConditionModel and ControlNetModel, not of UNet2DModel",
    ),
    "an option of pruned networks": (
        narrow(up_layers_per_block=[[0, 2], 3]),
        "config.json:20:3: up_layers_per_block: diffusers' UNet2DConditionModel has no such option "
        "and would ignore it\nhint: give it in a YAML that `extends` this file without it",
    ),
    "a value of the wrong type": (
        narrow(block_out_channels=[8, "16"]),
        'config.json:7:5: block_out_channels.1: expected an int, found the string "16"',
    ),
    "a value that does not fit": (
        narrow(norm_num_groups=3),
        "config.json:17:3: norm_num_groups: expected a divisor of ",
    ),
    "an option that is not covered": (
        narrow(num_attention_heads=8),
        "config.json:20:3: num_attention_heads: expected null, found 8\nhint: published ",
    ),
    "not a number": (
        narrow(norm_eps=float("nan")),
        "config.json:20:3: norm_eps: expected a number above 0, found nan, not finite",
    ),
    "another published UNet": (
        {"_class_name": "UNet3DConditionModel"},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found the string "
        '"UNet3DConditionModel"\nhint: this is a published network, but no family here covers it',
    ),
    "a slip of the keyboard": (
        {"_class_name": "UNet2dConditionModel"},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found the string "
        '"UNet2dConditionModel"\nhint: did you mean UNet2DConditionModel?',
    ),
    "an autoencoder": (
        {"_class_name": "AutoencoderKL"},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found the string "
        '"AutoencoderKL"\nhint: this is an autoencoder; the UNet\'s file is unet/config.json',
    ),
    "a transformer": (
        {"_class_name": "FluxTransformer2DModel"},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found the string "
        '"FluxTransformer2DModel"\nhint: this is a transformer, not a UNet',
    ),
    "a pipeline's index": (
        {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found the string "
        '"StableDiffusionPipeline"\nhint: a pipeline is many networks; name its folder, or the '
        "unet/config.json in it",
    ),
    "a list of classes": (
        {"_class_name": ["UNet2DModel"]},
        f"config.json:2:3: _class_name: expected one of {CLASSES}, found a list of 1",
    ),
    "no class": (
        {"sample_size": 64, "addition_embed_type": "text_time"},
        "config.json:1:1: the key _class_name is missing: the class that reads the options; "
        f"expected one of {CLASSES}\nhint: the options are those of UNet2DConditionModel: add "
        '"_class_name": "UNet2DConditionModel"',
    ),
    "a text encoder": (
        {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model"},
        "config.json:1:1: the key _class_name is missing: the class that reads the options; "
        f"expected one of {CLASSES}\nhint: this looks like a model of transformers; a UNet's is "
        "unet/config.json",
    ),
    "nothing": ("", "config.json: the config is empty"),
    "a list": ([], "config.json:1:1: expected a mapping, found an empty list"),
    "not JSON": ('{"a": 1,}', "config.json:1:9: not JSON: "),
}


@pytest.mark.parametrize(("file", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(write, refusal, file, said):
    assert refusal(write(file)).startswith(said)


def test_one_network_has_no_parts(write, refusal):
    write(NARROW, "mine/config.json")
    said = "there is no #unet in it: it holds one network"
    assert refusal("mine#unet").startswith(f"mine/config.json: {said}")
    assert said in refusal("sd15#unet")


def test_loading_takes_less_than_20_ms(write):
    file = write({"_class_name": "UNet2DConditionModel", **PUBLISHED["ssd_1b"]["config"]})

    def seconds():
        start = time.perf_counter()
        load(file)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.020
