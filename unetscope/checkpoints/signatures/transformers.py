"""Diffusion transformers (DiTs), in their authors' names and in diffusers'.

Sources: comfyanonymous/ComfyUI, `comfy/model_detection.py`; city96/ComfyUI-GGUF, `convert.py`;
huggingface/diffusers, `models/transformers`; PixArt-alpha; Tencent/HunyuanDiT;
cloneofsimo/lavenderflow (AuraFlow); NVlabs/Sana; Alpha-VLLM/Lumina-Image-2.0.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.dit import DIT, dit
from unetscope.checkpoints.signatures.signature import Signature

_IMG = "img_in.weight"
_PATCHES_D = "pos_embed.proj.weight"
_PIXART, _ADALN = "t_block.1.weight", "adaln_single.emb.timestep_embedder.linear_1.weight"
_SIZED, _SIZED_D = (
    "csize_embedder.mlp.0.weight",
    "adaln_single.emb.resolution_embedder.linear_1.weight",
)
_TEXT_D = "patch_embed.text_proj.weight"
_PIXART_BLOCKS = {"blocks.{}.attn.qkv.weight": 28}
_PIXART_BLOCKS_D = {"transformer_blocks.{}.attn1.to_q.weight": 28}
_CONTROL = "controlnet_blocks.0.weight"
_IN_TIME = "temporal_transformer_blocks.0.attn1.to_q.weight"
"""What Latte adds to PixArt."""
_LUMINA = "noise_refiner.0.attention.k_norm.weight"
_CLIP_TOO = "clip_text_pooled_proj.0.weight"
"""What NewBie adds to Lumina 2."""
_OF_Z_IMAGE = ("siglip_embedder.0.weight", "dec_net.cond_embed.weight")
"""What makes Z-Image see images, or paint pixels."""
_LAYERED = "time_text_embed.addition_t_embedding.weight"
_TWO_STREAMS = "double_stream_layers.0.img_instruct_attn.processor.img_to_q.weight"
"""What Boogu-Image adds to OmniGen2."""


def _kinds() -> tuple[Signature, ...]:
    """What has the parts of a diffusion transformer, but is none that is known by name."""

    def kind(name: str, *keys: str) -> Signature:
        return Signature(DIT, name, dict.fromkeys(keys), general=True)

    step = "timestep_embedder.linear_1.weight"
    joint, own = "transformer_blocks.0.attn.to_q.weight", "transformer_blocks.0.attn1.to_q.weight"
    name = "a diffusion transformer"
    return (
        kind("a transformer of PixArt's or Sana's kind", _PIXART, "blocks.0.attn.qkv.weight"),
        kind(
            "a transformer of Qwen-Image's kind",
            *("txt_norm.weight", _IMG, "transformer_blocks.0.img_mod.1.weight"),
        ),
        kind(name, f"time_text_embed.{step}", joint),
        kind(name, f"time_embed.{step}", joint),
        kind(name, step, joint),
        kind(name, f"time_guidance_embed.{step}", joint),
        kind(name, f"time_condition_embed.{step}", own),
        kind(name, f"adaln_single.emb.{step}", own),
        kind(name, f"time_embed.emb.{step}", own),
        kind(name, "t_embedder.mlp.0.weight", "blocks.0.attn.qkv.weight"),
        kind(name, "t_embedder.mlp.0.weight", "layers.0.attention.to_q.weight"),
    )


SIGNATURES = (
    dit(
        "Hunyuan-DiT",
        {"mlp_t5.0.weight": (8192, 2048), "x_embedder.proj.weight": (1408, 4, 2, 2)},
        "after_proj_list.0.weight",
        blocks={"blocks.{}.attn1.Wqkv.weight": 40},
    ),
    dit(
        "Hunyuan-DiT",
        {
            "time_extra_emb.pooler.positional_embedding": (257, 2048),
            "pos_embed.proj.weight": (1408, 4, 2, 2),
        },
        _CONTROL,
        blocks={"blocks.{}.attn1.to_q.weight": 40},
    ),
    dit("AuraFlow", {"double_layers.0.attn.w1q.weight": (3072, 3072), "positional_encoding": None}),
    dit(
        "AuraFlow",
        {
            "joint_transformer_blocks.0.attn.add_q_proj.weight": (3072, 3072),
            "register_tokens": None,
        },
    ),
    dit("PixArt-alpha, 1024 pixels", {_PIXART: (6912, 1152), _SIZED: None}, blocks=_PIXART_BLOCKS),
    dit(
        "PixArt-sigma or PixArt-alpha of 512 pixels",
        {_PIXART: (6912, 1152)},
        _SIZED,
        blocks=_PIXART_BLOCKS,
    ),
    dit(
        "PixArt-alpha, 1024 pixels",
        {_ADALN: (1152, 256), _PATCHES_D: (1152, 4, 2, 2), _SIZED_D: None},
        blocks=_PIXART_BLOCKS_D,
    ),
    dit(
        "PixArt-sigma or PixArt-alpha of 512 pixels",
        {_ADALN: (1152, 256), _PATCHES_D: (1152, 4, 2, 2)},
        *(_SIZED_D, _IN_TIME),
        blocks=_PIXART_BLOCKS_D,
    ),
    dit(
        "a transformer of DiT's kind",
        {
            "proj_out_1.weight": None,
            "transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight": None,
        },
    ),
    dit(
        "a transformer of DiT's kind",
        {
            "y_embedder.embedding_table.weight": None,
            "blocks.0.adaLN_modulation.1.weight": None,
            "t_embedder.mlp.0.weight": None,
        },
    ),
    dit(
        "CogView 3 Plus or CogView 4",
        {_TEXT_D: (None, 4096), "time_condition_embed.condition_embedder.linear_1.weight": None},
    ),
    dit("Lumina 2", {_LUMINA: None, "cap_embedder.1.weight": (2304, 2304)}, _CLIP_TOO),
    dit("Z-Image", {_LUMINA: None, "cap_embedder.1.weight": (3840, 2560)}, *_OF_Z_IMAGE),
    dit(
        "Lumina 2",
        {
            "time_caption_embed.caption_embedder.1.weight": (2304, None),
            "noise_refiner.0.attn.norm_q.weight": None,
        },
    ),
    dit(
        "Z-Image",
        {"all_x_embedder.2-1.weight": (3840, 64), "cap_pad_token": (1, 3840)},
        *_OF_Z_IMAGE,
    ),
    dit(
        "OmniGen2",
        {
            "time_caption_embed.caption_embedder.1.weight": (2520, None),
            "ref_image_refiner.0.attn.norm_q.weight": None,
        },
        _TWO_STREAMS,
    ),
    dit(
        "Sana",
        {
            "time_embed.emb.timestep_embedder.linear_1.weight": None,
            "caption_norm.weight": (None,),
            "patch_embed.proj.weight": (None, 32, 1, 1),
        },
        _CONTROL,
    ),
    dit(
        "Sana",
        {
            "attention_y_norm.weight": None,
            "y_embedder.y_proj.fc1.weight": (None, 2304),
            "x_embedder.proj.weight": (None, 32, 1, 1),
        },
        _CONTROL,
    ),
    dit(
        "Qwen-Image",
        {
            "txt_norm.weight": (3584,),
            _IMG: (3072, 64),
            "transformer_blocks.0.img_mod.1.weight": (18432, 3072),
        },
        *(_CONTROL, _LAYERED),
        doubt="Qwen-Image's and Qwen-Image-Edit's have the same names and shapes",
        blocks={"transformer_blocks.{}.attn.to_q.weight": 60},
    ),
    dit(
        "Qwen-Image-Layered",
        {
            _LAYERED: (2, 3072),
            "txt_norm.weight": (3584,),
            _IMG: (3072, 64),
        },
        _CONTROL,
        blocks={"transformer_blocks.{}.attn.to_q.weight": 60},
    ),
    dit("Qwen-Image 2.1", {"txt_in.text_norm.weight": (4096,), _IMG: (4096, 64)}),
    dit(
        "HiDream-I1 or HiDream-E1",
        {
            "caption_projection.0.linear.weight": None,
            "double_stream_blocks.0.block.ff_i.shared_experts.w3.weight": None,
        },
    ),
    dit(
        "Kandinsky 5",
        {
            "visual_transformer_blocks.0.cross_attention.key_norm.weight": None,
            "visual_embeddings.in_layer.weight": None,
        },
    ),
    dit(
        "Stable Audio",
        {"transformer.rotary_pos_emb.inv_freq": None, "to_timestep_embed.0.weight": None},
    ),
    dit("prior of unCLIP", {"prd_embedding": (1, 1, None), "proj_to_clip_embeddings.weight": None}),
    dit("Hunyuan3D 2", {"latent_in.weight": None, "cond_in.weight": None}),
    *_kinds(),
)
