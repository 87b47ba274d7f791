"""The original files describe the networks that were published in diffusers' form too."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
import pytest
import torch
import yaml
from diffusers.loaders.single_file_utils import create_unet_diffusers_config_from_ldm

from unetscope.config import load
from unetscope.config.dialects.compvis_arguments import (
    IGNORED,
    REFUSED,
    ControlNetArguments,
    VideoArguments,
)
from unetscope.config.writing import to_yaml
from unetscope.families import build, find

DATA = Path(__file__).parent / "data"
PUBLISHED = json.loads((DATA.parents[1] / "reference" / "published_unets.json").read_text())

COUNTERPARTS = {
    "v1-inference": "sd15",
    "v1-inpainting-inference": "sd15_inpaint",
    "instruct-pix2pix": "instruct_pix2pix",
    "v2-inference": "sd21_base",
    "v2-inference-v": "sd21",
    "v2-1-stable-unclip-h-inference": "sd21_unclip_h",
    "x4-upscaling": "sd_x4_upscaler",
    "sd_2_1": "sd21_base",
    "sd_xl_base": "sdxl_base",
    "sd_xl_refiner": "sdxl_refiner",
    "sd_xl_inpaint": "sdxl_inpaint",
    "txt2img-1p4B-eval": "ldm_text2im_large_256",
    "cin256-v2": "ldm4_cin256_v2",
    "celebahq-ldm-vq-4": "ldm_celebahq_256",
    "cldm_v15": "sd15",
    "cldm_v15.yaml#unet_config": "sd15",
    "cldm_v15.yaml#control_stage_config": "controlnet_sd15",
}
OWN_SIZES = ("instruct-pix2pix", "v2-inference-v", "sd_2_1")
"""Files that tell another size than was published, or none."""


def path(name):
    return str(DATA / name) if "#" in name else str(DATA / f"{name}.yaml")


def shaping(options):
    """Options with heads one a level, and without those that shape nothing."""
    values = msgspec.structs.asdict(options)
    heads, levels = values["attention_head_dim"], len(options.block_out_channels)
    if not isinstance(heads, tuple) and type(options) is not find("UNet2DModel").options:
        values["attention_head_dim"] = (heads,) * levels
    return {key: values[key] for key in values if key not in ("sample_size", "upcast_attention")}


def shapes(family, options):
    with torch.device("meta"):
        network = build(family, options)
    return {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}


@pytest.mark.parametrize(("name", "published"), COUNTERPARTS.items())
def test_the_published_network(name, published):
    reference = PUBLISHED[published]
    spec = load(path(name))
    options = msgspec.convert(reference["config"], find(reference["class"]).options)
    assert spec.family == reference["class"]
    assert shaping(spec.unet) == shaping(options)
    made = shapes(spec.family, spec.unet)
    assert made == shapes(spec.family, options)
    assert len(made) == reference["n_tensors"]
    if name not in OWN_SIZES:
        size = reference["config"].get("sample_size", 64)
        assert (spec.inputs.height, spec.inputs.width) == (size, size)


@pytest.mark.parametrize(
    "name", ["v2-inpainting-inference", *(n for n in COUNTERPARTS if "ldm-vq" not in n)]
)
def test_diffusers_reads_the_same_in_it(name):
    """The reader of diffusers' `from_single_file`, where it reads a file at all."""
    original = yaml.safe_load(Path(path(name).partition("#")[0]).read_text())
    spec = load(path(name.partition(".")[0]))
    theirs = create_unet_diffusers_config_from_ldm(original, {})
    assert shaping(spec.unet) == shaping(msgspec.convert(theirs, find(spec.family).options))


def test_sizes():
    def sizes(name):
        spec = load(path(name))
        return spec.inputs.height, spec.inputs.width, spec.inputs.tokens

    assert sizes("instruct-pix2pix") == (16, 16, 77)
    assert sizes("cin256-v2") == (64, 64, 1)  # a class is one token
    assert sizes("sd_xl_base") == (128, 128, 77)
    assert sizes("cldm_v15.yaml#control_stage_config") == (64, 64, 77)
    assert sizes("mnist") == (64, 64, 77)


def test_transformers_of_sgm_without_a_text_read_the_pixels_twice():
    spec = load(path("mnist"))
    assert spec.unet.cross_attention_dim == (32, 64, 64)
    middle = {k: v for k, v in shapes(spec.family, spec.unet).items() if "mid_block" in k}
    assert middle["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"] == (64, 64)


