"""Options that do not fit each other."""

from __future__ import annotations

import pytest

from unetscope.config import load
from unetscope.config.document import parse
from unetscope.config.loading import findings

REFUSED = {
    "fewer up blocks": (
        "up_block_types: [UpBlock2D, UpBlock2D]",
        "3:3: unet.up_block_types: expected 4 entries, one for each of down_block_types, found 2",
    ),
    "fewer channels": (
        "block_out_channels: [320, 640, 1280]",
        "3:3: unet.block_out_channels: expected 4 entries, one for each of down_block_types, "
        "found 3",
    ),
    "more layers": (
        "layers_per_block: [2, 2, 2, 2, 2]",
        "3:3: unet.layers_per_block: expected 4 entries, one for each of down_block_types, found 5",
    ),
    "heads of one level": (
        "attention_head_dim: [8]",
        "3:3: unet.attention_head_dim: expected 4 entries, one for each of down_block_types, "
        "found 1",
    ),
    "depths without their reverse": (
        "transformer_layers_per_block: [1, [1, 2], 1, 1]",
        "3:37: unet.transformer_layers_per_block.1: a list for each ResNet needs "
        "reverse_transformer_layers_per_block, found null\n"
        "hint: the decoder has one ResNet more a level, so its lists have one entry more",
    ),
    "depths for one ResNet of two": (
        "transformer_layers_per_block: [1, [2], 1, 1]\n"
        "  reverse_transformer_layers_per_block: [1, 1, [1, 1, 1], 1]",
        "3:37: unet.transformer_layers_per_block.1: expected 2 entries, "
        "one for each ResNet of the block, found 1",
    ),
    "depths for two ResNets of three": (
        "reverse_transformer_layers_per_block: [1, 1, [1, 1], 1]",
        "3:48: unet.reverse_transformer_layers_per_block.2: expected 3 entries, "
        "one for each ResNet of the block, found 2",
    ),
    "channels that the groups do not divide": (
        "block_out_channels: [320, 640, 1000, 1280]",
        "3:34: unet.block_out_channels.2: expected a multiple of norm_num_groups, 32, found 1000\n"
        "hint: 992 or 1024 would do",
    ),
    "channels below the groups": (
        "block_out_channels: [16, 640, 1280, 1280]",
        "3:24: unet.block_out_channels.0: expected a multiple of norm_num_groups, 32, found 16\n"
        "hint: 32 would do",
    ),
    "groups that divide no channels": (
        "norm_num_groups: 48",
        "3:3: unet.norm_num_groups: expected a divisor of the levels' channels, "
        "320, 640 and 1280, found 48\nhint: 40 divides all of block_out_channels",
    ),
    "heads that divide no channels": (
        "attention_head_dim: 7",
        "3:3: unet.attention_head_dim: expected a divisor of the levels' channels, "
        "320, 640 and 1280, found 7\n"
        "hint: attention_head_dim is the number of heads here, whatever its name says",
    ),
    "heads of one level that do not divide its channels": (
        "attention_head_dim: [8, 8, 24, 8]",
        "3:30: unet.attention_head_dim.2: expected a divisor of the level's 1280 channels, "
        "found 24\n"
        "hint: attention_head_dim is the number of heads here, whatever its name says",
    ),
    "an encoder of 64 layers with 64 transformer blocks each": (
        "layers_per_block: 64\n  transformer_layers_per_block: 64",
        "4:3: unet.transformer_layers_per_block: expected a network of at most 1,000 ResNets "
        "and transformer blocks, found 25,350",
    ),
    "classes beside the time, and more on top of it": (
        "num_class_embeds: 10\n  class_embeddings_concat: true\n"
        "  addition_embed_type: text_time\n  addition_time_embed_dim: 8\n"
        "  projection_class_embeddings_input_dim: 64",
        "4:3: unet.class_embeddings_concat: expected false, since addition_embed_type text_time "
        "adds to the time what is as wide as the time alone, found true",
    ),
    "texts of two widths": (
        "cross_attention_dim: [320, 640, 768, 1280]",
        "3:35: unet.cross_attention_dim.2: expected the level's channels, 1280, since no text is "
        "as wide as all of cross_attention_dim, found 768",
    ),
    "an up block with fewer ResNets than residuals": (
        "up_layers_per_block: [3, 2, 3, 3]",
        "3:28: unet.up_layers_per_block.1: expected 3 ResNets, one for each residual of their "
        "resolution, found 2, with which down_blocks.1.downsamplers.0 would be left\n"
        "hint: which residuals they join must be said, such as [0, 1], [0, 2] or [1, 2]: 0 is "
        "down_blocks.2.attentions.1, 1 is down_blocks.2.attentions.0, 2 is "
        "down_blocks.1.downsamplers.0",
    ),
    "up blocks with more ResNets than residuals": (
        "layers_per_block: [2, 2, 2, 1]\n  up_layers_per_block: 3",
        "4:3: unet.up_layers_per_block: expected 2 ResNets, one for each residual of their "
        "resolution, found 3, of which up_blocks.0.resnets.2 would find none\n"
        "hint: null joins none, such as [0, 1, null]",
    ),
    "a residual that is not pushed": (
        "up_layers_per_block: [3, 3, 3, [0, null, 3]]",
        "3:44: unet.up_layers_per_block.3.2: expected 0 to 2, since 3 residuals are pushed at its "
        "resolution, found 3\nhint: the oldest, 2, is conv_in",
    ),
    "residuals out of order": (
        "up_layers_per_block: [3, 3, 3, [0, 2, 1]]",
        "3:41: unet.up_layers_per_block.3.2: expected more than 2, since residuals are popped the "
        "newest first and joined once, found 1",
    ),
    "an up block without ResNets": (
        "up_layers_per_block: [3, 3, 3, []]",
        "3:34: unet.up_layers_per_block.3: expected 1 to 64 entries, one for each ResNet of the "
        "block, found 0",
    ),
    "depths of a ResNet that was removed": (
        "up_layers_per_block: [3, [0, 2], 3, 3]\n"
        "  reverse_transformer_layers_per_block: [1, [1, 1, 1], 1, 1]",
        "4:45: unet.reverse_transformer_layers_per_block.1: expected 2 entries, one for each "
        "ResNet of the block, found 3",
    ),
    "no depth for the middle": (
        "transformer_layers_per_block: [1, 1, 1, null]",
        "3:3: unet.transformer_layers_per_mid_block: expected a number, since the last level has "
        "no transformer whose depth UNetMidBlock2DCrossAttn could have, found null",
    ),
    "an empty list of depths": (
        "transformer_layers_per_block: [1, 1, 1, []]\n"
        "  reverse_transformer_layers_per_block: [1, 1, 1, 1]",
        "3:43: unet.transformer_layers_per_block.3: expected 2 entries, "
        "one for each ResNet of the block, found 0",
    ),
    "number of heads": (
        "num_attention_heads: 8",
        "3:3: unet.num_attention_heads: expected null, found 8\n"
        "hint: published configs give the number of heads as attention_head_dim",
    ),
    "time ids wider than what they are projected from": (
        "addition_embed_type: text_time\n  addition_time_embed_dim: 256\n"
        "  projection_class_embeddings_input_dim: 256",
        "5:3: unet.projection_class_embeddings_input_dim: expected more than "
        "addition_time_embed_dim, 256, since it holds the pooled text and 256 for each time id, "
        "found 256",
    ),
}


