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


def test_long_skips_of_a_transformer(traced):
    """HunyuanDiT, six blocks: 0 and 1 are pushed, `skip_linear` of 4 and 5 takes them back."""
    found = traced(
        lambda: diffusers.HunyuanDiT2DModel(
            num_attention_heads=2,
            attention_head_dim=8,
            in_channels=4,
            patch_size=2,
            hidden_size=16,
            num_layers=6,
            sample_size=8,
            cross_attention_dim=8,
            cross_attention_dim_t5=8,
            pooled_projection_dim=8,
            text_len=4,
            text_len_t5=4,
        ),
        [torch.zeros(1, 4, 8, 8), torch.zeros(1)],
        {
            "encoder_hidden_states": torch.zeros(1, 4, 8),
            "text_embedding_mask": torch.ones(1, 4),
            "encoder_hidden_states_t5": torch.zeros(1, 4, 8),
            "text_embedding_mask_t5": torch.ones(1, 4),
            "image_meta_size": torch.zeros(1, 6),
            "style": torch.zeros(1, dtype=torch.int64),
            "image_rotary_emb": (torch.zeros(16, 8), torch.zeros(16, 8)),
        },
    )
    assert list(zip(found.pushed, found.joined_in, strict=True)) == [
        ("blocks.1", "blocks.4"),
        ("blocks.0", "blocks.5"),
    ]


def test_networks_without_skips(traced):
    """DiT, MMDiT and a first stage: residuals, and text and image that attend jointly."""
    image = torch.zeros(1, 4, 8, 8)
    small = {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "num_layers": 3}
    dit = traced(
        lambda: diffusers.DiTTransformer2DModel(**small, sample_size=8, norm_num_groups=2),
        [image, TIME],
        {"class_labels": TIME},
    )
    joint = traced(
        lambda: diffusers.SD3Transformer2DModel(
            **small, sample_size=8, joint_attention_dim=8, caption_projection_dim=16,
            pooled_projection_dim=8,
        ),
        [image, torch.zeros(1, 5, 8), torch.zeros(1, 8), TIME],
    )  # fmt: skip
    stage = traced(
        lambda: diffusers.AutoencoderKL(
            block_out_channels=(32, 32),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        ),
        [torch.zeros(1, 3, 16, 16)],
    )
    assert (dit.edges, joint.edges, stage.edges) == ([], [], [])
