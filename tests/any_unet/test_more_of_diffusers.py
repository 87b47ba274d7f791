"""Networks of diffusers beside those that the tracer's own tests read."""

from __future__ import annotations

import diffusers
import torch
from diffusers.models import StableCascadeUNet
from torch import nn

from unetscope import load

TIME = torch.zeros(1, dtype=torch.int64)
NARROW = {
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "cross_attention_dim": 8,
    "attention_head_dim": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
}


class Controlled(nn.Module):
    """A ControlNet whose residuals are added to a UNet's skips, as pipelines do it."""

    def __init__(self) -> None:
        super().__init__()
        self.control = diffusers.ControlNetModel(
            **NARROW, conditioning_embedding_out_channels=(16, 32)
        )
        self.unet = diffusers.UNet2DConditionModel(
            **NARROW, up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")
        )

    def forward(self, x, t, text, condition):
        down, middle = self.control(x, t, text, condition, return_dict=False)
        return self.unet(
            x,
            t,
            text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample


def test_a_control_net_feeding_a_unet(traced):
    """The skips are the UNet's; its ControlNet's copy joins nothing."""
    found = traced(
        Controlled,
        [torch.zeros(1, 4, 8, 8), TIME, torch.zeros(1, 5, 8), torch.zeros(1, 3, 16, 16)],
        real=True,
    )
    assert found.pushed == [
        "unet.down_blocks.1.resnets.0",
        "unet.down_blocks.0.downsamplers.0",
        "unet.down_blocks.0.attentions.0",
        "unet.conv_in",
    ]
    assert load(found.record).tables()["steps"][0]["block"] == "unet.up_blocks.0"


def test_motion(traced):
    """Frames are images to its 2-D layers; each layer ends in a motion module."""
    found = traced(
        lambda: diffusers.UNetMotionModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            cross_attention_dim=8,
            num_attention_heads=4,
            down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
            up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        ),
        [torch.zeros(1, 4, 3, 8, 8), TIME, torch.zeros(3, 5, 8)],
    )
    assert found.pushed == [
        "down_blocks.1.motion_modules.0",
        "down_blocks.0.downsamplers.0",
        "down_blocks.0.motion_modules.0",
        "conv_in",
    ]
    parts = {row[0].data: row[1].data for row in found.tables()["parts"].rows}
    assert parts["decoder"] == ["up_blocks.0", "up_blocks.1"]


def test_kandinsky_3(traced):
    """All down blocks but the last push, all up blocks but the first join, in the root."""
    found = traced(
        lambda: diffusers.Kandinsky3UNet(
            in_channels=4,
            time_embedding_dim=16,
            groups=8,
            attention_head_dim=8,
            layers_per_block=2,
            block_out_channels=(32, 64, 64),
            cross_attention_dim=16,
            encoder_hid_dim=8,
        ),
        [torch.zeros(1, 4, 16, 16), TIME],
        {"encoder_hidden_states": torch.zeros(1, 5, 8), "encoder_attention_mask": torch.ones(1, 5)},
    )
    assert found.pushed == ["down_blocks.1", "down_blocks.0"]
    assert found.joined_in == ["", ""]


def test_stable_cascade(traced):
    """Levels begin with a ResNet block that joins the encoder's level; the deepest does not."""
    found = traced(
        lambda: StableCascadeUNet(
            in_channels=4,
            out_channels=4,
            timestep_ratio_embedding_dim=16,
            patch_size=1,
            conditioning_dim=32,
            block_out_channels=(32, 64),
            num_attention_heads=(0, 4),
            down_num_layers_per_block=(1, 2),
            up_num_layers_per_block=(2, 1),
            down_blocks_repeat_mappers=(1, 1),
            up_blocks_repeat_mappers=(1, 1),
            block_types_per_layer=(
                ("SDCascadeResBlock", "SDCascadeTimestepBlock"),
                ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
            ),
            clip_text_in_channels=16,
            clip_text_pooled_in_channels=16,
            clip_image_in_channels=16,
            clip_seq=4,
            switch_level=(False,),
            kernel_size=3,
            dropout=(0.0, 0.0),
        ),
        [torch.zeros(1, 4, 16, 16), torch.zeros(1)],
        {
            "clip_text_pooled": torch.zeros(1, 1, 16),
            "clip_text": torch.zeros(1, 5, 16),
            "clip_img": torch.zeros(1, 1, 16),
        },
    )
    assert found.pushed == ["down_blocks.0.1"]
    assert found.joined_in == ["up_blocks.1.0"]


def test_videos_have_tables_of_their_images(traced):
    """A sample `(B, F, C, H, W)` is worked on as `(BF, C, H, W)`: those are the feature maps."""
    found = traced(
        lambda: diffusers.UNetSpatioTemporalConditionModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            cross_attention_dim=8,
            num_attention_heads=(2, 4),
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=12,
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        ),
        [torch.zeros(1, 3, 8, 8, 8), TIME, torch.zeros(1, 1, 8), torch.zeros(1, 3)],
    )
    tables = found.tables()
    assert {"parts", "encoder", "middle", "decoder"} <= set(tables)
    assert [row[2] for row in tables["parts"].rows][1] == (3, 32, 8, 8)
