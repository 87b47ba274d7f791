"""What an original file says that no family covers is refused by name, where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from unetscope.errors import ConfigError
from unetscope.sources import published

DATA = Path(__file__).parent / "data"
PARAMS = "model.params.unet_config.params"
CHANGES = {
    "an argument that is none": (
        ("v1-inference", "num_heads: 8", "num_head: 8"),
        f"x.yaml:20:9: {PARAMS}.num_head: unknown key\nhint: did you mean num_heads?",
    ),
    "an argument of another type": (
        ("v1-inference", "model_channels: 320", "model_channels: many"),
        f'x.yaml:16:9: {PARAMS}.model_channels: expected an int, found the string "many"',
    ),
    "an interpolation": (
        ("v1-inference", "context_dim: 768", "context_dim: ${model.params.width}"),
        f"x.yaml:23:9: {PARAMS}.context_dim: expected an int or a list of ints or null, found the "
        'string "${model.params.width}"',
    ),
    "an argument without which there is no network": (
        ("v1-inference", "model_channels: 320", "dropout: 0"),
        f"x.yaml:12:7: {PARAMS}: the argument model_channels is missing",
    ),
    "groups that do not divide": (
        ("v1-inference", "model_channels: 320", "model_channels: 330"),
        f"x.yaml:16:9: {PARAMS}.model_channels: expected a multiple of the norms' 32 groups at "
        "each level, found 330 channels at level 0",
    ),
    "heads that do not divide": (
        ("v1-inference", "num_heads: 8", "num_heads: 7"),
        f"x.yaml:20:9: {PARAMS}.num_heads: expected a divisor of the 320 channels of level 0, "
        "found 7",
    ),
    "heads of a width that does not divide": (
        ("v2-inference", "num_head_channels: 64", "num_head_channels: 60"),
        f"x.yaml:22:9: {PARAMS}.num_head_channels: expected a divisor of the 320 channels of level "
        "0, found 60",
    ),
    "no heads": (
        ("v1-inference", "num_heads: 8", "num_heads: -1"),
        f"x.yaml:12:7: {PARAMS}: expected num_heads or num_head_channels of at least 1, found "
        "neither",
    ),
    "a list of another length": (
        ("x4-upscaling", "[True, True, True, False]", "[True, False]"),
        f"x.yaml:23:9: {PARAMS}.disable_self_attentions: expected 4 entries, one for each of "
        "channel_mult, found 2",
    ),
    "ResNets that halve, beside transformers": (
        ("v1-inference", "num_heads: 8", "num_heads: 8\n        resblock_updown: true"),
        f"x.yaml:21:9: {PARAMS}.resblock_updown: expected false, found true\n"
        "hint: no family here covers ResNets that halve and double beside transformers",
    ),
    "a decoder with heads of its own": (
        (
            "celebahq-ldm-vq-4",
            "num_head_channels: 32",
            "num_heads: 8\n        num_heads_upsample: 4",
        ),
        f"x.yaml:19:9: {PARAMS}.num_heads_upsample: expected -1 or num_heads, 8, found 4\n"
        "hint: no family here covers a decoder with heads of its own",
    ),
    "a first level of another width": (
        ("celebahq-ldm-vq-4", "channel_mult: [1, 2, 3, 4]", "channel_mult: [2, 2, 3, 4]"),
        f"x.yaml:17:24: {PARAMS}.channel_mult.0: expected 1, found 2\n"
        "hint: the original cannot run otherwise: its last convolution reads model_channels",
    ),
    "attention after some ResNets": (
        ("x4-upscaling", "num_classes: 1000", "num_attention_blocks: [0, 2, 1, 0]"),
        f"x.yaml:15:35: {PARAMS}.num_attention_blocks.1: expected 0, or null for all of them, "
        "found 2\nhint: no family here covers attention after some ResNets of a level alone",
    ),
    "a middle block of another depth": (
        ("cin256-v2", "num_heads: 1", "num_heads: 1\n        transformer_depth_middle: 2"),
        f"x.yaml:20:9: {PARAMS}.transformer_depth_middle: expected null or 1, found 2\n"
        "hint: no family here covers a middle block that is deeper or shallower than its level",
    ),
    "two ends": (
        ("v1-inference", "num_heads: 8", "num_heads: 8\n        n_embed: 8192"),
        f"x.yaml:21:9: {PARAMS}.n_embed: expected null, found 8192\n"
        "hint: no family here covers a network that ends twice, in noise and in codes",
    ),
    "a middle block that looks at the text alone": (
        ("x4-upscaling", "disable_middle_self_attn: False", "disable_middle_self_attn: True"),
        f"x.yaml:24:9: {PARAMS}.disable_middle_self_attn: expected false, found true\n"
        "hint: no family here covers a middle transformer without self-attention",
    ),
    "transformers without a text": (
        ("v1-inference", "context_dim: 768", "dropout: 0"),
        f"x.yaml:21:9: {PARAMS}.use_spatial_transformer: expected context_dim beside it, the width "
        "of the text's tokens",
    ),
    "a text without transformers": (
        ("v1-inference", "use_spatial_transformer: True", "use_spatial_transformer: False"),
        f"x.yaml:23:9: {PARAMS}.context_dim: expected nothing, found 768\n"
        "hint: it means nothing without use_spatial_transformer: true",
    ),
    "many heads of many widths": (
        ("celebahq-ldm-vq-4", "num_head_channels: 32", "num_heads: 9"),
        f"x.yaml:18:9: {PARAMS}.num_heads: expected a divisor of the 448 channels of level 1, "
        "found 9",
    ),
    "texts of many widths": (
        ("v1-inference", "context_dim: 768", "context_dim: [768, 1024]"),
        f"x.yaml:23:9: {PARAMS}.context_dim: expected one width for all transformer blocks, found "
        "a list of 2",
    ),
    "classes of no kind": (
        ("x4-upscaling", "num_classes: 1000", "num_classes: many"),
        f"x.yaml:15:9: {PARAMS}.num_classes: expected a number, sequential, timestep, continuous "
        'or null, found the string "many"',
    ),
    "classes that go on, without a text": (
        (
            "celebahq-ldm-vq-4",
            "out_channels: 3",
            "out_channels: 3\n        num_classes: continuous",
        ),
        f"x.yaml:14:9: {PARAMS}.num_classes: expected a number, timestep or null, found the string "
        '"continuous"\nhint: it goes with transformers alone',
    ),
    "a sequence of no width": (
        ("x4-upscaling", "num_classes: 1000", "num_classes: sequential"),
        f"x.yaml:15:9: {PARAMS}.num_classes: expected adm_in_channels beside it, the width of what "
        "is embedded",
    ),
    "a class that is none": (
        ("v1-inference", "openaimodel.UNetModel", "openaimodel.UnetModel"),
        "x.yaml:11:7: model.params.unet_config.target: expected a class named UNetModel, "
        "ControlledUnetModel, ControlNet, VideoUNet, found the string "
        '"ldm.modules.diffusionmodules.openaimodel.UnetModel"\nhint: did you mean UNetModel?',
    ),
    "no class": (
        ("v1-inference", "target: ldm.modules.diffusionmodules.openaimodel.UNetModel", "x: y"),
        "x.yaml:10:5: model.params.unet_config.target: expected a class named UNetModel, "
        "ControlledUnetModel, ControlNet, VideoUNet, found null",
    ),
    "an image of no size": (
        ("v1-inference", "image_size: 64", "image_size: 0"),
        "x.yaml:5:5: model.params.image_size: expected an int from 1 to 65,536, found 0",
    ),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_a_change(edited, refusal, change, said):
    assert refusal(edited(*change)).startswith(said)


FILES = {
    "a first stage alone": (
        "model:\n  target: ldm.models.autoencoder.AutoencoderKL\n  params: {embed_dim: 4}\n",
        'x.yaml:1:1: model: no UNet in it, the model of a "ldm.models.autoencoder.AutoencoderKL": '
        "expected unet_config or network_config with target and params\n"
        "hint: a UNet is what has a target named UNetModel or ControlledUnetModel",
    ),
    "Karlo's form": (
        "model: {type: t2i-decoder, hparams: {image_size: 64}}\n",
        "x.yaml:1:1: model: no UNet in it: expected unet_config or network_config",
    ),
    "two UNets": (
        "a: {target: x.UNetModel}\nb: {target: y.UNetModel}\n",
        "x.yaml:2:1: b: expected one UNet, found 2: a and b\nhint: FILE#KEY names one",
    ),
    "arguments in a list": (
        "unet_config:\n  target: x.UNetModel\n  params: [1]\n",
        "x.yaml:3:3: unet_config.params: expected a mapping of arguments, found a list of 1",
    ),
    "no arguments": (
        "unet_config:\n  target: x.UNetModel\n",
        "x.yaml:1:1: unet_config.params: the argument in_channels is missing",
    ),
    "code": (
        "unet_config:\n  target: os.system\n  params: {command: echo}\n",
        "x.yaml:2:3: unet_config.target: expected a class named UNetModel, ControlledUnetModel, "
        'ControlNet, VideoUNet, found the string "os.system"',
    ),
    "ours, with their keys": (
        "unet: {}\nunet_config: {target: x.UNetModel}\n",
        "x.yaml:2:1: unet_config: unknown key",
    ),
}


@pytest.mark.parametrize(("text", "said"), FILES.values(), ids=FILES)
def test_a_file(write, refusal, text, said):
    assert refusal(write(text, "x.yaml")).startswith(said)


def test_a_video_unet_is_no_config(edited, refusal):
    said = refusal(edited("svd", "    scale_factor: 0.18215\n", ""))
    assert said == (
        "x.yaml:7:7: model.params.network_config.target: expected one of UNetModel, "
        "ControlledUnetModel, ControlNet, found UNetSpatioTemporalConditionModel's original\n"
        "hint: diffusers builds it, so that it can be traced, but not changed or extended"
    )


OF_VIDEO = {
    "frames that are halved too": (
        ("context_dim: 1024", "context_dim: 1024\n        time_downup: true"),
        "x.yaml:23:9: {}.time_downup: expected false, found true\n"
        "hint: UNetSpatioTemporalConditionModel, which is the nearest, is this alone",
    ),
    "frames that are not mixed by learning": (
        ("        merge_strategy: learned_with_images\n", ""),
        'x.yaml:9:7: {}.merge_strategy: expected the string "learned_with_images", found none, so '
        'the string "fixed"',
    ),
    "wider filters over frames": (
        ("video_kernel_size: [3, 1, 1]", "video_kernel_size: [3, 3, 3]"),
        "x.yaml:27:9: {}.video_kernel_size: expected [3, 1, 1], found [3, 3, 3]",
    ),
    "a vector of no numbers": (
        ("adm_in_channels: 768", "adm_in_channels: 700"),
        "x.yaml:10:9: {}.adm_in_channels: expected a multiple of 256, the dimension of each number "
        "that is embedded, found 700",
    ),
    "no text": (
        ("        context_dim: 1024\n", ""),
        "x.yaml:9:7: {}: expected context_dim beside it, the width of the text's tokens",
    ),
    "no head": (
        ("num_head_channels: 64", "num_head_channels: 60"),
        "x.yaml:19:9: {}.num_head_channels: expected a divisor of the 320 channels of level 0, "
        "found 60",
    ),
}


@pytest.mark.parametrize(("change", "said"), OF_VIDEO.values(), ids=OF_VIDEO)
def test_what_a_video_unet_may_not_be(edited, change, said):
    with pytest.raises(ConfigError) as caught:
        published.find(edited("svd", *change))
    assert str(caught.value).startswith(said.format("model.params.network_config.params"))


def test_a_video_unet_is_traced(unetscope):
    file = str(DATA / "svd.yaml")
    found = unetscope("params", file, "--by", "tensor", "--names", "compvis").out
    assert "1,524,623,082" in found
    assert "input_blocks.1.1.time_stack.0.ff_in.net.0.proj.weight" in found


def test_a_control_net_has_no_resnets_that_halve(edited, refusal):
    file = edited("cldm_v15", "hint_channels: 3", "hint_channels: 3\n        resblock_updown: true")
    assert refusal(f"{file}#control_stage_config").startswith(
        "x.yaml:16:9: model.params.control_stage_config.params.resblock_updown: expected false, "
        "since ControlNetModel has convolutions, found true"
    )


def test_a_part_that_is_not_there(edited, refusal):
    file = edited("v1-inference", "image_size: 64", "image_size: 32")
    assert refusal(f"{file}#control_stage_config") == (
        'x.yaml:2:1: no network under the key "control_stage_config"\n'
        'hint: there is "model.params.unet_config"'
    )
