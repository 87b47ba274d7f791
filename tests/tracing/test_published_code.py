"""diffusers' own UNets, which this package did not write: expected skips are read off their source.

`UNet2DConditionModel.forward` and `UNet2DModel.forward` push `conv_in`, then whatever each down
block returns (its attention's output where it has one, else its ResNet's, then its downsampler's);
every ResNet of an up block pops the newest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from unetscope.ops import operation
from unetscope.record import Trace
from unetscope.tracing import trace

diffusers = pytest.importorskip("diffusers")

CONDITIONED = {
    "block_out_channels": (8, 16, 16),
    "layers_per_block": 1,
    "cross_attention_dim": 8,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
}
PUSHED = [
    "conv_in",
    "down_blocks.0.attentions.0",
    "down_blocks.0.downsamplers.0",
    "down_blocks.1.attentions.0",
    "down_blocks.1.downsamplers.0",
    "down_blocks.2.resnets.0",
]
POPPED_IN = [f"up_blocks.{block}" for block in (0, 0, 1, 1, 2, 2)]
UNCONDITIONED = {
    "sample_size": 16,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
OF_DDPM = [
    "conv_in",
    "down_blocks.0.resnets.0",
    "down_blocks.0.downsamplers.0",
    "down_blocks.1.attentions.0",
]


@cache
def model(kind: str, device: str, **config: Any) -> nn.Module:
    with torch.device("cpu"):
        return getattr(diffusers, kind)(**config).to(device)


def both(kind: str, inputs: dict[str, Any], **config: Any) -> Trace:
    """Its trace, which is the same on meta as on the CPU."""

    def on(device: str) -> Trace:
        given = {
            name: value.to(device) if isinstance(value, torch.Tensor) else value
            for name, value in inputs.items()
        }
        return trace(model(kind, device, **config), kwargs=given)

    record = on("cpu")
    assert on("meta") == record
    assert all(operation(op.name).known for op in record.ops)
    return record


def pushed(record: Trace) -> list[str]:
    calls = [record.values[skip.value].call for skip in record.skips]
    return [record.steps[call].module for call in calls if call is not None]


def popped_in(record: Trace) -> list[str]:
    return [record.steps[record.ops[skip.op].step].module for skip in record.skips]


@pytest.mark.parametrize("size", [(16, 16), (13, 9)], ids=["even", "odd"])
def test_stable_diffusion(size: tuple[int, int]) -> None:
    record = both(
        "UNet2DConditionModel",
        {
            "sample": torch.zeros(2, 4, *size),
            "timestep": torch.tensor(1),
            "encoder_hidden_states": torch.zeros(2, 5, 8),
        },
        **CONDITIONED,
    )
    assert pushed(record) == PUSHED[::-1]
    assert popped_in(record) == POPPED_IN
    assert [skip.push for skip in record.skips] == [5, 4, 3, 2, 1, 0]
    assert all(skip.operand == 1 for skip in record.skips)
    assert record.values[record.skips[-1].value].spec.shape == (2, 8, *size)


def test_residuals_of_a_controlnet_do_not_hide_the_skips() -> None:
    sizes = [(8, 8), (8, 8), (8, 4), (16, 4), (16, 2), (16, 2)]
    record = both(
        "UNet2DConditionModel",
        {
            "sample": torch.zeros(1, 4, 8, 8),
            "timestep": torch.tensor(1),
            "encoder_hidden_states": torch.zeros(1, 5, 8),
            "down_block_additional_residuals": None,
        },
        **CONDITIONED,
    )
    net = model("UNet2DConditionModel", "cpu", **CONDITIONED)
    added = trace(
        net,
        (torch.zeros(1, 4, 8, 8), torch.tensor(1), torch.zeros(1, 5, 8)),
        {
            "down_block_additional_residuals": tuple(
                torch.zeros(1, channels, size, size) for channels, size in sizes
            ),
            "mid_block_additional_residual": torch.zeros(1, 16, 2, 2),
        },
    )
    assert pushed(added) == pushed(record) == PUSHED[::-1]


def test_freeu_s_filtered_skips() -> None:
    net = diffusers.UNet2DConditionModel(**CONDITIONED)
    net.enable_freeu(s1=0.9, s2=0.2, b1=1.2, b2=1.4)
    # FreeU recognises its levels by their channels.
    assert net.up_blocks[0].s1 == 0.9
    record = trace(net, (torch.zeros(1, 4, 16, 16), torch.tensor(1), torch.zeros(1, 5, 8)))
    assert pushed(record) == PUSHED[::-1]


VARIANTS: dict[str, dict[str, Any]] = {
    "as in DDPM": {},
    "one head": {"attention_head_dim": None},
    "ResNets that resample": {"downsample_type": "resnet", "upsample_type": "resnet"},
    "scale and shift": {"resnet_time_scale_shift": "scale_shift"},
    "no attention in the middle": {"add_attention": False},
    "classes": {"num_class_embeds": 3},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_unconditional(name: str) -> None:
    inputs: dict[str, Any] = {"sample": torch.zeros(2, 3, 16, 16), "timestep": torch.tensor(3)}
    if name == "classes":
        inputs["class_labels"] = torch.zeros(2, dtype=torch.int64)
    record = both("UNet2DModel", inputs, **{**UNCONDITIONED, **VARIANTS[name]})
    assert pushed(record) == OF_DDPM[::-1]
    assert popped_in(record) == ["up_blocks.0", "up_blocks.0", "up_blocks.1", "up_blocks.1"]


def test_text_and_class_embeddings_that_are_concatenated() -> None:
    record = trace(
        diffusers.UNet2DConditionModel(
            **CONDITIONED,
            class_embed_type="projection",
            projection_class_embeddings_input_dim=6,
            class_embeddings_concat=True,
        ),
        (torch.zeros(2, 4, 16, 16), torch.tensor(1), torch.zeros(2, 5, 8)),
        {"class_labels": torch.zeros(2, 6)},
    )
    assert pushed(record) == PUSHED[::-1]


def test_added_conditions_of_sdxl() -> None:
    record = trace(
        diffusers.UNet2DConditionModel(
            **CONDITIONED,
            addition_embed_type="text_time",
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=4 * 6 + 8,
        ),
        (torch.zeros(2, 4, 16, 16), torch.tensor(1), torch.zeros(2, 5, 8)),
        {"added_cond_kwargs": {"text_embeds": torch.zeros(2, 8), "time_ids": torch.zeros(2, 6)}},
    )
    assert pushed(record) == PUSHED[::-1]
    assert [argument.name for argument in record.inputs] == [
        "sample",
        "timestep",
        "encoder_hidden_states",
        "added_cond_kwargs.text_embeds",
        "added_cond_kwargs.time_ids",
    ]


def test_added_keys_and_values_are_no_skips() -> None:
    types = ("SimpleCrossAttnDownBlock2D",) * 3
    record = trace(
        diffusers.UNet2DConditionModel(
            **{
                **CONDITIONED,
                "down_block_types": types,
                "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
                "up_block_types": ("SimpleCrossAttnUpBlock2D",) * 3,
            }
        ),
        (torch.zeros(2, 4, 16, 16), torch.tensor(1), torch.zeros(2, 5, 8)),
    )
    assert len(record.skips) == 6
    assert popped_in(record) == POPPED_IN
    assert [skip.push for skip in record.skips] == [5, 4, 3, 2, 1, 0]


def test_of_sounds() -> None:
    """`UNet1DModel`: each down block gives its last tensor alone, each up block takes it first."""
    record = both(
        "UNet1DModel",
        {"sample": torch.zeros(1, 2, 256), "timestep": torch.tensor([1])},
        block_out_channels=(32, 32, 64),
        extra_in_channels=64,
    )
    assert popped_in(record) == ["up_blocks.0", "up_blocks.1", "up_blocks.2"]
    assert [record.values[skip.value].spec.shape for skip in record.skips] == [
        (1, 64, 64),
        (1, 32, 128),
        (1, 32, 256),
    ]


VIDEO: dict[str, Any] = {
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "cross_attention_dim": 8,
}


def test_of_videos() -> None:
    """`UNet3DConditionModel`: its temporal attentions come after the spatial ones."""
    record = both(
        "UNet3DConditionModel",
        {
            "sample": torch.zeros(1, 4, 3, 8, 8),
            "timestep": torch.tensor([1]),
            "encoder_hidden_states": torch.zeros(1, 5, 8),
        },
        **VIDEO,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
    )
    assert pushed(record) == [
        "down_blocks.1.temp_convs.0",
        "down_blocks.0.downsamplers.0",
        "down_blocks.0.temp_attentions.0",
        "transformer_in",
    ]
    assert popped_in(record) == ["up_blocks.0", "up_blocks.0", "up_blocks.1", "up_blocks.1"]


def test_of_stable_video_diffusion() -> None:
    """Each of its ResNets and attentions mixes space and time by `+`: those are no skips."""
    record = both(
        "UNetSpatioTemporalConditionModel",
        {
            "sample": torch.zeros(1, 3, 8, 8, 8),
            "timestep": torch.tensor([1]),
            "encoder_hidden_states": torch.zeros(1, 1, 8),
            "added_time_ids": torch.zeros(1, 3),
        },
        **VIDEO,
        num_attention_heads=(2, 4),
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=12,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    )
    assert pushed(record) == [
        "down_blocks.1.resnets.0",
        "down_blocks.0.downsamplers.0",
        "down_blocks.0.attentions.0",
        "conv_in",
    ]


def test_parameters_are_all_there() -> None:
    net = model("UNet2DConditionModel", "cpu", **CONDITIONED)
    record = both(
        "UNet2DConditionModel",
        {
            "sample": torch.zeros(1, 4, 8, 8),
            "timestep": torch.tensor(1),
            "encoder_hidden_states": torch.zeros(1, 5, 8),
        },
        **CONDITIONED,
    )
    assert record.total_params == sum(parameter.numel() for parameter in net.parameters())
    named = {value.source for value in record.values} - {None}
    inputs = {argument.name for argument in record.inputs}
    assert named == inputs | {name for name, _ in net.named_parameters()}
