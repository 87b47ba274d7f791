"""The modules of UNets, and of the motion modules that are put between them.

Sources: the configs of the published models; guyoww/AnimateDiff, `motion_module.py`.
"""

from __future__ import annotations

from typing import Any

from unetscope.checkpoints.lora.layers import Layer

_SD2 = {"cross_attention_dim": 1024, "use_linear_projection": True}
_XL = {
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "block_out_channels": [320, 640, 1280],
    "transformer_layers_per_block": [1, 2, 10],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_REFINER = {
    **_XL,
    "down_block_types": ["DownBlock2D", *["CrossAttnDownBlock2D"] * 2, "DownBlock2D"],
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 2, "UpBlock2D"],
    "block_out_channels": [384, 768, 1536, 1536],
    "transformer_layers_per_block": 4,
    "cross_attention_dim": 1280,
    "projection_class_embeddings_input_dim": 2560,
}
_SSD = {
    **_XL,
    "mid_block_type": "UNetMidBlock2D",
    "transformer_layers_per_block": [1, 2, 4],
    "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1],
}
_VEGA = {
    **_SSD,
    "transformer_layers_per_block": [1, 1, 2],
    "reverse_transformer_layers_per_block": [2, 1, 1],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "SD1": {"cross_attention_dim": 768},
    "SD2": _SD2,
    "SDXL": _XL,
    "SSD-1B": _SSD,
    "Segmind Vega": _VEGA,
    "the refiner of SDXL": _REFINER,
}
"""What people call each UNet, and its options; those that shape no module are left out."""


def unet(options: dict[str, Any]) -> dict[str, Layer]:
    """The linear layers and convolutions of a UNet, in diffusers' names."""
    from msgspec import convert

    from unetscope.families.diffusers.tensors import tensors_of
    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

    tensors = tensors_of(convert(options, UNet2DConditionConfig))
    return {
        name.removesuffix(".weight"): Layer(shape[1], shape[0], len(shape) == 4)
        for name, shape in tensors.items()
        if name.endswith(".weight") and len(shape) > 1
    }


def motion(widths: tuple[int, ...]) -> dict[str, Layer]:
    """The attentions of AnimateDiff's motion modules."""
    places = [(f"down_blocks.{n}", width, 2) for n, width in enumerate(widths)]
    places += [(f"up_blocks.{n}", width, 3) for n, width in enumerate(widths[::-1])]
    places.append(("mid_block", widths[-1], 1))
    return {
        f"{block}.motion_modules.{number}.temporal_transformer.transformer_blocks.0."
        f"attention_blocks.{attention}.{end}": Layer(width, width)
        for block, width, count in places
        for number in range(count)
        for attention in range(2)
        for end in ("to_q", "to_k", "to_v", "to_out.0")
    }
