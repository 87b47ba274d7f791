"""UNets, of which only the dialect of names is told here: their config is inferred elsewhere.

Sources: CompVis/stable-diffusion, `openaimodel.py`; openai/guided-diffusion, `unet.py`;
ermongroup/ddim, `models/diffusion.py`; Stability-AI/StableCascade, `modules/stage_b.py` and
`stage_c.py`; huggingface/diffusers, `models/unets`.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Signature

UNET = "unet"
_EFFNET = "effnet_mapper.0.weight"
_CASCADE_B = "down_blocks.1.0.channelwise.0.weight"

SIGNATURES = (
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
        "Kandinsky 3",
        {
            "add_time_condition.attention.to_q.weight": (1536, 4096),
            "down_blocks.0.resnets_in.0.resnet_blocks.0.projection.weight": None,
        },
    ),
    Signature(
        UNET,
        "DDPM",
        {
            "temb.dense.0.weight": None,
            "down.0.block.0.conv1.weight": None,
            "up.0.block.0.conv1.weight": None,
        },
    ),
    Signature(
        UNET,
        "Stable Cascade, stage C",
        {"clip_txt_mapper.weight": (2048, 1280), "clf.1.weight": None},
    ),
    Signature(
        UNET,
        "Stable Cascade, stage C (lite)",
        {"clip_txt_mapper.weight": (1536, 1280), "clf.1.weight": None},
    ),
    Signature(
        UNET,
        "Stable Cascade, stage B",
        {"clf.1.weight": None, _EFFNET: None, _CASCADE_B: (2560, 640)},
        ("clip_txt_mapper.weight",),
    ),
    Signature(
        UNET,
        "Stable Cascade, stage B (lite)",
        {"clf.1.weight": None, _EFFNET: None, _CASCADE_B: (2304, 576)},
        ("clip_txt_mapper.weight",),
    ),
    Signature(
        UNET,
        "a UNet of Stable Cascade's kind",
        {"clf.1.weight": None, "down_blocks.0.0.depthwise.weight": None},
        general=True,
    ),
)
