"""UNets: those whose config is inferred elsewhere have no name here; all others are told here.

Sources: CompVis/stable-diffusion, `openaimodel.py`; openai/guided-diffusion, `unet.py`;
ermongroup/ddim, `models/diffusion.py`; Stability-AI/StableCascade, `modules/stage_b.py` and
`stage_c.py`; huggingface/diffusers, `models/unets`.
"""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.checkpoints.signatures.signature import Pattern, Signature

UNET = "unet"

_UNNAMED = (
    Signature(
        UNET,
        "",
        {
            "input_blocks.0.0.weight": None,
            "output_blocks.0.0.in_layers.0.weight": None,
            "out.2.weight": None,
        },
    ),
    Signature(
        UNET,
        "",
        {
            "conv_in.weight": None,
            "down_blocks.0.resnets.0.conv1.weight": None,
            "up_blocks.0.resnets.0.conv1.weight": None,
            "conv_out.weight": None,
        },
    ),
    Signature(
        UNET,
        "",
        {
            "conv_in.weight": None,
            "down_blocks.0.resnets.0.spatial_res_block.conv1.weight": None,
            "up_blocks.0.resnets.0.spatial_res_block.conv1.weight": None,
            "conv_out.weight": None,
        },
    ),
    Signature(
        UNET,
        "",
        {
            "temb.dense.0.weight": None,
            "down.0.block.0.conv1.weight": None,
            "up.0.block.0.conv1.weight": None,
        },
    ),
)
"""Whose names a UNet bears, so that its config can be read off, or why it cannot."""
_TWO_LENGTHS = "Stable Video Diffusion's of 14 and of 25 frames have the same names and shapes"
_ZEROSCOPE = "ModelScope's and ZeroScope's have the same names and shapes"
_VIDEOS = (
    Signature(
        UNET,
        "Stable Video Diffusion",
        {
            "down_blocks.0.resnets.0.spatial_res_block.norm1.weight": (320,),
            "conv_in.weight": (320, 8, 3, 3),
            "add_embedding.linear_1.weight": (1280, 768),
        },
        doubt=_TWO_LENGTHS,
        elements=1_524_623_082,
    ),
    Signature(
        UNET,
        "Stable Video Diffusion",
        {
            "input_blocks.1.0.time_stack.in_layers.0.weight": (320,),
            "input_blocks.0.0.weight": (320, 8, 3, 3),
            "label_emb.0.0.weight": (1280, 768),
        },
        doubt=_TWO_LENGTHS,
        elements=1_524_623_082,
    ),
    Signature(
        UNET,
        "ModelScope, text to video",
        {
            "transformer_in.proj_in.weight": (512, 320),
            "conv_in.weight": (320, 4, 3, 3),
            "down_blocks.0.temp_convs.0.conv1.0.weight": (320,),
        },
        doubt=_ZEROSCOPE,
        elements=1_411_233_860,
    ),
    Signature(
        UNET,
        "I2VGen-XL",
        {
            "image_latents_temporal_encoder.norm1.weight": None,
            "conv_in.weight": (320, 8, 3, 3),
            "down_blocks.0.temp_convs.0.conv1.0.weight": (320,),
        },
        elements=1_420_469_224,
    ),
)


def _moving() -> Iterator[Signature]:
    """UNets that diffusers saves with AnimateDiff's motion modules in them."""
    for name, positions, elements in (
        ("SD1, AnimateDiff v1", 24, 1_277_080_964),
        ("SD1, AnimateDiff v2", 32, 1_313_334_404),
        ("SD1, AnimateDiff v3", 32, 1_277_221_764),
        ("SDXL, AnimateDiff", 32, 2_804_601_284),
    ):
        places = "down_blocks.0.motion_modules.0.transformer_blocks.0.pos_embed.pe"
        has: dict[str, Pattern] = {
            places: (1, positions, 320),
            "conv_in.weight": (320, 4, 3, 3),
        }
        yield Signature(UNET, name, has, elements=elements)


def _cascade() -> Iterator[Signature]:
    text = "clip_txt_mapper.weight"
    for name, width, elements in (
        ("Stable Cascade, stage C", 2048, 3_589_103_632),
        ("Stable Cascade, stage C (lite)", 1536, 1_030_785_040),
    ):
        has: dict[str, Pattern] = {text: (width, 1280), "clf.1.weight": None}
        yield Signature(UNET, name, has, elements=elements)
    for name, width, elements in (
        ("Stable Cascade, stage B", 640, 1_562_941_136),
        ("Stable Cascade, stage B (lite)", 576, 718_665_872),
    ):
        has = {
            "clf.1.weight": None,
            "effnet_mapper.0.weight": None,
            "down_blocks.1.0.channelwise.0.weight": (4 * width, width),
        }
        yield Signature(UNET, name, has, (text,), elements=elements)
    kind: dict[str, Pattern] = {"clf.1.weight": None, "down_blocks.0.0.depthwise.weight": None}
    yield Signature(UNET, "a UNet of Stable Cascade's kind", kind, general=True)


_KANDINSKY: dict[str, Pattern] = {
    "down_blocks.0.resnets_in.0.resnet_blocks.0.projection.weight": None,
    "add_time_condition.attention.to_q.weight": None,
}
SIGNATURES = (
    *_UNNAMED,
    *_VIDEOS,
    *_moving(),
    Signature(UNET, "Kandinsky 3", _KANDINSKY, elements=3_055_348_228),
    Signature(UNET, "a UNet of Kandinsky 3's kind", _KANDINSKY, general=True),
    *_cascade(),
)
