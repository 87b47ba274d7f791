"""`config.json` of classes that no family here covers: diffusers builds them."""

from __future__ import annotations

import json
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import diffusers
import pytest

from unetscope.cli import run
from unetscope.config.dialects.diffusers import OTHER_UNETS
from unetscope.config.dialects.diffusers import published as families_of_diffusers
from unetscope.errors import UnetscopeError
from unetscope.files import locks
from unetscope.record import TensorSpec
from unetscope.sources import Request, published, resolve
from unetscope.sources.inputs import leaves

NARROW = {
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "cross_attention_dim": 8,
    "sample_size": 8,
}
LEVEL = ["SDCascadeResBlock", "SDCascadeTimestepBlock"]
WITH_TEXT = {
    **NARROW,
    "attention_head_dim": 4,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
}
TEXT_TIME = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 1280 + 6 * 8,
}
VIDEO = {
    **NARROW,
    "attention_head_dim": 4,
    "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
    "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
}
MOTION = {
    **NARROW,
    "num_attention_heads": 4,
    "down_block_types": ["CrossAttnDownBlockMotion", "DownBlockMotion"],
    "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion"],
}
ENCODER = ("block_out_channels", "layers_per_block", "cross_attention_dim", "down_block_types")
CASCADE = {
    "block_out_channels": [32, 64],
    "num_attention_heads": [0, 4],
    "down_num_layers_per_block": [1, 2],
    "up_num_layers_per_block": [2, 1],
    "down_blocks_repeat_mappers": [1, 1],
    "up_blocks_repeat_mappers": [1, 1],
    "block_types_per_layer": [LEVEL, LEVEL],
}
PLANS = {
    "act_fn": "mish",
    "block_out_channels": [32, 64, 128, 256],
    "down_block_types": ["DownResnetBlock1D"] * 4,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "in_channels": 14,
    "out_channels": 14,
    "sample_size": 65536,
    "time_embedding_type": "positional",
    "use_timestep_embedding": True,
}


def encoder(of, **other):
    """The options that a ControlNet shares with a UNet, and others."""
    return {**{key: of[key] for key in ENCODER}, **other}


