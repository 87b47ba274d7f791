"""Keys and values that a config must not hold: file:line:column, key, expected, found."""

from __future__ import annotations

import pytest

from unetscope.config.document import parse
from unetscope.config.loading import findings

REFUSED = {
    "a string for an int": (
        "layers_per_block: two",
        "x.yaml:3:3: unet.layers_per_block: expected an int or a list of ints, "
        'found the string "two"',
    ),
    "a YAML 1.1 boolean": (
        "use_linear_projection: yes",
        'x.yaml:3:3: unet.use_linear_projection: expected true or false, found the string "yes"',
    ),
    "a boolean for an int": (
        "in_channels: true",
        "x.yaml:3:3: unet.in_channels: expected an int, found true",
    ),
    "a float for an int": (
        "in_channels: 4.0",
        "x.yaml:3:3: unet.in_channels: expected an int, found 4.0",
    ),
    "a string for a number": (
        "norm_eps: 1_000",
        'x.yaml:3:3: unet.norm_eps: expected a number, found the string "1_000"',
    ),
    "null": (
        "in_channels:",
        "x.yaml:3:3: unet.in_channels: expected an int, found null",
    ),
    "an int for a list": (
        "block_out_channels: 320",
        "x.yaml:3:3: unet.block_out_channels: expected a list of ints, found 320",
    ),
    "a mapping for a list": (
        "block_out_channels: {a: 1}",
        "x.yaml:3:3: unet.block_out_channels: expected a list of ints, found a mapping",
    ),
    "an item of a list": (
        "block_out_channels: [320, 640, wide, 1280]",
        'x.yaml:3:34: unet.block_out_channels.2: expected an int, found the string "wide"',
    ),
    "an item of a nested list": (
        "transformer_layers_per_block: [1, [2, x], 1, 1]",
        "x.yaml:3:41: unet.transformer_layers_per_block.1.1: expected an int or null, "
        'found the string "x"',
    ),
    "an empty list": (
        "block_out_channels: []",
        "x.yaml:3:3: unet.block_out_channels: expected a list of ints with 1 to 16 entries, "
        "found an empty list",
    ),
    "too many levels": (
        f"down_block_types: [{', '.join(['DownBlock2D'] * 17)}]",
        "x.yaml:3:3: unet.down_block_types: expected a list of strings with 1 to 16 entries, "
        "found a list of 17",
    ),
    "three sides": (
        "sample_size: [64, 64, 64]",
        "x.yaml:3:3: unet.sample_size: expected a list of 2 ints, found a list of 3",
    ),
    "a billion layers": (
        "layers_per_block: 1000000000",
        "x.yaml:3:3: unet.layers_per_block: expected an int from 1 to 64, found 1000000000",
    ),
    "no layers": (
        "layers_per_block: [2, 2, 0, 2]",
        "x.yaml:3:28: unet.layers_per_block.2: expected an int from 1 to 64, found 0",
    ),
    "negative channels": (
        "block_out_channels: [-320, 640, 1280, 1280]",
        "x.yaml:3:24: unet.block_out_channels.0: expected an int from 1 to 65,536, found -320",
    ),
    "no epsilon": (
        "norm_eps: 0",
        "x.yaml:3:3: unet.norm_eps: expected a number above 0, found 0",
    ),
    "infinity": (
        "norm_eps: .inf",
        "x.yaml:3:3: unet.norm_eps: expected a number above 0, found inf, not finite",
    ),
    "an unknown key": (
        "layer_per_block: 2",
        "x.yaml:3:3: unet.layer_per_block: unknown key\nhint: did you mean layers_per_block?",
    ),
    "a key that names code": (
        "_target_: os.system",
        "x.yaml:3:3: unet._target_: unknown key\n"
        "hint: a config names no code: unetscope imports and runs nothing that a config names; "
        "if you trust it, `unetscope trace FILE --trust-code` or `unetscope trace os:system "
        "--kwargs '{…}'` runs it",
    ),
    "control characters": (
        'act_fn: "\\e[31m\\u202eulis"',
        "x.yaml:3:3: unet.act_fn: expected silu, swish, gelu, mish or relu, "
        'found the string "\\u001b[31m\\u202eulis"',
    ),
    "an unknown block type": (
        "down_block_types: [CrosAttnDownBlock2D, DownBlock2D, DownBlock2D, DownBlock2D]",
        "x.yaml:3:22: unet.down_block_types.0: expected DownBlock2D, AttnDownBlock2D, "
        "CrossAttnDownBlock2D, ResnetDownsampleBlock2D, SimpleCrossAttnDownBlock2D, KDownBlock2D "
        "or KCrossAttnDownBlock2D, "
        'found the string "CrosAttnDownBlock2D"\n'
        "hint: did you mean CrossAttnDownBlock2D?",
    ),
}


