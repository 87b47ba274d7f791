"""guided-diffusion's flags, as YAML files write them."""

from __future__ import annotations

import pytest

from unetscope.config import load
from unetscope.config.dialects.compvis_flags import Flags, are_flags

FFHQ = {
    "image_size": 256,
    "num_channels": 128,
    "num_res_blocks": 1,
    "channel_mult": "",
    "learn_sigma": True,
    "class_cond": False,
    "attention_resolutions": 16,
    "num_heads": 4,
    "num_head_channels": 64,
    "num_heads_upsample": -1,
    "use_scale_shift_norm": True,
    "dropout": 0.0,
    "resblock_updown": True,
}
DIFFUSION = {
    "steps": 1000,
    "diffusion_steps": 1000,
    "noise_schedule": "linear",
    "timestep_respacing": "",
    "use_kl": False,
    "predict_xstart": False,
    "rescale_timesteps": False,
    "rescale_learned_sigmas": False,
    "model_path": "models/ffhq_10m.pt",
}


@pytest.fixture
def spec(write):
    def spec(**changes):
        return load(write(FFHQ | changes, "x.yaml"))

    return spec


@pytest.mark.parametrize("shipped", ["adm_imagenet64", "adm_imagenet256"])
def test_flags_of_published_networks(write, shipped):
    ours = load(shipped).unet
    flags = {
        "image_size": ours.sample_size,
        "num_channels": ours.block_out_channels[0],
        "num_res_blocks": ours.layers_per_block,
        "attention_resolutions": "32,16,8",
        "num_head_channels": 64,
        "learn_sigma": True,
        "class_cond": True,
        "dropout": ours.dropout,
        "resblock_updown": True,
        "use_scale_shift_norm": True,
    }
    assert load(write(flags, "x.yaml")).unet == ours


@pytest.mark.parametrize("mult", ["1,1,2,2,4,4", [1, 1, 2, 2, 4, 4], ""])
@pytest.mark.parametrize("sides", [16, "16", [16]])
def test_lists_are_written_in_several_ways(spec, mult, sides):
    unet = spec(channel_mult=mult, attention_resolutions=sides).unet
    assert unet.block_out_channels == (128, 128, 256, 256, 512, 512)
    assert [name[:4] == "Attn" for name in unet.down_block_types] == [False] * 4 + [True, False]


def test_they_may_stand_below_a_key(write):
    assert load(write({"model": FFHQ}, "x.yaml")).unet == load(write(FFHQ, "y.yaml")).unet


def test_flags_of_the_diffusion_are_named_and_left_out(spec):
    note = spec(**DIFFUSION).notes[-1]
    assert note == f"x.yaml: not read: {', '.join(DIFFUSION)}"


def test_what_is_no_flag_is_not_overheard():
    assert are_flags(FFHQ)
    assert not are_flags({**FFHQ, "target": "x.UNetModel"})
    assert set(FFHQ) < set(Flags.__struct_fields__)


REFUSED = {
    "a flag that is none": (
        {"num_head": 4},
        "x.yaml:15:3: num_head: unknown key\nhint: did you mean num_heads?",
    ),
    "an argument that is no flag": (
        {"out_channels": 3},
        "x.yaml:15:3: out_channels: unknown key\nhint: guided-diffusion's `create_model` takes "
        "none, and decides it by other flags",
    ),
    "channels without a list": (
        {"image_size": 96},
        "x.yaml:2:3: image_size: expected channel_mult beside it, or one of 512, 256, 128 and 64, "
        "found 96",
    ),
    "a list of no numbers": (
        {"attention_resolutions": "16,x"},
        "x.yaml:8:3: attention_resolutions: expected numbers with commas between them, found the "
        'string "16,x"',
    ),
    "a flag of another type": (
        {"num_heads": "four"},
        'x.yaml:9:3: num_heads: expected an int, found the string "four"',
    ),
    "half as many channels at the first level": (
        {"image_size": 512},
        "x.yaml:5:3: channel_mult: expected 1, found 0.5\n"
        "hint: no family here covers a time of 128 features beside 64 of the image",
    ),
    "heads that do not divide": (
        {"num_head_channels": -1, "num_heads": 3},
        "x.yaml:9:3: num_heads: expected a divisor of the 512 channels of level 4, found 3",
    ),
}


@pytest.mark.parametrize(("changes", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(write, refusal, changes, said):
    assert refusal(write(FFHQ | changes, "x.yaml")) == said


@pytest.mark.parametrize("flag", ["image_size", "use_scale_shift_norm"])
def test_what_may_not_be_missing(write, refusal, flag):
    flags = {key: value for key, value in FFHQ.items() if key != flag}
    assert refusal(write(flags, "x.yaml")).startswith(f"x.yaml:1:1: the flag {flag} is missing")


def test_heads_may_be_missing_beside_their_width_alone(write, refusal, spec):
    flags = {key: value for key, value in FFHQ.items() if key != "num_heads"}
    assert load(write(flags, "x.yaml")).unet == spec().unet
    said = refusal(write({**flags, "num_head_channels": -1}, "x.yaml"))
    assert said.startswith("x.yaml:1:1: the flag num_heads is missing\nhint: its default is not")