FILES = {
    "AudioLDM2UNet2DConditionModel": {
        **WITH_TEXT,
        "in_channels": 8,
        "out_channels": 8,
        "cross_attention_dim": [[None, 8, 16], [None, 8, 16]],
    },
    "ControlNetUnionModel": encoder(
        WITH_TEXT,
        attention_head_dim=4,
        conditioning_embedding_out_channels=[8, 16],
        num_trans_channel=32,
        num_proj_channel=32,
        addition_time_embed_dim=8,
    ),
    "DreamLiteUNetModel": {
        **NARROW,
        "attention_head_dim": 4,
        "down_block_types": ["DreamLiteCrossAttnNoSelfAttnDownBlock2D", "DreamLiteDownBlock2D"],
        "up_block_types": ["DreamLiteUpBlock2D", "DreamLiteCrossAttnUpBlock2D"],
        "addition_embed_type": "time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 16,
        "encoder_hid_dim": 24,
        "encoder_hid_dim_type": "text_proj_rms",
    },
    "I2VGenXLUNet": VIDEO,
    "Kandinsky3UNet": {
        "time_embedding_dim": 16,
        "groups": 8,
        "attention_head_dim": 8,
        "layers_per_block": 2,
        "block_out_channels": [32, 64, 64],
        "cross_attention_dim": 16,
        "encoder_hid_dim": 8,
    },
    "SparseControlNetModel": encoder(MOTION, num_attention_heads=4),
    "StableCascadeUNet": {
        **CASCADE,
        "clip_text_in_channels": 8,
        "clip_image_in_channels": 8,
        "effnet_in_channels": 16,
    },
    "T2IAdapter": {"channels": [8, 16], "num_res_blocks": 1},
    "UNet1DModel": {"extra_in_channels": 64, "sample_size": 1024},
    "UNet3DConditionModel": VIDEO,
    "UNetControlNetXSModel": {
        **{key: WITH_TEXT[key] for key in ENCODER if key != "layers_per_block"},
        "up_block_types": WITH_TEXT["up_block_types"],
        "sample_size": 8,
        "num_attention_heads": 4,
        "ctrl_block_out_channels": [8, 16],
        "ctrl_num_attention_heads": 2,
        "ctrl_conditioning_embedding_out_channels": [8, 16],
    },
    "UNetFlatConditionModel": {
        **NARROW,
        "in_channels": [12, 1, 1],
        "out_channels": [12, 1, 1],
        "attention_head_dim": 4,
        "down_block_types": ["CrossAttnDownBlockFlat", "DownBlockFlat"],
        "up_block_types": ["UpBlockFlat", "CrossAttnUpBlockFlat"],
    },
    "UNetMotionModel": MOTION,
    "UNetSpatioTemporalConditionModel": {
        **NARROW,
        "num_attention_heads": 4,
        "num_frames": 3,
        "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
        "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"],
    },
    "UniDiffuserModel": {
        "text_dim": 8,
        "clip_img_dim": 8,
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "in_channels": 4,
        "out_channels": 4,
        "num_layers": 4,
        "norm_num_groups": 8,
        "sample_size": 8,
        "patch_size": 2,
        "use_data_type_embedding": True,
        "use_patch_pos_embed": True,
    },
    "UVit2DModel": {
        "hidden_size": 32,
        "cond_embed_dim": 8,
        "encoder_hidden_size": 8,
        "in_channels": 16,
        "block_out_channels": 16,
        "block_num_heads": 2,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "downsample": True,
        "upsample": True,
        "sample_size": 8,
    },
    "WuerstchenDiffNeXt": {
        "blocks": [1, 1],
        "c_cond": 16,
        "c_hidden": [16, 32],
        "clip_embd": 8,
        "inject_effnet": [False, True],
        "level_config": ["CT", "CTA"],
        "nhead": [-1, 2],
    },
    "WuerstchenPrior": {"c": 16, "c_cond": 8, "depth": 1, "nhead": 2},
}
ALSO = {
    "a motion model as large as SDXL's": ("UNetMotionModel", {**MOTION, **TEXT_TIME}),
    "one that reads few frames": ("UNetMotionModel", {**MOTION, "motion_max_seq_length": 8}),
    "one of a guided time": ("UNetMotionModel", {**MOTION, "time_cond_proj_dim": 8}),
    "a ControlNet as large as SDXL's": (
        "ControlNetUnionModel",
        {**FILES["ControlNetUnionModel"], **TEXT_TIME},
    ),
    "a ControlNet that knows classes": (
        "ControlNetUnionModel",
        {**FILES["ControlNetUnionModel"], "num_class_embeds": 4},
    ),
    "sketches that are shrunk": (
        "SparseControlNetModel",
        {
            **FILES["SparseControlNetModel"],
            "use_simplified_condition_embedding": False,
            "conditioning_channels": 3,
            "concat_conditioning_mask": False,
        },
    ),
    "one text for sounds": (
        "AudioLDM2UNet2DConditionModel",
        {**FILES["AudioLDM2UNet2DConditionModel"], "cross_attention_dim": 8},
    ),
    "a prior without images": ("StableCascadeUNet", CASCADE),
    "plans": (
        "UNet1DModel",
        {
            **PLANS,
            "mid_block_type": "MidResTemporalBlock1D",
            "out_block_type": "OutConv1DBlock",
            "up_block_types": ["UpResnetBlock1D"] * 3,
        },
    ),
    "the value of plans": (
        "UNet1DModel",
        {
            **PLANS,
            "downsample_each_block": True,
            "mid_block_type": "ValueFunctionMidBlock1D",
            "out_block_type": "ValueFunction",
            "up_block_types": [],
        },
    ),
}
WITHOUT_SKIPS = {"ControlNetUnionModel", "SparseControlNetModel", "T2IAdapter"}
"""They feed the skips of another network."""
IN_A_ROW = {"UVit2DModel", "WuerstchenPrior"}
"""They have levels, or blocks of a UNet, but nothing joins over them."""


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


def class_of(kind):
    """The class itself."""
    return getattr(import_module(published.CLASSES[kind].module), kind)