@pytest.mark.parametrize(("lines", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(write, refusal, lines, said):
    assert refusal(write(f"extends: sd15\nunet:\n  {lines}\n")) == f"x.yaml:{said}"


OF_FAMILIES = {
    "blocks without text among those of k-diffusion": (
        "sd_x2_latent_upscaler",
        "down_block_types.1=DownBlock2D",
        "unet.down_block_types.1: expected blocks of k-diffusion at all levels or at none, "
        "found DownBlock2D",
    ),
    "a norm's group cut in two": (
        "sd_x2_latent_upscaler",
        "block_out_channels.0=400",
        "unet.block_out_channels.0: expected a multiple of 32, the channels of a norm's group, "
        "found 400",
    ),
    "a lowest level that its block does not know": (
        "sd_x2_latent_upscaler",
        "block_out_channels.2=384",
        "unet.block_out_channels.3: expected those of the level above and the width of the time "
        "embedding, 768, by which KCrossAttnUpBlock2D knows the lowest level, found 768",
    ),
    "up layers in blocks of k-diffusion": (
        "sd_x2_latent_upscaler",
        "up_layers_per_block=[4, 4, 4, 3]",
        "unet.up_layers_per_block: expected null, since blocks of k-diffusion join one residual of "
        "their level before all their ResNets, found a list of 4",
    ),
    "attention at the lowest level of the decoder alone": (
        "sd_x2_latent_upscaler",
        "down_block_types.3=KDownBlock2D",
        "unet.up_block_types.0: expected attention at the lowest level in encoder and decoder, or "
        "in neither, found KCrossAttnUpBlock2D",
    ),
    "widths of heads": (
        "kandinsky22_decoder",
        "attention_head_dim=100",
        "unet.attention_head_dim: expected a divisor of the levels' channels, 768, 1152 and 1536, "
        "found 100\nhint: attention_head_dim is the width of each head in these blocks",
    ),
    "widths of heads without text": (
        "ldm_celebahq_256",
        "attention_head_dim=100",
        "unet.attention_head_dim: expected a divisor of the levels' channels, 448, 672 and 896, "
        "found 100\nhint: attention_head_dim is the width of each head in these blocks",
    ),
    "the pooled text's heads": (
        "if_I_XL",
        "addition_embed_type_num_heads=60",
        "unet.addition_embed_type_num_heads: expected a divisor of the text's 4096 channels, "
        "found 60",
    ),
    "a norm of the text": (
        "if_I_XL",
        "cross_attention_dim=100",
        "unet.cross_attention_dim: expected a multiple of 32, since cross_attention_norm is "
        "group_norm, found 100",
    ),
    "a norm of the text as wide as the pixels": (
        "if_I_XL",
        "cross_attention_norm=layer_norm",
        "unet.cross_attention_dim: expected the level's channels, 1408, since "
        "cross_attention_norm is layer_norm, found 2816",
    ),
    "tokens of many widths from one projection": (
        "if_I_XL",
        "cross_attention_dim=[704, 1408, 2112, 2816]",
        "unet.cross_attention_dim: expected one number, since encoder_hid_dim_type is text_proj, "
        "found a list",
    ),
    "gates where there are no transformers": (
        "kandinsky22_decoder",
        "attention_type=gated",
        "unet.attention_type: expected default, since only blocks with one Transformer2DModel a "
        "layer have gates, found gated",
    ),
    "a hint without room": (
        "kandinsky22_decoder",
        "addition_embed_type=image_hint",
        "unet.in_channels: expected more than the hint's 4 channels, since they are among them, "
        "found 4",
    ),
    "no groups where blocks count by them": (
        "ddpm_cifar10_32",
        "norm_num_groups=null",
        "unet.norm_num_groups: expected a number, since DownBlock2D counts by it, found null",
    ),
    "groups of the middle attention": (
        "adm_imagenet64",
        "attn_norm_num_groups=100",
        "unet.attn_norm_num_groups: expected a divisor of the lowest level's 768 channels, "
        "found 100",
    ),
    "an image that is carried no further": (
        "ddpm_cifar10_32",
        "down_block_types=[DownBlock2D, SkipDownBlock2D, SkipDownBlock2D, DownBlock2D]",
        "unet.down_block_types.0: expected a Skip block, since the image is carried through this "
        "level, found DownBlock2D",
    ),
    "a picture that is carried no further": (
        "ddpm_cifar10_32",
        "up_block_types=[UpBlock2D, SkipUpBlock2D, UpBlock2D, SkipUpBlock2D]",
        "unet.up_block_types.2: expected a Skip block, since the image is carried through this "
        "level, found UpBlock2D",
    ),
    "heads of a ControlNet": (
        "controlnet_sd15",
        "num_attention_heads=[7, 8, 8, 8]",
        "unet.num_attention_heads.0: expected a divisor of the level's 320 channels, found 7\n"
        "hint: attention_head_dim is the number of heads here, whatever its name says",
    ),
    "fewer levels in a ControlNet": (
        "controlnet_sd15",
        "block_out_channels=[320, 640]",
        "unet.block_out_channels: expected 4 entries, one for each of down_block_types, found 2",
    ),
    "a block that a family does not have": (
        "ddpm_cifar10_32",
        "down_block_types.1=CrossAttnDownBlock2D",
        "unet.down_block_types.1: expected DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D, "
        'SkipDownBlock2D or AttnSkipDownBlock2D, found the string "CrossAttnDownBlock2D"\n'
        "hint: CrossAttnDownBlock2D is a published block type, but not one of this family's here",
    ),
}


@pytest.mark.parametrize(("name", "override", "said"), OF_FAMILIES.values(), ids=OF_FAMILIES)
def test_refused_in_families(refusal, name, override, said):
    assert refusal(name, overrides=[override]).partition(": ")[2] == said


@pytest.mark.parametrize(
    "override",
    [
        "attention_head_dim=[8, 8, 8, 8]",
        "transformer_layers_per_block=[2, 2, 2, 2]",
        "norm_num_groups=1",
        "layers_per_block=[1, 2, 3, 4]",
        "cross_attention_dim=[768, 768, 768, 768]",
    ],
)
def test_accepted(override):
    load("sd15", overrides=[override])


def test_heads_matter_where_there_are_transformers_only(write, refusal):
    no_middle = "extends: sd15\nunet:\n  mid_block_type: null\n"
    load(write(f"{no_middle}  attention_head_dim: [8, 8, 8, 7]\n"))
    assert "found 7" in refusal(write(f"{no_middle}  attention_head_dim: [8, 8, 7, 8]\n"))


def test_each_cause_is_one_finding():
    document = parse(
        "unet:\n  block_out_channels: [320, 641, 1281, 1280]\n  attention_head_dim: 9\n"
        "  up_block_types: [UpBlock2D]\n",
        "x.yaml",
    )
    assert [(finding.id, finding.path[1:]) for finding in findings(document)] == [
        ("list-length", ("up_block_types",)),
        ("groups", ("block_out_channels", 1)),
        ("groups", ("block_out_channels", 2)),
    ]