def test_heads_of_one_width_are_counted_by_level(edited):
    """diffusers counts them only beside linear projections; the original always does."""
    spec = load(edited("cin256-v2", "num_heads: 1", "num_head_channels: 32"))
    assert spec.unet.attention_head_dim == (6, 12, 18, 30)
    assert not spec.unet.use_linear_projection


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_show_converts(name, folder):
    spec = load(path(name))
    Path("x.yaml").write_text(to_yaml(load(path(name)).resolved))
    again = load("x.yaml")
    assert (again.unet, again.inputs, again.family) == (spec.unet, spec.inputs, spec.family)


def test_what_show_prints(unetscope):
    printed = unetscope("show", path("x4-upscaling"))
    assert printed.out == (
        "name: x4-upscaling\n"
        "family: UNet2DConditionModel\n"
        "source: x4-upscaling.yaml, model.params.unet_config\n"
        "\n"
        "unet:\n"
        "  sample_size: 128\n"
        "  in_channels: 7\n"
        "  out_channels: 4\n"
        "  down_block_types: [DownBlock2D, CrossAttnDownBlock2D, CrossAttnDownBlock2D, "
        "CrossAttnDownBlock2D]\n"
        "  up_block_types: [CrossAttnUpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D, "
        "UpBlock2D]\n"
        "  only_cross_attention: [true, true, true, false]\n"
        "  block_out_channels: [256, 512, 512, 1024]\n"
        "  layers_per_block: 2\n"
        "  cross_attention_dim: 1024\n"
        "  attention_head_dim: 8\n"
        "  use_linear_projection: true\n"
        "  num_class_embeds: 1000\n"
        "\n"
        "inputs:\n"
        "  batch: 1\n"
        "  height: 128\n"
        "  width: 128\n"
        "  tokens: 77\n"
    )
    assert printed.err == (
        f"note: {path('x4-upscaling')}: ignored, as they shape nothing: use_checkpoint, "
        "image_size, legacy\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "unet_config: {target: a.b.UNetModel, params: {%s}}",
        "target: UNetModel\nparams: {%s}",
        "a: [{b: {target: ldm.openaimodel.UNetModel, params: {%s}}}]",
        "params: {network_config: {target: sgm.x.UNetModel, params: {%s}}}",
    ],
)
def test_wherever_it_stands(write, text):
    arguments = (
        "in_channels: 4, out_channels: 4, model_channels: 32, num_res_blocks: 1, channel_mult: "
        "[1, 2], attention_resolutions: [2], num_heads: 2, use_spatial_transformer: true, "
        "context_dim: 8"
    )
    spec = load(write(text % arguments, "x.yaml"))
    assert spec.unet.block_out_channels == (32, 64)
    assert spec.unet.down_block_types == ("DownBlock2D", "CrossAttnDownBlock2D")


def test_in_json_too(write):
    original = yaml.safe_load(Path(path("v1-inference")).read_text())
    assert load(write(original, "v1.json")).unet == load(path("v1-inference")).unet


def test_a_config_may_extend_one(write):
    base = path("cldm_v15.yaml#control_stage_config")
    spec = load(write(f"extends: {base}\nunet: {{layers_per_block: 1}}\n", "x.yaml"))
    assert (spec.family, spec.unet.layers_per_block) == ("ControlNetModel", 1)


def test_notes():
    [ignored, other] = load(path("cldm_v21")).notes
    assert ignored.endswith("ignored, as they shape nothing: use_checkpoint, image_size, legacy")
    file = path("cldm_v21")
    assert other == (
        f"{file}: this is model.params.unet_config, a ControlledUnetModel; "
        f"`{file}#control_stage_config` is its ControlNet"
    )
    assert load(path("mnist")).notes == ()
    assert "one convolution each" in load(path("celebahq-ldm-vq-4")).notes[1]


def test_attention_at_no_level_is_noted(edited):
    spec = load(edited("v1-inference", "[4, 2, 1]", "[16, 4, 2, 1]"))
    assert spec.notes[-1].endswith("attention_resolutions 16: no level's, which are 1, 2, 4, 8")


def test_each_argument_is_read_ignored_or_refused():
    known = {*VideoArguments.__struct_fields__, *ControlNetArguments.__struct_fields__}
    assert {*IGNORED, *REFUSED} < known


def test_loading_takes_less_than_20_ms():
    def seconds():
        start = time.perf_counter()
        load(path("sd_xl_base"))
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.020