@pytest.mark.parametrize(("line", "said"), REFUSED.values(), ids=REFUSED)
def test_options(write, refusal, line, said):
    assert refusal(write(f"extends: sd15\nunet:\n  {line}\n")) == said


OUTSIDE = {
    "unknown section": (
        "unets: {}\n",
        "x.yaml:1:1: unets: unknown key\nhint: did you mean unet?",
    ),
    "a key far from all": (
        "extends: sd15\nweights: x\n",
        "x.yaml:2:1: weights: unknown key\n"
        "hint: expected one of extends, name, family, source, unet, inputs",
    ),
    "no network": ("name: X\n", "x.yaml:1:1: the key unet is missing: the network's options"),
    "an empty section": ("unet:\n", "x.yaml:1:1: unet: expected a mapping, found null"),
    "a list for a section": (
        "unet: [1]\n",
        "x.yaml:1:1: unet: expected a mapping, found a list of 1",
    ),
    "a family": (
        "family: UNet2DConditonModel\nunet: {}\n",
        "x.yaml:1:1: family: expected one of UNet2DConditionModel, UNet2DModel, "
        "ControlNetModel, Diffusion, SimpleUNet, "
        'found "UNet2DConditonModel"\n'
        "hint: did you mean UNet2DConditionModel?",
    ),
    "a number for a name": (
        "name: 1.5\nunet: {}\n",
        "x.yaml:1:1: name: expected a string or null, found 1.5",
    ),
    "no batch": (
        "unet: {}\ninputs: {batch: 0}\n",
        "x.yaml:2:10: inputs.batch: expected an int from 1 to 65,536, found 0",
    ),
    "an input": (
        "unet: {}\ninputs: {hight: 64}\n",
        "x.yaml:2:10: inputs.hight: unknown key\nhint: did you mean height?",
    ),
    "inputs too large": (
        "unet: {}\ninputs: {batch: 5000, height: 1000, width: 1000}\n",
        "x.yaml:2:23: inputs.height: expected batch x height x width of at most 268,435,456, "
        "found 5,000,000,000",
    ),
    "code to run": (
        "target: ldm.modules.diffusionmodules.openaimodel.UNetModel\nunet: {}\n",
        "x.yaml:1:1: target: unknown key\n"
        "hint: a config names no code: unetscope imports and runs nothing that a config names; "
        "if you trust it, `unetscope trace FILE --trust-code` or `unetscope trace "
        "ldm.modules.diffusionmodules.openaimodel:UNetModel` runs it",
    ),
}


@pytest.mark.parametrize(("text", "said"), OUTSIDE.values(), ids=OUTSIDE)
def test_sections(write, refusal, text, said):
    assert refusal(write(text)) == said


def test_all_problems_are_found_in_one_run():
    document = parse(
        "nme: X\nunet:\n  in_channels: x\n  block_out_channels: [0, 1, true, 9]\n  lr: 1\n"
        "inputs: {batch: -1, tokens: a}\n",
        "x.yaml",
    )
    assert [str(finding.error(document.places).place) for finding in findings(document)] == [
        "x.yaml:1:1",
        "x.yaml:3:3",
        "x.yaml:4:24",
        "x.yaml:4:30",
        "x.yaml:5:3",
        "x.yaml:6:10",
        "x.yaml:6:21",
    ]


@pytest.mark.parametrize("flag", ["batch", "height", "width", "tokens"])
def test_flags(refusal, flag):
    said = refusal("sd15", **{flag: 0})
    assert said.startswith(f"--{flag} 0: inputs.{flag}: expected an int from 1 to 65,536, found 0")