@pytest.mark.parametrize(
    ("kind", "options"),
    [*FILES.items(), *ALSO.values()],
    ids=[*FILES, *ALSO],
)
def test_every_class_runs_with_the_inputs_that_are_guessed(write, kind, options):
    trace = resolve(Request(str(write(kind, **options)))).trace()
    built = class_of(kind).from_config(options)
    assert trace.total_params == sum(tensor.numel() for tensor in built.parameters())
    assert bool(trace.skips) == (
        kind not in WITHOUT_SKIPS | IN_A_ROW and options.get("out_block_type") != "ValueFunction"
    )
    assert trace.name == kind


READ_NO_TEXT = {"T2IAdapter", "UNet1DModel", "UNetSpatioTemporalConditionModel"}
WITHOUT_ROWS = {"UNet1DModel", "UNetFlatConditionModel"}
"""Their samples have a length, or are codes."""


@pytest.mark.parametrize("kind", FILES)
def test_inputs_have_the_sizes_that_the_user_gave(write, kind):
    request = Request(str(write(kind, **FILES[kind])), batch=3, height=48, width=80, tokens=11)
    network = resolve(request)
    given = network.inputs(network.build()).kwargs
    shapes = [leaf.shape for _, leaf in leaves(given) if isinstance(leaf, TensorSpec)]
    assert all(shape[0] % 3 == 0 for shape in shapes)
    assert kind in READ_NO_TEXT or any(11 in shape for shape in shapes)
    assert kind in WITHOUT_ROWS or any(shape[-2:] == (48, 80) for shape in shapes)


def test_the_table_has_no_class_that_a_family_covers():
    assert set(FILES) == set(published.CLASSES) == set(OTHER_UNETS)
    assert not set(published.CLASSES) & set(families_of_diffusers())
    assert all(issubclass(class_of(kind), diffusers.ModelMixin) for kind in published.CLASSES)


NAMES = re.compile(r"unet|u_?vit|controlnet|wuerst|adapter|utransformer|unidiffuser(?!text)", re.I)
CLASS = re.compile(r"^class (\w+)(?:\(([^)]*)\))?:(.*?)(?=^\S)", re.MULTILINE | re.DOTALL)


def unet_like():
    """The models of diffusers that are named as UNets are or have their blocks: name -> bases."""
    found = {}
    for file in Path(diffusers.__file__).parent.rglob("*.py"):
        if not file.name.startswith("dummy_"):
            for name, bases, body in CLASS.findall(file.read_text(encoding="utf-8") + "\n#"):
                found[name] = ({base.strip() for base in bases.split(",")}, body)
    models = {"ModelMixin"}
    while new := {name for name, (bases, _) in found.items() if bases & models} - models:
        models |= new
    return {
        name: found[name][0]
        for name in models & set(found)
        if NAMES.search(name) or re.search(r"self\.(down|up)_blocks\b", found[name][1])
    }


UNET_LIKE = unet_like()
WHY_NOT = (
    "it is a part of a ",
    "this is a transformer",
    "this is an autoencoder",
    "this steers a transformer",
)


@pytest.mark.parametrize("kind", sorted(UNET_LIKE))
def test_every_unet_like_class_of_diffusers_is_known(write, kind):
    """A family covers it, the table has it, it has no config, or the message says why not."""
    if kind in published.CLASSES or kind in families_of_diffusers():
        return
    bases = UNET_LIKE[kind]
    if "ConfigMixin" not in bases:
        assert "Multi" in kind  # holds several networks, each with its own file
        return
    with pytest.raises(UnetscopeError) as caught:
        resolve(Request(str(write(kind))))
    assert caught.value.hint.startswith(WHY_NOT)


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
    with pytest.raises(UnetscopeError, match="expected 64") as caught:  # its own defaults
        resolve(Request(str(write("UNet1DModel")))).trace()
    assert "`extra_in_channels: 64` fits" in caught.value.hint
    with pytest.raises(UnetscopeError, match=r"expected 64, .* found 16") as caught:
        resolve(Request(str(write("UNet1DModel", extra_in_channels=16)))).trace()
    assert "`time_embedding_dim: 16` fits" in caught.value.hint
    path = str(write("UNetMotionModel"))
    for more in ({"overrides": ("a=1",)}, {"kwargs": "{}"}, {"controlnet": "controlnet_sd15"}):
        with pytest.raises(UnetscopeError, match="diffusers builds it from its file"):
            resolve(Request(path, **more)).trace()
