"""What stands beside networks that make pictures: upscalers, safety checkers, judges of beauty.

Sources: xinntao/ESRGAN and BasicSR, `rrdbnet_arch.py` and `srvgg_arch.py`; JingyunLiang/SwinIR;
XPixelGroup/HAT; CompVis/stable-diffusion-safety-checker;
christophschuhmann/improved-aesthetic-predictor.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Signature

UPSCALER, OTHER = "upscaler", "other"
_BIASES = "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"
_OVERLAP = "layers.0.residual_group.overlap_attn.relative_position_bias_table"

SIGNATURES = (
    Signature(
        UPSCALER,
        "ESRGAN",
        {"body.0.rdb1.conv1.weight": (32, 64, 3, 3), "conv_first.weight": (64, None, 3, 3)},
    ),
    Signature(
        UPSCALER,
        "ESRGAN",
        {"model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3), "model.0.weight": (64, None, 3, 3)},
    ),
    Signature(
        UPSCALER,
        "ESRGAN",
        {"RRDB_trunk.0.RDB1.conv1.weight": (32, 64, 3, 3), "conv_first.weight": (64, None, 3, 3)},
    ),
    Signature(
        UPSCALER, "ESRGAN, compact", {"body.1.weight": (64,), "body.0.weight": (64, 3, 3, 3)}
    ),
    Signature(UPSCALER, "SwinIR", {_BIASES: None, "conv_first.weight": None}, (_OVERLAP,)),
    Signature(UPSCALER, "HAT", {_OVERLAP: None, "conv_first.weight": None}),
    Signature(
        UPSCALER,
        "DAT",
        {"layers.0.blocks.0.attn.attns.0.rpe_biases": None, "conv_first.weight": None},
        ("layers.0.blocks.0.gamma",),
    ),
    Signature(
        UPSCALER,
        "RGT",
        {
            "layers.0.blocks.0.gamma": None,
            "layers.0.blocks.0.attn.attns.0.rpe_biases": None,
            "conv_first.weight": None,
        },
    ),
    Signature(
        OTHER, "safety checker", {"concept_embeds": (17, 768), "special_care_embeds": (3, 768)}
    ),
    Signature(
        OTHER,
        "aesthetic predictor",
        {"layers.0.weight": (1024, 768), "layers.2.weight": (128, 1024)},
    ),
)
